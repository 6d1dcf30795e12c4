"""What must hold of the tables that all areas share, and of the reconciliations."""

from __future__ import annotations

from ecom_assets.orders.tables import ORDERS
from ecom_assets.quality.tables import RECONCILIATIONS
from ecom_assets.shared.expectations import (
    Expectation,
    TableExpectations,
    no_rows,
    values_in,
    values_match,
)
from ecom_assets.shared.flow import PENDING, Stage
from ecom_assets.shared.holds import HOLDS
from ecom_assets.shared.imports import IMPORT_ACCOUNTS, IMPORTS
from ecom_assets.shared.journal import LEDGER, TIMELINE
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.shared.states import (
    ORDER_STATES,
    START,
    TRANSITION_ROWS,
    TRANSITIONS,
    Dimension,
)
from ecom_assets.shared.structure import refers_to, structure

END_OF_PATH = (
    ("inventory", "balances"),
    ("documents", "packing_slips"),
    ("documents", "invoices"),
    ("customers", "customers"),
)
"""Assets that are up to date when every stage of the order path has run."""


def _known_states(dimension: Dimension) -> Expectation:
    """The states a dimension starts in or can move to."""
    reached = {state for states in TRANSITIONS[dimension].values() for state in states}
    return values_in(dimension.value, sorted(reached | {START[dimension]}))


_ATTEMPT_MISSING = no_rows(
    "attempts_gapless",
    """
    SELECT decision.decision_id FROM {batch} AS decision
    LEFT JOIN decisions.ledger AS earlier
        ON (earlier.kind, earlier.order_id, earlier.subject)
            = (decision.kind, decision.order_id, decision.subject)
        AND earlier.attempt = decision.attempt - 1
    WHERE decision.attempt <> 1 AND earlier.decision_id IS NULL
    """,
    "Every decision but the first about a subject follows an earlier one.",
)
_BEFORE_ORDER = no_rows(
    "decided_after_placed",
    """
    SELECT decision.decision_id FROM {batch} AS decision
    JOIN orders.orders AS placed USING (order_id)
    WHERE decision.decided_as_of < placed.placed_at
    """,
    "No decision was made before its order was placed.",
)
_HELD_WITHOUT_HOLD = no_rows(
    "held_with_reason",
    """
    SELECT state.order_id FROM {batch} AS state
    LEFT JOIN flow.holds AS hold ON hold.order_id = state.order_id AND hold.released_at IS NULL
    WHERE (state.hold_state = 'held') <> (hold.order_id IS NOT NULL)
    """,
    "An order is held exactly as long as it has an open hold, which says why.",
)
_CODE = ("^[a-z][a-z0-9_]*$", "a code of small letters, digits and underscores")

EXPECTATIONS = (
    TableExpectations(RECONCILIATIONS, structure(RECONCILIATIONS)),
    TableExpectations(
        QUARANTINE,
        (*structure(QUARANTINE), values_match("reason", *_CODE)),
        asset=("quality", "quarantine"),
        after=(("orders", "orders"),),
    ),
    TableExpectations(IMPORTS, structure(IMPORTS), asset=("quality", "imports")),
    TableExpectations(
        IMPORT_ACCOUNTS, structure(IMPORT_ACCOUNTS), asset=("quality", "import_accounts")
    ),
    TableExpectations(
        LEDGER,
        (
            *structure(LEDGER),
            refers_to(LEDGER, "order_id", ORDERS.c.order_id),
            values_match("kind", *_CODE),
            _ATTEMPT_MISSING,
            _BEFORE_ORDER,
        ),
        asset=("quality", "ledger"),
        after=END_OF_PATH,
    ),
    TableExpectations(
        TIMELINE,
        (
            *structure(TIMELINE),
            refers_to(TIMELINE, "order_id", ORDERS.c.order_id),
            values_match("event", *_CODE),
        ),
        asset=("quality", "timeline"),
        after=END_OF_PATH,
    ),
    TableExpectations(
        ORDER_STATES,
        (
            *structure(ORDER_STATES),
            refers_to(ORDER_STATES, "order_id", ORDERS.c.order_id),
            *(_known_states(dimension) for dimension in Dimension),
            _HELD_WITHOUT_HOLD,
        ),
        asset=("quality", "order_states"),
        after=END_OF_PATH,
    ),
    TableExpectations(
        PENDING,
        (
            *structure(PENDING),
            refers_to(PENDING, "order_id", ORDERS.c.order_id),
            values_in("stage", [stage.value for stage in Stage]),
        ),
        asset=("quality", "order_states"),
        after=END_OF_PATH,
    ),
    TableExpectations(
        HOLDS,
        (
            *structure(HOLDS),
            refers_to(HOLDS, "order_id", ORDERS.c.order_id),
            values_match("reason", *_CODE),
        ),
        asset=("orders", "holds"),
    ),
    TableExpectations(
        TRANSITION_ROWS,
        (
            *structure(TRANSITION_ROWS),
            values_in("dimension", [dimension.value for dimension in Dimension]),
        ),
        asset=("quality", "order_states"),
    ),
)
