"""Holds: from the commit of a hold on nothing decides about the order, whatever it was at."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
import sqlalchemy as sa

from ecom_assets.orders import store
from ecom_assets.risk.rules import Outcome
from ecom_assets.risk.store import review
from ecom_assets.shared import holds
from ecom_assets.shared.flow import HOLDABLE, NEXT, PENDING, Stage, claim, hand_on, waiting
from ecom_assets.shared.standstill import stand_still
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop with one order that has just been accepted."""
    shop = ChangedShop(database)
    shop.open()
    shop.send("A", document(2))
    return shop


def orders(shop: ChangedShop, *names: str) -> sa.Select[tuple[int]]:
    ids = [shop.order(name) for name in names or ("A",)]
    return sa.select(sa.func.unnest(sa.cast(ids, sa.ARRAY(sa.BigInteger))))


def hold(shop: ChangedShop, at: float = 1, until: float | None = None) -> int:
    with shop.database.begin() as conn:
        expires_at = minute(until) if until is not None else None
        return holds.hold(conn, orders(shop), "address_check", "ann", minute(at), expires_at)


def release(shop: ChangedShop, at: float = 2) -> int:
    with shop.database.begin() as conn:
        return holds.release(conn, orders(shop), "bob", minute(at))


@pytest.mark.parametrize("stage", HOLDABLE[:-1])
def test_a_held_order_is_advanced_by_no_stage_until_it_is_released(
    shop: ChangedShop, stage: Stage
) -> None:
    shop.advance(stage)
    before = shop.states()
    assert hold(shop) == 1
    shop.advance()
    assert shop.states() == (*before[:3], "held")
    with shop.database.begin() as conn:
        assert not {*waiting(conn)} & {*HOLDABLE}
    assert release(shop) == 1
    shop.advance()
    assert shop.states() == ("authorised", "accepted", "shipped", "none")
    found = "SELECT reason, placed_by, released_by, released_at FROM flow.holds"
    assert shop.rows(found) == [("address_check", "ann", "bob", minute(2))]


def test_an_order_has_one_open_hold(shop: ChangedShop) -> None:
    assert [hold(shop), hold(shop)] == [1, 0]
    assert [release(shop), release(shop)] == [1, 0]
    assert hold(shop, at=3) == 1
    with pytest.raises(sa.exc.IntegrityError, match="holds_one_open_idx"):
        shop.rows("INSERT INTO flow.holds (order_id, reason, placed_by, placed_at, run_id)"
                  " SELECT order_id, 'x', 'y', placed_at, 'z' FROM flow.holds"
                  " WHERE released_at IS NULL RETURNING 1")  # fmt: skip


def test_what_has_shipped_or_is_cancelled_is_not_held(shop: ChangedShop) -> None:
    shop.advance()
    assert hold(shop) == 0


def test_holds_end_at_the_moment_they_expire(shop: ChangedShop) -> None:
    hold(shop, until=60)
    for at, ended in ((59.9, 0), (90, 1), (90, 0)):
        with shop.database.begin() as conn:
            assert holds.release_expired(conn, minute(at)) == ended
    assert shop.rows("SELECT released_by, released_at FROM flow.holds") == [("expiry", minute(60))]
    shop.advance()
    assert shop.states()[2] == "shipped"


def test_a_hold_waits_for_the_worker_and_holds_what_it_hands_on(shop: ChangedShop) -> None:
    held: list[int] = []
    thread = Thread(target=lambda: held.append(hold(shop)))
    with shop.database.begin() as worker:
        assert claim(worker, Stage.PAYMENT) == 1
        thread.start()
        thread.join(0.4)
        assert thread.is_alive(), "the stage that has begun is finished first"
        claimed = sa.text("SELECT order_id, due_at FROM claimed")
        rows = claimed.columns(sa.column("order_id"), sa.column("due_at"))
        hand_on(worker, NEXT[Stage.PAYMENT], rows)
    thread.join(20)
    assert held == [1]
    with shop.database.begin() as conn:
        found = conn.execute(sa.select(PENDING.c.stage, PENDING.c.is_held)).tuples().all()
        assert dict(found) == {"customer": False, "score": True}
        assert claim(conn, Stage.SCORE) == 0


