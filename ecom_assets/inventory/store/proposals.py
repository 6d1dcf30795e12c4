"""Purchase proposals: made from policies and stock, decided by people.

An accepted proposal becomes expected receipts, whose reference is `purchase-<proposal id>`. What is
on order is all that is expected and has not come, whoever ordered it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ecom_assets.inventory.store.backtests import methods_at
from ecom_assets.inventory.store.loading import copy_columns
from ecom_assets.inventory.tables import (
    PURCHASE_PROPOSAL_LINES,
    PURCHASE_PROPOSALS,
)

if TYPE_CHECKING:
    import pandas as pd

_POSITIONS = sa.text("""
    WITH on_order AS (
        SELECT site_code, sku, sum(quantity - received) AS units
        FROM inventory.expected_receipts WHERE received < quantity
        GROUP BY 1, 2
    ), homes AS (
        SELECT DISTINCT ON (sku) sku, site_code FROM inventory.balances
        ORDER BY sku, on_hand + sold DESC, site_code
    ), waiting AS (
        -- What customers wait for is sold already; the SKU's home site will have to ship it.
        SELECT r.sku, h.site_code, sum(r.backordered) AS units
        FROM inventory.reservations AS r
        JOIN flow.order_states AS s USING (order_id)
        JOIN homes AS h USING (sku)
        WHERE r.backordered > 0 AND s.fulfilment_state IN
            ('backordered', 'partly_reserved', 'partly_allocated', 'partly_shipped')
        GROUP BY 1, 2
    )
    SELECT p.sku, p.site_code, p.segment, p.method, p.service_level, p.reorder_point, p.order_up_to,
        p.protected_units, p.safety_units, p.daily_units, p.lead_days + p.review_days AS days,
        p.lead_days,
        (coalesce(b.on_hand + b.sold, 0) - coalesce(a.allocated, 0) - coalesce(w.units, 0))::bigint
            AS available_units,
        coalesce(o.units, 0)::bigint AS on_order_units,
        coalesce(t.pack_units, 1) AS pack_units, coalesce(t.minimum_units, 1) AS minimum_units,
        coalesce(t.is_reordered, NOT d.is_kit) AS is_reordered, d.unit_cost_minor, d.currency,
        coalesce(d.supplier_key, '') AS supplier_key,
        coalesce(s.minimum_order_minor, 0) AS minimum_minor
    FROM inventory.reorder_policies AS p
    JOIN catalog.products AS d USING (sku)
    LEFT JOIN catalog.suppliers AS s USING (supplier_key)
    LEFT JOIN inventory.reorder_terms AS t ON t.sku = p.sku
    LEFT JOIN inventory.balances AS b ON b.sku = p.sku AND b.site_code = p.site_code
    LEFT JOIN warehouse.site_loads AS a ON a.sku = p.sku AND a.site_code = p.site_code
    LEFT JOIN waiting AS w ON w.sku = p.sku AND w.site_code = p.site_code
    LEFT JOIN on_order AS o ON o.sku = p.sku AND o.site_code = p.site_code
    ORDER BY p.sku, p.site_code
""")

_GROUPS = sa.Table(
    "proposal_groups",
    sa.MetaData(),
    sa.Column("group_no", sa.Integer, primary_key=True),
    *(
        sa.Column(name, PURCHASE_PROPOSALS.c[name].type)
        for name in ("supplier_key", "site_code", "currency", "state", "reasons", "total_minor",
                     "minimum_minor", "lead_days")
    ),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)  # fmt: skip
_LINES = sa.Table(
    "proposal_lines",
    sa.MetaData(),
    sa.Column("group_no", sa.Integer),
    sa.Column("days", sa.Double),
    *(
        sa.Column(column.name, column.type)
        for column in PURCHASE_PROPOSAL_LINES.columns
        if column.name not in ("proposal_id", "explanation", "line_total_minor")
    ),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
# A proposal that says what the open one says leaves it: its number stays what people saw.
_KNOWN = sa.text("""
    DELETE FROM proposal_groups AS g
    USING inventory.purchase_proposals AS p
    WHERE p.state = g.state AND p.state IN ('proposed', 'held') AND p.site_code = g.site_code
        AND p.supplier_key = g.supplier_key AND p.currency = g.currency
        AND p.total_minor = g.total_minor AND (
            SELECT array_agg((l.sku, l.quantity)::text ORDER BY l.sku) FROM proposal_lines AS l
            WHERE l.group_no = g.group_no
        ) = (
            SELECT array_agg((l.sku, l.quantity)::text ORDER BY l.sku)
            FROM inventory.purchase_proposal_lines AS l WHERE l.proposal_id = p.proposal_id
        )
    RETURNING p.proposal_id
