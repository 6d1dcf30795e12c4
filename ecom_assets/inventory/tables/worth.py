"""Tables of what stock is worth and how it sells."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    flag,
    minor,
    moment,
    number,
    recorded_at,
    reference,
    run_id,
    text,
)

VALUATIONS = area_table(
    "inventory",
    "valuations",
    "Stock at cost per SKU, by first-in-first-out and by moving average.",
    text("sku", "what", primary_key=True),
    text("method", "fifo or average", primary_key=True),
    reference("units", "units owned: on hand at all sites and on the way between them"),
    reference("units_in", "units that ever came in"),
    reference("units_out", "units that ever left"),
    minor("cost_in_minor", "what all that came in cost"),
    minor("cost_out_minor", "what all that left cost, by this method"),
    minor("value_minor", "what is left is worth, by this method"),
    minor("lowest_unit_cost_minor", "least that a unit ever cost"),
    minor("highest_unit_cost_minor", "most that a unit ever cost"),
    reference("units_uncosted", "units that came in without any known cost, valued at nothing"),
    currency(),
    moment("changed_as_of", "moment of the valuation that last changed the row"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("method IN ('fifo', 'average')", name="method_known"),
    sa.CheckConstraint("cost_in_minor = cost_out_minor + value_minor", name="cost_minor_conserved"),
    sa.CheckConstraint("units = units_in - units_out", name="units_conserved"),
    sa.CheckConstraint("units >= 0", name="units_not_negative"),
    # Whatever the method, what is left was bought at some of the costs.
    sa.CheckConstraint(
        "value_minor BETWEEN units * lowest_unit_cost_minor AND units * highest_unit_cost_minor",
        name="value_minor_within_costs",
    ),
    sa.CheckConstraint("units > 0 OR value_minor = 0", name="nothing_is_worth_value_minor_zero"),
)

SKU_CLASSES = area_table(
    "inventory",
    "sku_classes",
    "How SKUs sell: ABC by value, XYZ by steadiness, cover, dead stock and turnover.",
    text("sku", "what", primary_key=True),
    text("abc", "A, B or C by value of units sold in the window"),
    text("xyz", "X, Y or Z by spread of weekly sales; empty without sales", nullable=True),
    reference("units_sold", "units sold in the window"),
    minor("sold_at_cost_minor", "their cost, or list price where no cost is known"),
    currency(),
    number("weekly_units", "mean units sold per week of the window"),
    number("weekly_spread", "standard deviation over mean of weekly sales", nullable=True),
    reference("on_hand", "units over all sites"),
    number("days_of_cover", "days that free stock lasts; empty without sales", nullable=True),
    number("turnover", "units sold per year over mean stock; empty without stock", nullable=True),
    moment("last_sold_at", "last sale, if any", nullable=True),
    flag("is_dead", "stock that nobody bought for long, and that has lain as long"),
    text("version", "version of the rule"),
    moment("classified_as_of", "moment of the classification that last changed the row"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("abc IN ('A', 'B', 'C')", name="abc_known"),
    sa.CheckConstraint("xyz IN ('X', 'Y', 'Z')", name="xyz_known"),
    sa.CheckConstraint("(xyz IS NULL) = (weekly_spread IS NULL)", name="xyz_has_spread"),
    sa.CheckConstraint("units_sold >= 0 AND on_hand >= 0", name="units_not_negative"),
    sa.CheckConstraint("sold_at_cost_minor >= 0", name="sold_at_cost_minor_not_negative"),
    sa.CheckConstraint("NOT is_dead OR on_hand > 0", name="dead_is_in_stock"),
    # A label used to pick rows; few SKUs are dead.
    sa.Index("sku_classes_dead_idx", "sku", postgresql_where=sa.text("is_dead")),
)
