"""What waits for a person: one list over all areas, approved or rejected by somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.backoffice.model import FourEyes, RuleRefused
from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import approvals, audit, rules
from ecom_assets.backoffice.store.approvals import AREA, Kind
from ecom_assets.catalog.model import PlanRefused as CataloguePlanRefused
from ecom_assets.catalog.store import approve_plan, reject_plan
from ecom_assets.catalog.store.changing import settle
from ecom_assets.inventory.store import NotOpen, approve_counts, decide_proposal, reject_counts
from ecom_assets.pricing.store import PlanRefused, decide
from gateway.api.answers import Answer
from gateway.api.calls import ANY_AREA, Call, OnceKey, needs
from gateway.api.cursors import BigKey, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing
from gateway.api.values import MOST_BIGINT, Given, Moment, Name, Note, Reason, Told

ROUTER = APIRouter(prefix="/approvals", tags=["approvals"])

Reader = Annotated[Call, needs(Right.READ, ANY_AREA)]
Approver = Annotated[Call, needs(Right.APPROVE, ANY_AREA)]
Number = Annotated[int, Path(ge=1, le=MOST_BIGINT)]

_BY_AGE: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Moment, Name, BigKey])


class WaitingTold(Told):
    """Something that waits for a person."""

    kind: Kind
    number: int
    requested_at: datetime
    requested_by: str = Field(description="Who may not decide; empty where the platform asks.")
    subject: str
    detail: Any = Field(description="The figures to decide by.")


class ApprovalGiven(Given):
    """An approval."""

    note: Note = Field(default="", description="Why; kept with the decision.")


class RejectionGiven(Given):
    """A rejection, which says why."""

    note: Reason


class DecidedTold(Told):
    """What was decided."""

    kind: Kind
    number: int
    decision: Literal["approved", "rejected"]
    state: str = Field(description="What came of it, such as ready, accepted, posted, refused.")


@ROUTER.get("", summary="List what waits for a person", response_model=Page[WaitingTold])
def list_waiting(
    call: Reader, kind: Kind | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """What has waited longest first; a key sees the kinds of its areas."""
    if kind is not None:
        call.require(Right.READ, AREA[kind])
    asked_kinds = Kind if kind is None else (kind,)
    kinds = [each for each in asked_kinds if call.principal.may(Right.READ, AREA[each])]
    asked = paging(limit, cursor, _BY_AGE, "approvals", kinds)
    after: Any = asked.after
    rows = call.read(lambda conn: approvals.waiting(conn, kinds, after, limit + 1))
    return asked.page(rows, lambda row: WaitingTold(**row), ("requested_at", "kind", "number"))


@ROUTER.get("/{kind}/{number}", summary="Show what waits", response_model=WaitingTold)
def show_waiting(call: Reader, kind: Kind, number: Number) -> Any:
    """404 once it is decided."""
    call.require(Right.READ, AREA[kind])
    return call.read(lambda conn: WaitingTold(**_found(conn, kind, number)))


def _found(conn: sa.Connection, kind: Kind, number: int) -> sa.RowMapping:
    found = approvals.find(conn, kind, number)
    if found is None:
        raise missing(f"{kind.value.replace('_', ' ')} {number} that waits")
    return found


@ROUTER.post("/{kind}/{number}/approve", summary="Approve", response_model=DecidedTold)
def approve(
    call: Approver, kind: Kind, number: Number, given: ApprovalGiven, key: OnceKey = None
) -> Response:
    """Never by who asked for it."""
    return _decided(call, kind, number, True, given.note, key)


@ROUTER.post("/{kind}/{number}/reject", summary="Reject", response_model=DecidedTold)
def reject(
    call: Approver, kind: Kind, number: Number, given: RejectionGiven, key: OnceKey = None
) -> Response:
    """With the reason, which is kept."""
    return _decided(call, kind, number, False, given.note, key)


def _decided(
    call: Call, kind: Kind, number: int, is_approved: bool, note: str, key: str | None
) -> Response:
    call.require(Right.APPROVE, AREA[kind])
    decision: Literal["approved", "rejected"] = "approved" if is_approved else "rejected"

    def work(conn: sa.Connection) -> Answer:
        item = _found(conn, kind, number)
        if item["requested_by"] == call.principal.name:
            said = "you asked for it; another person must decide"
            raise call.refusal(Fault(403, "four_eyes", said))
        try:
            state = _DECIDE[kind](conn, item, call, is_approved, note)
        except FourEyes as refused:
            raise call.refusal(Fault(403, "four_eyes", str(refused))) from refused
        except (PlanRefused, CataloguePlanRefused, NotOpen, RuleRefused) as refused:
            raise Fault(409, "not_decidable", str(refused)) from refused
        audit.record(conn, call.actor, decision, f"{kind.value}/{number}", after={"note": note})
        told = DecidedTold(kind=kind, number=number, decision=decision, state=state)
        return Answer(told)

    return call.write_once(key, work)


def _price_plan(
    conn: sa.Connection, item: sa.RowMapping, call: Call, is_approved: bool, note: str
) -> str:
    decide(conn, item["number"], call.principal.name, call.at, is_approved, note)
    return "ready" if is_approved else "refused"


def _proposal(
    conn: sa.Connection, item: sa.RowMapping, call: Call, is_approved: bool, note: str
) -> str:
    outcome = "accepted" if is_approved else "rejected"
    decide_proposal(conn, item["number"], outcome, call.principal.name, call.at, note)
    return outcome


def _count(conn: sa.Connection, item: sa.RowMapping, call: Call, is_approved: bool, _: str) -> str:
    settle = approve_counts if is_approved else reject_counts
    states = settle(conn, [item["number"]], call.principal.name, call.at, call.run)
    if not states:
        raise NotOpen(f"count {item['number']} is decided already")
    return next(iter(states))


def _catalogue_plan(
    conn: sa.Connection, item: sa.RowMapping, call: Call, is_approved: bool, note: str
) -> str:
    name, by = item["detail"]["hash"], call.principal.name
    if is_approved:
        settle(conn, approve_plan(conn, name, call.at, call.run, by, note).plan, call.run)
        return "applied"
    reject_plan(conn, name, by, note)
    return "rejected"


def _rule(
    conn: sa.Connection, item: sa.RowMapping, call: Call, is_approved: bool, note: str
) -> str:
    decide_rule = rules.approve if is_approved else rules.reject
    return decide_rule(conn, item["subject"], call.principal.name, call.at, note).state.value


_Decide = Callable[[sa.Connection, sa.RowMapping, Call, bool, str], str]
_DECIDE: Mapping[Kind, _Decide] = {
    Kind.PRICE_PLAN: _price_plan,
    Kind.PURCHASE_PROPOSAL: _proposal,
    Kind.STOCK_COUNT: _count,
    Kind.CATALOGUE_PLAN: _catalogue_plan,
    Kind.BUSINESS_RULE: _rule,
}
