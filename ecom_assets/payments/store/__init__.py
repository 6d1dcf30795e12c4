"""The payments area's SQL: the match of tenders, and what is given back after a change."""

from ecom_assets.payments.store.matching import (
    match_payments,
    method_counts,
    state_counts,
    sums,
)
from ecom_assets.payments.store.releases import plan_releases

__all__ = ["match_payments", "method_counts", "plan_releases", "state_counts", "sums"]