def test_what_is_handed_on_meanwhile_waits_for_the_hold_and_is_held(shop: ChangedShop) -> None:
    order = shop.order()

    due = sa.literal(minute(0)).label("due_at")

    def hand() -> None:
        with shop.database.begin() as conn:
            hand_on(conn, [Stage.RESERVE], sa.select(sa.literal(order).label("order_id"), due))

    thread = Thread(target=hand)
    with shop.database.begin() as conn:
        holds.hold(conn, orders(shop), "x", "ann", minute(1))
        thread.start()
        thread.join(0.4)
        assert thread.is_alive()
    thread.join(20)
    held = "SELECT is_held FROM flow.pending WHERE stage = 'reserve'"
    assert shop.rows(held) == [(True,)]


def test_whoever_meets_at_an_order_does_not_wait_in_a_circle(shop: ChangedShop) -> None:
    """Workers, holds and releases on the same orders from many sides: all of them end."""
    for number in range(20):
        shop.send(f"B{number}", document(1))
    names = ["A", *(f"B{number}" for number in range(20))]
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            for _ in range(6):
                work()
        except BaseException as error:
            failures.append(error)

    def stop() -> None:
        with shop.database.begin() as conn:
            holds.hold(conn, orders(shop, *names), "x", "ann", minute(1))
        with shop.database.begin() as conn:
            holds.release(conn, orders(shop, *names), "ann", minute(1))

    def pause() -> None:
        with shop.database.begin() as conn:
            stand_still(conn, [shop.order(name) for name in reversed(names)])

    threads = [Thread(target=guarded, args=(work,)) for work in (stop, pause, shop.advance, stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    shop.advance()
    assert {shop.states(name) for name in names} == {("authorised", "accepted", "shipped", "none")}


@pytest.mark.parametrize(
    ("outcome", "end"), [(Outcome.ACCEPTED, "shipped"), (Outcome.REJECTED, "new")]
)
def test_a_person_ends_a_review(shop: ChangedShop, outcome: Outcome, end: str) -> None:
    shop.send("R", document(2, paid=100))
    shop.advance()
    assert shop.states("R") == ("underpaid", "review", "new", "held")
    with shop.database.begin() as conn:
        assert holds.release(conn, orders(shop, "R"), "ann", minute(1)) == 0
        assert review(conn, orders(shop, "R", "A"), outcome, "ann", minute(1)) == 1
        assert review(conn, orders(shop, "R"), outcome, "ann", minute(1)) == 0
    shop.advance()
    assert shop.states("R") == ("underpaid", outcome.value, end, "none")
    entry = "SELECT outcome, reasons, inputs ->> 'by' FROM decisions.ledger"
    assert shop.rows(f"{entry} WHERE kind = 'risk_review'") == [
        (outcome.value, [f"{outcome.value}_by_person"], "ann")
    ]
    decided = "SELECT outcome FROM risk.decisions WHERE order_id = :order"
    assert shop.rows(decided, order=shop.order("R")) == [(outcome.value,)]


def test_a_review_ends_as_accepted_or_rejected(shop: ChangedShop) -> None:
    with shop.database.begin() as conn, pytest.raises(ValueError, match="accepted or rejected"):
        review(conn, orders(shop), Outcome.REVIEW, "ann", minute(1))


def test_a_persons_hold_outlives_an_edit(shop: ChangedShop) -> None:
    hold(shop)
    shop.send("A", document(3), at=2)
    shop.change()
    shop.advance()
    assert shop.states() == ("unchecked", "undecided", "new", "held")
    release(shop, at=3)
    shop.advance()
    assert shop.states()[2] == "shipped"


def test_a_held_order_can_be_cancelled(shop: ChangedShop) -> None:
    hold(shop)
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order(), None, minute(2), "ann")
    shop.change()
    assert shop.states()[2:] == ("cancelled", "none")
