"""Quarantine: rows that could not be used, mended, tried again or given up by people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import audit
from ecom_assets.shared import quarantine
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.doors import Door, Row, door_of
from gateway.api.faults import Fault, missing
from gateway.api.values import Given, Key, Reason, Told, Wanted

ROUTER = APIRouter(prefix="/quarantine", tags=["quarantine"])

Reader = Annotated[Call, needs(Right.READ, "quality")]
Operator = Annotated[Call, needs(Right.OPERATE, "quality")]

State = Literal["parked", "replayed", "discarded"]


class ParkedTold(Told):
    """A row that could not be used."""

    quarantine_id: int
    source: str = Field(description="File, table or door the row came from.")
    row_number: int
    subject: str
    reason: str
    detail: str
    row: Any = Field(description="The row as it came.")
    state: State
    run_id: str
    recorded_at: datetime
    door: str | None = Field(description="By what it can come in again; null where not known.")
    can_fix: bool
    can_replay: bool


class FixGiven(Given):
    """What is to be taken in the place of a row."""

    row: dict[str, Any] = Field(
        description="The whole row, mended: the document of an order, or the row's members."
    )


class DiscardGiven(Given):
    """Why a row is given up."""

    reason: Reason


@ROUTER.get("", summary="List parked rows, the newest first", response_model=Page[ParkedTold])
def list_rows(
    call: Reader, state: State | None = "parked", source: Wanted = None, reason: Wanted = None,
    subject: Wanted = None, limit: Limit = 50, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """Those that wait for somebody, unless another state is asked for."""
    wanted = quarantine.RowFilter(state, source, reason, subject)
    asked = paging(limit, cursor, BY_KEY, "quarantine", wanted)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: quarantine.listed(conn, wanted, before, limit + 1))
    return asked.page(rows, _told, ("quarantine_id",))


@ROUTER.get("/{quarantine_id}", summary="Show a parked row", response_model=ParkedTold)
def show_row(call: Reader, quarantine_id: Key) -> Response:
    """Its ETag is what a fix needs."""
    row = call.read(lambda conn: quarantine.find(conn, quarantine_id))
    if row is None:
        raise missing(f"row {quarantine_id} in the quarantine")
    return sent(200, {"ETag": _tag(row)}, _told(row).model_dump_json())


@ROUTER.put("/{quarantine_id}/row", summary="Mend a row", response_model=ParkedTold)
def fix_row(
    call: Operator, quarantine_id: Key, given: FixGiven, if_match: IfMatch = None
) -> Response:
    """The mended row comes in by the door the bad one came in by; the bad one stays on record."""

    def work(conn: sa.Connection) -> Answer:
        row, door = _waiting(conn, quarantine_id, if_match)
        if door.fix is None:
            raise Fault(409, "nothing_to_edit", "mend the cause, then replay the row")
        door.fix(conn, call, row, given.row)
        return _settled(conn, call, quarantine_id, "replayed", "fix", {"row": given.row})

    return call.write(work)


@ROUTER.post("/{quarantine_id}/replay", summary="Try a row again", response_model=ParkedTold)
def replay_row(call: Operator, quarantine_id: Key, key: OnceKey = None) -> Response:
    """For rows whose cause is gone, such as an order of a SKU that the catalogue knows by now."""

    def work(conn: sa.Connection) -> Answer:
        row, door = _waiting(conn, quarantine_id, "*")
        if door.replay is None:
            raise Fault(409, "needs_a_fix", "the row itself is bad; send it mended")
        door.replay(conn, call, row)
        return _settled(conn, call, quarantine_id, "replayed", "replay", {})

    return call.write_once(key, work)


@ROUTER.post("/{quarantine_id}/discard", summary="Give a row up", response_model=ParkedTold)
def discard_row(
    call: Operator, quarantine_id: Key, given: DiscardGiven, key: OnceKey = None
) -> Response:
    """It stays on record with who gave it up, and why."""

    def work(conn: sa.Connection) -> Answer:
        _parked(conn, quarantine_id)
        said = {"reason": given.reason}
        return _settled(conn, call, quarantine_id, "discarded", "discard", said)

    return call.write_once(key, work)


def _waiting(conn: sa.Connection, quarantine_id: int, if_match: str | None) -> tuple[Row, Door]:
    row = _parked(conn, quarantine_id, if_match)
    door = door_of(row)
    if door is None:
        raise Fault(409, "no_door", f"rows of {row['source']} come in by their file or feed only;"
                    " mend it there and bring it again")  # fmt: skip
    return row, door


def _parked(conn: sa.Connection, quarantine_id: int, if_match: str | None = "*") -> Row:
    row = quarantine.find(conn, quarantine_id, is_locked=True)
    if row is None:
        raise missing(f"row {quarantine_id} in the quarantine")
    require_match(if_match, _tag(row))
    if row["state"] != "parked":
        raise Fault(409, "not_parked", f"the row is {row['state']} already")
    return dict(row)


def _settled(
    conn: sa.Connection, call: Call, quarantine_id: int, state: State, action: str, said: Any
) -> Answer:
    quarantine.settle_one(conn, quarantine_id, state)
    audit.record(conn, call.actor, action, f"quarantine/{quarantine_id}", after=said)
    row = quarantine.find(conn, quarantine_id)
    assert row is not None  # noqa: S101 - it is locked
    return Answer(_told(row), headers={"ETag": _tag(row)})


def _told(row: Any) -> ParkedTold:
    door = door_of(row) if row["state"] == "parked" else None
    return ParkedTold(
        **row, door=door.name if door else None, can_fix=bool(door and door.fix),
        can_replay=bool(door and door.replay),
    )  # fmt: skip


def _tag(row: Any) -> str:
    return tag_of("quarantine", row["quarantine_id"], row["state"], row["row"])
