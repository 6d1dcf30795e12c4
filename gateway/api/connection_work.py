"""What is done with connections: testing them at once, asking for syncs, looking at those."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets import connecting
from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import audit
from ecom_assets.marketplace.model import Connection
from ecom_assets.marketplace.store import connections as store
from ecom_assets.marketplace.store import syncs
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.connections import PLACE, Reader, found, means, sync_told
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault
from gateway.api.market_models import SyncTold, SyncWantedTold, TestedTold
from gateway.api.values import Key

ROUTER = APIRouter(prefix="/marketplace", tags=["marketplace"])

Operator = Annotated[Call, needs(Right.OPERATE, "marketplace")]

_TESTS = BoundedSemaphore(4)
"""Tests wait for other people's servers, and must not hold every thread of the entrance."""


@ROUTER.post("/connections/{connection_id}/test", summary="Test a connection",
             response_model=TestedTold)  # fmt: skip
def test_connection(call: Operator, connection_id: Key) -> Response:
    """At once, within seconds; nothing is taken in. Asking again tests again."""
    connection = call.read(lambda conn: _usable(conn, connection_id))
    if not _TESTS.acquire(blocking=False):
        raise Fault(503, "busy", "several tests go on now", headers={"Retry-After": "5"})
    try:
        # Outside of any transaction: the other side may take its time.
        tested = connecting.test(connection, means())
    finally:
        _TESTS.release()

    def work(conn: sa.Connection) -> Answer:
        store.note_test(conn, connection_id, call.at, tested.trouble, tested.text)
        outcome = audit.FAILED if tested.trouble else audit.DONE
        audit.record(conn, call.actor, "test_connection", f"connection/{connection_id}", outcome,
                     tested.text)  # fmt: skip
        return Answer(
            TestedTold(outcome="failed" if tested.trouble else "ok", trouble=tested.trouble,
                       text=tested.text, tested_at=call.at)
        )  # fmt: skip

    return call.write(work)


def _usable(conn: sa.Connection, connection_id: int) -> Connection:
    row = found(conn, connection_id)
    usable = store.usable(conn, connection_id)
    if usable is None:
        raise Fault(409, "archived", f"connection {row['name']} is archived")
    return usable


@ROUTER.post("/connections/{connection_id}/sync", summary="Ask for a sync", status_code=202,
             response_model=SyncWantedTold)  # fmt: skip
def sync_connection(call: Operator, connection_id: Key, key: OnceKey = None) -> Response:
    """Begun within about half a minute by the sensor `marketplace_syncs_due`, by a run of its own.

    Asked for while one goes on, another follows it.
    """

    def work(conn: sa.Connection) -> Answer:
        row = found(conn, connection_id)
        if row["state"] != "active":
            raise Fault(409, "not_active", f"the connection is {row['state']}; it is not synced")
        wanted = store.want_sync(conn, connection_id, call.at)
        place = f"{PLACE}/{connection_id}"
        audit.record(conn, call.actor, "sync_connection", f"connection/{connection_id}")
        return Answer(SyncWantedTold(wanted_at=wanted, look_at=place), 202, {"Location": place})

    return call.write_once(key, work)


@ROUTER.get("/connections/{connection_id}/syncs", summary="List syncs of a connection",
            response_model=Page[SyncTold])  # fmt: skip
def list_syncs(call: Reader, connection_id: Key, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """The newest first."""
    asked = paging(limit, cursor, BY_KEY, "syncs", connection_id)
    before = asked.after[0] if asked.after else None

    def work(conn: sa.Connection) -> list[sa.RowMapping]:
        found(conn, connection_id)
        return syncs.latest(conn, connection_id, before, limit + 1)

    return asked.page(call.read(work), sync_told, ("sync_id",))
