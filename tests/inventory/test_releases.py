"""Promises given back, by change and by running out: equal to the plain rules, line by line."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from threading import Thread

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory import rules
from ecom_assets.inventory.assets.promises import releases, stock_holds
from ecom_assets.inventory.rules import Policy, Promise
from ecom_assets.inventory.store import (
    DIFFERENCES,
    expire,
    hold_stock,
    is_due,
    release,
    reserve,
)
from ecom_assets.shared.flow import PENDING, Stage, claim, hand_on, waiting
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

TWO_DAYS = Policy(timedelta(days=2))
PROMISES = sa.text("""
    SELECT l.order_id, l.line_no, r.requested, r.reserved, r.expires_at,
        coalesce((SELECT sum(quantity) FROM warehouse.allocations AS a
            WHERE a.order_line_id = r.order_line_id), 0) AS shipped
    FROM inventory.reservations AS r JOIN orders.order_lines AS l USING (order_line_id)
""")
Promises = dict[tuple[int, int], Promise]


def promises(conn: sa.Connection) -> Promises:
    """What each line is promised; what is allocated counts as shipped."""
    return {
        (row.order_id, row.line_no): Promise(
            row.requested, row.reserved, row.shipped, row.expires_at
        )
        for row in conn.execute(PROMISES)
    }


def change(conn: sa.Connection, at: float) -> None:
    """Let every order wait to be released as of a day."""
    query = sa.text("SELECT order_id, CAST(:at AS timestamptz) AS due_at FROM orders.orders")
    rows = query.bindparams(at=day(at)).columns(PENDING.c.order_id, PENDING.c.due_at)
    hand_on(conn, [Stage.RELEASE], rows)


def states(conn: sa.Connection) -> list[str]:
    query = "SELECT fulfilment_state FROM flow.order_states ORDER BY order_id"
    return list(conn.execute(sa.text(query)).scalars())


def reserve_all(conn: sa.Connection, policy: Policy = TWO_DAYS) -> None:
    while claim(conn, Stage.RESERVE):
        reserve(conn, "run", policy)


LINES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 4)), min_size=1, max_size=3)
ORDERS = st.lists(st.builds(Order, st.integers(1, 6), LINES), min_size=1, max_size=6)
SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def open_shop(conn: sa.Connection, orders: list[Order], units: int, allocated: int) -> None:
    """Orders reserved from `units` of each SKU, the first `allocated` of them with a site."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    stock(conn, [Move(sku, units, 0, site) for sku in "AB" for site in "NS"])
    place(conn, orders)
    reserve_all(conn)
    if claim(conn, Stage.ALLOCATE, allocated):
        allocate(conn, "run")


@SETTINGS
@given(orders=ORDERS, units=st.integers(1, 6), allocated=st.integers(0, 6))
def test_releasing_equals_the_rule(
    database: DatabaseResource, orders: list[Order], units: int, allocated: int
) -> None:
    with database.engine.connect() as conn, conn.begin() as trial:
        open_shop(conn, orders, units, allocated)
        expected = {key: rules.release(held) for key, held in promises(conn).items()}
        change(conn, 9)
        claim(conn, Stage.RELEASE)
        release(conn, "run")
        assert promises(conn) == {key: left for key, left in expected.items() if left}
        assert conn.execute(DIFFERENCES).all() == []
        trial.rollback()


@SETTINGS
@given(
    orders=ORDERS,
    units=st.integers(1, 6),
    allocated=st.integers(0, 6),
    as_of=st.integers(1, 9),
)
def test_running_out_equals_the_rule(
    database: DatabaseResource, orders: list[Order], units: int, allocated: int, as_of: int
) -> None:
    with database.engine.connect() as conn, conn.begin() as trial:
        open_shop(conn, orders, units, allocated)
        before = promises(conn)
        with_site = {order for (order, _), held in before.items() if held.shipped}
        expected = {
            key: held if key[0] in with_site else rules.expire(held, day(as_of))
            for key, held in before.items()
        }
        expire(conn, day(as_of), "run")
        assert promises(conn) == expected
        assert conn.execute(DIFFERENCES).all() == []
        trial.rollback()


@given(
    requested=st.integers(1, 9),
    share=st.floats(0, 1),
    expires=st.none() | st.integers(0, 9),
    as_of=st.integers(0, 9),
)
def test_the_rules_never_give_back_what_left(
    requested: int, share: float, expires: int | None, as_of: int
) -> None:
    shipped = int(requested * share)
    held = Promise(requested, requested, shipped, None if expires is None else day(expires))
    left = rules.release(held)
    assert (left.reserved if left else 0) == shipped
    ended = rules.expire(held, day(as_of))
    assert shipped <= ended.reserved <= held.reserved
    # what ended does not end again
    assert rules.expire(ended, day(as_of)) == ended


