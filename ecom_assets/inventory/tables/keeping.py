"""Tables of stock in detail: receipts and their costs, lots, serials, transfers."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    run_id,
    text,
)

RECEIPT_COSTS = area_table(
    "inventory",
    "receipt_costs",
    "What a unit of a receipt cost; receipts without a row are valued at the product's cost.",
    text("reference", "reference of the receipt's movement", primary_key=True),
    text("sku", "what came", primary_key=True),
    text("site_code", "where it came", primary_key=True),
    minor("unit_cost_minor", "cost of one unit"),
    currency(),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("unit_cost_minor >= 0", name="unit_cost_minor_not_negative"),
)

LOTS = area_table(
    "inventory",
    "lots",
    "Batches of a SKU at a site; what is left of each follows from the stock, first expired first.",
    identity("lot_id", "surrogate key"),
    text("sku", "what"),
    text("site_code", "where"),
    text("lot_code", "name of the batch"),
    integer("received", "units that came with it"),
    moment("received_at", "business moment of the first of them"),
    moment("expires_at", "from when it may not be sold; never, if empty", nullable=True),
    integer("written_off", "units left when it expired and taken out", server_default="0"),
    moment("written_off_at", "when that was done", nullable=True),
    recorded_at(),
    sa.UniqueConstraint("sku", "site_code", "lot_code"),
    sa.CheckConstraint(
        "received > 0 AND written_off BETWEEN 0 AND received", name="units_in_range"
    ),
    sa.CheckConstraint(
        "(written_off_at IS NULL AND written_off = 0) OR written_off_at >= expires_at",
        name="written_off_after_expiry",
    ),
    sa.Index("lots_expiring_idx", "expires_at", postgresql_where=sa.text("written_off_at IS NULL")),
)

SERIALS = area_table(
    "inventory",
    "serials",
    "Single units known by a number: where each is, or how it left.",
    text("sku", "what", primary_key=True),
    text("serial", "number of the unit, unique per SKU", primary_key=True),
    text("site_code", "where it is, while it is in stock", nullable=True),
    text("state", "in_stock, sold or written_off"),
    text("came_with", "reference of the receipt"),
    moment("came_at", "business moment of the receipt"),
    text("left_with", "reference of what took it out", nullable=True),
    moment("left_at", "business moment of that", nullable=True),
    recorded_at(),
    sa.CheckConstraint("state IN ('in_stock', 'sold', 'written_off')", name="state_known"),
    sa.CheckConstraint(
        "CASE state WHEN 'in_stock'"
        " THEN site_code IS NOT NULL AND left_with IS NULL AND left_at IS NULL"
        " ELSE site_code IS NULL AND left_with IS NOT NULL AND left_at IS NOT NULL END",
        name="is_somewhere_or_left",
    ),
    sa.CheckConstraint("left_at >= came_at", name="left_after_it_came"),
    sa.Index(
        "serials_in_stock_idx",
        "sku",
        "site_code",
        postgresql_where=sa.text("state = 'in_stock'"),
    ),
)

TRANSFERS = area_table(
    "inventory",
    "transfers",
    "Units on their way between sites: they left one and came, or will come, to the other.",
    identity("transfer_id", "surrogate key"),
    text("reference", "name of the transfer; with SKU and sites it happens once"),
    text("sku", "what"),
    text("from_site", "site they left"),
    text("to_site", "site they go to"),
    integer("quantity", "units that left"),
    moment("sent_at", "business moment of leaving"),
    moment("due_at", "when they are expected", nullable=True),
    integer("arrived", "units that came, the rest was lost; empty on the way", nullable=True),
    moment("arrived_at", "business moment of the arrival", nullable=True),
    run_id(),
    recorded_at(),
    sa.ForeignKeyConstraint(["from_site"], ["warehouse.sites.site_code"]),
    sa.ForeignKeyConstraint(["to_site"], ["warehouse.sites.site_code"]),
    sa.UniqueConstraint("reference", "sku", "from_site", "to_site"),
    sa.CheckConstraint("quantity > 0 AND arrived BETWEEN 0 AND quantity", name="units_in_range"),
    sa.CheckConstraint("from_site <> to_site", name="sites_differ"),
    sa.CheckConstraint("num_nulls(arrived, arrived_at) <> 1", name="arrival_has_moment"),
    sa.CheckConstraint("arrived_at >= sent_at", name="arrived_after_sent"),
    sa.Index("transfers_in_transit_idx", "sku", postgresql_where=sa.text("arrived_at IS NULL")),
)
