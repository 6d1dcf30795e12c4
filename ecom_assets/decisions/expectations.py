"""What must hold of the decisions area's tables; the ledger is looked after by quality."""

from __future__ import annotations

from ecom_assets.decisions.tables import REPLAY_OUTCOMES, REPLAYS
from ecom_assets.shared.expectations import Severity, TableExpectations, no_rows
from ecom_assets.shared.structure import structure

_SUMS_DIFFER = no_rows(
    "orders_equal_outcomes",
    """
    SELECT replay.replay_id FROM (SELECT * FROM {batch}) AS replay
    WHERE replay.state = 'finished' AND replay.orders <> (
        SELECT count(*) FROM decisions.replay_outcomes AS outcome
        WHERE outcome.replay_id = replay.replay_id AND outcome.kind = 'risk_decision'
    )
    """,
    "Every order of a finished replay has its outcome.",
)
_UNFINISHED = no_rows(
    "finished",
    "SELECT replay_id FROM {batch} WHERE state = 'unfinished'",
    "Every replay ran to its end; one whose run died can be removed.",
    severity=Severity.WARN,
)

EXPECTATIONS = (
    TableExpectations(REPLAYS, (*structure(REPLAYS), _SUMS_DIFFER, _UNFINISHED)),
    TableExpectations(REPLAY_OUTCOMES, structure(REPLAY_OUTCOMES)),
)
