"""Claims: each order to one worker, earliest first, and back in the queue when a worker dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier

import pytest
import sqlalchemy as sa

from ecom_assets.shared.calling_back import call_back, end_waits
from ecom_assets.shared.flow import (
    AFTER_SHIPPING,
    FIRST,
    HOLDABLE,
    NEXT,
    PENDING,
    TAKE_BACK,
    Stage,
    claim,
    hand_on,
    waiting,
)
from fixtures.given import waits
from resources.database import DatabaseResource

CLAIMED = sa.text("SELECT order_id FROM claimed ORDER BY order_id")


@pytest.fixture
def queue(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database with an empty queue whose changes are committed, for tests of several workers."""
    yield module_database
    with module_database.begin() as conn:
        conn.execute(sa.delete(PENDING))


def _claimed(conn: sa.Connection) -> list[int]:
    return list(conn.scalars(CLAIMED))


def test_a_claim_takes_the_earliest_orders_and_leaves_the_rest(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SCORE], waits(1, 2, 3, 4, days=(9, 1, 5, 1)))
    assert claim(conn, Stage.SCORE, 3) == 3
    assert _claimed(conn) == [2, 3, 4]
    assert conn.scalars(sa.select(PENDING.c.order_id)).all() == [1]


def test_orders_of_one_moment_are_claimed_by_their_number(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SCORE], waits(7, 3, 5, days=(1, 1, 1)))
    assert claim(conn, Stage.SCORE, 2) == 2
    assert _claimed(conn) == [3, 5]


def test_a_claim_is_for_one_stage(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SCORE, Stage.RISK], waits(1))
    assert claim(conn, Stage.SCORE) == 1
    assert waiting(conn) == {"risk": 1}


def test_a_claim_replaces_what_was_claimed_before(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SCORE], waits(1, 2))
    claim(conn, Stage.SCORE, 1)
    assert claim(conn, Stage.SCORE, 1) == 1
    assert _claimed(conn) == [2]
    assert claim(conn, Stage.SCORE, 1) == 0
    assert _claimed(conn) == []


def test_the_moment_is_claimed_with_the_order(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SCORE], waits(1, days=(365.25,)))
    claim(conn, Stage.SCORE)
    due_at = conn.execute(sa.text("SELECT due_at FROM claimed")).scalar_one()
    assert due_at.isoformat() == "2020-12-31T06:00:00+00:00"


def test_what_was_claimed_is_gone_with_the_next_claim_of_the_session(
    queue: DatabaseResource,
) -> None:
    with queue.engine.connect() as conn:
        hand_on(conn, [Stage.SCORE], waits(1))
        assert claim(conn, Stage.SCORE) == 1
        conn.commit()
        # emptied by whoever opens it, not by the commit
        assert claim(conn, Stage.SCORE) == 0
        assert _claimed(conn) == []


def test_a_worker_that_dies_leaves_its_orders_in_the_queue(queue: DatabaseResource) -> None:
    with queue.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(1, 2))
    with queue.engine.connect() as dying:
        assert claim(dying, Stage.SCORE) == 2
        dying.invalidate()  # the connection breaks: nobody says ROLLBACK
    with queue.begin() as conn:
        assert claim(conn, Stage.SCORE) == 2


def test_a_second_worker_skips_what_the_first_holds_and_does_not_wait(
    queue: DatabaseResource,
) -> None:
    with queue.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(1, 2, 3))
    with queue.begin() as first, queue.begin() as second:
        second.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        assert claim(first, Stage.SCORE, 2) == 2
        assert claim(second, Stage.SCORE, 2) == 1
        assert (_claimed(first), _claimed(second)) == ([1, 2], [3])


def test_an_earlier_order_that_commits_later_is_not_missed(queue: DatabaseResource) -> None:
    with queue.engine.connect() as slow:
        hand_on(slow, [Stage.SCORE], waits(1))
        with queue.begin() as fast:
            hand_on(fast, [Stage.SCORE], waits(2))
        with queue.begin() as worker:
            assert claim(worker, Stage.SCORE) == 1
            assert _claimed(worker) == [2]
        slow.commit()
    with queue.begin() as worker:
        assert claim(worker, Stage.SCORE) == 1
        assert _claimed(worker) == [1]


