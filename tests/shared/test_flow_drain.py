"""Draining a stage: chunk by chunk, all or nothing, and on from where a killed run stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ecom_assets.shared.flow import NEXT, PENDING, Stage, Step, drain, hand_on, waiting
from fixtures.given import waits
from resources.database import DatabaseResource

CLAIMED = sa.text("SELECT order_id, due_at FROM claimed").columns(
    sa.column("order_id", sa.BigInteger), sa.column("due_at", sa.DateTime(timezone=True))
)


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def queue(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database in which ten orders wait to be scored."""
    with module_database.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(*range(1, 11)))
    yield module_database
    with module_database.begin() as conn:
        conn.execute(sa.delete(PENDING))


def _pass_on(conn: sa.Connection) -> Mapping[str, int]:
    return {"passed": hand_on(conn, NEXT[Stage.SCORE], CLAIMED)}


def _waiting(queue: DatabaseResource) -> dict[str, int]:
    with queue.begin() as conn:
        return waiting(conn)


@pytest.mark.parametrize(("chunk", "chunks"), [(1, 10), (3, 4), (5, 2), (10, 1), (None, 1)])
def test_all_orders_advance_whatever_the_chunk(
    queue: DatabaseResource, chunk: int | None, chunks: int
) -> None:
    said: list[str] = []
    totals = drain(queue.begin, Stage.SCORE, _pass_on, said.append, chunk)
    assert totals == {"orders": 10, "passed": 10}
    assert len(said) == chunks
    assert said[-1] == "score: 10 orders"
    assert _waiting(queue) == {"risk": 10}


def test_nothing_to_do_says_nothing_and_changes_nothing(queue: DatabaseResource) -> None:
    said: list[str] = []
    assert drain(queue.begin, Stage.SHIP, _pass_on, said.append) == {"orders": 0}
    assert said == []
    assert _waiting(queue) == {"score": 10}


def test_a_second_run_finds_nothing(queue: DatabaseResource) -> None:
    drain(queue.begin, Stage.SCORE, _pass_on)
    assert drain(queue.begin, Stage.SCORE, _pass_on) == {"orders": 0}
    assert _waiting(queue) == {"risk": 10}


def _killed_after(chunks: int) -> Step:
    done = 0

    def step(conn: sa.Connection) -> Mapping[str, int]:
        nonlocal done
        counts = _pass_on(conn)
        done += 1
        if done > chunks:
            raise Killed
        return counts

    return step


@pytest.mark.parametrize(("chunks", "passed"), [(0, 0), (1, 4), (2, 8)])
def test_a_killed_run_keeps_whole_chunks_and_the_next_one_does_the_rest(
    queue: DatabaseResource, chunks: int, passed: int
) -> None:
    with pytest.raises(Killed):
        drain(queue.begin, Stage.SCORE, _killed_after(chunks), chunk=4)
    left = _waiting(queue)
    assert (left["score"], left.get("risk", 0)) == (10 - passed, passed)
    totals = drain(queue.begin, Stage.SCORE, _pass_on, chunk=4)
    assert totals == {"orders": 10 - passed, "passed": 10 - passed}
    assert _waiting(queue) == {"risk": 10}


def test_counts_of_chunks_are_added_up_by_name(queue: DatabaseResource) -> None:
    names = iter(["accepted", "review", "accepted"])
    totals = drain(queue.begin, Stage.SCORE, lambda conn: {next(names): 2, "all": 1}, chunk=4)
    assert totals == {"orders": 10, "accepted": 4, "review": 2, "all": 3}


def test_chunks_come_in_the_order_of_their_moments(queue: DatabaseResource) -> None:
    with queue.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(99, days=(0,)))
    seen: list[list[int]] = []

    def look(conn: sa.Connection) -> Mapping[str, int]:
        seen.append(sorted(row.order_id for row in conn.execute(CLAIMED)))
        return {}

    drain(queue.begin, Stage.SCORE, look, chunk=4)
    assert seen == [[1, 2, 3, 99], [4, 5, 6, 7], [8, 9, 10]]


def test_orders_that_arrive_while_a_stage_is_drained_are_advanced_too(
    queue: DatabaseResource,
) -> None:
    late = iter([11])

    def meanwhile(conn: sa.Connection) -> Mapping[str, int]:
        for number in late:
            with queue.begin() as other:
                hand_on(other, [Stage.SCORE], waits(number))
        return _pass_on(conn)

    assert drain(queue.begin, Stage.SCORE, meanwhile)["orders"] == 11


def test_two_runs_of_a_stage_share_the_work(queue: DatabaseResource) -> None:
    with queue.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(*range(11, 61)))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(drain, queue.begin, Stage.SCORE, _pass_on, None, 7) for _ in range(2)]
    totals = [run.result() for run in runs]
    assert sum(found["orders"] for found in totals) == 60
    assert sum(found["passed"] for found in totals) == 60
    assert _waiting(queue) == {"risk": 60}


def test_a_step_may_leave_orders_behind(queue: DatabaseResource) -> None:
    def refuse_odd(conn: sa.Connection) -> Mapping[str, int]:
        rows = CLAIMED.subquery()
        return {
            "passed": hand_on(conn, [Stage.RISK], sa.select(rows).where(rows.c.order_id % 2 == 0))
        }

    assert drain(queue.begin, Stage.SCORE, refuse_odd) == {"orders": 10, "passed": 5}
    # those that did not pass wait for nothing: they ended here
    assert _waiting(queue) == {"risk": 5}
