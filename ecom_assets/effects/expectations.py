"""What must hold of the outbox and its attempts."""

from __future__ import annotations

from ecom_assets.shared.expectations import TableExpectations, no_rows
from ecom_assets.shared.outbox import ATTEMPTS, OUTBOX
from ecom_assets.shared.structure import structure

_OUTBOX_KEY = ("effects", "outbox")
_CONFIRMED_WITHOUT_PROOF = no_rows(
    "confirmed_with_proof",
    """
    SELECT sent.effect_id FROM (SELECT * FROM {batch}) AS sent
    LEFT JOIN effects.attempts AS a
        ON a.effect_id = sent.effect_id AND a.outcome = 'confirmed'
    WHERE sent.state = 'confirmed' AND a.effect_id IS NULL
    """,
    "Every confirmed effect has an answer, a look-up or a person who says so.",
)
_CONFIRMED_TWICE = no_rows(
    "confirmed_once",
    """
    SELECT min(attempt_id) AS attempt_id FROM {batch} WHERE outcome = 'confirmed'
    GROUP BY effect_id HAVING count(*) > 1
    """,
    "No effect was confirmed twice.",
)
_LATE = no_rows(
    "answers_in_time",
    "SELECT attempt_id FROM {batch} WHERE outcome = 'late'",
    "No attempt was answered after others had decided about its effect; it may have happened"
    " twice.",
)

EXPECTATIONS = (
    TableExpectations(OUTBOX, (*structure(OUTBOX), _CONFIRMED_WITHOUT_PROOF)),
    TableExpectations(ATTEMPTS, (*structure(ATTEMPTS), _CONFIRMED_TWICE, _LATE), asset=_OUTBOX_KEY),
)
