"""The risk area's SQL: decisions by the rules, reviews by people, and figures of both."""

from ecom_assets.risk.store.decisions import (
    at_stake,
    decide_anew,
    decide_orders,
    outcome_counts,
    reason_counts,
)
from ecom_assets.risk.store.reviews import review

__all__ = [
    "at_stake",
    "decide_anew",
    "decide_orders",
    "outcome_counts",
    "reason_counts",
    "review",
]
