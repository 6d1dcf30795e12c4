"""Tables of the orders area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    currency,
    document,
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

INBOX = area_table(
    "orders",
    "inbox",
    "Order messages as they arrived, one row per revision.",
    identity("inbox_id", "surrogate key"),
    text("channel", "sales channel the order came through"),
    text("external_id", "the channel's own id of the order"),
    integer("revision", "1 for the first message about the order, 2 for the next"),
    text("kind", "order or cancellation", server_default="order"),
    document("payload", "the canonical document of its kind, see orders.model", info=PERSONAL),
    text("payload_hash", "SHA-256 of the payload, hexadecimal; an equal payload is a no-op"),
    moment("received_at", "business moment of arrival, as the source or the caller's clock says"),
    text(
        "state",
        "pending, accepted, parked, superseded or changing (waits as a change of an accepted"
        " order); a cancellation is also waiting (for its order) or applied",
        server_default="pending",
    ),
    text("reason", "why the message was parked or superseded", nullable=True),
    reference("import_id", "import that brought the message", nullable=True),
    text("run_id", "Dagster run that decided the message", nullable=True),
    recorded_at(),
    sa.UniqueConstraint("channel", "external_id", "revision"),
    sa.CheckConstraint("kind IN ('order', 'cancellation')", name="kind_known"),
    sa.CheckConstraint(
        "state IN ('pending', 'parked', 'superseded', 'changing')"
        " OR (kind = 'order' AND state = 'accepted')"
        " OR (kind = 'cancellation' AND state IN ('waiting', 'applied'))",
        name="state_known",
    ),
    sa.CheckConstraint("state <> 'parked' OR reason IS NOT NULL", name="parked_with_reason"),
    sa.Index(
        "inbox_pending_idx",
        "received_at",
        "inbox_id",
        postgresql_where=sa.text("state = 'pending'"),
    ),
    # Cancellations are few beside orders; a look for those of an order must not read the orders.
    sa.Index(
        "inbox_cancellation_idx",
        "channel",
        "external_id",
        postgresql_where=sa.text("kind = 'cancellation'"),
    ),
    sa.Index(
        "inbox_waiting_idx",
        "received_at",
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sa.Index("inbox_parked_idx", "reason", postgresql_where=sa.text("state = 'parked'")),
    sa.Index(
        "inbox_revised_idx",
        "channel",
        "external_id",
        postgresql_where=sa.text("revision > 1"),
    ),
)

ORDERS = area_table(
    "orders",
    "orders",
    "Accepted orders, one row per order; where each stands is in flow.order_states.",
    identity("order_id", "surrogate key"),
    text("channel", "sales channel"),
    text("external_id", "the channel's own id"),
    integer("revision", "inbox revision the row shows"),
    reference("inbox_id", "inbox message the row was made from", "orders.inbox.inbox_id"),
    text("customer_key", "natural key of the customer, see customers.customers"),
    text("customer_name", "name given with the order", nullable=True, info=PERSONAL),
    text("email", "e-mail given with the order", nullable=True, info=PERSONAL),
    text("phone", "telephone given with the order", nullable=True, info=PERSONAL),
    moment("placed_at", "when the customer ordered"),
    moment(
        "decided_as_of",
        "moment of decision: the later of placing and last authorisation, or of the last edit",
    ),
    moment("promised_at", "latest delivery promised to the customer", nullable=True),
    currency(),
    minor("items_minor", "lines before discount"),
    minor("discount_minor", "discount over all lines, not negative"),
    minor("shipping_minor", "shipping charged to the customer"),
    minor("tax_minor", "tax contained in the total as the source states it; 0 if it does not"),
    minor("total_minor", "due: items - discount + shipping"),
    text("ship_to_name", "recipient", nullable=True, info=PERSONAL),
    text("ship_to_line1", "street and number", nullable=True, info=PERSONAL),
    text("ship_to_city", "city", nullable=True, info=PERSONAL),
    text("ship_to_region", "state or province code", nullable=True),
    text("ship_to_postal_code", "postal code or prefix", nullable=True, info=PERSONAL),
    sa.Column("ship_to_country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2"),
    number("ship_to_latitude", "degrees north of the postal area", nullable=True, info=PERSONAL),
    number("ship_to_longitude", "degrees east of the postal area", nullable=True, info=PERSONAL),
    text("ip_address", "address the order came from", nullable=True, info=PERSONAL),
    text("device_id", "device fingerprint", nullable=True, info=PERSONAL),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("channel", "external_id"),
    sa.CheckConstraint(
        "total_minor = items_minor - discount_minor + shipping_minor", name="total_adds_up"
    ),
    sa.CheckConstraint("total_minor >= 0 AND discount_minor >= 0", name="amounts_not_negative"),
    sa.CheckConstraint("decided_as_of >= placed_at", name="decided_after_placed"),
    sa.Index(None, "customer_key", "placed_at"),
    sa.Index(None, "placed_at"),
)

ORDER_LINES = area_table(
    "orders",
    "order_lines",
    "Lines of accepted orders.",
    identity("order_line_id", "surrogate key"),
    reference("order_id", "order", "orders.orders.order_id"),
    integer("line_no", "number of the line within the order"),
    text("sku", "what was ordered, see catalog.products"),
    integer("quantity", "units ordered, at least 1"),
    minor("unit_price_minor", "price of one unit"),
    minor("discount_minor", "discount on the line, not negative"),
    minor("tax_minor", "tax contained in the line; 0 if the source does not state it"),
    minor("line_total_minor", "quantity * unit price - discount"),
    text("seller", "marketplace seller, where the channel has several", nullable=True),
    sa.UniqueConstraint("order_id", "line_no"),
    sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    sa.CheckConstraint(
        "unit_price_minor >= 0 AND discount_minor >= 0 AND line_total_minor >= 0",
        name="amounts_not_negative",
    ),
    sa.CheckConstraint(
        "line_total_minor = quantity * unit_price_minor - discount_minor", name="total_adds_up"
    ),
    sa.Index(None, "sku"),
)

CONSUMED_OFFSETS = area_table(
    "orders",
    "consumed_offsets",
    "How far each consumer group has taken the partitions of a Kafka topic into the inbox.",
    text("consumer_group", "group of consumers that share the topic", primary_key=True),
    text("topic", "Kafka topic", primary_key=True),
    text("topic_id", "the broker's id of the topic; one made anew has another", primary_key=True),
    integer("partition", "partition of the topic", primary_key=True, autoincrement=False),
    reference("next_offset", "offset of the first record not yet taken"),
    recorded_at(),
    sa.CheckConstraint("next_offset >= 0", name="next_offset_not_negative"),
)

OBSERVED_EVENTS = area_table(
    "orders",
    "observed_events",
    "What the source says happened to an order: facts to compare with, never inputs to a decision.",
    identity("observed_event_id", "surrogate key"),
    text("channel", "sales channel"),
    text("external_id", "the channel's own id of the order"),
    text("kind", "cancelled, handed_over, delivered, reviewed, returned or source_status"),
    text("reference", "tells several events of a kind apart; empty where there is one"),
    moment("happened_at", "when it happened", nullable=True),
    document("detail", "what else the source says, such as the review's score"),
    text("anomaly", "what is odd about it, such as handed_over_before_purchase", nullable=True),
    reference("import_id", "import that brought the fact", nullable=True),
    sa.UniqueConstraint("channel", "external_id", "kind", "reference"),
)

CHANGES = area_table(
    "orders",
    "changes",
    "Cancellations and edits of accepted orders, one row each; one at a time is carried out.",
    identity("change_id", "surrogate key"),
    reference("order_id", "order to change", "orders.orders.order_id"),
    reference(
        "inbox_id",
        "message that asks for it; empty if a person does",
        "orders.inbox.inbox_id",
        nullable=True,
    ),
    text("kind", "cancel or edit"),
    document(
        "document",
        "what to cancel: {lines: [{line_no, quantity}]}, or {} for all; the"
        " document of an edit is the message of revised_inbox_id",
    ),
    moment("requested_at", "business moment of the request"),
    text("requested_by", "channel or person"),
    text("reason", "why, as the channel or the person says"),
    text(
        "state",
        "pending, started (what was decided is taken back), applied or refused",
        server_default="pending",
    ),
    text("refusal", "why it was refused, a code", nullable=True),
    text("refusal_detail", "what is wrong, naming the line or field", nullable=True),
    moment(
        "effective_as_of",
        "business moment as of which it was carried out: not before what had happened to the order",
        nullable=True,
    ),
    reference(
        "revised_inbox_id",
        "message the order is rewritten from; empty if all is cancelled",
        "orders.inbox.inbox_id",
        nullable=True,
    ),
    text("run_id", "Dagster run that started, applied or refused it", nullable=True),
    recorded_at(),
    sa.CheckConstraint("kind IN ('cancel', 'edit')", name="kind_known"),
    sa.CheckConstraint("state IN ('pending', 'started', 'applied', 'refused')", name="state_known"),
    sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refused_with_reason"),
    sa.CheckConstraint(
        "state NOT IN ('started', 'applied') OR effective_as_of IS NOT NULL",
        name="carried_out_as_of",
    ),
    sa.CheckConstraint("kind = 'cancel' OR revised_inbox_id IS NOT NULL", name="edit_with_message"),
    # Two edits at once are carried out one after the other; the database allows no more.
    sa.Index(
        "changes_one_started_idx",
        "order_id",
        unique=True,
        postgresql_where=sa.text("state = 'started'"),
    ),
    sa.Index(
        "changes_pending_idx",
        "requested_at",
        "change_id",
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index(None, "order_id"),
    # The intake tells messages that a change has written from those that a channel has sent.
    sa.Index(
        "changes_revised_idx",
        "revised_inbox_id",
        postgresql_where=sa.text("revised_inbox_id IS NOT NULL"),
    ),
    # A message asks once; what was refused may be replayed when its cause is gone.
    sa.Index(
        "changes_message_idx",
        "inbox_id",
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    ),
)
