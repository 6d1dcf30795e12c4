"""Kinds of rules, versions of them, and why something about one is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Outcome = Mapping[str, Any]
"""What a policy makes of a made-up case, member by member."""


class RuleRefused(ValueError):
    """A step of a rule's life that is refused; the message is one line that says why."""


class FourEyes(RuleRefused):
    """A decision by somebody who drafted or proposed what is decided about."""


class RuleState(StrEnum):
    """How far a version has come."""

    DRAFT = "draft"
    TESTED = "tested"
    PROPOSED = "proposed"
    APPROVED = "approved"
    SHADOW = "shadow"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Kind:
    """A decision whose settings are data.

    Attributes:
        name: name of the kind; new versions are labelled `<name>/<version>`.
        form: dataclass of its policies.
        about: one line for people.
        decision: kind of the ledger's rows that it makes.
        outcome: what a policy makes of a case, which is a document.
        case: dataclass of its cases; a figure by feature, if there is none.
        members: what may be expected of a case.
        is_replayable: whether past orders can be decided anew by it.
    """

    name: str
    form: type[Any]
    about: str
    decision: str
    outcome: Callable[[Any, Mapping[str, Any]], Outcome]
    case: type[Any] | None = None
    members: tuple[str, ...] = ("outcome",)
    is_replayable: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A version of a rule, as it is kept; see `backoffice.business_rules`."""

    rule_id: int
    kind: str
    version: int
    label: str
    parameters: Mapping[str, Any]
    examples: Sequence[Mapping[str, Any]]
    based_on: str | None
    note: str
    state: RuleState
    created_by: str
    created_at: datetime
    proposed_by: str | None
    decided_by: str | None
    comment: str
    shadow_from_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an order, or of a made-up case, beside what a draft would make of it.

    Attributes:
        label: the draft.
        subject: part of the order; empty for the whole.
        decided_by: version that decided.
        decided: what was decided, with its reasons.
        would_be: what the draft decides, with its reasons.
        note: why nothing can be said, or what the answer leaves out.
    """

    label: str
    subject: str
    decided_by: str
    decided: Outcome = field(default_factory=dict)
    would_be: Outcome = field(default_factory=dict)
    note: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the draft decides otherwise in what both sides say."""
        both = self.decided.keys() & self.would_be.keys()
        return any(self.decided[name] != self.would_be[name] for name in both)
