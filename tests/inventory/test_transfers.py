"""Transfers: two halves, nothing made and nothing lost without a word."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.store import are_noted, reserve
from ecom_assets.shared.flow import Stage, claim
from fixtures.kept_stock import arrive, on_hand, open_shop, parked, promise, send
from fixtures.stock_shop import Move, Order, open_sites, place, stock
from fixtures.stock_truth import wrong_stock


def test_units_are_at_one_site_then_on_the_way_then_at_the_other(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    assert send(conn, 4) == {"sent": 1, "parked": 0}
    assert (on_hand(conn, "N"), on_hand(conn, "S")) == ({"A": 6}, {})
    assert wrong_stock(conn) == []
    assert arrive(conn, 4) == {"arrived": 1, "parked": 0}
    assert (on_hand(conn, "N"), on_hand(conn, "S")) == ({"A": 6}, {"A": 4})
    assert wrong_stock(conn) == []


def test_both_halves_happen_once(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    send(conn, 4)
    assert send(conn, 4) == {"sent": 0, "parked": 0}
    assert send(conn, 5) == {"sent": 0, "parked": 1}
    arrive(conn, 4)
    assert arrive(conn, 4) == {"arrived": 0, "parked": 0}
    assert arrive(conn, 3) == {"arrived": 0, "parked": 1}
    assert [reason for _, reason, _ in parked(conn)] == ["changed_arrival", "changed_transfer"]
    assert (on_hand(conn, "N"), on_hand(conn, "S")) == ({"A": 6}, {"A": 4})


def test_one_reference_brings_units_from_two_sites_and_some_of_them_back(
    conn: sa.Connection,
) -> None:
    open_shop(conn, {"A": 10})
    open_sites(conn, [("M", 50, 10)])
    stock(conn, [Move("A", 5, 0, "M")], "middle ")
    send(conn, 4)
    send(conn, 3, way="MS")
    assert arrive(conn, 4) == {"arrived": 1, "parked": 0}
    assert arrive(conn, 3, way="MS") == {"arrived": 1, "parked": 0}
    assert on_hand(conn, "S") == {"A": 7}
    assert send(conn, 2, at=3, way="SN") == {"sent": 1, "parked": 0}
    assert arrive(conn, 2, at=4, way="SN") == {"arrived": 1, "parked": 0}
    assert (on_hand(conn, "N"), on_hand(conn, "S")) == ({"A": 8}, {"A": 5})
    assert wrong_stock(conn) == []


def test_what_does_not_arrive_is_written_off_where_it_should_have(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    send(conn, 4)
    assert arrive(conn, 3) == {"arrived": 1, "parked": 0}
    assert on_hand(conn, "S") == {"A": 3}
    kinds = sa.text("SELECT kind, sum(quantity) FROM inventory.movements GROUP BY kind")
    assert dict(conn.execute(kinds).tuples().all()) == {
        "receipt": 10, "transfer": 0, "adjustment": -1,
    }  # fmt: skip
    assert wrong_stock(conn) == []


def test_promised_units_do_not_leave(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    promise(conn, "A", 7)
    assert send(conn, 4) == {"sent": 0, "parked": 1}
    assert on_hand(conn) == {"A": 10}
    assert send(conn, 3, reference="U") == {"sent": 1, "parked": 0}


def test_what_was_never_sent_does_not_arrive(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    assert arrive(conn, 3) == {"arrived": 0, "parked": 1}
    send(conn, 4, at=5)
    assert arrive(conn, 4, at=4) == {"arrived": 0, "parked": 1}
    assert arrive(conn, 5, at=6) == {"arrived": 0, "parked": 1}
    reasons = {reason for _, reason, _ in parked(conn)}
    assert reasons == {"unknown_transfer", "arrived_too_early", "quantity_out_of_range"}


def test_an_arrival_is_news_to_orders_that_wait(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 2})
    send(conn, 2)
    place(conn, [Order(1, [("A", 2)])])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    assert not are_noted(conn)
    arrive(conn, 2, at=3)
    assert are_noted(conn)
