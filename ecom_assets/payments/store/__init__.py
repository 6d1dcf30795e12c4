"""The payments area's SQL: the match of tenders, and what is given back after a change."""

from ecom_assets.payments.store.matching import (
    match_payments,
    method_counts,
    state_counts,
    sums,
)
from ecom_assets.payments.store.releases import plan_releases
from ecom_assets.payments.store.replays import match_anew

__all__ = ["match_anew", "match_payments", "method_counts", "plan_releases", "state_counts", "sums"]
