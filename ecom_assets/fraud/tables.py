"""Tables of the fraud area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    integer,
    moment,
    number,
    recorded_at,
    reference,
    run_id,
    text,
    texts,
)

LABELS = area_table(
    "fraud",
    "labels",
    "What an order turned out to be, with the moment that became known.",
    text("channel", "sales channel", primary_key=True),
    text("external_id", "the channel's own id of the order", primary_key=True),
    text("label", "fraud or legitimate"),
    moment("known_at", "when the label became known; nothing earlier may use it"),
    text("source", "chargeback, investigation or simulation"),
    reference("import_id", "import that brought the label", nullable=True),
    recorded_at(),
    sa.CheckConstraint("label IN ('fraud', 'legitimate')", name="label_known"),
    sa.Index(None, "known_at"),
)

SIGHTINGS = area_table(
    "fraud",
    "sightings",
    "Where a card, device, address, e-mail or IP was seen; velocity is counted here.",
    text("kind", "card, device, email, ip or address", primary_key=True),
    text("value_hash", "first half of the SHA-256 of the value, hexadecimal", primary_key=True),
    moment("seen_at", "when the order was placed", primary_key=True),
    reference("order_id", "order", primary_key=True),
    text("customer_key", "customer of the order"),
    sa.Index(None, "order_id"),
)

MODELS = area_table(
    "fraud",
    "models",
    "Trained models as plain coefficients; nothing is deserialised to score.",
    text("model_version", "name and training moment", primary_key=True),
    moment("trained_as_of", "labels known before this moment were used"),
    integer("rows_used", "orders trained on"),
    integer("positives", "fraudulent orders among them"),
    document("coefficients", "intercept, and per feature its weight, mean and scale"),
    document("metrics", "figures on the held-out last part of the training range"),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("trained_as_of"),
)

ORDER_SCORES = area_table(
    "fraud",
    "order_scores",
    "Fraud score of each order with its features and reasons.",
    reference("order_id", "order", "orders.orders.order_id", primary_key=True),
    number("probability", "probability of fraud, 0 to 1"),
    text("method", "model, or rules where no labels were known yet"),
    text("version", "model version or rule version"),
    document("features", "point-in-time features the score was made from; what is 0 is left out"),
    texts("reasons", "what raised the score, strongest first"),
    moment("scored_as_of", "moment as of which the features were taken"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("probability >= 0 AND probability <= 1", name="probability_in_range"),
    sa.CheckConstraint("method IN ('model', 'rules')", name="method_known"),
)
