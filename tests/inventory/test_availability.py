"""Available to promise: by date, by channel, for kits; the table equals the plain rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.availability import (
    Buffer,
    Step,
    Supply,
    explode,
    kit_steps,
    listed,
    steps,
    units_at,
)
from ecom_assets.inventory.store import (
    available,
    components_of,
    hold_stock,
    listed_units,
    refresh_atp,
    reserve,
    take_buffers,
    take_expected_receipts,
    take_safety_stocks,
)
from ecom_assets.shared.flow import Stage, claim
from fixtures.given import given as rows_of
from fixtures.kept_stock import TYPES, open_shop, promise, receive
from fixtures.stock_shop import Order, day, place

NOW = day(10)
Found = dict[str, list[Step]]


def expect(conn: sa.Connection, *receipts: tuple[str, float, int]) -> None:
    names = ("reference", "sku", "site_code", "due_at", "quantity")
    rows = [(f"PO {n}", sku, "N", day(at), units) for n, (sku, at, units) in enumerate(receipts)]
    take_expected_receipts(conn, rows_of(names, rows, **TYPES))


def keep(conn: sa.Connection, sku: str, units: int) -> None:
    names = ("sku", "site_code", "units", "service_level", "source")
    rows = [(sku, "N", units, None, "test")]
    take_safety_stocks(conn, rows_of(names, rows, units=sa.Integer(), service_level=sa.Double()))


def table(conn: sa.Connection) -> Found:
    refresh_atp(conn, NOW, "run")
    rows = conn.execute(
        sa.text("SELECT sku, available_at, units FROM inventory.atp ORDER BY sku, step")
    )
    found: Found = {}
    for sku, at, units in rows:
        found.setdefault(sku, []).append(Step(at, units))
    return found


def make_kits(conn: sa.Connection, *kits: tuple[str, str, int]) -> None:
    """Say what kits hold."""
    insert = sa.text("INSERT INTO catalog.kits (kit_sku, component_sku, quantity)"
                     " VALUES (:kit, :component, :quantity)")  # fmt: skip
    for kit, component, quantity in kits:
        conn.execute(insert, {"kit": kit, "component": component, "quantity": quantity})


def test_promises_safety_stock_and_expired_lots_are_taken_off(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10, "B": 10})
    promise(conn, "A", 3)
    keep(conn, "A", 2)
    receive(conn, {"quantity": 4, "lot_code": "x", "expires_at": day(9)})
    assert table(conn) == {"A": [Step(None, 5)], "B": [Step(None, 10)]}
    assert available(conn, ["A", "B", "Z"], NOW) == table(conn) | {"Z": [Step(None, 0)]}


def test_receipts_count_from_their_date_and_never_before(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 2})
    expect(conn, ("A", 12, 5), ("A", 15, 1), ("A", 9, 100), ("C", 20, 7))
    found = table(conn)
    assert found["A"] == [Step(None, 2), Step(day(12), 7), Step(day(15), 8)]
    assert found["C"] == [Step(None, 0), Step(day(20), 7)]
    assert [units_at(found["A"], day(at)) for at in (11, 12, 14, 99)] == [2, 7, 7, 8]
    assert available(conn, ["A", "C"], NOW) == found


def test_what_comes_serves_first_who_waits(conn: sa.Connection) -> None:
    open_shop(conn, {})
    place(conn, [Order(1, [("A", 4)])])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    expect(conn, ("A", 12, 3), ("A", 13, 3))
    assert table(conn)["A"] == [Step(None, 0), Step(day(12), 0), Step(day(13), 2)]


def test_what_expires_is_gone_from_then_on(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 1})
    receive(conn, {"quantity": 4, "lot_code": "x", "expires_at": day(12)})
    expect(conn, ("A", 12, 2), ("A", 14, 1))
    expected = [Step(None, 5), Step(day(12), 3), Step(day(14), 4)]
    assert table(conn)["A"] == available(conn, ["A"], NOW)["A"] == expected


def test_a_refresh_writes_what_changed(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 1, "B": 2})
    assert refresh_atp(conn, NOW, "run") == {"removed": 0, "changed": 0, "added": 2}
    assert refresh_atp(conn, NOW, "run") == {"removed": 0, "changed": 0, "added": 0}
    promise(conn, "A", 1)
    expect(conn, ("B", 12, 1))
    assert refresh_atp(conn, NOW, "run") == {"removed": 0, "changed": 1, "added": 1}
    assert refresh_atp(conn, day(13), "run") == {"removed": 1, "changed": 0, "added": 0}


@pytest.mark.parametrize(
    ("units", "buffer", "shown"),
    [
        (10, Buffer(), 10),
        (10, Buffer(most_listed=4), 4),
        (10, Buffer(stop_units=9), 10),
        (10, Buffer(stop_units=10), 0),
        (10, Buffer(share_percent=25), 2),
        (0, Buffer(), 0),
        (10, Buffer(3, 2, 50), 3),
    ],
)
def test_a_channel_is_told_less_than_there_is(units: int, buffer: Buffer, shown: int) -> None:
    assert listed(units, buffer) == shown


def test_buffers_of_a_sku_go_before_those_of_its_channel(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10, "B": 10})
    names = ("channel", "sku", "most_listed", "stop_units", "share_percent")
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        "most_listed": sa.Integer(),
        "stop_units": sa.Integer(),
        "share_percent": sa.Double(),
    }
    rows = [("web", "", 5, 0, 100.0), ("web", "A", None, 0, 50.0)]
    assert take_buffers(conn, rows_of(names, rows, **kinds)) == 2
    conn.execute(sa.text("UPDATE inventory.channel_buffers SET most_listed = 4 WHERE sku = 'A'"))
    assert listed_units(conn, ["A", "B"], "web", NOW) == {"A": 4, "B": 5}
    assert listed_units(conn, ["A", "B"], "shop", NOW) == {"A": 10, "B": 10}


def test_a_kit_is_worth_its_scarcest_component_by_date(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10, "B": 3, "E": 1})
    make_kits(conn, ("E", "A", 4), ("E", "B", 1), ("F", "E", 1), ("F", "C", 1))
    expect(conn, ("A", 12, 6), ("C", 14, 1))
    found = table(conn)
    assert found["E"] == [Step(None, 3), Step(day(12), 4)]
    assert found["F"] == [Step(None, 0), Step(day(12), 0), Step(day(14), 1)]
    assert available(conn, ["E", "F"], NOW) == {"E": found["E"], "F": found["F"]}


def test_kits_that_share_a_component_are_never_promised_beyond_it(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 9, "C": 9})
    make_kits(conn, ("E", "A", 2), ("E", "B", 1), ("F", "A", 1), ("F", "C", 1))
    assert components_of(conn, {"E": 2, "F": 1}) == {"A": 5, "B": 2, "C": 1}
    assert hold_stock(conn, "one", components_of(conn, {"E": 2}), NOW, day(20)) == {}
    assert hold_stock(conn, "two", components_of(conn, {"F": 2}), NOW, day(20)) == {"A": 1}
    assert hold_stock(conn, "two", components_of(conn, {"F": 1}), NOW, day(20)) == {}
    assert {sku: at[0].units for sku, at in available(conn, "EF", NOW).items()} == {"E": 0, "F": 0}


def test_a_kit_of_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="holds itself"):
        explode({"E": 1}, {"E": {"F": 1}, "F": {"E": 2}})
    assert explode({"E": 2, "A": 1}, {"E": {"A": 2, "F": 1}, "F": {"A": 3}}) == {"A": 11}


def test_kit_steps_stand_at_the_moments_of_their_components() -> None:
    first, second = [Step(None, 4), Step(day(2), 9)], [Step(None, 1), Step(day(1), 3)]
    found = kit_steps([Step(None, 1)], [(first, 2), (second, 1)])
    assert found == [Step(None, 2), Step(day(1), 3), Step(day(2), 4)]


SOON = st.integers(8, 14)
DATED = st.lists(st.tuples(SOON, st.integers(1, 9)), max_size=4)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(had=st.integers(0, 9), kept=st.integers(0, 5), receipts=DATED, lots=DATED)
def test_sql_finds_the_steps_of_the_rule(
    conn: sa.Connection,
    had: int,
    kept: int,
    receipts: list[tuple[int, int]],
    lots: list[tuple[int, int]],
) -> None:
    trial = conn.begin_nested()
    open_shop(conn, {"A": had} if had else {})
    keep(conn, "A", kept)
    expect(conn, *(("A", at, units) for at, units in receipts))
    receive(
        conn,
        *({"reference": f"l{n}", "quantity": units, "lot_code": f"l{n}", "expires_at": day(at)}
          for n, (at, units) in enumerate(lots)),
    )  # fmt: skip
    supply = Supply(
        on_hand=had + sum(units for _, units in lots), safety=kept, receipts=dated(receipts),
        lots=dated(lots),
    )  # fmt: skip
    expected = steps(supply, NOW)
    found = table(conn)
    # A SKU of which nothing ever was or will be has no row.
    assert found.get("A", [Step(None, 0)]) == expected
    assert available(conn, ["A"], NOW)["A"] == expected
    trial.rollback()


def dated(pairs: list[tuple[int, int]]) -> tuple[tuple[datetime, int], ...]:
    return tuple((day(at), units) for at, units in pairs)
