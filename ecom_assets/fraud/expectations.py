"""What must hold of the fraud area's tables."""

from __future__ import annotations

from ecom_assets.fraud.tables import LABELS, MODELS, ORDER_SCORES, SIGHTINGS
from ecom_assets.orders.tables import ORDERS
from ecom_assets.shared.expectations import (
    Severity,
    TableExpectations,
    mean_between,
    no_rows,
    values_in,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

# A warning: sources stamp labels by the day, so that a label may seem to precede its order.
_KNOWN_TOO_EARLY = no_rows(
    "known_after_order",
    """
    SELECT label.channel, label.external_id FROM {batch} AS label
    JOIN orders.orders AS placed USING (channel, external_id)
    WHERE label.known_at < placed.placed_at
    """,
    "No label was known before its order was placed.",
    severity=Severity.WARN,
)
_POSITIVES_EXCEED_ROWS = no_rows(
    "positives_among_rows",
    "SELECT model_version FROM {batch} WHERE positives NOT BETWEEN 0 AND rows_used",
    "The fraudulent orders a model was trained on are among its rows.",
)
_MODEL_MISSING = no_rows(
    "model_exists",
    """
    SELECT score.order_id FROM {batch} AS score
    LEFT JOIN fraud.models AS model ON model.model_version = score.version
    WHERE score.method = 'model' AND model.model_version IS NULL
    """,
    "Every score made by a model names a stored model.",
)
_MODEL_FROM_FUTURE = no_rows(
    "model_trained_before",
    """
    SELECT score.order_id FROM {batch} AS score
    JOIN fraud.models AS model ON model.model_version = score.version
    JOIN orders.orders AS decided USING (order_id)
    WHERE score.method = 'model' AND model.trained_as_of > decided.decided_as_of
    """,
    "No order was scored by a model that knew more than was known when it was decided.",
)
_SCORED_AT_OTHER_TIME = no_rows(
    "scored_as_of_order",
    """
    SELECT score.order_id FROM {batch} AS score
    JOIN orders.orders AS placed USING (order_id)
    WHERE score.scored_as_of NOT BETWEEN placed.placed_at AND placed.decided_as_of
    """,
    "Every order was scored as of its own time: not before it was placed, nor after its decision.",
)

EXPECTATIONS = (
    TableExpectations(LABELS, (*structure(LABELS), _KNOWN_TOO_EARLY)),
    TableExpectations(
        SIGHTINGS,
        (
            *structure(SIGHTINGS),
            refers_to(SIGHTINGS, "order_id", ORDERS.c.order_id),
            values_in("kind", ["card", "device", "email", "ip", "address"]),
            values_match("value_hash", "^[0-9a-f]{32}$", "half a SHA-256 in hexadecimal"),
        ),
    ),
    TableExpectations(MODELS, (*structure(MODELS), _POSITIVES_EXCEED_ROWS)),
    TableExpectations(
        ORDER_SCORES,
        (
            *structure(ORDER_SCORES),
            mean_between("probability", 0.0, 0.35, "The mean probability of fraud is at most 35%."),
            _MODEL_MISSING,
            _MODEL_FROM_FUTURE,
            _SCORED_AT_OTHER_TIME,
        ),
    ),
)
