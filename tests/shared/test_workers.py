"""Runs handed to warm workers: each is taken once, can be called off, and is found when lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from ecom_assets.shared import workers
from ecom_assets.shared.workers import Holder, Lane, Seen
from resources.database import DatabaseResource
from resources.listening import listening

DECISIONS, CHORES = Lane


@pytest.fixture
def office(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database whose workers and claims are forgotten after the test."""
    yield module_database
    with module_database.begin() as conn:
        conn.execute(sa.delete(workers.RUN_CLAIMS))
        conn.execute(sa.delete(workers.WORKERS))


def start(conn: sa.Connection, worker_id: str, lane: Lane = DECISIONS) -> None:
    workers.beat(conn, worker_id, lane, 7, 0)


def age(conn: sa.Connection, seconds: float) -> None:
    """Let everything that is noted have happened so long before."""
    given = {"by": seconds}
    for statement in (
        "UPDATE flow.workers SET seen_at = seen_at - make_interval(secs => :by)",
        """UPDATE flow.run_claims SET offered_at = offered_at - make_interval(secs => :by),
            ended_at = ended_at - make_interval(secs => :by)""",
    ):
        conn.execute(sa.text(statement), given)


SILENT = workers.LOST_AFTER.total_seconds() + 1


def test_a_lane_is_served_while_a_worker_of_it_is_heard(conn: sa.Connection) -> None:
    assert not workers.is_served(conn, DECISIONS)
    start(conn, "a")
    assert workers.is_served(conn, DECISIONS)
    assert not workers.is_served(conn, CHORES)
    assert not workers.is_served(conn, "no such lane")
    age(conn, SILENT)
    assert not workers.is_served(conn, DECISIONS)
    start(conn, "a")
    assert workers.is_served(conn, DECISIONS)
    workers.leave(conn, "a")
    assert not workers.is_served(conn, DECISIONS)


def test_one_of_two_workers_may_fall_silent(conn: sa.Connection) -> None:
    start(conn, "a")
    age(conn, SILENT)
    start(conn, "b")
    assert workers.is_served(conn, DECISIONS)
    assert [(seen.worker_id, seen.is_alive) for seen in workers.listed(conn)] == [
        ("b", True), ("a", False),
    ]  # fmt: skip


def test_listed_are_lane_runs_silence_and_what_is_held(conn: sa.Connection) -> None:
    start(conn, "b", CHORES)
    age(conn, 60)
    workers.beat(conn, "a", DECISIONS, 7, 0)
    workers.beat(conn, "a", DECISIONS, 7, 12)
    workers.own(conn, "done", DECISIONS, "a")
    workers.end(conn, "done")
    workers.own(conn, "run", DECISIONS, "a")
    silent, busy = workers.listed(conn)
    assert busy == Seen("a", "decisions", True, busy.silent_s, 12, "run")
    assert 0 <= busy.silent_s < 5
    assert silent == Seen("b", "chores", False, silent.silent_s, 0, None)
    assert 60 <= silent.silent_s < 65


def test_offers_of_a_lane_are_taken_once_and_in_order(conn: sa.Connection) -> None:
    for run_id, lane in (("2", DECISIONS), ("1", DECISIONS), ("other", CHORES)):
        workers.offer(conn, run_id, lane)
        age(conn, 1)
    # The daemon may hand a run over again after an error of its own.
    workers.offer(conn, "1", DECISIONS)
    taken = [workers.take(conn, DECISIONS, "a") for _ in range(3)]
    assert taken == ["2", "1", None]
    assert workers.holder(conn, "2") == Holder("a", has_ended=False, is_alive=False)


def test_no_two_workers_take_the_same_run(office: DatabaseResource) -> None:
    runs, takers = {f"run-{number}" for number in range(40)}, 4
    with office.begin() as conn:
        for run_id in sorted(runs):
            workers.offer(conn, run_id, DECISIONS)
    together = Barrier(takers)

    def work(number: int) -> list[str]:
        together.wait(20)
        taken: list[str] = []
        while True:
            with office.begin() as conn:
                run_id = workers.take(conn, DECISIONS, f"w{number}")
            if run_id is None:
                return taken
            taken.append(run_id)

    with ThreadPoolExecutor(takers) as pool:
        parts = list(pool.map(work, range(takers)))
    found = [run_id for part in parts for run_id in part]
    assert sorted(found) == sorted(runs)
    with office.begin() as conn:
        held = {run_id: workers.holder(conn, run_id) for run_id in runs}
    assert {run_id: holder.worker_id for run_id, holder in held.items() if holder is not None} == {
        run_id: f"w{number}" for number, part in enumerate(parts) for run_id in part
    }


def test_a_run_that_is_being_taken_is_passed_over(office: DatabaseResource) -> None:
    with office.begin() as conn:
        workers.offer(conn, "1", DECISIONS)
        workers.offer(conn, "2", DECISIONS)
    with office.engine.connect() as slow, office.begin() as fast:
        assert workers.take(slow, DECISIONS, "a") == "1"
        assert workers.take(fast, DECISIONS, "b") == "2"
        # The first dies before it commits: its run is on offer again.
        slow.rollback()
    with office.begin() as conn:
        assert workers.take(conn, DECISIONS, "c") == "1"


