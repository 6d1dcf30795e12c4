"""Plans of changes to the catalogue: a file looked at first, then approved by its hash."""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import audit
from ecom_assets.catalog.model import Applied, Plan, PlanRefused
from ecom_assets.catalog.reading import BadFile
from ecom_assets.catalog.store import approve_plan, listing, plans, reject_plan, revert_plan
from ecom_assets.catalog.store.changing import ask, settle
from ecom_assets.catalog.store.files import plan_file
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.catalogue_changes import taking_turns
from gateway.api.catalogue_models import (
    Action,
    AppliedTold,
    ApprovalGiven,
    FileGiven,
    FoundTold,
    Hash,
    PlanRowTold,
    PlanState,
    PlanTold,
    RejectionGiven,
    WholePlanTold,
)
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.products import Author, Reader

ROUTER = APIRouter(prefix="/catalogue/plans", tags=["catalogue"])

Approver = Annotated[Call, needs(Right.APPROVE, "catalog")]


@ROUTER.get("", summary="List plans", response_model=Page[PlanTold])
def list_plans(
    call: Reader, state: PlanState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Any:
    """Of files, feeds and requests, the newest first."""
    asked = paging(limit, cursor, BY_KEY, "catalogue_plans", state)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: listing.plans(conn, state, before, limit + 1))
    return asked.page(rows, _told, ("plan_id",))


@ROUTER.post("/bulk", summary="Plan a catalogue file", status_code=201,
             response_model=WholePlanTold)  # fmt: skip
def plan_upload(call: Author, given: FileGiven, key: OnceKey = None) -> Response:
    """Reads a file and keeps what it would change.

    The catalogue stays as it is until another person approves the plan. At most 32 MB; give `text`
    or `base64`.
    """
    content = _content(given)

    def work(conn: sa.Connection) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / given.name
            file.write_bytes(content)
            plan = _planned(conn, call, given, file)
        ask(conn, plan, call.principal.name)
        headers = {"Location": f"/api/v1/catalogue/plans/{plan.hash}"}
        return Answer(_whole(conn, plan), 201, headers)

    return call.write_once(key, work)


def _planned(conn: sa.Connection, call: Call, given: FileGiven, file: Path) -> Plan:
    try:
        with taking_turns(conn):
            return plan_file(conn, file, call.at, call.run, given.format, given.columns,
                             given.currency)  # fmt: skip
    except BadFile as error:
        raise unfit("text" if given.text is not None else "base64", "bad_file",
                    str(error).replace(f"{file.parent}/", "")) from error  # fmt: skip
    except OSError as error:
        raise unfit("name", "bad_name", "is no name of a file here") from error


def _content(given: FileGiven) -> bytes:
    if (given.text is None) == (given.base64 is None):
        raise unfit("text", "one_of", "give text or base64, one of them")
    if given.name in (".", ".."):
        raise unfit("name", "bad_name", "is no name of a file")
    try:
        if given.text is not None:
            return given.text.encode()
        return base64.b64decode(given.base64 or "", validate=True)
    except (binascii.Error, ValueError) as error:
        field = "text" if given.text is not None else "base64"
        raise unfit(field, "malformed", "cannot be decoded") from error


@ROUTER.get("/{plan}", summary="Show a plan", response_model=WholePlanTold)
def show_plan(call: Reader, plan: Hash) -> Any:
    """With how often each thing was found in its rows."""
    return call.read(lambda conn: _whole(conn, _named(conn, plan)))


@ROUTER.get("/{plan}/rows", summary="List rows of a plan", response_model=Page[PlanRowTold])
def list_rows(
    call: Reader, plan: Hash, action: Action | None = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """What each changes, with the values before and after, and what was found of it."""
    asked = paging(limit, cursor, BY_KEY, "plan_rows", plan, action)
    after = asked.after[0] if asked.after else None

    def work(conn: sa.Connection) -> Any:
        return listing.plan_rows(conn, _named(conn, plan).plan_id, action, after, limit + 1)

    return asked.page(call.read(work), lambda row: PlanRowTold(**row), ("row_no",))


@ROUTER.post("/{plan}/approve", summary="Approve a plan", response_model=AppliedTold)
def approve(call: Approver, plan: Hash, given: ApprovalGiven, key: OnceKey = None) -> Response:
    """Never by who asked for it. Its good rows are written, if what they replace is as it was."""

    def work(conn: sa.Connection) -> Answer:
        name, by = _decidable(conn, call, plan), call.principal.name
        return _settled(conn, call, "approved", name, lambda: approve_plan(
            conn, name, call.at, call.run, by, given.note))  # fmt: skip

    return call.write_once(key, work)


@ROUTER.post("/{plan}/reject", summary="Reject a plan", response_model=PlanTold)
def reject(call: Approver, plan: Hash, given: RejectionGiven, key: OnceKey = None) -> Response:
    """With the reason; the catalogue stays as it is."""

    def work(conn: sa.Connection) -> Answer:
        name = _decidable(conn, call, plan)
        with taking_turns(conn):
            reject_plan(conn, name, call.principal.name, given.note)
        audit.record(conn, call.actor, "rejected", f"catalogue_plan/{name}",
                     after={"note": given.note})  # fmt: skip
        return Answer(_told(listing.plan(conn, _named(conn, name).plan_id)))

    return call.write_once(key, work)


@ROUTER.post("/{plan}/revert", summary="Take a plan back", response_model=AppliedTold)
def revert(call: Author, plan: Hash, key: OnceKey = None) -> Response:
    """Values from before come back, row by row where nobody has changed them since."""

    def work(conn: sa.Connection) -> Answer:
        name = _named(conn, plan).hash
        return _settled(conn, call, "reverted", name,
                        lambda: revert_plan(conn, name, call.at, call.run))  # fmt: skip

    return call.write_once(key, work)


def _settled(
    conn: sa.Connection, call: Call, verb: str, name: str, act: Callable[[], Applied]
) -> Answer:
    with taking_turns(conn):
        done = act()
    settle(conn, done.plan, call.run)
    audit.record(conn, call.actor, verb, f"catalogue_plan/{name}")
    told = _told(listing.plan(conn, done.plan.plan_id))
    return Answer(AppliedTold(plan=told, created=done.created, updated=done.updated,
                              kept=done.kept))  # fmt: skip


def _decidable(conn: sa.Connection, call: Call, name: str) -> str:
    plan = _named(conn, name)
    if listing.plan(conn, plan.plan_id)["requested_by"] == call.principal.name:
        said = "you asked for it; another person must decide"
        raise call.refusal(Fault(403, "four_eyes", said))
    return plan.hash


def _named(conn: sa.Connection, name: str) -> Plan:
    try:
        return plans.find_plan(conn, name)
    except PlanRefused as refused:
        raise missing(f"plan {name}, or several begin so") from refused


def _told(row: Any) -> PlanTold:
    return PlanTold(**_shown(row))


def _shown(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in PlanTold.model_fields}


def _whole(conn: sa.Connection, plan: Plan) -> WholePlanTold:
    counts = [FoundTold(**row) for row in plans.finding_counts(conn, plan)]
    return WholePlanTold(**_shown(listing.plan(conn, plan.plan_id)), found=counts)
