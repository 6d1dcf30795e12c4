"""Requests to change accepted orders, whoever asks: a channel's message or a person.

A request adds a row to `orders.changes` and halts the order, so that it cannot ship before anybody
has looked at the request; `starting` and `settling` carry it out. Of several requests about an
order the one with the smaller (requested_at, change_id) comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, insert

from ecom_assets.orders.model import ChangeKind
from ecom_assets.orders.tables import CHANGES, ORDERS
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.standstill import mark, stand_still
from ecom_assets.shared.working import open_empty, working_table

REQUEST_COLUMNS = (
    "order_id", "inbox_id", "kind", "document", "requested_at", "requested_by", "reason",
    "revised_inbox_id",
)  # fmt: skip
"""Columns, in this order, that a select given to `request` must have: see `orders.changes`."""


class UnknownOrder(LookupError):
    """There is no accepted order of that id."""


NOT_GIVEN = "not given"
"""Reason of a change whose source gives none."""

REVISED = working_table(
    "revised_documents",
    sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("inbox_id", sa.BigInteger),
)
"""Documents of our own making or of a person, and the messages they became."""

# Whoever takes the same revision of an order meanwhile wins; ours is then the one after it.
_ADD_MESSAGES = sa.text("""
    WITH wanted AS (
        SELECT o.channel, o.external_id, d.payload, d.received_at, (
            SELECT max(i.revision) + 1 FROM orders.inbox AS i
            WHERE i.channel = o.channel AND i.external_id = o.external_id) AS revision
        FROM revised_documents AS d JOIN orders.orders AS o USING (order_id)
        WHERE d.inbox_id IS NULL
    ), added AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, state, run_id)
        SELECT channel, external_id, revision, payload,
            encode(sha256(convert_to(payload::text, 'UTF8')), 'hex'), received_at, 'changing', :run
        FROM wanted ORDER BY channel, external_id
        ON CONFLICT (channel, external_id, revision) DO NOTHING
        RETURNING inbox_id, channel, external_id
    )
    UPDATE revised_documents AS d SET inbox_id = added.inbox_id
    FROM added JOIN orders.orders AS o USING (channel, external_id)
    WHERE d.order_id = o.order_id
""")
_PENDING = sa.text("""
    SELECT DISTINCT order_id FROM orders.changes
    WHERE order_id = ANY(:orders) AND state = 'pending'
