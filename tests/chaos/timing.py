"""How long decisions took, and how soon after each fault they were taken again.

All moments are those of the database server: a message's is when its row was written, just before
its commit; a decision's is when its transaction was committed (`track_commit_timestamp`). So what
is measured is never less than what it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

# Orders that were changed on the way are decided in another order of things, and left out; an order
# whose stock is not there is decided when that is known, whatever comes later.
_DECIDED = sa.text("""
    WITH in_vain AS (
        SELECT order_id FROM decisions.ledger
        WHERE kind = 'reservation' AND attempt = 1 AND outcome = 'backordered'
    ), decided AS (
        SELECT l.order_id, max(pg_xact_commit_timestamp(l.xmin)) AS decided_at
        FROM decisions.ledger AS l
        WHERE l.attempt = 1 AND l.kind NOT IN ('order_change', 'money_return', 'risk_review')
            AND NOT (l.kind IN ('allocation', 'carrier_choice')
                AND l.order_id IN (SELECT order_id FROM in_vain))
        GROUP BY l.order_id
    )
    SELECT CAST(extract(epoch FROM i.recorded_at) AS double precision) AS received_at,
        CAST(extract(epoch FROM d.decided_at) AS double precision) AS decided_at
    FROM decided AS d
    JOIN orders.orders AS o USING (order_id)
    JOIN orders.inbox AS i ON (i.channel, i.external_id, i.revision)
        = (o.channel, o.external_id, 1)
    WHERE d.order_id NOT IN (SELECT order_id FROM orders.changes)
    ORDER BY received_at
""")


@dataclass(frozen=True, slots=True)
class Decided:
    """An order from its message to its last first decision; moments in seconds since 1970."""

    received_at: float
    decided_at: float

    @property
    def latency_s(self) -> float:
        """Seconds from the one to the other."""
        return self.decided_at - self.received_at


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that was done; moments in seconds since 1970.

    Attributes:
        name: kind of fault.
        begun_at: when it began.
        ended_at: when it was over.
        note: what it did, in a few words.
    """

    name: str
    begun_at: float
    ended_at: float
    note: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """How the platform came back after a fault; None for what never came.

    Attributes:
        first_s: seconds from the end of the fault until an order received after it was decided.
        backlog_s: seconds until every order received before the end of the fault was decided.
    """

    first_s: float | None
    backlog_s: float | None


def decided_orders(conn: sa.Connection) -> list[Decided]:
    """Every order that was decided, in the order in which they were received."""
    return [Decided(*row) for row in conn.execute(_DECIDED).tuples()]


def recovery(fault: Happened, orders: Sequence[Decided]) -> Recovery:
    """How the platform came back after a fault."""
    after = [each.decided_at for each in orders if each.received_at > fault.ended_at]
    before = [each.decided_at for each in orders if each.received_at <= fault.ended_at]
    return Recovery(
        min(after) - fault.ended_at if after else None,
        max(0.0, max(before) - fault.ended_at) if before else None,
    )


def undisturbed(
    orders: Sequence[Decided], faults: Sequence[Happened], recovered: Sequence[Recovery]
) -> list[Decided]:
    """Orders that were received while no fault was going on and no backlog was left of one."""
    troubles = [
        (fault.begun_at, fault.ended_at + (back.backlog_s or 0.0))
        for fault, back in zip(faults, recovered, strict=True)
    ]
    return [
        each
        for each in orders
        if not any(
            begun <= each.decided_at and each.received_at <= ended for begun, ended in troubles
        )
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed; NaN without values."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