""")
_SUPERSEDE = sa.text("""
    UPDATE inventory.purchase_proposals SET state = 'superseded'
    WHERE state IN ('proposed', 'held') AND proposal_id <> ALL (CAST(:kept AS bigint[]))
""")
_WRITE = sa.text("""
    WITH written AS (
        INSERT INTO inventory.purchase_proposals (
            supplier_key, site_code, currency, proposed_as_of, state, reasons, total_minor,
            minimum_minor, lead_days, version, run_id
        )
        SELECT supplier_key, site_code, currency, :as_of, state, reasons, total_minor,
            minimum_minor, lead_days, :version, :run
        FROM proposal_groups ORDER BY group_no
        RETURNING proposal_id, supplier_key, site_code, currency
    )
    INSERT INTO inventory.purchase_proposal_lines (
        proposal_id, sku, available_units, on_order_units, reorder_point, order_up_to,
        protected_units, safety_units, service_level, needed_units, pack_units, minimum_units,
        quantity, unit_cost_minor, line_total_minor, segment, method, reasons, explanation
    )
    SELECT w.proposal_id, l.sku, l.available_units, l.on_order_units, l.reorder_point,
        l.order_up_to, l.protected_units, l.safety_units, l.service_level, l.needed_units,
        l.pack_units, l.minimum_units, l.quantity, l.unit_cost_minor,
        l.quantity * l.unit_cost_minor, l.segment, l.method, l.reasons,
        format(
            '%s free and %s on order are at or below the reorder point of %s: %s expected in'
                ' %s days and %s for safety, so that stock lasts in %s of 100 cases.'
                ' Filling up to %s takes %s; ordered are %s%s%s%s.',
            l.available_units, l.on_order_units, l.reorder_point,
            round(l.protected_units::numeric, 1),
            round(l.days::numeric), round(l.safety_units::numeric, 1),
            round(100 * l.service_level::numeric, 1), l.order_up_to, l.needed_units, l.quantity,
            CASE WHEN 'raised_to_minimum_units' = ANY (l.reasons)
                THEN format(', the least is %s', l.minimum_units) ELSE '' END,
            CASE WHEN 'rounded_to_packs' = ANY (l.reasons)
                THEN format(', in packs of %s', l.pack_units) ELSE '' END,
            CASE WHEN 'raised_to_supplier_minimum' = ANY (l.reasons)
                THEN ', some days ahead to reach the supplier''s minimum' ELSE '' END
        )
    FROM proposal_lines AS l
    JOIN proposal_groups AS g USING (group_no)
    JOIN written AS w USING (supplier_key, site_code, currency)
""")
_DECIDE = sa.text("""
    UPDATE inventory.purchase_proposals
    SET state = :outcome, decided_at = :at, decided_by = :by, decision_note = :note
    WHERE proposal_id = :proposal_id
        AND (state = 'proposed' OR state = 'held' AND :outcome = 'rejected')
""")
_EXPECT = sa.text("""
    INSERT INTO inventory.expected_receipts (reference, sku, site_code, due_at, quantity)
    SELECT 'purchase-' || p.proposal_id, l.sku, p.site_code,
        p.decided_at + p.lead_days * interval '1 day', l.quantity
    FROM inventory.purchase_proposals AS p
    JOIN inventory.purchase_proposal_lines AS l USING (proposal_id)
    WHERE p.proposal_id = :proposal_id AND p.state = 'accepted'