def test_a_worker_is_told_of_an_offer_and_of_a_cancellation(office: DatabaseResource) -> None:
    with listening(office.url, workers.OFFERS) as ear:
        with office.begin() as conn:
            workers.offer(conn, "1", DECISIONS)
        assert ear.wait(10)
        with office.begin() as conn:
            workers.cancel(conn, "1")
        assert ear.wait(10)


def test_a_run_on_offer_that_is_called_off_never_starts(conn: sa.Connection) -> None:
    workers.offer(conn, "1", DECISIONS)
    assert workers.cancel(conn, "1") is False
    assert workers.is_cancelled(conn, "1")
    assert workers.take(conn, DECISIONS, "a") is None


def test_a_run_that_is_held_is_ended_by_its_worker(conn: sa.Connection) -> None:
    workers.offer(conn, "1", DECISIONS)
    workers.take(conn, DECISIONS, "a")
    assert not workers.is_cancelled(conn, "1")
    assert workers.cancel(conn, "1") is True
    assert workers.is_cancelled(conn, "1")
    workers.end(conn, "1")
    assert workers.cancel(conn, "1") is None


def test_nothing_is_called_off_that_was_never_handed_over(conn: sa.Connection) -> None:
    assert workers.cancel(conn, "unknown") is None
    assert not workers.is_cancelled(conn, "unknown")
    assert workers.holder(conn, "unknown") is None


def test_a_run_is_lost_with_its_worker(conn: sa.Connection) -> None:
    start(conn, "a")
    workers.own(conn, "1", DECISIONS, "a")
    assert workers.holder(conn, "1") == Holder("a", has_ended=False, is_alive=True)
    age(conn, SILENT)
    assert workers.holder(conn, "1") == Holder("a", has_ended=False, is_alive=False)
    start(conn, "b")
    assert workers.holder(conn, "1") == Holder("a", has_ended=False, is_alive=False)
    workers.end(conn, "1")
    assert workers.holder(conn, "1") == Holder("a", has_ended=True, is_alive=False)


def test_an_offer_may_wait_for_a_busy_worker_but_not_for_none(conn: sa.Connection) -> None:
    workers.offer(conn, "1", DECISIONS)
    assert workers.holder(conn, "1") == Holder(None, has_ended=False, is_alive=True)
    age(conn, SILENT)
    assert workers.holder(conn, "1") == Holder(None, has_ended=False, is_alive=False)
    start(conn, "other", CHORES)
    assert workers.holder(conn, "1") == Holder(None, has_ended=False, is_alive=False)
    start(conn, "busy")
    assert workers.holder(conn, "1") == Holder(None, has_ended=False, is_alive=True)


def test_runs_of_lost_workers_are_taken_away_once(conn: sa.Connection) -> None:
    for worker_id, lane in (("lost", DECISIONS), ("other", CHORES)):
        start(conn, worker_id, lane)
        workers.own(conn, f"of {worker_id}", lane, worker_id)
    workers.own(conn, "of nobody", DECISIONS, "gone")
    workers.own(conn, "ended", DECISIONS, "gone")
    workers.end(conn, "ended")
    workers.offer(conn, "on offer", DECISIONS)
    age(conn, SILENT)
    start(conn, "alive")
    workers.own(conn, "of alive", DECISIONS, "alive")
    assert sorted(workers.abandoned(conn, DECISIONS)) == ["of lost", "of nobody"]
    assert workers.abandoned(conn, DECISIONS) == []
    assert workers.abandoned(conn, CHORES) == ["of other"]
    # What nobody took is as good as new for a worker that comes.
    assert workers.take(conn, DECISIONS, "alive") == "on offer"


def test_a_worker_lets_go_of_all_it_has(conn: sa.Connection) -> None:
    for run_id, worker_id in (("1", "a"), ("2", "a"), ("3", "b")):
        workers.own(conn, run_id, DECISIONS, worker_id)
    workers.end(conn, "2")
    assert workers.end_all(conn, "a") == ["1"]
    assert workers.end_all(conn, "a") == []
    held = workers.holder(conn, "3")
    assert held is not None
    assert not held.has_ended


def test_what_is_long_over_is_forgotten(conn: sa.Connection) -> None:
    start(conn, "old")
    for run_id in ("ended", "open"):
        workers.own(conn, run_id, DECISIONS, "old")
    workers.end(conn, "ended")
    workers.forget(conn)
    assert workers.holder(conn, "ended")
    age(conn, workers.FORGOTTEN_AFTER.total_seconds() + 1)
    start(conn, "new")
    workers.forget(conn)
    assert [seen.worker_id for seen in workers.listed(conn)] == ["new"]
    assert workers.holder(conn, "ended") is None
    # Somebody must still close it.
    assert workers.abandoned(conn, DECISIONS) == ["open"]


def test_a_run_is_owned_by_one_worker(conn: sa.Connection) -> None:
    workers.own(conn, "1", DECISIONS, "a")
    with pytest.raises(sa.exc.IntegrityError):
        workers.own(conn, "1", DECISIONS, "b")
