"""What must hold of the customers area's tables."""

from __future__ import annotations

from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared.expectations import (
    COUNTRY,
    SHA256,
    TableExpectations,
    no_rows,
    values_between,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

# A customer known from a feed alone has neither; one that ordered has both.
_COUNT_WITHOUT_ORDER = no_rows(
    "orders_count_dated",
    "SELECT customer_key FROM {batch} WHERE (orders_count > 0) <> (first_order_at IS NOT NULL)",
    "A customer has a first order exactly where orders are counted.",
)
_USED_BACKWARDS = no_rows(
    "last_use_after_first",
    "SELECT customer_key, address_hash FROM {batch} WHERE last_used_at < first_used_at",
    "No address was last used before it was first used.",
)

EXPECTATIONS = (
    TableExpectations(
        CUSTOMERS,
        (
            *structure(CUSTOMERS),
            values_match("country", COUNTRY, "an ISO 3166-1 alpha-2 code"),
            _COUNT_WITHOUT_ORDER,
        ),
    ),
    TableExpectations(
        ADDRESSES,
        (
            *structure(ADDRESSES),
            refers_to(ADDRESSES, "customer_key", CUSTOMERS.c.customer_key),
            values_match("address_hash", SHA256, "a SHA-256 in hexadecimal"),
            values_match("country", COUNTRY, "an ISO 3166-1 alpha-2 code"),
            values_between("latitude", -90, 90, "degrees"),
            values_between("longitude", -180, 180, "degrees"),
            _USED_BACKWARDS,
        ),
    ),
)
