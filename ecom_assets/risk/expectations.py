"""What must hold of the risk area's table."""

from __future__ import annotations

from ecom_assets.risk.tables import DECISIONS
from ecom_assets.shared.expectations import (
    Severity,
    TableExpectations,
    no_rows,
    values_between,
)
from ecom_assets.shared.structure import structure

_UNEXPLAINED = no_rows(
    "reasons_present",
    "SELECT order_id FROM {batch} WHERE outcome <> 'accepted' AND cardinality(reasons) = 0",
    "Every order that was not accepted has a reason.",
)
_SCORE_DIFFERS = no_rows(
    "probability_equals_score",
    """
    SELECT decision.order_id FROM {batch} AS decision
    LEFT JOIN fraud.order_scores AS score USING (order_id)
    WHERE score.probability IS DISTINCT FROM decision.probability
    """,
    "Every decision was made with the order's fraud score.",
)
_LOSS_TOO_LARGE = no_rows(
    "expected_loss_within_total",
    """
    SELECT decision.order_id FROM {batch} AS decision
    JOIN orders.orders AS placed USING (order_id)
    WHERE decision.expected_loss_minor NOT BETWEEN 0 AND placed.total_minor
    """,
    "The expected loss of an order is at most its total.",
    is_blocking=True,
)
# From a hundred orders: in a small shop one bad afternoon would be an alarm.
_MOSTLY_HELD = no_rows(
    "acceptance_plausible",
    """
    SELECT max(order_id) AS order_id FROM {batch}
    HAVING count(*) FILTER (WHERE outcome = 'accepted') < 0.5 * count(*) AND count(*) >= 100
    """,
    "At least half of the orders are accepted; fewer means that a rule or the model is off.",
    severity=Severity.WARN,
)

EXPECTATIONS = (
    TableExpectations(
        DECISIONS,
        (
            *structure(DECISIONS),
            values_between("probability", 0, 1),
            _UNEXPLAINED,
            _SCORE_DIFFERS,
            _LOSS_TOO_LARGE,
            _MOSTLY_HELD,
        ),
    ),
)
