"""Tables of the customers area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    integer,
    moment,
    number,
    recorded_at,
    text,
)

CUSTOMERS = area_table(
    "customers",
    "customers",
    "Customers, one row per natural key.",
    text("customer_key", "natural key: the channel's person id, else the e-mail", primary_key=True),
    text("name", "name", nullable=True, info=PERSONAL),
    text("email", "e-mail last used", nullable=True, info=PERSONAL),
    text("phone", "telephone last used", nullable=True, info=PERSONAL),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2, last used"),
    moment("signed_up_at", "when the account was opened, if the source says", nullable=True),
    moment("first_order_at", "when the first accepted order was placed", nullable=True),
    moment("last_order_at", "when the last accepted order was placed", nullable=True),
    integer("orders_count", "accepted orders", server_default="0"),
    recorded_at(),
    sa.CheckConstraint("orders_count >= 0", name="orders_not_negative"),
    sa.CheckConstraint("last_order_at >= first_order_at", name="last_after_first"),
)

ADDRESSES = area_table(
    "customers",
    "addresses",
    "Delivery addresses a customer used.",
    text("customer_key", "customer", primary_key=True),
    text("address_hash", "SHA-256 of the normalised address, hexadecimal", primary_key=True),
    text("name", "recipient", nullable=True, info=PERSONAL),
    text("line1", "street and number", nullable=True, info=PERSONAL),
    text("city", "city", nullable=True, info=PERSONAL),
    text("region", "state or province code", nullable=True),
    text("postal_code", "postal code or prefix", nullable=True, info=PERSONAL),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2"),
    number("latitude", "degrees north of the postal area", nullable=True, info=PERSONAL),
    number("longitude", "degrees east of the postal area", nullable=True, info=PERSONAL),
    moment("first_used_at", "when an order first went there"),
    moment("last_used_at", "when an order last went there"),
    recorded_at(),
)
