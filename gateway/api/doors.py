"""The doors parked rows came in by: a row that was mended goes in again by its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecom_assets.inventory.store import movements, receipts, transfers
from ecom_assets.orders.delivery import Delivery, Policy
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.model import Message
from ecom_assets.orders.storable import Unstorable
from ecom_assets.orders.store import claims, replay_parked, take_deliveries
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared import feeds, quarantine
from ecom_assets.shared.given_rows import Columns, given_rows
from ecom_assets.shared.setting_aside import REASON as STAGE_FAILED
from ecom_assets.shared.setting_aside import give_another_chance
from gateway.api.calls import Call
from gateway.api.faults import Fault, unfit

Row = Mapping[str, Any]
Fix = Callable[[sa.Connection, Call, Row, Row], None]
Replay = Callable[[sa.Connection, Call, Row], None]


@dataclass(frozen=True, slots=True)
class Door:
    """How rows of a source come in again.

    Attributes:
        name: what people call it.
        fix: takes the parked row and what is to be taken in its place.
        replay: takes the row as it is, for its cause may be gone; None where only a fix helps.
    """

    name: str
    fix: Fix | None
    replay: Replay | None


def door_of(parked: Row) -> Door | None:
    """The door a parked row came in by, where it is known."""
    if parked["reason"] == STAGE_FAILED:
        return _STAGE
    if parked["reason"] in set(Unstorable):
        return _MESSAGES
    return _DOORS.get(parked["source"])


def _fix_document(conn: sa.Connection, call: Call, parked: Row, row: Row) -> None:
    """A mended document is the order's next message, as if its channel had sent it."""
    named = (INBOX.c.channel, INBOX.c.external_id, INBOX.c.kind)
    found = conn.execute(sa.select(*named).where(INBOX.c.inbox_id == parked["row_number"])).one()
    message = Message(found.channel, found.external_id, call.at, dict(row), found.kind)
    if not _take(conn, call, Delivery(1, message)):
        raise unfit(
            "row", "unchanged", "says what is on record already; replay the row instead", 409
        )


def _fix_message(conn: sa.Connection, call: Call, _: Row, row: Row) -> None:
    _take(conn, call, read_envelope(json.dumps(dict(row)).encode(), 1, call.at))


def _take(conn: sa.Connection, call: Call, delivery: Delivery) -> int:
    report = take_deliveries(conn, [delivery], Policy.REJECT_ROW, "api", call.run)
    if report.faults:
        fault = report.faults[0]
        raise unfit(f"row.{fault.field}" if fault.field else "row", fault.reason, fault.detail)
    return report.added


def _replay_messages(conn: sa.Connection, _: Call, parked: Row) -> None:
    replay_parked(conn)
    _require_settled(conn, parked)


def _replay_stage(conn: sa.Connection, _: Call, parked: Row) -> None:
    give_another_chance(conn)
    _require_settled(conn, parked)


def _require_settled(conn: sa.Connection, parked: Row) -> None:
    now = quarantine.find(conn, parked["quarantine_id"])
    if now is not None and now["state"] == "parked":
        raise Fault(409, "still_wrong", f"it is as wrong as before: {parked['detail']}")


_TEXT, _WHOLE, _AT = sa.Text(), sa.BigInteger(), sa.DateTime(timezone=True)
_MOVEMENT: Columns = {
    "sku": _TEXT, "site_code": _TEXT, "kind": _TEXT, "quantity": _WHOLE, "moved_at": _AT,
    "reference": _TEXT,
}  # fmt: skip
_RECEIPT: Columns = {
    "reference": _TEXT, "sku": _TEXT, "site_code": _TEXT, "quantity": _WHOLE, "received_at": _AT,
    "unit_cost_minor": _WHOLE, "currency": _TEXT, "lot_code": _TEXT, "expires_at": _AT,
    "serials": sa.ARRAY(sa.Text()),
}  # fmt: skip
_WAY: Columns = {"reference": _TEXT, "sku": _TEXT, "from_site": _TEXT, "to_site": _TEXT}
_SENT: Columns = {**_WAY, "quantity": _WHOLE, "sent_at": _AT, "due_at": _AT}
_CAME: Columns = {**_WAY, "arrived": _WHOLE, "arrived_at": _AT}
_OPTIONAL = {"unit_cost_minor", "currency", "lot_code", "expires_at", "serials", "due_at"}


def _selected(columns: Columns, row: Row) -> sa.Select[Any]:
    for name in row:
        if name not in columns:
            raise unfit(f"row.{name}", "unknown_member", "no such member of this row")
    for name in columns:
        if row.get(name) is None and name not in _OPTIONAL:
            raise unfit(f"row.{name}", "missing", "must be there")
    return given_rows(columns, [row])


def _fix_movement(conn: sa.Connection, _: Call, __: Row, row: Row) -> None:
    given = _selected(_MOVEMENT, row)
    feeds.MOVEMENTS.create(conn)
    conn.execute(sa.insert(feeds.MOVEMENTS).from_select(list(_MOVEMENT), given))
    if not movements.take_movements(conn, None):
        raise Fault(409, "still_wrong", "the stock does not take it; nothing was changed")


def _fix_receipt(conn: sa.Connection, call: Call, _: Row, row: Row) -> None:
    found = receipts.take_receipts(conn, _selected(_RECEIPT, row), call.run)
    _refuse_parked(found["received"] + found["known"])


def _fix_transfer(conn: sa.Connection, call: Call, _: Row, row: Row) -> None:
    if "arrived_at" in row:
        kept = {name: value for name, value in row.items() if name != "quantity"}
        found = transfers.take_arrivals(conn, _selected(_CAME, kept), call.run)
    else:
        found = transfers.send_transfers(conn, _selected(_SENT, row), call.run)
    _refuse_parked(not found["parked"])


def _refuse_parked(is_taken: int) -> None:
    if not is_taken:
        raise Fault(409, "still_wrong", "the stock does not take it; nothing was changed")


def _again(fix: Fix) -> Replay:
    def replay(conn: sa.Connection, call: Call, parked: Row) -> None:
        fix(conn, call, parked, parked["row"])

    return replay


_STAGE = Door("the stage of the order path that failed", None, _replay_stage)
_MESSAGES = Door("order messages", _fix_message, None)
_DOORS: Mapping[str, Door] = {
    claims.SOURCE: Door("order documents", _fix_document, _replay_messages),
    movements.SOURCE: Door("stock movements", _fix_movement, _again(_fix_movement)),
    receipts.SOURCE: Door("receipts", _fix_receipt, _again(_fix_receipt)),
    transfers.SOURCE: Door("transfers", _fix_transfer, _again(_fix_transfer)),
}
