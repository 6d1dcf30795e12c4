"""Tables of replenishment: terms, policies, purchase proposals, and policies played through."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
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
    texts,
)

REORDER_TERMS = area_table(
    "inventory",
    "reorder_terms",
    "What people or suppliers say about reordering a SKU; a SKU without a row has the usual terms.",
    text("sku", "what", primary_key=True),
    integer("pack_units", "units per pack; orders are whole packs", server_default="1"),
    integer("minimum_units", "fewest units the supplier sells at once", server_default="1"),
    number("service_level", "chance, 0 to 1, that stock lasts until the goods come", nullable=True),
    flag("is_reordered", "whether the SKU is proposed at all", server_default=sa.true()),
    recorded_at(),
    sa.CheckConstraint("pack_units > 0 AND minimum_units > 0", name="units_positive"),
    sa.CheckConstraint("service_level > 0 AND service_level < 1", name="level_in_range"),
)

REORDER_POLICIES = area_table(
    "inventory",
    "reorder_policies",
    "Safety stock, reorder point and order-up-to level per SKU and site, as of the last forecast.",
    text("sku", "what", primary_key=True),
    text("site_code", "where", primary_key=True),
    sa.Column("origin_date", sa.Date, nullable=False, comment="Monday the forecast starts at"),
    text("segment", "class and value of the series"),
    text("method", "method of the forecast"),
    number("service_level", "chance, 0 to 1, that stock lasts until the goods come"),
    number("lead_days", "mean days from order to receipt"),
    number("lead_spread_days", "standard deviation of those days"),
    number("review_days", "days between two reviews"),
    number("protected_units", "units to expect over lead time and review"),
    number("demand_spread_units", "what the forecast's quantile adds to them"),
    number("lead_spread_units", "what the spread of the lead time adds"),
    number("safety_units", "safety stock: both together"),
    number("daily_units", "units to expect per day"),
    integer("reorder_point", "order when the stock position is at or below it"),
    integer("order_up_to", "order so many that the position reaches it"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("service_level > 0 AND service_level < 1", name="level_in_range"),
    sa.CheckConstraint(
        "protected_units >= 0 AND safety_units >= 0 AND daily_units >= 0", name="units_not_negative"
    ),
    sa.CheckConstraint(
        "order_up_to >= reorder_point AND reorder_point >= 0", name="levels_ordered"
    ),
)

PURCHASE_PROPOSALS = area_table(
    "inventory",
    "purchase_proposals",
    "What to order from a supplier for a site; one open proposal for each at a time.",
    identity("proposal_id", "surrogate key"),
    text("supplier_key", "supplier; empty where the products name none"),
    text("site_code", "site to deliver to"),
    currency(),
    moment("proposed_as_of", "business moment of the stock it was made from"),
    text("state", "proposed, held, accepted, rejected or superseded"),
    texts("reasons", "why it was made so, each a code"),
    minor("total_minor", "cost of all lines"),
    minor("minimum_minor", "least the supplier takes; 0 if nothing is said"),
    number("lead_days", "mean days from order to receipt"),
    moment("decided_at", "when a person accepted or rejected it", nullable=True),
    text("decided_by", "who did", nullable=True),
    text("decision_note", "why, as that person says", nullable=True),
    text("version", "version of the rules"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "state IN ('proposed', 'held', 'accepted', 'rejected', 'superseded')", name="state_known"
    ),
    sa.CheckConstraint(
        "(state IN ('accepted', 'rejected')) = (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
        name="decided_by_somebody",
    ),
    sa.CheckConstraint("total_minor >= 0 AND minimum_minor >= 0", name="amounts_not_negative"),
    sa.CheckConstraint(
        "state NOT IN ('proposed', 'accepted') OR total_minor >= minimum_minor",
        name="proposed_from_minimum_minor",
    ),
    # One at a time: what a later run proposes takes the place of what nobody decided about.
    sa.Index(
        "purchase_proposals_open_idx",
        "supplier_key",
        "site_code",
        "currency",
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'held')"),
    ),
)

PURCHASE_PROPOSAL_LINES = area_table(
    "inventory",
    "purchase_proposal_lines",
    "SKUs of purchase proposals, each with the figures it was made from.",
    reference(
        "proposal_id", "proposal", "inventory.purchase_proposals.proposal_id", primary_key=True
    ),
    text("sku", "what to order", primary_key=True),
    integer("available_units", "in stock at the site and not promised, less what waits for stock"),
    integer("on_order_units", "ordered earlier and not yet received"),
    integer("reorder_point", "at or below it an order is due"),
    integer("order_up_to", "level that the order fills up to"),
    number("protected_units", "units to expect until an order of the next review would arrive"),
    number("safety_units", "safety stock in the reorder point"),
    number("service_level", "chance, 0 to 1, that stock lasts"),
    integer("needed_units", "order-up-to less what is there and on order"),
    integer("pack_units", "units per pack"),
    integer("minimum_units", "fewest units at once"),
    integer("quantity", "units to order"),
    minor("unit_cost_minor", "cost of one unit"),
    minor("line_total_minor", "cost of the line"),
    text("segment", "segment whose method forecast it"),
    text("method", "that method"),
    texts("reasons", "what made the quantity, each a code"),
    text("explanation", "the same as a sentence for operators"),
    sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    sa.CheckConstraint("quantity % pack_units = 0", name="whole_packs"),
    sa.CheckConstraint("quantity >= minimum_units", name="from_minimum"),
    sa.CheckConstraint(
        "available_units + on_order_units <= reorder_point", name="due_at_reorder_point"
    ),
    sa.CheckConstraint(
        "line_total_minor = quantity * unit_cost_minor AND unit_cost_minor >= 0",
        name="total_minor_adds_up",
    ),
    sa.Index(None, "sku"),
)

POLICY_SIMULATIONS = area_table(
    "inventory",
    "policy_simulations",
    "Policies played through on the kept history: service against stock.",
    sa.Column("origin_date", sa.Date, primary_key=True, nullable=False,
              comment="Monday after the last week that was played"),
    text("policy", "how levels were set", primary_key=True),
    number("service_level", "service level the policy aimed at", primary_key=True),
    integer("series", "SKUs at sites that were played"),
    integer("weeks", "weeks that were played"),
    integer("lead_weeks", "weeks from order to receipt"),
    number("fill_rate", "share of the units asked for that was served"),
    number("value_fill_rate", "the same by value"),
    number("stock_units", "mean units in stock per series"),
    number("stock_value", "mean value of all stock, in minor units of the products' currencies"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("fill_rate BETWEEN 0 AND 1 AND value_fill_rate BETWEEN 0 AND 1",
                       name="rates_in_range"),
    sa.CheckConstraint("stock_units >= 0 AND stock_value >= 0", name="stock_not_negative"),
)  # fmt: skip
