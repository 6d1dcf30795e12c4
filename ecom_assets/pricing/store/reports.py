"""What people look at: plans, their lines, and how often each limit bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.tables import BACKTESTS, PLAN_LINES, PRICE_LISTS, PRICE_PLANS

PLANS = (
    sa.select(
        PRICE_PLANS.c.plan_id, PRICE_LISTS.c.channel, PRICE_LISTS.c.currency,
        PRICE_LISTS.c.customer_group, PRICE_PLANS.c.kind, PRICE_PLANS.c.state,
        PRICE_PLANS.c.effective_at, PRICE_PLANS.c.requested_by, PRICE_PLANS.c.approved_by,
        PRICE_PLANS.c.lines, PRICE_PLANS.c.moved, PRICE_PLANS.c.held, PRICE_PLANS.c.findings,
        PRICE_PLANS.c.rules, PRICE_PLANS.c.inputs,
    )
    .join(PRICE_LISTS, PRICE_LISTS.c.price_list_id == PRICE_PLANS.c.price_list_id)
    .order_by(PRICE_PLANS.c.plan_id.desc())
)  # fmt: skip
"""Plans, the newest first."""

_SHOWN = ("sku", "min_quantity", "outcome", "old_minor", "proposed_minor", "new_minor",
          "reference_minor", "rule", "bound", "reasons", "is_approval_needed")  # fmt: skip


def plans(conn: sa.Connection, most: int = 20) -> list[dict[str, Any]]:
    """The newest plans."""
    return [dict(row) for row in conn.execute(PLANS.limit(most)).mappings()]


def plan_of(conn: sa.Connection, plan_id: int) -> dict[str, Any] | None:
    """The head of a plan, None if there is none."""
    row = conn.execute(PLANS.where(PRICE_PLANS.c.plan_id == plan_id)).mappings().first()
    return None if row is None else dict(row)


def lines_select(
    plan_ids: Sequence[int], outcomes: Sequence[str] = ("change", "new", "end")
) -> sa.Select[Any]:
    """Lines of plans, those that ask for approval and then the largest moves first."""
    line = PLAN_LINES.c
    # As far as a line moves, by share; new prices move from nothing.
    far = sa.func.abs(line.new_minor - line.old_minor) * 10_000 / line.old_minor
    return (
        sa.select(*(line[name] for name in ("plan_id", *_SHOWN)))
        .where(line.plan_id.in_(plan_ids), line.outcome.in_(outcomes))
        .order_by(line.is_approval_needed.desc(), far.desc().nulls_last(), line.sku)
    )


def lines_of(
    conn: sa.Connection, plan_id: int, outcomes: Sequence[str], most: int
) -> list[dict[str, Any]]:
    """Some lines of a plan, the most telling first."""
    rows = conn.execute(lines_select([plan_id], outcomes).limit(most)).mappings()
    return [dict(row) for row in rows]


_COUNTS = sa.text("""
    SELECT what, name, count(*) AS lines
    FROM pricing.plan_lines AS line
        CROSS JOIN LATERAL (
            SELECT 'outcome' AS what, line.outcome AS name
            UNION ALL SELECT 'rule', line.rule WHERE line.rule <> ''
            UNION ALL SELECT 'limit', unnest(line.bound)
            UNION ALL SELECT 'reason', unnest(line.reasons)
        ) AS told
    WHERE line.plan_id = ANY (:plans)
    GROUP BY what, name ORDER BY what, lines DESC, name
""")


def counts(conn: sa.Connection, plan_ids: Sequence[int]) -> dict[str, dict[str, int]]:
    """Lines by outcome, rule, limit that bound, and reason."""
    found: dict[str, dict[str, int]] = {"outcome": {}, "rule": {}, "limit": {}, "reason": {}}
    for row in conn.execute(_COUNTS, {"plans": list(plan_ids)}):
        found[row.what][row.name] = row.lines
    return found


BACKTESTED = (
    sa.select(
        PRICE_LISTS.c.channel, PRICE_LISTS.c.currency, BACKTESTS.c.from_at, BACKTESTS.c.to_at,
        BACKTESTS.c.moments, BACKTESTS.c.moved, BACKTESTS.c.units,
        BACKTESTS.c.margin_change_minor, BACKTESTS.c.expected_change_minor,
        BACKTESTS.c.low_change_minor, BACKTESTS.c.high_change_minor,
    )
    .join(PRICE_LISTS, PRICE_LISTS.c.price_list_id == BACKTESTS.c.price_list_id)
    .order_by(BACKTESTS.c.backtest_id.desc())
)  # fmt: skip
"""Backtests, the newest first."""
