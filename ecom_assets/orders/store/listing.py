"""Accepted orders as lists and one by one: where each stands, what is in it, what holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.orders.tables import CHANGES, ORDER_LINES, ORDERS
from ecom_assets.shared.holds import HOLDS
from ecom_assets.shared.journal import TIMELINE
from ecom_assets.shared.states import ORDER_STATES

Row = sa.RowMapping

STATES = ("payment_state", "risk_state", "fulfilment_state", "hold_state")

_HEAD = (
    "order_id", "channel", "external_id", "revision", "customer_key", "placed_at", "decided_as_of",
    "promised_at", "currency", "items_minor", "discount_minor", "shipping_minor", "tax_minor",
    "total_minor", "ship_to_country",
)  # fmt: skip
_PERSON = (
    "customer_name", "email", "phone", "ship_to_name", "ship_to_line1", "ship_to_city",
    "ship_to_region", "ship_to_postal_code",
)  # fmt: skip
_LINE = (
    "line_no", "sku", "quantity", "unit_price_minor", "discount_minor", "tax_minor",
    "line_total_minor", "seller",
)  # fmt: skip
_HOLD = (
    "hold_id", "reason", "placed_by", "placed_at", "expires_at", "released_at", "released_by",
)  # fmt: skip
_CHANGE = (
    "change_id", "kind", "document", "requested_at", "requested_by", "reason", "state", "refusal",
    "refusal_detail", "effective_as_of",
)  # fmt: skip
_EVENT = ("event_id", "event", "happened_at", "detail", "run_id")


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list shows; what is None does not matter."""

    channel: str | None = None
    external_id: str | None = None
    customer_key: str | None = None
    sku: str | None = None
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    payment_state: str | None = None
    risk_state: str | None = None
    fulfilment_state: str | None = None
    hold_state: str | None = None


def list_orders(
    conn: sa.Connection, wanted: OrderFilter, after: tuple[datetime, int] | None, most: int
) -> list[Row]:
    """Orders with their states, the newest first.

    Args:
        conn: connection to read with.
        wanted: which.
        after: moment of placing and id of the order before the first one.
        most: rows.
    """
    rows = sa.select(
        *(ORDERS.c[name] for name in _HEAD), *(ORDER_STATES.c[name] for name in STATES)
    )
    rows = rows.join(ORDER_STATES, ORDER_STATES.c.order_id == ORDERS.c.order_id)
    for condition in _conditions(wanted):
        rows = rows.where(condition)
    if after is not None:
        rows = rows.where(sa.tuple_(ORDERS.c.placed_at, ORDERS.c.order_id) < sa.tuple_(
            sa.literal(after[0], ORDERS.c.placed_at.type), sa.literal(after[1], sa.BigInteger)
        ))  # fmt: skip
    newest = rows.order_by(ORDERS.c.placed_at.desc(), ORDERS.c.order_id.desc())
    return list(conn.execute(newest.limit(most)).mappings())


def _conditions(wanted: OrderFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for name in ("channel", "external_id", "customer_key"):
        if (value := getattr(wanted, name)) is not None:
            found.append(ORDERS.c[name] == value)
    for name in STATES:
        if (value := getattr(wanted, name)) is not None:
            found.append(ORDER_STATES.c[name] == value)
    if wanted.placed_from is not None:
        found.append(ORDERS.c.placed_at >= wanted.placed_from)
    if wanted.placed_before is not None:
        found.append(ORDERS.c.placed_at < wanted.placed_before)
    if wanted.sku is not None:
        has_sku = sa.exists().where(
            ORDER_LINES.c.order_id == ORDERS.c.order_id, ORDER_LINES.c.sku == wanted.sku
        )
        found.append(has_sku)
    return found


def read_order(conn: sa.Connection, order_id: int) -> Mapping[str, Any] | None:
    """An order with `lines`, `holds` and `changes`; None where there is none of that id."""
    columns = (*(ORDERS.c[name] for name in (*_HEAD, *_PERSON)),
               *(ORDER_STATES.c[name] for name in STATES))  # fmt: skip
    found = sa.select(*columns).join(ORDER_STATES, ORDER_STATES.c.order_id == ORDERS.c.order_id)
    head = conn.execute(found.where(ORDERS.c.order_id == order_id)).mappings().one_or_none()
    if head is None:
        return None
    return {
        **head,
        "lines": _parts(conn, ORDER_LINES, _LINE, order_id),
        "holds": _parts(conn, HOLDS, _HOLD, order_id),
        "changes": _parts(conn, CHANGES, _CHANGE, order_id),
    }


def _parts(
    conn: sa.Connection, table: sa.Table, names: tuple[str, ...], order_id: int
) -> list[Row]:
    rows = sa.select(*(table.c[name] for name in names)).where(table.c.order_id == order_id)
    return list(conn.execute(rows.order_by(table.c[names[0]])).mappings())


def events_of(
    conn: sa.Connection, order_id: int, after: tuple[datetime, int] | None, most: int
) -> list[Row]:
    """What happened to an order, in the order of time."""
    rows = sa.select(*(TIMELINE.c[name] for name in _EVENT)).where(TIMELINE.c.order_id == order_id)
    if after is not None:
        rows = rows.where(sa.tuple_(TIMELINE.c.happened_at, TIMELINE.c.event_id) > sa.tuple_(
            sa.literal(after[0], TIMELINE.c.happened_at.type), sa.literal(after[1], sa.BigInteger)
        ))  # fmt: skip
    ordered = rows.order_by(TIMELINE.c.happened_at, TIMELINE.c.event_id)
    return list(conn.execute(ordered.limit(most)).mappings())


_AS_OF = sa.text("SELECT * FROM decisions.order_as_of(:order_id, :moment)")


def order_as_of(conn: sa.Connection, order_id: int, moment: datetime) -> Row | None:
    """An order as it was at a moment; None where it was not accepted by then."""
    given = {"order_id": order_id, "moment": moment}
    return conn.execute(_AS_OF, given).mappings().first()


class OrderMoved(Exception):
    """An order is not as its editor saw it; the message says how."""


_MOVED = sa.text("""
    SELECT o.revision, EXISTS (
        SELECT FROM orders.changes AS c
        WHERE c.order_id = o.order_id AND c.change_id <> :change_id
            AND c.state IN ('pending', 'started')) AS is_changing
    FROM orders.orders AS o WHERE o.order_id = :order_id
""")


def require_unmoved(conn: sa.Connection, order_id: int, revision: int, change_id: int) -> None:
    """Refuse an edit of an order that has another revision by now, or that others change.

    Args:
        conn: connection of the transaction that asked for the change: the order stands still.
        order_id: the order.
        revision: the one that was edited.
        change_id: the change that was asked for.

    Raises:
        OrderMoved: the edit would undo what its editor never saw.
    """
    given = {"order_id": order_id, "change_id": change_id}
    found, is_changing = conn.execute(_MOVED, given).one()
    if is_changing:
        raise OrderMoved("another change of the order waits or is carried out")
    if found != revision:
        raise OrderMoved(f"the order is at revision {found}, the edit was made of {revision}")
