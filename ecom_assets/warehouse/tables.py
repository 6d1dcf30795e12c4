"""Tables of the warehouse area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    identity,
    integer,
    minor,
    moment,
    number,
    recorded_at,
    reference,
    run_id,
    text,
)

SITES = area_table(
    "warehouse",
    "sites",
    "Sites that hold stock and ship it.",
    text("site_code", "natural key", primary_key=True),
    text("name", "name shown to people"),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2"),
    text("region", "state or province code", nullable=True),
    text("city", "city", nullable=True),
    text("postal_code", "postal code or prefix", nullable=True),
    number("latitude", "degrees north"),
    number("longitude", "degrees east"),
    integer("daily_capacity", "parcels per day, if limited", nullable=True),
    minor("handling_minor", "cost of handling one parcel"),
    currency(),
    text(
        "time_zone",
        "IANA name; days and hours of the site are told in it",
        server_default=sa.text("'UTC'"),
    ),
    moment(
        "archived_at",
        "from when nothing new is allocated to it; empty while it is in use",
        nullable=True,
    ),
    recorded_at(),
)

SITE_HOURS = area_table(
    "warehouse",
    "site_hours",
    "When a site works, by weekday; a site without any row works always.",
    text("site_code", "site", primary_key=True),
    integer("weekday", "ISO 8601: 1 is Monday, 7 is Sunday", primary_key=True),
    sa.Column("opens", sa.Time, nullable=False, comment="local time work begins"),
    sa.Column(
        "cut_off",
        sa.Time,
        nullable=False,
        comment="local time until which a parcel that is ready leaves the same day",
    ),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_known"),
    sa.CheckConstraint("opens < cut_off", name="opens_before_cut_off"),
)

SITE_CLOSURES = area_table(
    "warehouse",
    "site_closures",
    "Days on which a site does not work whatever the weekday, such as holidays.",
    text("site_code", "site", primary_key=True),
    sa.Column("closed_date", sa.Date, primary_key=True, comment="local day"),
    text("reason", "why, such as the name of the holiday"),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.CheckConstraint("reason <> ''", name="reason_given"),
)

SITE_LOADS = area_table(
    "warehouse",
    "site_loads",
    "Units ever allocated per SKU and site; free stock = on hand + sold - allocated.",
    text("sku", "what", primary_key=True),
    text("site_code", "where", primary_key=True),
    integer("allocated", "units ever allocated and not released again"),
    sa.CheckConstraint("allocated >= 0", name="allocated_not_negative"),
)

ALLOCATIONS = area_table(
    "warehouse",
    "allocations",
    "Which site ships how many units of which line.",
    identity("allocation_id", "surrogate key"),
    reference("order_id", "order", "orders.orders.order_id"),
    reference("order_line_id", "line", "orders.order_lines.order_line_id"),
    text("sku", "what"),
    text("site_code", "site that ships"),
    integer("quantity", "units"),
    number("distance_km", "great-circle distance from the site to the customer", nullable=True),
    text("policy", "single_site, split_by_line or split_line"),
    moment("available_at", "when the stock is there: not before the order, later if it waits"),
    moment("allocated_as_of", "business moment of the decision"),
    run_id(),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.UniqueConstraint("order_line_id", "site_code"),
    sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    sa.Index(None, "order_id", "site_code"),
)

WITHDRAWALS = area_table(
    "warehouse",
    "withdrawals",
    "Allocations taken back because their order was changed before its parcel left; append-only.",
    identity("withdrawal_id", "surrogate key"),
    reference("order_id", "order"),
    # Not a foreign key: an edit may replace the line, and what was taken back stays on record.
    reference("order_line_id", "line"),
    text("sku", "what"),
    text("site_code", "site that was to ship"),
    integer("quantity", "units"),
    moment("allocated_as_of", "business moment of the allocation"),
    moment("withdrawn_as_of", "business moment of taking it back"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    sa.Index(None, "order_id"),
)