""")
_LEFT = sa.text("SELECT count(*) FROM revised_documents WHERE inbox_id IS NULL")


def request(conn: sa.Connection, rows: Rows) -> int:
    """Ask for changes of accepted orders, all in one statement.

    Args:
        conn: connection inside the caller's transaction, which has changed no state of these orders
            unless it made them.
        rows: a select with `REQUEST_COLUMNS`. `document` says what a cancellation takes:
            `{"lines": [{"line_no": 1, "quantity": 2}]}`, or `{}` for the whole order; an edit's
            document is the message `revised_inbox_id`.

    Returns:
        How many changes were added; a message that has asked before is not counted.
    """
    statement = insert(CHANGES).from_select(list(REQUEST_COLUMNS), sa.select(*rows.subquery().c))
    added = statement.on_conflict_do_nothing().returning(CHANGES.c.order_id)
    orders = list(conn.execute(added).scalars())
    _halt(conn, orders)
    return len(orders)


def requests_from_cancellations(conn: sa.Connection, messages: Rows) -> int:
    """Turn cancellation messages about accepted orders into changes.

    Args:
        conn: connection inside the transaction that has claimed the messages.
        messages: a select of `(inbox_id, channel, external_id, received_at, payload)`; the payload
            is `{"cancel": {"reason": ..., "lines": [{"line_no": ..., "quantity": ...}]}}`, without
            `lines` for the whole order. Messages about unknown orders are left to the caller.

    Returns:
        How many changes were added.
    """
    message = messages.subquery("m")
    cancel = message.c.payload.op("->", return_type=JSONB())("cancel")
    is_object = sa.func.jsonb_typeof(cancel) == "object"
    # What cannot be read as a cancellation is refused when it is looked at, with its reason.
    what = sa.case(
        (is_object, cancel.op("-", return_type=JSONB())(sa.literal("reason", sa.Text))),
        else_=sa.literal({"lines": "unreadable"}, JSONB),
    )
    said = sa.func.nullif(sa.func.btrim(sa.case((is_object, cancel.op("->>")("reason")))), "")
    of_message = sa.and_(
        ORDERS.c.channel == message.c.channel, ORDERS.c.external_id == message.c.external_id
    )
    rows = sa.select(
        ORDERS.c.order_id,
        message.c.inbox_id,
        sa.literal(ChangeKind.CANCEL.value).label("kind"),
        what.label("document"),
        message.c.received_at.label("requested_at"),
        message.c.channel.label("requested_by"),
        sa.func.coalesce(said, NOT_GIVEN).label("reason"),
        sa.cast(sa.null(), sa.BigInteger).label("revised_inbox_id"),
    ).join_from(message, ORDERS, of_message)
    return request(conn, rows.order_by(message.c.received_at, message.c.inbox_id))


def cancel(
    conn: sa.Connection,
    order_id: int,
    lines: Sequence[Mapping[str, int]] | None,
    at: datetime,
    by: str,
    reason: str = NOT_GIVEN,
) -> int:
    """Ask for the cancellation of an order or of parts of it.

    Args:
        conn: connection inside the caller's transaction.
        order_id: the order.
        lines: `line_no` and `quantity` to cancel of each line; None for the whole order.
        at: business moment.
        by: the person.
        reason: why.

    Returns:
        The id of the change.

    Raises:
        UnknownOrder: no accepted order has the id.
    """
    _check_known(conn, order_id)
    document = {} if lines is None else {"lines": [dict(line) for line in lines]}
    return _ask(conn, order_id, ChangeKind.CANCEL, document, at, by, reason, None)


def edit(
    conn: sa.Connection,
    order_id: int,
    document: Mapping[str, Any],
    at: datetime,
    by: str,
    reason: str = NOT_GIVEN,
) -> int:
    """Ask for an order to be replaced by a document; it becomes a message of the order's channel.

    Args:
        conn: connection inside the caller's transaction.
        order_id: the order.
        document: a canonical order document, see `orders.model`.
        at: business moment.
        by: the person.
        reason: why.

    Returns:
        The id of the change.

    Raises:
        UnknownOrder: no accepted order has the id.
    """
    # Before anything is added: a document of no order would become no message, ever.
    _check_known(conn, order_id)
    open_empty(conn, REVISED)
    given = {"order_id": order_id, "payload": dict(document), "received_at": at}
    conn.execute(sa.insert(REVISED).values(given))
    add_messages(conn, "operator")
    inbox_id = conn.execute(sa.select(REVISED.c.inbox_id)).scalar_one()
    return _ask(conn, order_id, ChangeKind.EDIT, {}, at, by, reason, inbox_id)


def add_messages(conn: sa.Connection, run: str) -> None:
    """Make a message, the next revision of its order, of every row of `revised_documents`."""
    while conn.execute(_LEFT).scalar_one():
        conn.execute(_ADD_MESSAGES, {"run": run})


def halt_again(conn: sa.Connection, orders: Sequence[int]) -> None:
    """Halt those of the orders, which stand still, that have a change nobody has looked at."""
    asked = list(conn.execute(_PENDING, {"orders": list(orders)}).scalars())
    mark(conn, asked, is_held=True)


def _halt(conn: sa.Connection, orders: Sequence[int]) -> None:
    if orders:
        stand_still(conn, orders)
        mark(conn, orders, is_held=True)


def _check_known(conn: sa.Connection, order_id: int) -> None:
    found = conn.execute(sa.select(ORDERS.c.order_id).where(ORDERS.c.order_id == order_id)).first()
    if found is None:
        raise UnknownOrder(f"there is no order {order_id}")


def _ask(
    conn: sa.Connection,
    order_id: int,
    kind: ChangeKind,
    document: Mapping[str, Any],
    at: datetime,
    by: str,
    reason: str,
    revised_inbox_id: int | None,
) -> int:
    values = {
        "order_id": order_id, "kind": kind.value, "document": document, "requested_at": at,
        "requested_by": by, "reason": reason, "revised_inbox_id": revised_inbox_id,
    }  # fmt: skip
    statement = sa.insert(CHANGES).values(values).returning(CHANGES.c.change_id)
    change_id: int = conn.execute(statement).scalar_one()
    _halt(conn, [order_id])
    return change_id
