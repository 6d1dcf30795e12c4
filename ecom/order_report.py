"""An order as of a moment, with its timeline, as one object and as text for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom.problems import Problem
from ecom_assets.shared.money import to_text

_STATES = ("payment_state", "risk_state", "fulfilment_state", "hold_state")
_AS_OF = sa.text("SELECT * FROM decisions.order_as_of(:order_id, :moment)")
_NAMES = sa.text(
    "SELECT channel, external_id, placed_at FROM orders.orders WHERE order_id = :order_id"
)
_TIMELINE = sa.text("""
    SELECT happened_at, event, detail FROM decisions.timeline
    WHERE order_id = :order_id AND happened_at <= :moment
    ORDER BY happened_at, event_id
""")


def report(conn: sa.Connection, order_id: int, moment: datetime) -> dict[str, Any]:
    """What an order was at a moment of business time, and what had happened to it.

    Raises:
        Problem: the order was not accepted yet.
    """
    given = {"order_id": order_id, "moment": moment}
    names = conn.execute(_NAMES, {"order_id": order_id}).mappings().one()
    state = conn.execute(_AS_OF, given).mappings().first()
    if state is None:
        raise Problem(f"order {order_id} was not accepted by {moment.isoformat()}")
    events = [dict(row) for row in conn.execute(_TIMELINE, given).mappings()]
    return {**names, **state, "as_of": moment, "timeline": events}


def text(found: dict[str, Any]) -> list[str]:
    """The report for people: head, states, lines, timeline."""
    currency = found["currency"]
    states = ", ".join(f"{name.removesuffix('_state')} {found[name]}" for name in _STATES)
    lines = [
        f"  {line['line_no']:>3}  {line['quantity']:>5} x {line['sku']}"
        f"  {to_text(line['line_total_minor'], currency)}"
        for line in found["lines"] or ()
    ]
    return [
        f"{found['channel']}/{found['external_id']} (order {found['order_id']}, revision"
        f" {found['revision']}) as of {_moment(found['as_of'])}",
        states,
        f"total {to_text(found['total_minor'], currency)}"
        f" with {to_text(found['shipping_minor'], currency)} shipping",
        *lines,
        *(_event(event) for event in found["timeline"]),
    ]


def _event(event: dict[str, Any]) -> str:
    detail = dict(event["detail"])
    moved = detail.pop("moved", None)
    # What was and what came of an edit fills a page; it is in the object for those who need it.
    shown = {
        name: value for name, value in detail.items()
        if name not in ("before", "after") and value is not None
    }  # fmt: skip
    parts = [f"{name} {_value(value)}" for name, value in shown.items()]
    if moved:
        name = moved["dimension"].removesuffix("_state")
        parts.insert(0, f"{name}: {moved['from']} -> {moved['to']}")
    return f"  {_moment(event['happened_at'])}  {event['event']:<24} {', '.join(parts)}".rstrip()


def _value(value: object) -> str:
    if isinstance(value, list):
        return "+".join(map(_value, value)) or "none"
    return str(value)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ")
