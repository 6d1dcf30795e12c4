"""Tables of the transport area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    document,
    flag,
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

_ARCHIVED = "from when no new choice takes it; empty while it is in use"

CARRIERS = area_table(
    "transport",
    "carriers",
    "Carriers the shop has a contract with.",
    text("carrier_code", "natural key", primary_key=True),
    text("name", "name shown to people"),
    moment("archived_at", _ARCHIVED, nullable=True),
    recorded_at(),
)

SERVICES = area_table(
    "transport",
    "services",
    "Services of the carriers.",
    text("service_code", "natural key", primary_key=True),
    text("carrier_code", "carrier"),
    text("name", "name shown to people"),
    integer("max_weight_g", "heaviest parcel in grams"),
    integer("dim_divisor", "cubic centimetres per kilogram of dimensional weight; 0 = not used"),
    number("quality", "share of parcels without damage or loss, 0 to 1"),
    moment("archived_at", _ARCHIVED, nullable=True),
    recorded_at(),
    sa.ForeignKeyConstraint(["carrier_code"], ["transport.carriers.carrier_code"]),
    sa.CheckConstraint("quality >= 0 AND quality <= 1", name="quality_in_range"),
)

ZONES = area_table(
    "transport",
    "zones",
    "Distance zones, from site to customer.",
    text("zone_code", "natural key", primary_key=True),
    number("from_km", "shortest distance, included"),
    number("to_km", "longest distance, excluded; infinite for the last zone"),
    moment("archived_at", _ARCHIVED, nullable=True),
    recorded_at(),
    sa.CheckConstraint("from_km >= 0 AND from_km < to_km", name="range_not_empty"),
)

RATES = area_table(
    "transport",
    "rates",
    "Rate card: price, transit time and reliability per service, zone and weight band.",
    identity("rate_id", "surrogate key"),
    text("service_code", "service"),
    text("zone_code", "zone"),
    integer("from_g", "lightest billable weight, excluded"),
    integer("to_g", "heaviest billable weight, included"),
    minor("price_minor", "price of a parcel in the band"),
    currency(),
    number("transit_days", "mean days from hand-over to delivery"),
    number("transit_spread_days", "standard deviation of the transit time in days"),
    moment("valid_from_at", "first moment the rate holds"),
    moment("valid_to_at", "moment the rate ends, excluded; empty while it is open", nullable=True),
    recorded_at(),
    sa.ForeignKeyConstraint(["service_code"], ["transport.services.service_code"]),
    sa.ForeignKeyConstraint(["zone_code"], ["transport.zones.zone_code"]),
    sa.UniqueConstraint("service_code", "zone_code", "from_g", "valid_from_at"),
    sa.CheckConstraint("from_g >= 0 AND from_g < to_g", name="band_not_empty"),
    sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
)

RATE_LISTS = area_table(
    "transport",
    "rate_lists",
    "Price lists of carriers as they were uploaded: first a preview, then applied once.",
    identity("rate_list_id", "surrogate key"),
    text("file_name", "as the caller named the file"),
    text("content_hash", "SHA-256 of the file, hexadecimal"),
    text("plan_hash", "SHA-256 of what the preview says it would do, hexadecimal"),
    text("state", "previewed, applied or discarded"),
    integer("created", "rows that add a rate"),
    integer("changed", "rows that end a rate and begin another"),
    integer("unchanged", "rows that the rate card says already"),
    integer("failed", "rows that cannot be used; a list with one is not applied"),
    text("previewed_by", "who uploaded it"),
    moment("previewed_at", "when it was uploaded"),
    text("decided_by", "who applied or discarded it", nullable=True),
    moment("decided_at", "when it was applied or discarded", nullable=True),
    recorded_at(),
    sa.CheckConstraint("state IN ('previewed', 'applied', 'discarded')", name="state_known"),
    sa.CheckConstraint(
        "(state = 'previewed') = (decided_at IS NULL) AND num_nulls(decided_at, decided_by)"
        " IN (0, 2)",
        name="decided_whole",
    ),
    sa.CheckConstraint("state <> 'applied' OR failed = 0", name="applied_without_failures"),
)

RATE_LIST_ROWS = area_table(
    "transport",
    "rate_list_rows",
    "Rows of uploaded price lists, and what each does to the rate card.",
    reference("rate_list_id", "price list", "transport.rate_lists.rate_list_id", primary_key=True),
    integer("row_number", "line of the file, the header is 1", primary_key=True),
    text("outcome", "create, change, unchanged or error"),
    text("field", "column that is wrong; empty unless it is an error"),
    text("problem", "code of what is wrong; empty unless it is an error"),
    text("message", "what is wrong, in words; empty unless it is an error"),
    text("service_code", "service", nullable=True),
    text("zone_code", "zone", nullable=True),
    reference("from_g", "lightest billable weight, excluded", nullable=True),
    reference("to_g", "heaviest billable weight, included", nullable=True),
    minor("price_minor", "price of a parcel in the band", nullable=True),
    currency(nullable=True),
    number("transit_days", "mean days from hand-over to delivery", nullable=True),
    number("transit_spread_days", "standard deviation of it in days", nullable=True),
    moment("valid_from_at", "first moment the rate holds", nullable=True),
    moment("valid_to_at", "moment the rate ends, excluded", nullable=True),
    document("replaces", "rates that it ends: key, band, price, currency and end of each"),
    recorded_at(),
    sa.CheckConstraint(
        "outcome IN ('create', 'change', 'unchanged', 'error')", name="outcome_known"
    ),
    sa.CheckConstraint(
        "(outcome = 'error') = (problem <> '') AND (outcome = 'error') = (message <> '')",
        name="error_has_cause",
    ),
    sa.CheckConstraint(
        "outcome = 'error' OR num_nulls(service_code, zone_code, from_g, to_g, price_minor,"
        " currency, transit_days, transit_spread_days, valid_from_at) = 0",
        name="usable_is_whole",
    ),
)

CARRIER_CHOICES = area_table(
    "transport",
    "carrier_choices",
    "Every service considered for every parcel, with cost, promise, score and reason.",
    reference("order_id", "order", "orders.orders.order_id", primary_key=True),
    text("site_code", "site that ships the parcel", primary_key=True),
    text("service_code", "service considered", primary_key=True),
    text("zone_code", "zone from site to customer"),
    integer("billable_weight_g", "larger of weight and dimensional weight"),
    reference("rate_id", "rate used; empty where the rate card has none", nullable=True),
    minor("cost_minor", "price of the parcel; empty without a rate", nullable=True),
    currency(nullable=True),
    moment("eta_at", "mean arrival; empty without a rate", nullable=True),
    number("on_time_probability", "probability to arrive by the promise", nullable=True),
    number("score", "lower is better; empty where not eligible", nullable=True),
    flag("is_eligible", "whether the service can carry the parcel"),
    flag("is_chosen", "whether it was chosen"),
    text("reason", "why it was chosen or not, in words an operator reads"),
    # Holds "at most one" even if two workers should ever choose for the same parcel.
    sa.Index(
        "carrier_choices_one_chosen_idx",
        "order_id",
        "site_code",
        unique=True,
        postgresql_where=sa.text("is_chosen"),
    ),
)

SHIPMENTS = area_table(
    "transport",
    "shipments",
    "Parcels handed to a carrier.",
    identity("shipment_id", "surrogate key"),
    reference("order_id", "order", "orders.orders.order_id"),
    text("site_code", "site that ships"),
    text("service_code", "service chosen"),
    integer("units", "units in the parcel"),
    integer("weight_g", "weight in grams"),
    flag("is_weight_estimated", "whether a product without a weight took its category's median"),
    minor("cost_minor", "price of the parcel"),
    currency(),
    moment("shipped_at", "when the parcel leaves the site"),
    moment("eta_at", "mean arrival"),
    moment("promised_at", "latest delivery promised to the customer", nullable=True),
    run_id(),
    recorded_at(),
    sa.ForeignKeyConstraint(["service_code"], ["transport.services.service_code"]),
    sa.UniqueConstraint("order_id", "site_code"),
    sa.CheckConstraint("units > 0", name="units_positive"),
    sa.CheckConstraint("eta_at >= shipped_at", name="eta_after_shipped"),
    # Parcels leave nearly in the order of their rows: a few pages tell where each day lies.
    sa.Index(None, "shipped_at", postgresql_using="brin"),
)
