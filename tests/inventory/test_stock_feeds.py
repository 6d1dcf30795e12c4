"""Feeds of stock: what differs moves, what is wrong is parked, what is promised stays."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.model import FeedKind, SyncReport
from ecom_assets.inventory.store import feed_syncs, take_units
from ecom_assets.shared.flow import Stage, claim
from fixtures.given import given as rows_of
from fixtures.kept_stock import feed, on_hand, open_shop, parked, products, promise
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from fixtures.stock_truth import wrong_stock

LEVELS = st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 20))


def account(report: SyncReport) -> tuple[int, int, int, int]:
    return (report.rows_read, report.rows_applied, report.rows_unchanged, report.rows_parked)


def movements(conn: sa.Connection) -> int:
    return int(conn.execute(sa.text("SELECT count(*) FROM inventory.movements")).scalar_one())


def test_a_snapshot_moves_what_differs_and_nothing_else(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 6, "C": 7})
    before = movements(conn)
    report = feed(conn, [("A", "5"), ("B", "4"), ("D", "2")])
    assert account(report) == (3, 2, 1, 0)
    assert (report.skus_absent, report.units_in, report.units_out) == (1, 2, 9)
    assert on_hand(conn) == {"A": 5, "B": 4, "D": 2}
    assert movements(conn) == before + 3
    assert wrong_stock(conn) == []


def test_an_unchanged_snapshot_writes_nothing(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 6})
    touched = "SELECT sku, site_code, ctid, xmin FROM inventory.balances ORDER BY sku"
    before = conn.execute(sa.text(touched)).all()
    assert account(feed(conn, [("A", "5"), ("B", "6.0")])) == (2, 0, 2, 0)
    assert conn.execute(sa.text(touched)).all() == before


def test_a_delta_leaves_alone_what_it_does_not_name(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 6})
    report = feed(conn, [("A", "1")], kind=FeedKind.DELTA)
    assert (account(report), report.skus_absent) == ((1, 1, 0, 0), 0)
    assert on_hand(conn) == {"A": 1, "B": 6}


def test_the_same_feed_again_changes_nothing(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5})
    first = feed(conn, [("A", "3")])
    stock(conn, [Move("A", 4, 2)], "later ")
    again = feed(conn, [("A", "3")])
    assert again.is_repeat
    assert account(again) == account(first) == (1, 1, 0, 0)
    assert on_hand(conn) == {"A": 7}


def test_what_moved_since_the_levels_is_taken_into_account(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 5})
    stock(conn, [Move("A", 10, 3), Move("B", -2, 3, kind="adjustment")], "since ")
    assert account(feed(conn, [("A", "4"), ("B", "5")], at=2)) == (2, 1, 1, 0)
    assert on_hand(conn) == {"A": 14, "B": 3}
    moment = sa.text("SELECT moved_at FROM inventory.movements WHERE kind = 'count'")
    assert conn.execute(moment).scalars().all() == [day(2)]


def test_levels_older_than_those_applied_are_refused_as_a_whole(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5})
    feed(conn, [("A", "3")], at=4)
    stale = feed(conn, [("A", "9")], at=3)
    assert str(stale.refused).startswith("stale")
    assert account(stale) == (1, 0, 0, 0)
    assert on_hand(conn) == {"A": 3}
    assert feed(conn, [("A", "9")], at=3).is_repeat
    assert account(feed(conn, [("A", "2")], at=4, key="corrected")) == (1, 1, 0, 0)


def test_changes_may_come_late_and_add_up(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 1})
    feed(conn, [("A", "4")], at=4, kind=FeedKind.DELTA)
    changes = [("A", "+3"), ("A", "-1"), ("B", "-1"), ("B", "1"), ("B", "x")]
    report = feed(conn, changes, at=2, kind=FeedKind.CHANGES)
    assert account(report) == (5, 2, 0, 3)
    assert on_hand(conn) == {"A": 6, "B": 1}
    assert account(feed(conn, changes, at=2, kind=FeedKind.CHANGES)) == (5, 0, 2, 3)
    assert on_hand(conn) == {"A": 6, "B": 1}


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        (("", "1"), "missing_sku", "sku"),
        ((None, "1"), "missing_sku", "sku"),
        (("A", None), "missing_quantity", "quantity"),
        (("A", "many"), "bad_quantity", "quantity"),
        (("A", "2.5"), "bad_quantity", "quantity"),
        (("A", "-1"), "negative_quantity", "quantity"),
        (("A", "999999999"), "quantity_out_of_range", "quantity"),
        (("A", "99999999999999999999"), "bad_quantity", "quantity"),
        (("Z", "1"), "unknown_sku", "sku"),
        (("A", "1", "carton"), "unit_mismatch", "unit"),
    ],
)
def test_a_bad_row_is_parked_with_its_number_and_field(
    conn: sa.Connection, row: tuple[str, ...], reason: str, field: str
) -> None:
    open_shop(conn, {"A": 5, "B": 5})
    report = feed(conn, [("B", "2"), row])
    assert account(report) == (2, 1, 0, 1)
    assert parked(conn) == [(2, reason, field)]
    # A row that is wrong says nothing, in particular not that its SKU is gone.
    assert on_hand(conn)["B"] == 2
    assert on_hand(conn).get("A") == (5 if row[0] == "A" else None)


def test_units_are_counted_in_pieces_where_it_is_known_how_many(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5})
    units = rows_of(("sku", "unit", "pieces"), [("A", "Carton", 12)], pieces=sa.Integer())
    assert take_units(conn, units) == 1
    feed(conn, [("A", "2", "CARTON"), ("B", "3", "pcs")])
    assert on_hand(conn) == {"A": 24, "B": 3}


def test_a_sku_said_twice_alike_counts_once_and_differently_not_at_all(
    conn: sa.Connection,
) -> None:
    open_shop(conn, {"A": 5, "B": 5, "C": 5})
    twice = [("A", "2"), (" A ", "2"), ("B", "5"), ("B", "4"), ("C", "5"), ("C", "5")]
    assert account(feed(conn, twice)) == (6, 1, 3, 2)
    assert {reason for _, reason, _ in parked(conn)} == {"contradicting_rows"}
    assert on_hand(conn) == {"A": 2, "B": 5, "C": 5}


def test_what_is_promised_is_not_taken(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 5, "C": 5})
    promise(conn, "A", 3)
    promise(conn, "C", 1)
    report = feed(conn, [("A", "2"), ("B", "2")])
    assert account(report) == (2, 1, 0, 1)
    assert (report.skus_absent, report.absent_parked) == (1, 1)
    assert on_hand(conn) == {"A": 5, "B": 2, "C": 5}
    assert [reason for _, reason, _ in parked(conn)] == ["promised_to_orders"] * 2
    assert wrong_stock(conn) == []


def test_parked_rows_are_tried_again_with_the_same_feed(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5})
    first = feed(conn, [("Z", "4"), ("A", "x")], kind=FeedKind.DELTA)
    assert account(first) == (2, 0, 0, 2)
    products(conn, "Z")
    assert account(feed(conn, [("Z", "4"), ("A", "x")], kind=FeedKind.DELTA)) == (2, 1, 0, 1)
    assert on_hand(conn) == {"A": 5, "Z": 4}
    assert parked(conn) == [(2, "bad_quantity", "quantity")]


def test_stock_that_came_is_noted_for_those_that_wait(conn: sa.Connection) -> None:
    from ecom_assets.inventory.store import are_noted, reserve

    open_shop(conn, {"A": 1})
    place(conn, [Order(1, [("A", 3)])])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    assert not are_noted(conn)
    feed(conn, [("A", "4")], at=2)
    assert are_noted(conn)


def test_a_broken_export_is_refused_unless_meant(
    conn: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_syncs, "SHRINKS_FROM", 3)
    open_shop(conn, {"A": 5, "B": 5, "C": 5})
    assert str(feed(conn, [("A", "5")]).refused).startswith("shrunk")
    assert str(feed(conn, [], at=1.5).refused).startswith("empty")
    assert on_hand(conn) == {"A": 5, "B": 5, "C": 5}
    assert feed(conn, [("A", "5")], at=2, may_shrink=True).skus_absent == 2
    assert on_hand(conn) == {"A": 5}


def test_the_report_of_another_shop_takes_no_stock_away(
    conn: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_syncs, "SHRINKS_FROM", 3)
    open_shop(conn, {"A": 5, "B": 5, "C": 5})
    refused = feed(conn, [(f"X{number}", "9") for number in range(8)])
    assert refused.refused == "shrunk: 3 of 3 SKUs with stock are not in the snapshot"
    assert on_hand(conn) == {"A": 5, "B": 5, "C": 5}


def test_sites_do_not_see_each_other(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5})
    feed(conn, [("A", "3")], site="S", at=9)
    feed(conn, [("A", "4")], site="N", at=1)
    assert (on_hand(conn, "S"), on_hand(conn, "N")) == ({"A": 3}, {"A": 4})


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(had=LEVELS, told=LEVELS, moved=LEVELS)
def test_after_a_snapshot_the_ledger_says_what_the_feed_said(
    conn: sa.Connection, had: dict[str, int], told: dict[str, int], moved: dict[str, int]
) -> None:
    trial = conn.begin_nested()
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    products(conn, "ABCDEF")
    stock(conn, [Move(sku, units) for sku, units in had.items() if units], "a")
    stock(conn, [Move(sku, units, 3) for sku, units in moved.items() if units], "b")
    report = feed(conn, [(sku, str(units)) for sku, units in told.items()], at=2)
    assert report.rows_read == sum(account(report)[1:])
    expected = {sku: told.get(sku, 0) + moved.get(sku, 0) for sku in "ABCDEF"}
    if report.refused is None:
        assert on_hand(conn) == {sku: units for sku, units in expected.items() if units}
    assert wrong_stock(conn) == []
    trial.rollback()
