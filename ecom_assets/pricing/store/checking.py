"""The checks of a plan before it may take effect, and the state they lead to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.gates import FLAGGED_BPS, SHIFT_BPS, SHIFT_ENTRIES
from ecom_assets.pricing.tables import PRICE_PLANS

BLOCKING = frozenset({"below_cost", "below_minimum", "shifted_as_a_whole", "quantity_dearer",
                      "too_many_far"})  # fmt: skip
"""Findings that stop a plan; of the rest a person decides, or they are only told."""

ASKING = frozenset({"lines_ask", "many_moved"})
"""Findings that ask for approval."""

# What holds of every line that moves a price, whoever made the plan: an import as well as the
# rules, which keep the limits by themselves. Each row is a finding with the number of lines.
_FINDINGS = sa.text("""
    WITH plan AS (
        SELECT p.*, l.currency, l.tax_bps, l.most_moved_bps
        FROM pricing.price_plans AS p JOIN pricing.price_lists AS l USING (price_list_id)
        WHERE p.plan_id = :plan_id
    ), moved AS (
        SELECT line.*, plan.price_list_id, plan.effective_at, plan.currency, plan.tax_bps
        FROM pricing.plan_lines AS line JOIN plan USING (plan_id)
        WHERE line.outcome IN ('change', 'new')
    ), judged AS (
        SELECT m.sku, m.min_quantity, m.old_minor, m.new_minor, c.cost_minor,
            c.cost_minor * (10000 + m.tax_bps) > m.new_minor * 10000 AS is_below_cost,
            m.new_minor < greatest(
                CASE WHEN s.sku IS NOT NULL THEN s.minimum_minor
                    WHEN k.category IS NOT NULL THEN k.minimum_minor ELSE a.minimum_minor END,
                coalesce(s.map_minor, k.map_minor, a.map_minor)
            ) AS is_below_minimum
        FROM moved AS m
            LEFT JOIN catalog.products AS p ON p.sku = m.sku
            LEFT JOIN pricing.costs AS c ON c.sku = m.sku AND c.currency = m.currency
                AND c.valid_from_at <= m.effective_at
                AND (c.valid_to_at IS NULL OR c.valid_to_at > m.effective_at)
            LEFT JOIN pricing.constraints AS s
                ON s.price_list_id = m.price_list_id AND s.sku = m.sku
            LEFT JOIN pricing.constraints AS k
                ON k.price_list_id = m.price_list_id AND k.category = p.category
                    AND k.category <> ''
            LEFT JOIN pricing.constraints AS a
                ON a.price_list_id = m.price_list_id AND a.category = '' AND a.sku = ''
    ), shift AS (
        SELECT count(*) AS lines, percentile_disc(0.5) WITHIN GROUP (
                ORDER BY new_minor * 10000 / old_minor) AS median_bps
        FROM judged WHERE old_minor IS NOT NULL
    ), tiered AS (
        -- Few products have prices by quantity; only those are compared with each other.
        SELECT p.sku FROM pricing.prices AS p JOIN plan USING (price_list_id)
            WHERE p.min_quantity > 1
        UNION
        SELECT sku FROM moved WHERE min_quantity > 1
    ), dearer AS (
        SELECT count(*) AS lines FROM moved AS m JOIN tiered USING (sku)
            JOIN pricing.prices AS p ON p.price_list_id = m.price_list_id AND p.sku = m.sku
                AND p.valid_from_at <= m.effective_at
                AND (p.valid_to_at IS NULL OR p.valid_to_at > m.effective_at)
            LEFT JOIN moved AS other ON other.sku = p.sku AND other.min_quantity = p.min_quantity
        WHERE (p.min_quantity > m.min_quantity
                AND coalesce(other.new_minor, p.price_minor) > m.new_minor)
            OR (p.min_quantity < m.min_quantity
                AND coalesce(other.new_minor, p.price_minor) < m.new_minor)
    )
    SELECT found.finding, found.lines, plan.kind
    FROM plan CROSS JOIN LATERAL (
        SELECT 'below_cost' AS finding, count(*) FILTER (WHERE is_below_cost) AS lines FROM judged
        UNION ALL SELECT 'below_minimum', count(*) FILTER (WHERE is_below_minimum) FROM judged
        UNION ALL SELECT 'cost_unknown', count(*) FILTER (WHERE cost_minor IS NULL) FROM judged
        UNION ALL SELECT 'shifted_as_a_whole', CASE
            WHEN shift.lines >= :shift_entries
                AND (median_bps > :shift_bps OR median_bps * :shift_bps < 100000000)
            THEN shift.lines ELSE 0 END FROM shift
        UNION ALL SELECT 'quantity_dearer', dearer.lines FROM dearer
        UNION ALL SELECT 'lines_ask', count(*) FROM pricing.plan_lines
            WHERE plan_id = :plan_id AND is_approval_needed
        UNION ALL SELECT 'too_many_far', CASE WHEN count(*) >= :shift_entries AND count(*) FILTER (
                WHERE 'far_from_price_in_force' = ANY (reasons)) * 10000 > count(*) * :flagged_bps
            THEN count(*) ELSE 0 END
            FROM pricing.plan_lines WHERE plan_id = :plan_id
        UNION ALL SELECT 'many_moved', CASE
            WHEN (SELECT count(*) FROM moved) * 10000 > plan.most_moved_bps
                * (SELECT count(*) FROM pricing.plan_lines WHERE plan_id = :plan_id)
            THEN (SELECT count(*) FROM moved) ELSE 0 END
    ) AS found
""")
_COUNTS = sa.text("""
    SELECT count(*) AS lines, count(*) FILTER (WHERE outcome IN ('change', 'new', 'end')) AS moved,
        count(*) FILTER (WHERE outcome = 'hold') AS held
    FROM pricing.plan_lines WHERE plan_id = :plan_id
""")
_ANALYSE = sa.text("ANALYZE pricing.plan_lines")
_LARGE_PLAN = 500
"""Of so many lines a plan made for one would go through the square of them."""


def findings_of(conn: sa.Connection, plan_id: int) -> list[dict[str, Any]]:
    """What the checks see in a plan: a code, the number of lines, and what follows from it."""
    values = {"plan_id": plan_id, "shift_entries": SHIFT_ENTRIES, "shift_bps": SHIFT_BPS,
              "flagged_bps": FLAGGED_BPS}  # fmt: skip
    return [
        {"finding": row.finding, "lines": row.lines, "effect": _effect(row.finding, row.kind)}
        for row in conn.execute(_FINDINGS, values)
    ]


def _effect(finding: str, kind: str) -> str:
    # A way back must be open at once; the prices it leads to were in force before.
    if kind == "rollback":
        return "tells"
    return "blocks" if finding in BLOCKING else "asks" if finding in ASKING else "tells"


def conclude(conn: sa.Connection, plan_id: int) -> str:
    """Check a plan whose lines are written; returns its state: blocked, awaiting or ready."""
    counts = conn.execute(_COUNTS, {"plan_id": plan_id}).one()
    if counts.lines > _LARGE_PLAN:
        conn.execute(_ANALYSE)
    findings = findings_of(conn, plan_id)
    hits = {item["effect"] for item in findings if item["lines"]}
    state = "blocked" if "blocks" in hits else "awaiting" if "asks" in hits else "ready"
    change = (
        sa.update(PRICE_PLANS)
        .where(PRICE_PLANS.c.plan_id == plan_id)
        .values(findings=findings, state=state, is_approval_needed="asks" in hits,
                lines=counts.lines, moved=counts.moved, held=counts.held)
    )  # fmt: skip
    conn.execute(change)
    return state
