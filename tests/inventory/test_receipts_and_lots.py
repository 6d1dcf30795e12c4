"""Receipts with costs, lots and serials: once, in full, and first expired first out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.lots import Lot, left_of_lots
from ecom_assets.inventory.store import (
    LOTS_LEFT,
    carry_serials,
    take_expected_receipts,
    take_out_serials,
    write_off_expired,
)
from fixtures.given import given as rows_of
from fixtures.kept_stock import TYPES, on_hand, open_shop, parked, promise, receive
from fixtures.stock_shop import Move, day, stock
from fixtures.stock_truth import wrong_stock


def left(conn: sa.Connection) -> dict[str, int]:
    return {row.lot_code: int(row.units_left) for row in conn.execute(LOTS_LEFT)}


def lot(code: str, units: int, expires: float | None, **more: Any) -> dict[str, Any]:
    at = day(expires) if expires is not None else None
    return {"reference": code, "quantity": units, "lot_code": code, "expires_at": at, **more}


def test_a_receipt_happens_once(conn: sa.Connection) -> None:
    open_shop(conn, {})
    assert receive(conn, {"quantity": 5})["units"] == 5
    assert receive(conn, {"quantity": 5}) == {"received": 0, "known": 1, "parked": 0, "units": 0}
    assert receive(conn, {"quantity": 6})["parked"] == 1
    assert parked(conn) == [(0, "changed_receipt", "quantity, received_at")]
    assert on_hand(conn) == {"A": 5}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"site_code": "X"}, "unknown_site"),
        ({"sku": "Z"}, "unknown_sku"),
        ({"quantity": 0}, "quantity_out_of_range"),
        ({"unit_cost_minor": -1, "currency": "EUR"}, "bad_cost"),
        ({"unit_cost_minor": 1}, "bad_cost"),
        ({"unit_cost_minor": 1, "currency": "USD"}, "currency_mismatch"),
        ({"serials": ["1", "2"]}, "serials_differ_from_quantity"),
        ({"quantity": 2, "serials": ["1", "1"]}, "serial_known"),
    ],
)
def test_a_wrong_receipt_is_parked_and_the_others_come(
    conn: sa.Connection, wrong: dict[str, Any], reason: str
) -> None:
    open_shop(conn, {})
    found = receive(conn, wrong, {"reference": "good", "sku": "B"})
    assert (found["received"], found["parked"]) == (1, 1)
    assert [row[1] for row in parked(conn)] == [reason]
    assert on_hand(conn) == {"B": 1}


def test_rows_of_one_receipt_are_one_movement_and_fall_together(conn: sa.Connection) -> None:
    open_shop(conn, {})
    receive(conn, {"lot_code": "x"}, {"lot_code": "y", "quantity": 2})
    assert on_hand(conn) == {"A": 3}
    two: list[dict[str, Any]] = [
        {"reference": "Q", "lot_code": "z"},
        {"reference": "Q", "quantity": -1},
    ]
    assert receive(conn, *two)["parked"] == 2
    assert left(conn) == {"x": 1, "y": 2}


def test_a_receipt_closes_what_was_expected(conn: sa.Connection) -> None:
    open_shop(conn, {})
    names = ("reference", "sku", "site_code", "due_at", "quantity")
    take_expected_receipts(conn, rows_of(names, [("R", "A", "N", day(3), 10)], **TYPES))
    receive(conn, {"quantity": 4})
    receive(conn, {"quantity": 4})
    found = sa.text("SELECT quantity, received FROM inventory.expected_receipts")
    assert tuple(conn.execute(found).one()) == (10, 4)


def test_what_expires_first_leaves_first(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 1})
    receive(conn, lot("late", 5, 30), lot("soon", 5, 10), lot("never", 5, None))
    stock(conn, [Move("A", -4, 2, kind="adjustment")], "used ")
    assert left(conn) == {"soon": 2, "late": 5, "never": 5}
    stock(conn, [Move("A", -4, 3, kind="adjustment")], "used too ")
    assert left(conn) == {"soon": 0, "late": 3, "never": 5}


def test_expired_units_are_taken_out_unless_promised(conn: sa.Connection) -> None:
    open_shop(conn, {})
    receive(conn, lot("old", 5, 10), lot("new", 5, 30), lot("b", 3, 10, sku="B"))
    promise(conn, "B", 2)
    assert write_off_expired(conn, day(9)) == {"lots": 0, "units": 0, "promised_units": 0}
    assert write_off_expired(conn, day(10)) == {"lots": 1, "units": 5, "promised_units": 3}
    assert write_off_expired(conn, day(10)) == {"lots": 0, "units": 0, "promised_units": 3}
    assert on_hand(conn) == {"A": 5, "B": 3}
    assert left(conn) == {"new": 5, "b": 3}
    assert wrong_stock(conn) == []


def test_a_lot_has_one_expiry(conn: sa.Connection) -> None:
    open_shop(conn, {})
    receive(conn, lot("x", 5, 10))
    assert receive(conn, lot("x", 5, 11, reference="again"))["parked"] == 1
    assert receive(conn, lot("x", 5, 10, reference="more"))["received"] == 1
    assert left(conn) == {"x": 10}


def test_a_serial_is_one_unit_at_one_place(conn: sa.Connection) -> None:
    open_shop(conn, {})
    receive(conn, {"quantity": 2, "serials": ["s1", "s2"]})
    assert receive(conn, {"reference": "Q", "serials": ["s1"]})["parked"] == 1
    assert carry_serials(conn, "A", ["s1", "s9"], "S") == ["s1"]
    assert take_out_serials(conn, "A", ["s1", "s9"], "sold", "order 1", day(2)) == ["s1"]
    assert take_out_serials(conn, "A", ["s1"], "sold", "order 2", day(3)) == []
    assert take_out_serials(conn, "A", ["s2"], "sold", "before it came", day(0)) == []


LOTS = st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(1, 4)), min_size=1, max_size=6)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lots=LOTS, unlotted=st.integers(0, 5), used=st.integers(0, 60))
def test_sql_leaves_of_each_lot_what_the_rule_does(
    conn: sa.Connection, lots: list[tuple[int, int | None]], unlotted: int, used: int
) -> None:
    trial = conn.begin_nested()
    open_shop(conn, {"A": unlotted} if unlotted else {})
    receive(conn, *(lot(f"l{n}", units, at) for n, (units, at) in enumerate(lots)))
    there = unlotted + sum(units for units, _ in lots)
    stock(conn, [Move("A", -min(used, there), 2, kind="adjustment")] if used else [], "used ")
    rows = conn.execute(LOTS_LEFT).all()
    known = [Lot(row.lot_id, row.received, _moment(row.expires_at)) for row in rows]
    expected = left_of_lots(on_hand(conn).get("A", 0), known)
    assert {row.lot_id: row.units_left for row in rows} == expected
    assert sum(expected.values()) == min(on_hand(conn).get("A", 0), there - unlotted)
    trial.rollback()


def _moment(value: datetime | None) -> datetime | None:
    return value
