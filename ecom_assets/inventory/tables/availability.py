"""Tables of what can be promised: receipts to come, reserves, buffers and the promise by date."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    integer,
    moment,
    number,
    recorded_at,
    run_id,
    text,
)

EXPECTED_RECEIPTS = area_table(
    "inventory",
    "expected_receipts",
    "Units that were ordered from suppliers and have not all come yet.",
    text("reference", "purchase order or advice; its receipt carries the same", primary_key=True),
    text("sku", "what", primary_key=True),
    text("site_code", "where it is to come", primary_key=True),
    moment("due_at", "when it is expected"),
    integer("quantity", "units ordered"),
    integer("received", "units that came", server_default="0"),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.CheckConstraint("quantity > 0 AND received >= 0", name="units_in_range"),
    sa.Index(
        "expected_receipts_open_idx",
        "sku",
        "due_at",
        postgresql_where=sa.text("received < quantity"),
    ),
)

SAFETY_STOCKS = area_table(
    "inventory",
    "safety_stocks",
    "Units that are kept back and promised to nobody.",
    text("sku", "what", primary_key=True),
    text("site_code", "where", primary_key=True),
    integer("units", "units kept back"),
    number("service_level", "share of demand they are meant to cover, 0 to 1", nullable=True),
    text("source", "who set them: a person or a policy"),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.CheckConstraint("units >= 0", name="units_not_negative"),
    sa.CheckConstraint("service_level > 0 AND service_level < 1", name="service_level_in_range"),
)

CHANNEL_BUFFERS = area_table(
    "inventory",
    "channel_buffers",
    "How much of what is available a channel is told.",
    text("channel", "channel", primary_key=True),
    text("sku", "SKU, or empty for all that have no row of their own", primary_key=True),
    integer("most_listed", "units shown at most", nullable=True),
    integer("stop_units", "nothing is shown at or below so many units", server_default="0"),
    number("share_percent", "share of the available units shown, in percent", server_default="100"),
    recorded_at(),
    sa.CheckConstraint("most_listed >= 0 AND stop_units >= 0", name="units_not_negative"),
    sa.CheckConstraint("share_percent >= 0 AND share_percent <= 100", name="share_in_range"),
)

ATP = area_table(
    "inventory",
    "atp",
    "Units available to promise per SKU: at once, and from each moment at which that changes.",
    text("sku", "what", primary_key=True),
    integer("step", "0 at once, then 1, 2, ... by date", primary_key=True),
    moment("available_at", "from when; empty at once", nullable=True),
    integer("units", "units that may be promised for then"),
    text("cause", "stock, receipt, expiry or kit: what makes the step"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("units >= 0", name="units_not_negative"),
    sa.CheckConstraint("step >= 0 AND (step = 0) = (available_at IS NULL)", name="step_has_moment"),
    sa.CheckConstraint("cause IN ('stock', 'receipt', 'expiry', 'kit')", name="cause_known"),
)
