"""Reading claimed cancellations and finding their faults, all at once.

Reference: `rules.find_cancellation_fault`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from ecom_assets.orders import document as spec
from ecom_assets.orders.document import Member, fault
from ecom_assets.orders.model import MessageKind, Refusal
from ecom_assets.orders.store import reading
from ecom_assets.orders.store.claims import CLAIMED
from ecom_assets.orders.tables import INBOX

_Column = sa.ColumnElement[Any]


def read_cancellations(conn: sa.Connection, target: sa.Table) -> None:
    """Fill `target(inbox_id, channel, external_id, is_whole, fault)` from the claimed messages."""
    typed, lines = _typed(), _first_bad_lines()
    is_listed = sa.func.coalesce(sa.func.jsonb_typeof(typed.c.lines), "null") != "null"
    are_lines_bad = sa.func.jsonb_array_length(reading.list_of(typed.c.lines)) == 0
    found = sa.case(
        (typed.c.is_object.is_not(True), _said(spec.CANCEL_DEMAND)),
        *(
            (is_wrong, _said(f"cancel.{member.name} {member.demand}"))
            for is_wrong, member in reading.wrong_members(typed, spec.CANCEL)
        ),
        (sa.and_(is_listed, are_lines_bad), _said(spec.CANCELLED_LINES_DEMAND)),
        else_=lines.c.fault,
    )
    rows = sa.select(
        typed.c.inbox_id, typed.c.channel, typed.c.external_id, ~is_listed, found
    ).select_from(typed.outerjoin(lines, lines.c.inbox_id == typed.c.inbox_id))
    conn.execute(sa.insert(target).from_select([column.name for column in target.c], rows))


def _said(demand: str) -> _Column:
    return sa.literal(fault(Refusal.MALFORMED, demand))


def _claimed() -> sa.Join:
    is_claimed = sa.and_(
        INBOX.c.inbox_id == CLAIMED.c.inbox_id, INBOX.c.kind == MessageKind.CANCELLATION.value
    )
    return CLAIMED.join(INBOX, is_claimed)


def _typed() -> sa.CTE:
    head = reading.record(INBOX.c.payload, (), "head", "cancel")
    cancel = reading.record(head.c.cancel, spec.CANCEL, "cancel", "lines")
    source = _claimed().join(head, sa.true()).join(cancel, sa.true())
    is_object = (sa.func.jsonb_typeof(head.c.cancel) == "object").label("is_object")
    key = (INBOX.c.inbox_id, INBOX.c.channel, INBOX.c.external_id)
    members = reading.columns_of(cancel, spec.CANCEL)
    rows = sa.select(*key, *members, cancel.c.lines, is_object).select_from(source)
    return rows.cte("typed").prefix_with("MATERIALIZED", dialect="postgresql")


def _first_bad_lines() -> sa.CTE:
    """Per cancellation the fault of its first bad line, null where all lines are well."""
    typed = _typed_lines(spec.CANCELLED_LINE)
    uses = sa.func.count().over(partition_by=[typed.c.inbox_id, typed.c.line_no])
    demand = sa.case(
        *(
            (is_wrong, sa.literal(f"{member.name} {member.demand}"))
            for is_wrong, member in reading.wrong_members(typed, spec.CANCELLED_LINE)
        ),
        (uses > 1, spec.REPEATED_LINE),
    )
    start = _said("cancel line ").concat(sa.cast(typed.c.position, sa.Text))
    judged = sa.select(
        typed.c.inbox_id, typed.c.position, start.concat(": ").concat(demand).label("fault")
    ).cte("judged")
    ordered = sa.func.array_agg(
        aggregate_order_by(judged.c.fault, judged.c.position), type_=ARRAY(sa.Text)
    )
    first = ordered.filter(judged.c.fault.is_not(None))[1]
    return sa.select(judged.c.inbox_id, first.label("fault")).group_by(judged.c.inbox_id).cte()


def _typed_lines(members: Sequence[Member]) -> sa.CTE:
    listed = reading.list_of(INBOX.c.payload["cancel"]["lines"])
    element = (
        sa.func.jsonb_array_elements(listed)
        .table_valued(sa.column("value", INBOX.c.payload.type), with_ordinality="position")
        .render_derived(name="element")
        .lateral("element")
    )
    item = reading.record(element.c.value, members, "item")
    source = _claimed().join(element, sa.true()).join(item, sa.true())
    values = reading.columns_of(item, members)
    rows = sa.select(CLAIMED.c.inbox_id, element.c.position, *values).select_from(source)
    return rows.cte("typed_lines").prefix_with("MATERIALIZED", dialect="postgresql")
