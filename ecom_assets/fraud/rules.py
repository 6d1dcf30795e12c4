"""Additive fraud score for times and shops without labels, and the words for a probability.

Each rule that holds adds its points; the points are read as log-odds over a base rate of about one
fraud in ninety orders. The cap keeps rules below the point where risk rejects an order without a
person having looked at it. `scoring.score_by_rules` computes the same over whole frames; a property
test holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp, isfinite
from typing import Annotated

from ecom_assets.shared.policy_forms import Figure, Words

KIND = "fraud_rules"
"""Kind of the rules as data."""

RULES_VERSION = "fraud_rules/1"
"""Label of the first version, whose settings are `POLICY`."""

BASE_LOG_ODDS = -4.5
"""Log-odds of an order that no rule speaks against: a probability of 1.1 %."""

MOST = 0.8
"""Highest probability that rules alone give."""

LOW_BELOW, HIGH_FROM = 0.1, 0.5


class Bucket(StrEnum):
    """A probability in one word."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def features() -> Iterable[str]:
    """Names of the features that rules may look at."""
    # Knows arrays, which a process that only loads the definitions must not pay for.
    from ecom_assets.fraud.features import NAMES

    return NAMES


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `points` where a feature is at least `at_least`.

    Attributes:
        reason: what the ledger names where the rule holds.
        feature: what is looked at.
        at_least: value of the feature from which the rule holds.
        points: what is added to the log-odds; negative where the rule speaks for the order.
    """

    reason: str
    feature: Annotated[str, Words(features)]
    at_least: Annotated[float, Figure("as the feature")]
    points: Annotated[float, Figure("log-odds")]

    def __post_init__(self) -> None:
        """Refuse what cannot be compared or added.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        for name in ("at_least", "points"):
            if not isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number")


RULES: tuple[Rule, ...] = (
    Rule("linked_to_known_fraud", "known_fraud_links", 1, 4.0),
    Rule("device_shared_by_customers", "device_customers", 2, 2.0),
    Rule("card_shared_by_customers", "card_customers", 1, 2.0),
    Rule("card_orders_in_a_day", "card_orders_24h", 3, 1.5),
    Rule("card_verification_failed", "is_cvv_mismatch", 1, 1.5),
    Rule("address_verification_failed", "is_avs_mismatch", 1, 1.0),
    Rule("device_orders_in_an_hour", "device_orders_1h", 2, 1.0),
    Rule("ip_orders_in_an_hour", "ip_orders_1h", 3, 1.0),
    Rule("email_shared_by_customers", "email_customers", 1, 1.0),
    Rule("address_shared_by_customers", "address_customers", 3, 1.0),
    Rule("account_under_a_day_old", "is_new_account", 1, 0.5),
    Rule("order_value", "value_eur", 500, 0.5),
)
"""The rules, strongest first; a reason is named in this order."""


@dataclass(frozen=True, slots=True)
class FraudPolicy:
    """Rules and what their points are added to.

    Attributes:
        rules: the rules, strongest first; limits of velocity are those over `..._1h` and `..._24h`.
        base_log_odds: log-odds of an order that no rule speaks against.
        most: highest probability that rules alone give.
    """

    rules: tuple[Rule, ...] = RULES
    base_log_odds: Annotated[float, Figure("log-odds", least=-20, most=0)] = BASE_LOG_ODDS
    most: Annotated[float, Figure("probability", above=0, below=1)] = MOST

    def __post_init__(self) -> None:
        """Refuse rules that name nothing known, or figures no shop can mean.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        reasons = [rule.reason for rule in self.rules]
        if not reasons or len(set(reasons)) < len(reasons):
            raise ValueError("rules must have at least one rule, and each reason only once")
        known = features()
        if strange := [rule.feature for rule in self.rules if rule.feature not in known]:
            raise ValueError(f"rules: {strange[0]} is not a feature")
        points = [rule.points for rule in self.rules]
        if points != sorted(points, reverse=True):
            raise ValueError("rules must run from the strongest to the weakest")
        if not -20 <= self.base_log_odds <= 0:
            raise ValueError("base_log_odds must be from -20 to 0")
        if not 0 < self.most < 1:
            raise ValueError("most is a probability and must be between 0 and 1")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one order."""

    probability: float
    reasons: tuple[str, ...]


def assess(figures: Mapping[str, float], policy: FraudPolicy | None = None) -> Assessment:
    """Score one order by the rules.

    Args:
        figures: features by name as they are stored; a missing one is 0.
        policy: the rules; those of the first version, if not given.

    Returns:
        The probability, rounded to six digits, and the reasons of the rules that held.
    """
    policy = policy or FraudPolicy()
    held = [rule for rule in policy.rules if figures.get(rule.feature, 0.0) >= rule.at_least]
    # Adding log-odds treats the signs as independent; they are not, hence the cap.
    log_odds = policy.base_log_odds + sum(rule.points for rule in held)
    probability = min(policy.most, 1.0 / (1.0 + exp(-log_odds)))
    return Assessment(round(probability, 6), tuple(rule.reason for rule in held))


def bucket(probability: float) -> Bucket:
    """Name a probability: low below 10 %, high from 50 %."""
    if probability >= HIGH_FROM:
        return Bucket.HIGH
    return Bucket.LOW if probability < LOW_BELOW else Bucket.MEDIUM
