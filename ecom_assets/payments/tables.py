"""Tables of the payments area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    currency,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

TRANSACTIONS = area_table(
    "payments",
    "transactions",
    "Payments given with an order, one row per tender.",
    identity("transaction_id", "surrogate key"),
    reference("order_id", "order", "orders.orders.order_id"),
    integer("sequence", "number of the tender within the order"),
    text("method", "card, boleto, voucher, debit_card, wallet, transfer, invoice or unknown"),
    integer("installments", "number of instalments, at least 1"),
    minor("amount_minor", "amount of the tender, not negative"),
    currency(),
    text("state", "authorised, or pending while the provider has not confirmed"),
    moment("authorised_at", "when the provider confirmed", nullable=True),
    text("provider_reference", "the provider's id", nullable=True),
    text("card_fingerprint", "token of the card, never its number", nullable=True, info=PERSONAL),
    text("avs_result", "address verification result code", nullable=True),
    text("cvv_result", "card verification result code", nullable=True),
    text("anomaly", "what is odd about it, such as zero_instalments", nullable=True),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("order_id", "sequence"),
    sa.CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    sa.CheckConstraint("installments >= 1", name="installments_positive"),
    sa.CheckConstraint("state IN ('authorised', 'pending')", name="state_known"),
    sa.CheckConstraint(
        "(state = 'authorised') = (authorised_at IS NOT NULL)", name="authorised_with_moment"
    ),
    sa.Index(None, "card_fingerprint"),
)

ORDER_PAYMENTS = area_table(
    "payments",
    "order_payments",
    "What each order owes and what was authorised for it.",
    reference("order_id", "order", "orders.orders.order_id", primary_key=True),
    minor("due_minor", "total of the order"),
    minor("authorised_minor", "sum of the authorised tenders"),
    minor("pending_minor", "sum of the tenders not confirmed"),
    minor("difference_minor", "authorised - due"),
    currency(),
    text("payment_state", "authorised, awaiting, underpaid or overpaid"),
    text("rule_version", "version of the matching rule"),
    moment("decided_as_of", "business moment of the match"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "difference_minor = authorised_minor - due_minor", name="difference_adds_up"
    ),
)

RELEASES = area_table(
    "payments",
    "planned_releases",
    "Money to give back for cancelled and edited orders; what was planned and then changed again is"
    " withdrawn.",
    identity("release_id", "surrogate key"),
    reference("order_id", "order", "orders.orders.order_id"),
    reference("change_id", "change that frees the money", "orders.changes.change_id"),
    text("kind", "void: all that was authorised; refund: a part of it"),
    minor("amount_minor", "what to give back, more than nothing"),
    currency(),
    text("state", "planned, or withdrawn when a later change made it void"),
    moment("planned_as_of", "business moment of the plan"),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("order_id", "change_id"),
    sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
    sa.CheckConstraint("kind IN ('void', 'refund')", name="kind_known"),
    sa.CheckConstraint("state IN ('planned', 'withdrawn')", name="state_known"),
    # One plan per order at a time: it states the whole amount to give back.
    sa.Index(
        "planned_releases_one_planned_idx",
        "order_id",
        unique=True,
        postgresql_where=sa.text("state = 'planned'"),
    ),
)
