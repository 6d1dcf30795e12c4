"""Tables of stock: movements, balances, promises and what became free."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

MOVEMENTS = area_table(
    "inventory",
    "movements",
    "Every change of physical stock; append-only.",
    identity("movement_id", "surrogate key"),
    text("sku", "what moved"),
    text("site_code", "where"),
    text("kind", "opening, receipt, sale, return, transfer, adjustment, count or assembly"),
    integer("quantity", "units, positive into the site and negative out of it"),
    moment("moved_at", "business moment of the move"),
    text("reference", "what caused it; with kind, SKU and site it makes a move happen once"),
    reference("import_id", "import that brought the move", nullable=True),
    recorded_at(),
    # What makes a movement happen once, whichever import or run brings it.
    sa.UniqueConstraint("kind", "reference", "sku", "site_code"),
    sa.CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    sa.CheckConstraint(
        "kind IN ('opening', 'receipt', 'sale', 'return', 'transfer', 'adjustment', 'count',"
        " 'assembly')",
        name="kind_known",
    ),
    # What came after an order's moment, without the sales, which are by far the most.
    sa.Index(
        "movements_stock_idx",
        "sku",
        "moved_at",
        postgresql_where=sa.text("kind <> 'sale'"),
    ),
    # What moved since a moment, for counts and feeds of it; next to nothing to keep up.
    sa.Index("movements_moved_at_idx", "moved_at", postgresql_using="brin"),
)

BALANCES = area_table(
    "inventory",
    "balances",
    "Stock on hand per SKU and site; equals the fold of the movements.",
    text("sku", "what", primary_key=True),
    text("site_code", "where", primary_key=True),
    integer("on_hand", "units physically there"),
    integer("sold", "units ever shipped to customers from here", server_default="0"),
    moment("moved_at", "business moment of the last move"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
)

POSITIONS = area_table(
    "inventory",
    "positions",
    "Stock and promises per SKU over all sites; the row that is locked to reserve.",
    text("sku", "what", primary_key=True),
    integer("on_hand", "units over all sites"),
    integer("reserved", "units promised to orders and not yet shipped"),
    sa.CheckConstraint("reserved >= 0", name="reserved_not_negative"),
    # The last line of defence: a rule that is wrong fails here instead of overselling.
    sa.CheckConstraint("reserved <= on_hand", name="never_oversold"),
)

RESERVATIONS = area_table(
    "inventory",
    "reservations",
    "Units promised to order lines.",
    reference("order_line_id", "line", "orders.order_lines.order_line_id", primary_key=True),
    reference("order_id", "order", "orders.orders.order_id"),
    text("sku", "what"),
    integer("requested", "units the line asks for"),
    integer("reserved", "units promised from stock"),
    integer("backordered", "units that stock did not cover"),
    integer("shipped", "units of the promise that left", server_default="0"),
    moment("reserved_as_of", "business moment: stock received later was not used"),
    moment(
        "expires_at",
        "when the promise ends if no site was chosen by then; never, if empty",
        nullable=True,
    ),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("requested = reserved + backordered", name="adds_up"),
    sa.CheckConstraint(
        "reserved >= 0 AND backordered >= 0 AND shipped >= 0 AND shipped <= reserved",
        name="quantities_in_range",
    ),
    sa.Index(None, "order_id"),
    sa.Index(None, "sku", "reserved_as_of"),
    # Who waits for a SKU; most lines do not wait.
    sa.Index(
        "reservations_backordered_idx",
        "sku",
        "order_id",
        postgresql_where=sa.text("backordered > 0"),
    ),
    # Posting the sale empties `expires_at`, so only promises that may still end are listed.
    sa.Index(
        "reservations_expires_at_idx",
        "expires_at",
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    ),
)

STOCK_HOLDS = area_table(
    "inventory",
    "stock_holds",
    "Units kept for a basket or another holder before an order exists.",
    identity("stock_hold_id", "surrogate key"),
    text("holder", "who holds, such as a basket; all its SKUs are held or none"),
    text("sku", "what"),
    integer("units", "units kept"),
    moment("held_at", "business moment: stock received later was not used"),
    moment("expires_at", "when the hold ends by itself"),
    recorded_at(),
    sa.UniqueConstraint("holder", "sku"),
    sa.CheckConstraint("units > 0", name="units_positive"),
    sa.CheckConstraint("expires_at > held_at", name="expires_after_held"),
    sa.Index(None, "sku"),
    sa.Index(None, "expires_at"),
)

RELEASES = area_table(
    "inventory",
    "releases",
    "Units of promises that were given back; append-only.",
    identity("release_id", "surrogate key"),
    reference("order_id", "order"),
    # Not a foreign key: an edit may replace the line, and what was released stays on record.
    reference("order_line_id", "line"),
    text("sku", "what"),
    integer("units", "units that were promised and are no longer"),
    text("cause", "order_changed or expired"),
    moment("released_as_of", "business moment"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("units > 0", name="units_positive"),
    sa.CheckConstraint("cause IN ('order_changed', 'expired')", name="cause_known"),
    sa.Index(None, "order_id"),
)

RESTOCKS = area_table(
    "inventory",
    "restocks",
    "Stock that became free while orders wait for it, until they are called to reserve again.",
    # No unique key but the surrogate: who frees stock must never wait for who calls the orders.
    identity("restock_id", "surrogate key"),
    text("sku", "what became free"),
    moment(
        "freed_at",
        "business moment; empty where an order found stock that came after its own moment",
        nullable=True,
    ),
    recorded_at(),
)
