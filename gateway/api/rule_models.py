"""What the part of the API about business rules takes and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field, JsonValue

from ecom_assets.backoffice.model import RuleState
from ecom_assets.ruling import KINDS
from gateway.api.values import MOST_INTEGER, Given, Moment, Name, Note, Told

RuleKind = Annotated[str, Path(
    min_length=1, max_length=200, json_schema_extra={"enum": list(KINDS)},
    description="Kind of rule, as `GET /rules/kinds` lists them.",
)]  # fmt: skip
Version = Annotated[int, Path(ge=1, le=MOST_INTEGER, description="Number of the version.")]
Document = dict[str, JsonValue]

SETTINGS: dict[str, Any] = {
    "reject_from": 0.9, "review_from": 0.05, "review_cost_eur": 8.0, "new_country_eur": 300.0,
    "first_order_eur": 3000.0,
}  # fmt: skip
CASE: dict[str, Any] = {
    "payment_state": "authorised", "probability": 0.1, "total_minor": 20000, "minor_per_eur": 100,
}  # fmt: skip


class ExampleGiven(Given):
    """A test of a version's own: a made-up case and what must come of it."""

    name: Name = Field(examples=["a doubtful order over 200 EUR"])
    given: Document = Field(
        min_length=1, examples=[CASE],
        description="The case: inputs of the decision, see `case` of the kind's schema.",
    )  # fmt: skip
    expected: Document = Field(
        min_length=1, examples=[{"outcome": "review"}],
        description="What must come of it; only the members named here are compared.",
    )  # fmt: skip


class DraftGiven(Given):
    """A new version, without effect."""

    settings: Document = Field(
        examples=[SETTINGS],
        description="All settings of the kind, see its schema; nothing is taken from another"
        " version.",
    )
    examples: list[ExampleGiven] = Field(
        default=[], max_length=500,
        description="Its own tests; without any it can be neither tested nor proposed.",
    )  # fmt: skip
    note: Note = Field(default="", description="Why it is drafted.")


class TrialGiven(Given):
    """What to try, and on what; give settings or a version, and an order or a case."""

    settings: Document | None = Field(
        None, examples=[SETTINGS], description="All settings of the kind; no draft is needed."
    )
    version: int | None = Field(
        None, ge=1, le=MOST_INTEGER, description="A version instead of settings."
    )
    order_id: int | None = Field(
        None, ge=1, le=2**63 - 1,
        description="An order: its own inputs are decided anew, as they were known then.",
    )  # fmt: skip
    case: Document | None = Field(
        None, examples=[CASE], description="A made-up case; see `case` of the kind's schema."
    )


class CommentGiven(Given):
    """A decision."""

    comment: Note = Field(default="", description="Why; kept with the version.")


class ForceGiven(Given):
    """When a version comes into force."""

    at: Moment | None = Field(
        None, description="First moment of deciding, not in the past; now, if not given."
    )


class BackGiven(ForceGiven):
    """What is taken back."""

    in_force: Name = Field(
        description="Label of the version that is in force now, so that two who take back at once"
        " do not go back twice.",
        examples=["risk/2"],
    )


class BacktestGiven(Given):
    """Which past is decided anew."""

    days: int = Field(90, ge=1, le=3660, description="Days back from now.")


class KindTold(Told):
    """A kind of rule and the version of it that decides."""

    kind: str
    about: str
    decision: str = Field(description="Kind of the ledger's decisions that it makes.")
    is_replayable: bool = Field(description="Whether past orders can be decided anew by it.")
    label: str = Field(description="The version in force, as the ledger names it.")
    version: int
    valid_from_at: datetime | None = Field(description="Since when; null is for ever before.")
    begun_by: str = Field(description="Who put it in force.")
    created_by: str
    decided_by: str | None
    settings: dict[str, Any]


class KindsTold(Told):
    """All kinds of rules."""

    items: list[KindTold]


class FormTold(Told):
    """What a version of a kind says, and what its tests and cases look like."""

    kind: str
    settings: dict[str, Any] = Field(
        description="JSON Schema (2020-12) of the settings; `x-unit` says what figures count."
    )
    case: dict[str, Any] = Field(description="JSON Schema of a made-up case.")
    expected: list[str] = Field(description="Members that may be expected of a case.")
    in_force: dict[str, Any] = Field(description="The settings in force, to begin with.")


class RuleTold(Told):
    """A version of a rule. What it says never changes, only how far it has come."""

    rule_id: int
    kind: str
    version: int
    label: str = Field(description="What the ledger names, such as risk/2.")
    state: RuleState
    settings: dict[str, Any]
    examples: list[dict[str, Any]] = Field(description="Its own tests.")
    based_on: str | None = Field(description="Version in force when it was drafted.")
    note: str
    created_by: str
    created_at: datetime
    proposed_by: str | None
    proposed_at: datetime | None
    decided_by: str | None = Field(description="Who approved or rejected it.")
    decided_at: datetime | None
    comment: str
    shadow_from_at: datetime | None


class RuleTrialTold(Told):
    """A trial of a version."""

    rule_trial_id: int
    stage: Literal["test", "backtest", "shadow"]
    from_at: datetime | None
    to_at: datetime | None
    compared_with: str | None
    replay_id: int | None
    subjects: int = Field(description="Examples of a test, orders of a range.")
    changed: int = Field(description="Examples that failed, orders decided differently.")
    summary: Any = Field(description="What failed, or figures with money per currency.")
    tried_as_of: datetime
    run_id: str


class WholeRuleTold(RuleTold):
    """A version with what was tried with it."""

    trials: list[RuleTrialTold] = Field(description="Oldest first.")


class PeriodTold(Told):
    """When a version was in force."""

    rule_period_id: int
    version: int
    label: str
    valid_from_at: datetime | None
    valid_to_at: datetime | None = Field(description="End, excluded; null while it decides.")
    begun_by: str
    ended_because: Literal["superseded", "rolled_back"] | None


class TriedTold(Told):
    """What was decided beside what would be."""

    subject: str = Field(description="Part of the order; empty for the whole, and for a case.")
    decided_by: str = Field(description="Version that decided; `in force` for a case.")
    decided: dict[str, Any]
    would_be: dict[str, Any]
    is_changed: bool
    note: str = Field(description="Why nothing can be said; empty where there is an answer.")


class TrialTold(Told):
    """What a trial found; nothing was written."""

    kind: str
    items: list[TriedTold]


class TestTold(Told):
    """What a version's own tests found."""

    examples: int
    failed: list[str] = Field(description="What failed, a line each.")
    rule: RuleTold


class BacktestTold(Told):
    """A backtest, which goes on by itself."""

    run_id: str = Field(description="Run in Dagster's UI, under /dagster/runs.")
    status: str = Field(description="QUEUED, STARTED, SUCCESS, FAILURE and so on.")
    trial: RuleTrialTold | None = Field(description="What it found, once it has.")
