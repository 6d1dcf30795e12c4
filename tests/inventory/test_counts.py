"""Counts: the ledger of their own moment decides; people approve what differs much."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.counting import CountState, Tolerance, judge, tolerated
from ecom_assets.inventory.store import approve_counts, reject_counts
from fixtures.kept_stock import RUN, count, on_hand, open_shop, promise
from fixtures.stock_shop import Move, day, stock
from fixtures.stock_truth import wrong_stock


def ids(conn: sa.Connection) -> list[int]:
    return list(conn.execute(sa.text("SELECT count_id FROM inventory.counts")).scalars())


@pytest.mark.parametrize(
    ("expected", "counted", "state"),
    [
        (100, 100, CountState.EQUAL),
        (100, 98, CountState.POSTED),
        (100, 97, CountState.NEEDS_APPROVAL),
        (3, 4, CountState.POSTED),
        (3, 5, CountState.NEEDS_APPROVAL),
        (0, 0, CountState.EQUAL),
    ],
)
def test_small_differences_need_nobody(expected: int, counted: int, state: CountState) -> None:
    assert judge(expected, counted, Tolerance(1, 2.0)) is state
    assert tolerated(-5, Tolerance(1, 2.0)) == 1


def test_counts_within_the_tolerance_are_posted(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100, "B": 10, "C": 5})
    found = count(conn, ("A", 99, 1), ("B", 10, 1), ("C", 9, 1), ("D", 1, 1))
    assert found == {"posted": 2, "equal": 1, "needs_approval": 1}
    assert on_hand(conn) == {"A": 99, "B": 10, "C": 5, "D": 1}
    assert count(conn, ("A", 50, 1)) == {}
    assert wrong_stock(conn) == []


def test_what_was_picked_between_count_and_posting_is_no_difference(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100})
    stock(conn, [Move("A", -40, 2, kind="adjustment"), Move("A", 7, 2)], "picked ")
    assert count(conn, ("A", 100, 1)) == {"equal": 1}
    assert count(conn, ("A", 99, 1), session="D") == {"posted": 1}
    assert on_hand(conn) == {"A": 66}


def test_an_approved_count_is_compared_anew(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100})
    assert count(conn, ("A", 50, 2)) == {"needs_approval": 1}
    # A move dated back explains part of what was missing.
    stock(conn, [Move("A", -30, 1, kind="adjustment")], "late ")
    assert approve_counts(conn, ids(conn), "ann", day(3), RUN) == {"posted": 1}
    assert on_hand(conn) == {"A": 50}
    told = sa.text("SELECT expected, difference, decided_by FROM inventory.counts")
    assert tuple(conn.execute(told).one()) == (70, -20, "ann")
    assert approve_counts(conn, ids(conn), "ann", day(3), RUN) == {}


def test_a_count_that_would_take_promised_units_is_refused(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100})
    promise(conn, "A", 99)
    assert count(conn, ("A", 98, 1)) == {"refused": 1}
    assert on_hand(conn) == {"A": 100}
    assert wrong_stock(conn) == []


def test_a_rejected_count_moves_nothing(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100})
    count(conn, ("A", 5, 1))
    assert reject_counts(conn, ids(conn), "ann", day(2), RUN) == {"rejected": 1}
    assert approve_counts(conn, ids(conn), "ann", day(2), RUN) == {}
    assert on_hand(conn) == {"A": 100}


def test_parcels_that_left_before_the_count_and_are_not_posted_explain_it(
    conn: sa.Connection,
) -> None:
    open_shop(conn, {"A": 10})
    leave(conn, 4, at=1)
    assert count(conn, ("A", 10, 0.5)) == {"equal": 1}
    assert count(conn, ("A", 6, 2), session="D") == {"equal": 1}
    assert on_hand(conn) == {"A": 10}


def leave(conn: sa.Connection, units: int, at: float) -> None:
    """A parcel of A has left N, and its sale waits to be posted."""
    from fixtures.stock_shop import Order, place

    place(conn, [Order(0, [("A", units)])])
    moment = {"at": day(at), "units": units}
    for statement in _LEFT:
        names = statement.compile().params
        conn.execute(statement, {name: moment[name] for name in names})


_LEFT = (
    sa.text("""
        INSERT INTO warehouse.allocations (order_id, order_line_id, sku, site_code, quantity,
            policy, available_at, allocated_as_of, run_id)
        SELECT order_id, order_line_id, sku, 'N', quantity, 'single_site', :at, :at, 'run'
        FROM orders.order_lines
    """),
    sa.text("UPDATE flow.pending SET stage = 'post_sale'"),
    sa.text("SET LOCAL session_replication_role = replica"),
    sa.text("""
        INSERT INTO transport.shipments (order_id, site_code, service_code, units, weight_g,
            is_weight_estimated, cost_minor, currency, shipped_at, eta_at, run_id)
        SELECT order_id, 'N', 'post', :units, 1, false, 1, 'EUR', :at, :at, 'run'
        FROM orders.orders
    """),
)