def test_a_change_leaves_a_trace_and_frees_the_stock(conn: sa.Connection) -> None:
    open_shop(conn, [Order(1, [("A", 3), ("B", 1)])], 2, 0)
    change(conn, 5)
    claim(conn, Stage.RELEASE)
    assert release(conn, "run-2") == {"lines": 2, "units": 4}
    rows = conn.execute(
        sa.text("SELECT sku, units, cause, released_as_of FROM inventory.releases ORDER BY sku")
    )
    assert [tuple(row) for row in rows] == [
        ("A", 3, "order_changed", day(5)), ("B", 1, "order_changed", day(5))
    ]  # fmt: skip
    told = sa.text("SELECT detail FROM decisions.timeline WHERE event = 'reservation_released'")
    assert conn.execute(told).scalar_one() == {"units": 4, "kept": 0}
    assert conn.execute(sa.text("SELECT sum(reserved) FROM inventory.positions")).scalar_one() == 0
    # the orders area says what becomes of the order
    assert states(conn) == ["reserved"]
    assert waiting(conn)["settle"] == 1


def test_an_order_without_a_promise_is_released_silently(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53, 10)])
    place(conn, [Order(1, [("A", 1)])])
    reserve_all(conn)
    change(conn, 5)
    claim(conn, Stage.RELEASE)
    assert release(conn, "run") == {"lines": 0, "units": 0}
    events = conn.execute(sa.text("SELECT event FROM decisions.timeline")).scalars().all()
    assert events == ["order_backordered"]
    assert promises(conn) == {}


@pytest.mark.parametrize(("as_of", "ends"), [(2.999, False), (3, True), (400, True)])
def test_a_promise_ends_at_its_own_moment(conn: sa.Connection, as_of: float, ends: bool) -> None:
    open_shop(conn, [Order(1, [("A", 1)])], 2, 0)
    assert is_due(conn, day(as_of)) is ends
    expire(conn, day(as_of), "run")
    assert states(conn) == ["backordered" if ends else "reserved"]
    assert waiting(conn) == ({} if ends else {"allocate": 1})
    assert not is_due(conn, day(as_of))


def test_a_shop_without_a_limit_keeps_its_promises(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53, 10)])
    stock(conn, [Move("A", 1)])
    place(conn, [Order(1, [("A", 1)])])
    reserve_all(conn, rules.POLICY)
    assert expire(conn, day(10_000), "run")["orders"] == 0
    assert states(conn) == ["reserved"]


def test_what_ran_out_says_so_and_waits_again(conn: sa.Connection) -> None:
    open_shop(conn, [Order(1, [("A", 5)])], 2, 0)
    assert expire(conn, day(4), "run") == {"orders": 1, "lines": 1, "units": 4, "held_units": 0}
    told = conn.execute(
        sa.text("SELECT happened_at, detail FROM decisions.timeline ORDER BY event_id DESC LIMIT 1")
    ).one()
    assert told.happened_at == day(4)
    assert told.detail.items() >= {"units": 4, "kept": 0}.items()
    row = sa.text("SELECT requested, backordered, reserved_as_of FROM inventory.reservations")
    assert tuple(conn.execute(row).one()) == (5, 5, day(4))


def test_an_order_that_is_being_allocated_is_passed_over(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_shop(conn, [Order(1, [("A", 1)]), Order(1, [("B", 1)])], 2, 0)
    with database.begin() as busy:
        claim(busy, Stage.ALLOCATE, 1)
        with database.begin() as conn:
            assert expire(conn, day(9), "run")["orders"] == 1
        allocate(busy, "run")
    with database.begin() as conn:
        assert states(conn) == ["allocated", "backordered"]
        assert conn.execute(DIFFERENCES).all() == []


def test_two_expiries_at_once_end_a_promise_once(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_shop(conn, [Order(1, [(sku, 1)]) for sku in "ABAB"], 2, 0)
    ended: list[int] = []

    def end(as_of: datetime) -> None:
        with database.begin() as conn:
            ended.append(expire(conn, as_of, "run")["orders"])

    threads = [Thread(target=partial(end, day(9))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(ended) == 4
    with database.begin() as conn:
        assert conn.execute(DIFFERENCES).all() == []
        released = sa.text("SELECT sum(units) FROM inventory.releases")
        assert conn.execute(released).scalar_one() == 4


def test_assets_release_and_end_as_of_the_moment_they_are_given(
    database: DatabaseResource,
) -> None:
    with database.begin() as conn:
        open_shop(conn, [Order(1, [("A", 1)])], 2, 0)
        hold_stock(conn, "basket", {"B": 2}, day(1), day(2))
        change(conn, 3)
        place(conn, [Order(1, [("B", 1)])], "later")
        reserve_all(conn)
    moment = {"ops": {"inventory__stock_holds": {"config": {"as_of": day(4).isoformat()}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        run = partial(dg.materialize, instance=instance, resources={"database": database})
        released = run([releases])
        idle = run([stock_holds])
        ended = run([stock_holds], run_config=moment)
    (event,) = released.asset_materializations_for_node("inventory__releases")
    assert event.metadata["units"].value == 1
    (event,) = idle.asset_materializations_for_node("inventory__stock_holds")
    assert event.metadata["dagster/row_count"].value == 1
    (event,) = ended.asset_materializations_for_node("inventory__stock_holds")
    assert (event.metadata["orders"].value, event.metadata["held_units"].value) == (1, 2)
