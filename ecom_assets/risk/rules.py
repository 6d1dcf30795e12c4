"""Accept, review, reject or wait: expected cost and a few plain rules.

An order is reviewed where the loss to expect (fraud probability times what the order is worth)
exceeds what a person's look at it costs. `store.decisions` computes the same in SQL; a property
test holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Annotated

from ecom_assets.shared.policy_forms import Figure

KIND = "risk"
"""Kind of the rules as data."""

RULES_VERSION = "risk/1"
"""Label of the first version, whose settings are `POLICY`."""

REVIEW_VERSION = "review/1"


class Outcome(StrEnum):
    """What becomes of an order."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    REJECTED = "rejected"
    AWAITING_PAYMENT = "awaiting_payment"


class Reason(StrEnum):
    """Why, in the order in which reasons are listed."""

    PAYMENT_NOT_CONFIRMED = "payment_not_confirmed"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    FRAUD_NEAR_CERTAIN = "fraud_near_certain"
    LOSS_EXCEEDS_REVIEW_COST = "expected_loss_exceeds_review_cost"
    LARGE_TO_NEW_COUNTRY = "large_order_to_new_country"
    LARGE_FIRST_ORDER = "very_large_first_order"


_Probability = Annotated[float, Figure("probability", least=0, most=1)]
_Euros = Annotated[float, Figure("EUR", least=0)]


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """Thresholds of the decision.

    Amounts are euros and apply to other currencies by their rough worth
    (`money.roughly_minor_per_eur`), so that a rule weighs the same for yen and for dinar.

    Attributes:
        reject_from: probability from which an order is rejected unseen; above what fraud's rules
            can give without a model.
        review_from: probability below which an order is never reviewed for its expected loss: a
            person finds nothing in a large order nobody has reason to doubt.
        review_cost_eur: cost of one review.
        new_country_eur: worth from which a known customer's first order to a country is reviewed.
        first_order_eur: worth from which a customer's first order is reviewed.
    """

    reject_from: _Probability = 0.9
    review_from: _Probability = 0.05
    review_cost_eur: _Euros = 5.0
    new_country_eur: _Euros = 300.0
    first_order_eur: _Euros = 3_000.0

    def __post_init__(self) -> None:
        """Refuse thresholds that contradict each other.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        for name in ("reject_from", "review_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability and must be from 0 to 1")
        if self.review_from > self.reject_from:
            raise ValueError("review_from must not be above reject_from")
        for name in ("review_cost_eur", "new_country_eur", "first_order_eur"):
            if not 0 <= getattr(self, name) < inf:
                raise ValueError(f"{name} is an amount and must be 0 or more")


POLICY = RiskPolicy()
"""What the first version says."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an order when its risk is decided.

    Attributes:
        payment_state: as payments decided.
        probability: of fraud, 0 to 1.
        total_minor: what the order is worth, in minor units of its currency.
        minor_per_eur: rough minor units of the currency to the euro.
        is_new_country: known customer, first order to this country.
        is_first_order: first order of the customer.
    """

    payment_state: str
    probability: float
    total_minor: int
    minor_per_eur: int
    is_new_country: bool = False
    is_first_order: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided; the loss in minor units of the order's currency."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    expected_loss_minor: int


def decide(case: Case, policy: RiskPolicy = POLICY) -> Decision:
    """Decide one order."""
    # Half to even on the double, as the database rounds: the two must agree to the minor unit.
    loss = round(case.probability * case.total_minor)
    holds = {
        Reason.PAYMENT_NOT_CONFIRMED: case.payment_state == "awaiting",
        Reason.UNDERPAID: case.payment_state == "underpaid",
        Reason.OVERPAID: case.payment_state == "overpaid",
        Reason.FRAUD_NEAR_CERTAIN: case.probability >= policy.reject_from,
        Reason.LOSS_EXCEEDS_REVIEW_COST: case.probability >= policy.review_from
        and loss > policy.review_cost_eur * case.minor_per_eur,
        Reason.LARGE_TO_NEW_COUNTRY: case.is_new_country
        and case.total_minor >= policy.new_country_eur * case.minor_per_eur,
        Reason.LARGE_FIRST_ORDER: case.is_first_order
        and case.total_minor >= policy.first_order_eur * case.minor_per_eur,
    }
    # All that hold are named, not only the gravest: a person who releases the order sees them all.
    reasons = tuple(reason for reason in Reason if holds[reason])
    return Decision(_outcome(frozenset(reasons)), reasons, loss)


def _outcome(reasons: frozenset[Reason]) -> Outcome:
    """The gravest consequence; an unpaid order waits whatever else is said of it."""
    if Reason.PAYMENT_NOT_CONFIRMED in reasons:
        return Outcome.AWAITING_PAYMENT
    if Reason.FRAUD_NEAR_CERTAIN in reasons:
        return Outcome.REJECTED
    # Money paid in excess is returned later and is no reason to keep the goods back.
    return Outcome.REVIEW if reasons - {Reason.OVERPAID} else Outcome.ACCEPTED
