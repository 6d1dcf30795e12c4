"""Effects are planned once, and the database itself refuses every move that is not listed."""

from __future__ import annotations

from itertools import product

import pytest
import sqlalchemy as sa

from ecom_assets.shared.outbox import ATTEMPTS, OUTBOX, TRANSITIONS, EffectState, open_effects
from fixtures.mail import plan_letters
from fixtures.rolled_back import conn as conn

_PATHS: dict[EffectState, tuple[EffectState, ...]] = {
    EffectState.PLANNED: (),
    EffectState.SENDING: (EffectState.SENDING,),
    EffectState.CONFIRMED: (EffectState.SENDING, EffectState.CONFIRMED),
    EffectState.FAILED: (EffectState.SENDING, EffectState.FAILED),
    EffectState.UNKNOWN: (EffectState.SENDING, EffectState.UNKNOWN),
}
"""How an effect comes to each state."""


@pytest.fixture
def effect(conn: sa.Connection) -> sa.Connection:
    """A transaction with one planned effect."""
    assert plan_letters(conn, "a@a.example") == 1
    return conn


def move(conn: sa.Connection, state: EffectState) -> None:
    now = sa.func.now()
    conn.execute(
        sa.update(OUTBOX).values(state=state.value, claimed_at=now, lease_until_at=now, worker=1)
    )


@pytest.mark.parametrize(("was", "wanted"), list(product(EffectState, EffectState)))
def test_the_database_allows_exactly_the_listed_moves(
    effect: sa.Connection, was: EffectState, wanted: EffectState
) -> None:
    for state in _PATHS[was]:
        move(effect, state)
    if was is wanted or wanted in TRANSITIONS[was]:
        move(effect, wanted)
        return
    with pytest.raises(sa.exc.IntegrityError, match=f"may not go from {was} to {wanted}"):
        move(effect, wanted)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "label"},
        {"idempotency_key": "other"},
        {"reference": "other"},
        {"payload": {}},
        {"due_at": sa.func.now() + sa.text("interval '1 day'")},
        {"effect_id": OUTBOX.c.effect_id + 1_000},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_an_effect_is_never_changes(effect: sa.Connection, change: dict[str, object]) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="what it is may not change"):
        effect.execute(sa.update(OUTBOX).values(change))


def test_an_effect_begins_as_planned(conn: sa.Connection) -> None:
    now = sa.func.now()
    row = {
        "kind": "email", "idempotency_key": "k", "reference": "r", "payload": {}, "due_at": now,
        "not_before_at": now, "claimed_at": now, "lease_until_at": now, "worker": 1, "run_id": "r",
    }  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="begins as planned"):
        conn.execute(sa.insert(OUTBOX).values({**row, "state": "confirmed"}))


@pytest.mark.parametrize("statement", [sa.delete(ATTEMPTS), sa.update(ATTEMPTS).values(attempt=2)])
def test_attempts_are_only_ever_added(conn: sa.Connection, statement: sa.Executable) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="only ever added"):
        conn.execute(statement)


def test_planning_twice_plans_once(conn: sa.Connection) -> None:
    assert plan_letters(conn, "a@a.example", "b@a.example") == 2
    assert plan_letters(conn, "b@a.example", "c@a.example") == 1
    assert open_effects(conn) == {"planned": 3}


def test_two_effects_may_not_share_a_reference(conn: sa.Connection) -> None:
    plan_letters(conn, "a@a.example")
    with pytest.raises(sa.exc.IntegrityError, match="kind_reference"):
        plan_letters(conn, "a@b.example")  # the same Message-ID, another key


def test_planning_that_is_rolled_back_plans_nothing(conn: sa.Connection) -> None:
    with conn.begin_nested() as trial:
        plan_letters(conn, "a@a.example")
        trial.rollback()
    assert open_effects(conn) == {}
    assert plan_letters(conn, "a@a.example") == 1
