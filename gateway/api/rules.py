"""Business rules: what decides, what versions say, and what settings would make of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets.backoffice.model import Kind, RuleRefused, RuleState, Tried
from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import rule_lists, trials
from ecom_assets.ruling import KINDS, case_schema
from ecom_assets.shared.policies import InvalidPolicy, policy_of, settings_of
from ecom_assets.shared.policy_forms import schema_of
from ecom_assets.trying import try_on_case, try_on_order
from gateway.api.answers import sent, tag_of
from gateway.api.calls import Call, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.rule_models import (
    Document,
    FormTold,
    KindsTold,
    KindTold,
    PeriodTold,
    RuleKind,
    RuleTold,
    RuleTrialTold,
    TrialGiven,
    TrialTold,
    TriedTold,
    Version,
    WholeRuleTold,
)
from gateway.api.values import Wanted

ROUTER = APIRouter(prefix="/rules", tags=["rules"])

Reader = Annotated[Call, needs(Right.READ, "backoffice")]


def kind_named(name: str) -> Kind:
    """The kind of a path.

    Raises:
        Fault: 404.
    """
    if name not in KINDS:
        raise missing(f"kind of rule {name!r}; known are {', '.join(KINDS)}")
    return KINDS[name]


def found(conn: sa.Connection, kind: Kind, version: int) -> sa.RowMapping:
    """A version of a path.

    Raises:
        Fault: 404.
    """
    row = rule_lists.version(conn, kind.name, version)
    if row is None:
        raise missing(f"version {version} of the rule {kind.name}")
    return row


def told(row: Mapping[Any, Any]) -> RuleTold:
    """A version as the API shows it."""
    return RuleTold(**_shown(row))


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {("settings" if name == "parameters" else name): value for name, value in row.items()}


def trial_told(row: Mapping[str, Any]) -> RuleTrialTold:
    """A trial as the API shows it."""
    return RuleTrialTold(**{name: row[name] for name in RuleTrialTold.model_fields})


def checked(kind: Kind, settings: Document) -> dict[str, Any]:
    """Settings that make a policy, as they are kept.

    Raises:
        Fault: names the setting that is wrong.
    """
    try:
        return settings_of(policy_of(kind.name, kind.form, settings))
    except InvalidPolicy as error:
        place = ".".join(filter(None, ("settings", error.field)))
        raise unfit(place, "invalid_setting", str(error)) from error
    except ArithmeticError as error:
        raise unfit("settings", "invalid_setting", str(error)) from error


@ROUTER.get("/kinds", summary="List kinds of rules and what is in force", response_model=KindsTold)
def list_kinds(call: Reader) -> Any:
    """With the settings that decide now, since when, and who answers for them."""
    rows = call.read(rule_lists.in_force)
    return KindsTold(items=[_kind(kind, rows[name]) for name, kind in sorted(KINDS.items())])


def _kind(kind: Kind, row: sa.RowMapping) -> KindTold:
    kept = {name: row[name] for name in ("label", "version", "valid_from_at", "begun_by",
                                         "created_by", "decided_by")}  # fmt: skip
    return KindTold(
        kind=kind.name, about=kind.about, decision=kind.decision,
        is_replayable=kind.is_replayable, settings=row["parameters"], **kept,
    )  # fmt: skip


@ROUTER.get("/kinds/{rule_kind}/form", summary="Show what a version of a kind says",
            response_model=FormTold)  # fmt: skip
def show_form(call: Reader, rule_kind: RuleKind) -> Any:
    """JSON Schemas to build a form or a document by: settings with units, bounds and defaults."""
    kind = kind_named(rule_kind)
    now = call.read(rule_lists.in_force)[kind.name]["parameters"]
    return FormTold(kind=kind.name, settings=schema_of(kind.form), case=case_schema(kind),
                    expected=list(kind.members), in_force=now)  # fmt: skip


@ROUTER.get("/kinds/{rule_kind}/periods", summary="List when which version was in force",
            response_model=Page[PeriodTold])  # fmt: skip
def list_periods(
    call: Reader, rule_kind: RuleKind, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """The newest first; an order is decided by the version of its own moment."""
    kind = kind_named(rule_kind)
    asked = paging(limit, cursor, BY_KEY, "periods", kind.name)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: rule_lists.periods(conn, kind.name, before, limit + 1))
    return asked.page(rows, lambda row: PeriodTold(**row), ("rule_period_id",))


@ROUTER.get("", summary="List versions of rules", response_model=Page[RuleTold])
def list_rules(
    call: Reader, kind: Wanted = None, state: RuleState | None = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """Of all kinds, the newest first."""
    asked = paging(limit, cursor, BY_KEY, "rules", kind, state)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: rule_lists.listed(conn, kind, state, before, limit + 1))
    return asked.page(rows, told, ("rule_id",))


@ROUTER.get("/{rule_kind}/{version}", summary="Show a version", response_model=WholeRuleTold)
def show_rule(call: Reader, rule_kind: RuleKind, version: Version) -> Response:
    """Its settings, its own tests, and all that was tried with it."""
    kind = kind_named(rule_kind)

    def work(conn: sa.Connection) -> WholeRuleTold:
        row = found(conn, kind, version)
        tried = [trial_told(trial) for trial in trials.trials_of(conn, row["label"])]
        return WholeRuleTold(**_shown(row), trials=tried)

    shown = call.read(work)
    tag = tag_of("rule", shown.rule_id, shown.state, len(shown.trials))
    return sent(200, {"ETag": tag}, shown.model_dump_json())


@ROUTER.post("/{rule_kind}/try", summary="Try settings on an order or a case",
             response_model=TrialTold)  # fmt: skip
def try_settings(call: Reader, rule_kind: RuleKind, given: TrialGiven) -> Any:
    """What would be decided beside what was, with the reasons.

    No draft is needed and nothing is written; an order is judged on what was known at its own
    moment, by the platform's own code.
    """
    kind = kind_named(rule_kind)
    _one_of(given, "settings", "version")
    _one_of(given, "order_id", "case")

    def work(conn: sa.Connection) -> list[Tried]:
        if given.version is not None:
            settings = found(conn, kind, given.version)["parameters"]
        else:
            settings = checked(kind, given.settings or {})
        if given.order_id is not None:
            return _on_order(conn, kind, settings, given.order_id)
        return [_on_case(conn, kind, settings, given.case or {})]

    return TrialTold(kind=kind.name, items=[_tried(each) for each in call.trial(work)])


def _one_of(given: TrialGiven, *names: str) -> None:
    if len([name for name in names if getattr(given, name) is not None]) != 1:
        raise unfit(names[0], "one_of", f"give {' or '.join(names)}, one of them")


def _on_order(
    conn: sa.Connection, kind: Kind, settings: Mapping[str, Any], order_id: int
) -> list[Tried]:
    try:
        return try_on_order(conn, kind, kind.name, settings, order_id)
    except RuleRefused as refused:
        raise Fault(409, "nothing_to_compare", str(refused)) from refused


def _on_case(
    conn: sa.Connection, kind: Kind, settings: Mapping[str, Any], case: Mapping[str, Any]
) -> Tried:
    now = rule_lists.in_force(conn)[kind.name]["parameters"]
    try:
        return try_on_case(kind, kind.name, settings, now, case)
    except InvalidPolicy as error:
        place = ".".join(filter(None, ("case", error.field)))
        raise unfit(place, "invalid_case", str(error)) from error
    # A case is any document: whatever a rule cannot reckon with is wrong in the case.
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise unfit("case", "invalid_case", str(error)[:500]) from error


def _tried(tried: Tried) -> TriedTold:
    return TriedTold(
        subject=tried.subject, decided_by=tried.decided_by, decided=dict(tried.decided),
        would_be=dict(tried.would_be), is_changed=tried.is_changed, note=tried.note,
    )  # fmt: skip
