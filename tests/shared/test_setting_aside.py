"""Orders that a stage cannot take are found and set aside; those beside them go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.shared import setting_aside
from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import NEXT, PENDING, Stage, drain, hand_on, waiting
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.shared.setting_aside import (
    MOST_IN_A_ROW,
    REASON,
    give_another_chance,
    is_about_rows,
)
from ecom_assets.shared.states import IllegalTransition
from fixtures.given import waits
from resources.database import DatabaseResource

ALL = range(1, 11)
CLAIMED = sa.text("SELECT order_id, due_at FROM claimed").columns(
    sa.column("order_id", sa.BigInteger), sa.column("due_at", sa.DateTime(timezone=True))
)
DIVIDE = sa.text("""
    SELECT 1 / CASE WHEN order_id = ANY(:bad) THEN 0 ELSE 1 END FROM claimed
""")


@pytest.fixture
def queue(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database in which ten orders wait to be scored."""
    with module_database.begin() as conn:
        conn.execute(
            sa.text("""
            INSERT INTO flow.order_states (
                order_id, payment_state, risk_state, fulfilment_state, hold_state, changed_at)
            SELECT order_id, 'unchecked', 'undecided', 'new', 'none', now()
            FROM generate_series(1, 10) AS order_id
        ON CONFLICT DO NOTHING
        """)
        )
        hand_on(conn, [Stage.SCORE], waits(*ALL))
    yield module_database
    with module_database.begin() as conn:
        for table in (PENDING, QUARANTINE):
            conn.execute(sa.delete(table))


def score(conn: sa.Connection, bad: tuple[int, ...]) -> Mapping[str, int]:
    """A stage that divides by zero at some orders."""
    conn.execute(DIVIDE, {"bad": list(bad)})
    return {"passed": hand_on(conn, NEXT[Stage.SCORE], CLAIMED)}


def at_risk(queue: DatabaseResource) -> set[int]:
    with queue.begin() as conn:
        passed = sa.select(PENDING.c.order_id).where(PENDING.c.stage == "risk")
        return set(conn.execute(passed).scalars())


def parked(queue: DatabaseResource) -> dict[int, str]:
    with queue.begin() as conn:
        is_parked = QUARANTINE.c.state == "parked"
        rows = sa.select(QUARANTINE.c.row_number, QUARANTINE.c.detail).where(is_parked)
        return dict(conn.execute(rows).tuples().all())


@pytest.mark.parametrize("chunk", [1, 2, 3, 10, None])
@pytest.mark.parametrize("bad", [(1,), (10,), (5,), (1, 2, 3), (2, 9)])
def test_the_others_go_on(queue: DatabaseResource, chunk: int | None, bad: tuple[int, ...]) -> None:
    totals = drain(queue.begin, Stage.SCORE, partial(score, bad=bad), chunk=chunk, run="r1")
    passed = len(ALL) - len(bad)
    assert totals == {"orders": passed, "passed": passed, "set_aside": len(bad)}
    assert at_risk(queue) == set(ALL) - set(bad)
    assert set(parked(queue)) == set(bad)
    assert drain(queue.begin, Stage.SCORE, partial(score, bad=bad)) == {"orders": 0}


def test_the_quarantine_says_which_order_where_and_why(queue: DatabaseResource) -> None:
    drain(queue.begin, Stage.SCORE, partial(score, bad=(4,)), run="r1")
    with queue.begin() as conn:
        row = conn.execute(sa.select(QUARANTINE)).mappings().one()
    assert (row["source"], row["row_number"], row["reason"]) == ("flow.score", 4, REASON)
    assert row["detail"] == "score: DivisionByZero: division by zero"
    assert row["row"] == {"order_id": 4, "stage": "score"}
    assert (row["subject"], row["run_id"], row["state"]) == ("4", "r1", "parked")


def test_a_fault_of_the_stage_is_raised_and_keeps_the_rest_waiting(
    queue: DatabaseResource,
) -> None:
    with pytest.raises(sa.exc.DataError):
        drain(queue.begin, Stage.SCORE, partial(score, bad=tuple(ALL)))
    assert len(parked(queue)) == MOST_IN_A_ROW
    with queue.begin() as conn:
        assert waiting(conn) == {"score": len(ALL) - MOST_IN_A_ROW}


def test_another_error_is_raised_at_once(queue: DatabaseResource) -> None:
    def fail(conn: sa.Connection) -> Mapping[str, int]:
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError):
        drain(queue.begin, Stage.SCORE, fail)
    assert parked(queue) == {}
    with queue.begin() as conn:
        assert waiting(conn) == {"score": len(ALL)}


def test_workers_abreast_set_aside_too(queue: DatabaseResource) -> None:
    step = partial(score, bad=(3, 8))
    totals = drain_abreast(queue.begin, Stage.SCORE, step, chunk=2, run="r1")
    assert totals["orders"] == 8
    assert set(parked(queue)) == {3, 8}


def test_a_mended_order_gets_another_chance(queue: DatabaseResource) -> None:
    drain(queue.begin, Stage.SCORE, partial(score, bad=(4, 6)))
    with queue.begin() as conn:
        assert give_another_chance(conn) == 2
    totals = drain(queue.begin, Stage.SCORE, partial(score, bad=(6,)))
    assert totals == {"orders": 1, "passed": 1, "set_aside": 1}
    assert at_risk(queue) == set(ALL) - {6}
    assert set(parked(queue)) == {6}


def test_a_hold_outlasts_another_chance(queue: DatabaseResource) -> None:
    drain(queue.begin, Stage.SCORE, partial(score, bad=(4,)))
    with queue.begin() as conn:
        conn.execute(sa.text("UPDATE flow.order_states SET hold_state = 'held' WHERE order_id = 4"))
        assert give_another_chance(conn) == 0
        conn.execute(sa.text("UPDATE flow.order_states SET hold_state = 'none' WHERE order_id = 4"))
        assert give_another_chance(conn) == 1


def test_an_order_that_no_longer_waits_leaves_the_quarantine(queue: DatabaseResource) -> None:
    drain(queue.begin, Stage.SCORE, partial(score, bad=(4,)))
    with queue.begin() as conn:
        conn.execute(sa.delete(PENDING).where(PENDING.c.order_id == 4))
        assert give_another_chance(conn) == 0
    assert parked(queue) == {}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError(), True),
        (ZeroDivisionError(), True),
        (IllegalTransition(), True),
        (RuntimeError(), False),
        (KeyError(), False),
        (sa.exc.OperationalError("", {}, Exception()), False),
    ],
)
def test_what_may_be_due_to_a_row(error: Exception, expected: bool) -> None:
    assert is_about_rows(error) is expected


@given(bad=st.sets(st.sampled_from(ALL)), chunk=st.integers(1, 12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_search_ends_and_finds_exactly_the_bad_ones(
    queue: DatabaseResource, bad: set[int], chunk: int
) -> None:
    with queue.begin() as conn:
        conn.execute(sa.delete(PENDING))
        conn.execute(sa.delete(QUARANTINE))
        hand_on(conn, [Stage.SCORE], waits(*ALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setting_aside, "MOST_IN_A_ROW", len(ALL))
        drain(queue.begin, Stage.SCORE, partial(score, bad=tuple(bad)), chunk=chunk)
    assert at_risk(queue) == set(ALL) - bad
    assert set(parked(queue)) == bad
