"""Business rules: from a draft to force and back, each step by whoever may take it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import UUID4
from starlette.responses import Response

from ecom_assets.backoffice.model import FourEyes, Kind, Rule, RuleRefused
from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import rule_lists, rules, trials
from gateway.api import runs
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.faults import Fault, missing, unfit
from gateway.api.rule_models import (
    BackGiven,
    BacktestGiven,
    BacktestTold,
    CommentGiven,
    DraftGiven,
    ForceGiven,
    RuleKind,
    RuleTold,
    TestTold,
    Version,
)
from gateway.api.rules import Reader, checked, found, kind_named, told, trial_told

ROUTER = APIRouter(prefix="/rules", tags=["rules"])

Author = Annotated[Call, needs(Right.CONFIGURE, "backoffice")]
Approver = Annotated[Call, needs(Right.APPROVE, "backoffice")]

JOB = "backoffice_rule_trial"
"""Job of a backtest."""

Step = Callable[[sa.Connection, str], Rule]
"""Takes the version of a label one step on."""


@ROUTER.post("/{rule_kind}", summary="Draft a version", status_code=201, response_model=RuleTold)
def draft(call: Author, rule_kind: RuleKind, given: DraftGiven, key: OnceKey = None) -> Response:
    """It has no effect, and what it says never changes: to correct it, draft another one."""
    kind = kind_named(rule_kind)
    settings = checked(kind, given.settings)
    examples = [example.model_dump() for example in given.examples]

    def work(conn: sa.Connection) -> Answer:
        try:
            made = rules.draft(conn, kind, settings, call.principal.name, call.at, examples,
                               given.note)  # fmt: skip
        except RuleRefused as refused:
            raise unfit("examples", "invalid_example", str(refused)) from refused
        headers = {"Location": f"/api/v1/rules/{kind.name}/{made.version}"}
        return Answer(told(found(conn, kind, made.version)), 201, headers)

    return call.write_once(key, work)


@ROUTER.post("/{rule_kind}/{version}/test", summary="Run a version's own tests",
             response_model=TestTold)  # fmt: skip
def run_tests(
    call: Author, rule_kind: RuleKind, version: Version, key: OnceKey = None
) -> Response:  # fmt: skip
    """A draft whose tests all pass becomes tested; what failed is kept with it."""
    kind = kind_named(rule_kind)

    def work(conn: sa.Connection) -> Answer:
        label = found(conn, kind, version)["label"]
        failed = _allowed(call, lambda: trials.run_tests(conn, kind, label, call.at, call.run))
        row = found(conn, kind, version)
        return Answer(TestTold(examples=len(row["examples"]), failed=failed, rule=told(row)))

    return call.write_once(key, work)


@ROUTER.post("/{rule_kind}/{version}/backtest", summary="Start a backtest", status_code=202,
             response_model=BacktestTold)  # fmt: skip
def backtest(
    call: Author, request: Request, rule_kind: RuleKind, version: Version, given: BacktestGiven,
    key: OnceKey = None,
) -> Response:  # fmt: skip
    """The last days decided anew by the version, as a run that goes on by itself.

    It takes minutes in a large shop; `Location` says where to look. Nothing is changed.
    """
    kind = kind_named(rule_kind)
    if not kind.is_replayable:
        raise Fault(409, "not_replayable", f"{kind.name} has no backtest; its tests must do")

    def work(conn: sa.Connection) -> Answer:
        label = found(conn, kind, version)["label"]
        config = {"label": label, "days": given.days, "as_of": call.at.isoformat()}
        run_id = runs.start(request, call, JOB,
                            {"ops": {"backoffice__rule_trials": {"config": config}}})  # fmt: skip
        place = f"/api/v1/rules/{kind.name}/{version}/backtests/{run_id}"
        body = BacktestTold(run_id=run_id, status="QUEUED", trial=None)
        return Answer(body, 202, {"Location": place})

    return call.write_once(key, work)


@ROUTER.get("/{rule_kind}/{version}/backtests/{run_id}", summary="Show a backtest",
            response_model=BacktestTold)  # fmt: skip
def show_backtest(
    call: Reader, request: Request, rule_kind: RuleKind, version: Version, run_id: UUID4
) -> Any:
    """How far it has come, and what it found."""
    kind, run = kind_named(rule_kind), request.app.state.instance.get_run_by_id(str(run_id))

    def work(conn: sa.Connection) -> list[Any]:
        return trials.trials_of(conn, found(conn, kind, version)["label"])

    made = [trial for trial in call.read(work) if trial["run_id"] == str(run_id)]
    if not made and (run is None or run.job_name != JOB):
        raise missing(f"backtest {run_id}")
    # What it found outlives the history of runs.
    status = run.status.value if run else "SUCCESS"
    return BacktestTold(run_id=str(run_id), status=status,
                        trial=trial_told(made[-1]) if made else None)  # fmt: skip


@ROUTER.post("/{rule_kind}/{version}/propose", summary="Propose a version",
             response_model=RuleTold)  # fmt: skip
def propose(
    call: Author, rule_kind: RuleKind, version: Version, key: OnceKey = None
) -> Response:  # fmt: skip
    """Ask for approval; its tests must have passed, and a backtest must say what it changes."""
    kind, by = kind_named(rule_kind), call.principal.name
    return _step(call, kind, version, key,
                 lambda conn, label: rules.propose(conn, kind, label, by, call.at))  # fmt: skip


@ROUTER.post("/{rule_kind}/{version}/approve", summary="Approve a version",
             response_model=RuleTold)  # fmt: skip
def approve(
    call: Approver, rule_kind: RuleKind, version: Version, given: CommentGiven,
    key: OnceKey = None,
) -> Response:  # fmt: skip
    """Never by who drafted or proposed it; it is not in force yet."""
    by, why = call.principal.name, given.comment
    return _step(call, kind_named(rule_kind), version, key,
                 lambda conn, label: rules.approve(conn, label, by, call.at, why))  # fmt: skip


@ROUTER.post("/{rule_kind}/{version}/reject", summary="Reject a version",
             response_model=RuleTold)  # fmt: skip
def reject(
    call: Approver, rule_kind: RuleKind, version: Version, given: CommentGiven,
    key: OnceKey = None,
) -> Response:  # fmt: skip
    """For good; never by who drafted or proposed it, who may withdraw it."""
    by, why = call.principal.name, given.comment
    return _step(call, kind_named(rule_kind), version, key,
                 lambda conn, label: rules.reject(conn, label, by, call.at, why))  # fmt: skip


@ROUTER.post("/{rule_kind}/{version}/withdraw", summary="Withdraw a version",
             response_model=RuleTold)  # fmt: skip
def withdraw(
    call: Author, rule_kind: RuleKind, version: Version, key: OnceKey = None
) -> Response:  # fmt: skip
    """Give up one that is not and was not in force; it stays on record."""
    return _step(call, kind_named(rule_kind), version, key, rules.withdraw)


@ROUTER.post("/{rule_kind}/{version}/shadow", summary="Let a version decide in shadow",
             response_model=RuleTold)  # fmt: skip
def shadow(
    call: Author, rule_kind: RuleKind, version: Version, key: OnceKey = None
) -> Response:  # fmt: skip
    """An approved one decides beside the one in force from now on, without effect."""
    return _step(call, kind_named(rule_kind), version, key,
                 lambda conn, label: rules.shadow(conn, label, call.at))  # fmt: skip


@ROUTER.post("/{rule_kind}/{version}/promote", summary="Put a version in force",
             response_model=RuleTold)  # fmt: skip
def promote(
    call: Author, rule_kind: RuleKind, version: Version, given: ForceGiven, key: OnceKey = None
) -> Response:
    """An approved one decides from now or a moment to come; the one before it ends then."""
    at, by = _moment(call, given), call.principal.name
    return _step(call, kind_named(rule_kind), version, key,
                 lambda conn, label: rules.promote(conn, label, by, at))  # fmt: skip


@ROUTER.post("/{rule_kind}/roll-back", summary="Put the version before back in force",
             response_model=RuleTold)  # fmt: skip
def roll_back(call: Author, rule_kind: RuleKind, given: BackGiven, key: OnceKey = None) -> Response:
    """It was approved before, so nobody is asked again; tell which one you take back."""
    kind, at = kind_named(rule_kind), _moment(call, given)

    def work(conn: sa.Connection) -> Answer:
        rules.hold(conn, kind.name)
        now = rule_lists.in_force(conn)[kind.name]["label"]
        if now != given.in_force:
            raise unfit("in_force", "changed_meanwhile", f"{now} is in force", 409)
        back = _allowed(
            call, lambda: rules.roll_back(conn, kind.name, call.principal.name, at)
        )  # fmt: skip
        return Answer(told(found(conn, kind, back.version)))

    return call.write_once(key, work)


def _moment(call: Call, given: ForceGiven) -> datetime:
    if given.at is not None and given.at < call.at:
        raise unfit("at", "too_early", "must not lie in the past: orders were decided since")
    return given.at or call.at


def _step(call: Call, kind: Kind, version: int, key: str | None, step: Step) -> Response:
    def work(conn: sa.Connection) -> Answer:
        label = found(conn, kind, version)["label"]
        _allowed(call, lambda: step(conn, label))
        return Answer(told(found(conn, kind, version)))

    return call.write_once(key, work)


def _allowed(call: Call, step: Callable[[], Any]) -> Any:
    """Take a step; what the rules of its life refuse becomes the answer."""
    try:
        return step()
    except FourEyes as refused:
        raise call.refusal(Fault(403, "four_eyes", str(refused))) from refused
    except RuleRefused as refused:
        raise Fault(409, "refused", str(refused)) from refused
