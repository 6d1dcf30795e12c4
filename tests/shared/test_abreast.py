"""Several workers of one stage: all orders once, all counts, and none works on after a failure."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
import sqlalchemy as sa

from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import PENDING, Stage, hand_on, waiting
from fixtures.given import waits
from resources.database import DatabaseResource

CLAIMED = sa.text("SELECT order_id FROM claimed ORDER BY order_id")


@pytest.fixture
def queue(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database whose queue holds ten orders for one stage."""
    with module_database.begin() as conn:
        hand_on(conn, [Stage.RISK], waits(*range(1, 11)))
    yield module_database
    with module_database.begin() as conn:
        conn.execute(sa.delete(PENDING))


class Step:
    """Notes which thread advanced which orders; a chunk waits for its meeting, if there is one."""

    def __init__(self, meeting: threading.Barrier | None = None) -> None:
        self.chunks: list[tuple[int, list[int]]] = []
        self._meeting = meeting

    def __call__(self, conn: sa.Connection) -> Mapping[str, int]:
        orders = list(conn.scalars(CLAIMED))
        self.chunks.append((threading.get_ident(), orders))
        # The first chunk is advanced alone; the next two meet, or neither passes.
        if self._meeting and 1 < len(self.chunks) <= 3:
            self._meeting.wait(timeout=20)
        return {"seen": len(orders)}


def test_every_order_is_advanced_once_by_two_workers(queue: DatabaseResource) -> None:
    step = Step(threading.Barrier(2))
    totals = drain_abreast(queue.begin, Stage.RISK, step, chunk=3)
    assert totals == Counter(orders=10, seen=10)
    assert sorted(order for _, orders in step.chunks for order in orders) == list(range(1, 11))
    assert len({thread for thread, _ in step.chunks}) == 2
    with queue.begin() as conn:
        assert waiting(conn) == {}


def test_one_chunk_is_the_callers_alone(queue: DatabaseResource) -> None:
    step, told = Step(), list[str]()
    assert drain_abreast(queue.begin, Stage.RISK, step, told.append)["orders"] == 10
    assert [thread for thread, _ in step.chunks] == [threading.get_ident()]
    assert told == ["risk: 10 orders"]


def test_nothing_to_do_is_no_work(queue: DatabaseResource) -> None:
    step = Step()
    assert drain_abreast(queue.begin, Stage.SHIP, step) == Counter(orders=0)
    assert step.chunks == []


@pytest.mark.parametrize("is_caller", [True, False])
def test_a_failure_of_either_is_told_and_ends_both(
    queue: DatabaseResource, is_caller: bool
) -> None:
    caller, meeting = threading.get_ident(), threading.Barrier(2)
    met: list[int] = []

    def step(conn: sa.Connection) -> Mapping[str, int]:
        met.append(threading.get_ident())
        if len(met) == 1:
            return {}
        # Both are at a chunk now; one fails and the other must not begin a third one.
        meeting.wait(timeout=20)
        if (threading.get_ident() == caller) is is_caller:
            raise RuntimeError("no such rule")
        failed.wait(timeout=20)
        return {}

    failed = threading.Event()
    timer = threading.Timer(0.5, failed.set)
    timer.start()
    with pytest.raises(RuntimeError, match="no such rule"):
        drain_abreast(queue.begin, Stage.RISK, step, chunk=2)
    assert len(met) == 3
    # Two chunks were committed; the one that failed waits again.
    with queue.begin() as conn:
        assert waiting(conn) == {"risk": 6}
