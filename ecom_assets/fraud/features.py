"""What an order is scored on, and how the figures are prepared for the model.

A feature is a plain number an operator can read (orders seen from a device within a day); it is
taken as of the moment the order was placed, by the SQL of `store/features.py`. A feature that is 0
is left out of the stored document. Here stand the names, what each is called as a reason, and the
transformation from figures to the columns of the linear model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Matrix = npt.NDArray[np.float64]
"""One row per order, one column per feature."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One figure about an order.

    Attributes:
        name: member of the stored document.
        reason: code an operator reads where the feature raised the score.
        is_count: long-tailed and not negative; the model takes log(1 + x).
    """

    name: str
    reason: str
    is_count: bool = True


FEATURES: tuple[Feature, ...] = (
    Feature("value_eur", "order_value"),
    Feature("units", "many_units"),
    Feature("tenders", "several_tenders"),
    Feature("extra_installments", "instalments"),
    Feature("is_card", "paid_by_card", is_count=False),
    Feature("is_avs_mismatch", "address_verification_failed", is_count=False),
    Feature("is_cvv_mismatch", "card_verification_failed", is_count=False),
    Feature("is_night", "placed_at_night", is_count=False),
    Feature("is_free_mail", "free_mail_provider", is_count=False),
    Feature("is_account_unknown", "account_unknown", is_count=False),
    Feature("account_age_days", "account_age"),
    Feature("is_new_account", "account_under_a_day_old", is_count=False),
    Feature("customer_orders", "customer_history"),
    Feature("customer_orders_24h", "customer_orders_in_a_day"),
    Feature("is_new_country", "first_order_to_this_country", is_count=False),
    Feature("is_new_address", "first_order_to_this_address", is_count=False),
    Feature("card_orders_24h", "card_orders_in_a_day"),
    Feature("card_customers", "card_shared_by_customers"),
    Feature("device_orders_1h", "device_orders_in_an_hour"),
    Feature("device_orders_7d", "device_orders_in_a_week"),
    Feature("device_customers", "device_shared_by_customers"),
    Feature("ip_orders_1h", "ip_orders_in_an_hour"),
    Feature("ip_customers", "ip_shared_by_customers"),
    Feature("email_orders_24h", "email_orders_in_a_day"),
    Feature("email_customers", "email_shared_by_customers"),
    Feature("address_orders_30d", "address_orders_in_a_month"),
    Feature("address_customers", "address_shared_by_customers"),
    Feature("known_fraud_links", "linked_to_known_fraud"),
)
"""All features, in the order of the model's columns."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)

ACCOUNT_AGE = ("account_age_days", "is_new_account", "is_account_unknown")
"""Features from the moment of sign-up. Where a source records sign-up at the purchase for frauds
alone, they give the answer away; the model's figures are reported without them too."""

_REASONS = {feature.name: feature.reason for feature in FEATURES}
_COUNTS = frozenset(feature.name for feature in FEATURES if feature.is_count)


def design(figures: pd.DataFrame, names: tuple[str, ...] = NAMES) -> Matrix:
    """Columns of the linear model, one per name, from figures as they are stored."""
    columns = [
        np.log1p(column) if name in _COUNTS else column
        for name in names
        for column in [figures[name].to_numpy(dtype=np.float64)]
    ]
    return np.column_stack(columns) if columns else np.empty((len(figures), 0))


def reason(name: str) -> str:
    """What operators read for a feature."""
    return _REASONS[name]
