"""What operators and sensors look at: waiting work, parked messages, orders of the last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ecom_assets.orders.model import InboxState
from ecom_assets.orders.store.starting import count_startable
from ecom_assets.orders.tables import INBOX, ORDERS
from ecom_assets.shared import flow

RECENT_DAYS = 60
"""Days of business time, back from the latest order, that operators see; older orders do not make
a look at the figures slower."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that waits for a run of the order path.

    Attributes:
        messages: messages pending in the inbox.
        deciding: waits of accepted orders for a stage that decides them.
        following: waits for a stage that carries a decision out or keeps the books.
        changes: changes of accepted orders that may be started, and waits for the stages that
            carry them out.
    """

    messages: int
    deciding: int
    following: int
    changes: int


_CHANGING = {*flow.CHANGING}


def waiting(conn: sa.Connection) -> Waiting:
    """What waits now, found by state: a row that commits late is counted when it is there."""
    waits = flow.waiting(conn)
    changing = sum(count for stage, count in waits.items() if stage in _CHANGING)
    deciding = sum(count for stage, count in waits.items() if stage in flow.DECIDING)
    following = sum(waits.values()) - changing - deciding
    return Waiting(pending_messages(conn), deciding, following, changing + count_startable(conn))


def pending_messages(conn: sa.Connection) -> int:
    """Messages that wait in the inbox."""
    pending = sa.select(sa.func.count()).where(INBOX.c.state == InboxState.PENDING.value)
    return conn.execute(pending.select_from(INBOX)).scalar_one()


def has_pending(conn: sa.Connection) -> bool:
    """Whether any message waits in the inbox."""
    found = sa.exists().where(INBOX.c.state == InboxState.PENDING.value)
    return bool(conn.execute(sa.select(found)).scalar_one())


def count_pending(conn: sa.Connection, most: int) -> int:
    """Messages that wait in the inbox, counted up to `most`."""
    found = sa.select(INBOX.c.inbox_id).where(INBOX.c.state == InboxState.PENDING.value)
    some = found.limit(most).subquery()
    return conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def waiting_cancellations(conn: sa.Connection) -> int:
    """Cancellations whose order has not come, or has not been accepted yet."""
    waiting_ = INBOX.c.state == InboxState.WAITING.value
    return conn.execute(sa.select(sa.func.count()).where(waiting_)).scalar_one()


def oldest_waiting() -> sa.Select[Any]:
    """Cancellations that wait for their order, those that have waited longest first."""
    names = ("channel", "external_id", "received_at")
    rows = sa.select(*(INBOX.c[name] for name in names))
    return rows.where(INBOX.c.state == InboxState.WAITING.value).order_by(
        INBOX.c.received_at, INBOX.c.inbox_id
    )


def parked_by_reason() -> sa.Select[Any]:
    """Parked messages per reason, the most frequent first."""
    count = sa.func.count().label("messages")
    return (
        sa.select(INBOX.c.reason, count)
        .where(INBOX.c.state == InboxState.PARKED.value)
        .group_by(INBOX.c.reason)
        .order_by(count.desc(), INBOX.c.reason)
    )


def _recent() -> sa.ColumnElement[bool]:
    # Back from the latest order, not from today: a shop imported years later shows its last days.
    latest = sa.select(sa.func.max(ORDERS.c.placed_at)).scalar_subquery()
    first = sa.func.date_trunc("day", latest) - sa.text(f"interval '{RECENT_DAYS - 1} days'")
    return ORDERS.c.placed_at >= first


def orders_per_day(conn: sa.Connection) -> list[tuple[date, int]]:
    """Orders per UTC day of the last `RECENT_DAYS` days that have any."""
    # Sessions run in UTC, so the cast cuts at UTC midnight.
    day = sa.cast(ORDERS.c.placed_at, sa.Date)
    rows = sa.select(day, sa.func.count()).where(_recent()).group_by(day).order_by(day)
    return [(found, count) for found, count in conn.execute(rows).tuples()]


def orders_per_channel() -> sa.Select[Any]:
    """Orders and totals per channel and currency of the last `RECENT_DAYS` days."""
    count = sa.func.count().label("orders")
    total = sa.func.sum(ORDERS.c.total_minor).label("total_minor")
    return (
        sa.select(ORDERS.c.channel, count, ORDERS.c.currency, total)
        .where(_recent())
        .group_by(ORDERS.c.channel, ORDERS.c.currency)
        .order_by(count.desc(), ORDERS.c.channel, ORDERS.c.currency)
    )


def totals_per_currency() -> sa.Select[Any]:
    """Order totals of the last `RECENT_DAYS` days as `(currency, amount_minor)`."""
    total = sa.func.sum(ORDERS.c.total_minor).label("amount_minor")
    rows = sa.select(ORDERS.c.currency, total).where(_recent())
    return rows.group_by(ORDERS.c.currency).order_by(ORDERS.c.currency)
