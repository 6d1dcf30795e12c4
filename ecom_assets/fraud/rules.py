"""Additive fraud score for times and shops without labels, and the words for a probability.

Each rule that holds adds its points; the points are read as log-odds over a base rate of about one
fraud in ninety orders. The cap keeps rules below the point where risk rejects an order without a
person having looked at it. `scoring.score_by_rules` computes the same over whole frames; a property
test holds both equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp

RULES_VERSION = "fraud_rules/1"

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


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `points` where a feature is at least `at_least`."""

    reason: str
    feature: str
    at_least: float
    points: float


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
class Assessment:
    """What the rules say of one order."""

    probability: float
    reasons: tuple[str, ...]


def assess(figures: Mapping[str, float]) -> Assessment:
    """Score one order by the rules.

    Args:
        figures: features by name as they are stored; a missing one is 0.

    Returns:
        The probability, rounded to six digits, and the reasons of the rules that held.
    """
    held = [rule for rule in RULES if figures.get(rule.feature, 0.0) >= rule.at_least]
    # Adding log-odds treats the signs as independent; they are not, hence the cap.
    log_odds = BASE_LOG_ODDS + sum(rule.points for rule in held)
    probability = min(MOST, 1.0 / (1.0 + exp(-log_odds)))
    return Assessment(round(probability, 6), tuple(rule.reason for rule in held))


def bucket(probability: float) -> Bucket:
    """Name a probability: low below 10 %, high from 50 %."""
    if probability >= HIGH_FROM:
        return Bucket.HIGH
    return Bucket.LOW if probability < LOW_BELOW else Bucket.MEDIUM