def test_many_workers_share_the_queue_without_a_gap_or_a_double(queue: DatabaseResource) -> None:
    workers, orders = 4, 97
    with queue.begin() as conn:
        hand_on(conn, [Stage.SCORE], waits(*range(1, orders + 1)))
    together = Barrier(workers)

    def work(_: int) -> list[int]:
        done: list[int] = []
        together.wait(10)
        while True:
            with queue.begin() as conn:
                if not claim(conn, Stage.SCORE, 5):
                    return done
                done += _claimed(conn)

    with ThreadPoolExecutor(workers) as pool:
        shares = list(pool.map(work, range(workers)))
    assert sorted(number for share in shares for number in share) == list(range(1, orders + 1))


def test_handing_on_counts_the_waits_it_adds(conn: sa.Connection) -> None:
    assert hand_on(conn, FIRST, waits(1, 2)) == 4
    assert hand_on(conn, FIRST, waits(2, 3)) == 2
    assert hand_on(conn, (), waits(4)) == 0
    assert hand_on(conn, FIRST, waits()) == 0


def test_an_order_that_waits_keeps_its_first_moment(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SHIP], waits(1, days=(1,)))
    hand_on(conn, [Stage.SHIP], waits(1, 1, days=(0, 2)))
    moments = conn.scalars(sa.select(PENDING.c.due_at)).all()
    assert [moment.isoformat() for moment in moments] == ["2020-01-02T00:00:00+00:00"]


def test_waiting_follows_the_path_and_leaves_empty_stages_out(conn: sa.Connection) -> None:
    assert waiting(conn) == {}
    hand_on(conn, [Stage.INVOICE, Stage.PAYMENT], waits(1, 2))
    hand_on(conn, [Stage.CUSTOMER], waits(3))
    assert list(waiting(conn).items()) == [("customer", 1), ("payment", 2), ("invoice", 2)]


def test_every_stage_is_reached_once_and_the_path_ends() -> None:
    # A change enters the path at its own place, and its settlement chooses where the order goes.
    entries = [*FIRST, Stage.UNALLOCATE, Stage.RETURN_MONEY]
    reached = [*entries, *(stage for next_ in NEXT.values() for stage in next_)]
    assert sorted(reached) == sorted(Stage)
    order = list(Stage)
    # a stage only hands on to later ones, so no order walks in a circle
    assert all(order.index(to) > order.index(of) for of, next_ in NEXT.items() for to in next_)


def test_what_a_hold_stops_is_one_line_of_stages() -> None:
    """Then an order waits for one of them at most, and one mark holds it."""
    assert all(
        [stage for stage in NEXT[of] if stage in HOLDABLE] == [to] for of, to in pairwise(HOLDABLE)
    )
    kept = {*FIRST} - {*HOLDABLE}
    assert kept == {Stage.CUSTOMER}
    assert not {*HOLDABLE} & {*TAKE_BACK, *AFTER_SHIPPING}


def test_an_order_called_back_waits_for_nothing_that_decides(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.UNALLOCATE], waits(1, 2))
    hand_on(conn, [Stage.CARRIER, Stage.INVOICE], waits(1))
    hand_on(conn, [Stage.SCORE], waits(2))
    hand_on(conn, [Stage.CARRIER], waits(3))
    claim(conn, Stage.UNALLOCATE)
    call_back(conn)
    # until the end, what the orders wait for stands, so that nobody makes it anew
    assert waiting(conn) == {"score": 1, "carrier": 2, "invoice": 1}
    assert end_waits(conn) == 2
    # order 3 was not claimed, and what follows a parcel that left goes on
    assert waiting(conn) == {"carrier": 1, "invoice": 1}


def test_a_caller_back_waits_and_then_sees_where_the_order_went(queue: DatabaseResource) -> None:
    """A worker takes the order from one stage to the next while it is called back."""
    with queue.begin() as conn:
        hand_on(conn, [Stage.UNALLOCATE, Stage.ALLOCATE], waits(1))

    def call() -> int:
        with queue.begin() as conn:
            claim(conn, Stage.UNALLOCATE)
            call_back(conn, HOLDABLE)
            return end_waits(conn, HOLDABLE)

    with ThreadPoolExecutor(1) as pool:
        with queue.begin() as busy:
            claim(busy, Stage.ALLOCATE)
            ended = pool.submit(call)
            time.sleep(0.2)
            assert not ended.done()
            hand_on(busy, [Stage.CARRIER], waits(1))
        assert ended.result(timeout=20) == 1
    with queue.begin() as conn:
        assert waiting(conn) == {}