""")


class NotOpen(Exception):
    """A proposal that nobody may decide about: it is not there, decided, replaced or held."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of SKUs at sites.

    Attributes:
        proposals: proposals written.
        held: of them, such as wait for a supplier's minimum.
        lines: their lines.
        unchanged: open proposals that stay as they are.
        counts: SKUs at sites by why they are not proposed.
    """

    proposals: int
    held: int
    lines: int
    unchanged: int
    counts: dict[str, int]


def positions(conn: sa.Connection) -> pd.DataFrame:
    """Policies with stock, orders under way, terms and costs, one row per SKU and site."""
    import pandas as pd

    rows = conn.execute(_POSITIONS)
    return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def propose(conn: sa.Connection, origin: date, as_of: datetime, run: str) -> Proposed:
    """Make proposals of all policies whose stock position calls for an order.

    A SKU that was not forecast by the method of its segment, or whose segment's method failed its
    backtests, is not proposed.

    Args:
        conn: connection inside the caller's transaction.
        origin: Monday of the forecasts.
        as_of: business moment of the stock.
        run: Dagster run id.
    """
    from ecom_assets.inventory import reordering

    # One at a time: two runs would make proposals of the same stock.
    conn.execute(sa.text("LOCK TABLE inventory.purchase_proposals IN SHARE ROW EXCLUSIVE MODE"))
    decided = methods_at(conn, origin).items()
    passed = {f"{segment} {method}" for segment, (method, good) in decided if good}
    made = reordering.proposals(positions(conn), passed)
    for table in (_GROUPS, _LINES):
        table.create(conn)
    copy_columns(conn, _GROUPS, made.groups)
    lines = copy_columns(conn, _LINES, made.lines)
    kept = list(conn.execute(_KNOWN).scalars())
    conn.execute(_SUPERSEDE, {"kept": kept})
    told = {"as_of": as_of, "version": reordering.VERSION, "run": run}
    written = conn.execute(_WRITE, told).rowcount
    states: list[Any] = list(made.groups["state"])
    return Proposed(
        len(states) - len(kept), states.count("held"), min(written, lines), len(kept), made.counts
    )


def decide_proposal(
    conn: sa.Connection, proposal_id: int, outcome: str, by: str, at: datetime, note: str = ""
) -> None:
    """Accept or reject a proposal; what is accepted is expected after its lead time.

    Args:
        conn: connection inside the caller's transaction.
        proposal_id: the proposal.
        outcome: accepted or rejected; what is held can only be rejected.
        by: who decides.
        at: business moment.
        note: why.

    Raises:
        NotOpen: there is nothing to decide.
    """
    given = {"proposal_id": proposal_id, "outcome": outcome, "by": by, "at": at, "note": note}
    if not conn.execute(_DECIDE, given).rowcount:
        raise NotOpen(f"proposal {proposal_id} is not open")
    conn.execute(_EXPECT, {"proposal_id": proposal_id})


OPEN_PROPOSALS = sa.text("""
    SELECT p.proposal_id, p.supplier_key, p.site_code, p.state, count(*) AS lines,
        sum(l.quantity) AS units, p.currency, p.total_minor, p.minimum_minor, p.reasons
    FROM inventory.purchase_proposals AS p
    JOIN inventory.purchase_proposal_lines AS l USING (proposal_id)
    WHERE p.state IN ('proposed', 'held')
    GROUP BY p.proposal_id ORDER BY p.total_minor DESC, p.proposal_id
""").columns(*map(sa.column, (
    "proposal_id", "supplier_key", "site_code", "state", "lines", "units", "currency",
    "total_minor", "minimum_minor", "reasons",
)))  # fmt: skip
"""Proposals that wait for a decision, dearest first."""

OPEN_LINES = sa.text("""
    SELECT l.proposal_id, l.sku, l.quantity, l.explanation
    FROM inventory.purchase_proposals AS p
    JOIN inventory.purchase_proposal_lines AS l USING (proposal_id)
    WHERE p.state IN ('proposed', 'held')
    ORDER BY l.line_total_minor DESC, l.proposal_id, l.sku
    LIMIT :most
""").columns(*map(sa.column, ("proposal_id", "sku", "quantity", "explanation")))
"""Their lines, dearest first, each with its explanation."""
