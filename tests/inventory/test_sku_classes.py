"""Classes of SKUs: SQL over the ledger equals the plain rules."""

from __future__ import annotations

from collections import defaultdict

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.classes import ClassRules, abc, is_dead, spread, xyz
from ecom_assets.inventory.store import (
    CLASS_TABLE,
    DEAD_STOCK,
    SHORTEST_COVER,
    classify_skus,
    cover_per_class,
)
from fixtures.kept_stock import open_shop
from fixtures.stock_shop import day

RULES = ClassRules(weeks=4, dead_days=10)
END = day(28)
_SALE = sa.text("""
    INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
    VALUES (:sku, 'N', 'sale', :quantity, :at, :reference)
""")


def sell(conn: sa.Connection, sku: str, units: int, at: float) -> None:
    """A sale in the ledger; classes read nothing else."""
    given_at = {"sku": sku, "quantity": -units, "at": day(at), "reference": f"{sku} {at}"}
    conn.execute(_SALE, given_at)


def found(conn: sa.Connection) -> dict[str, sa.RowMapping]:
    classify_skus(conn, END, "run", RULES)
    rows = conn.execute(sa.text("SELECT * FROM inventory.sku_classes")).mappings()
    return {row["sku"]: row for row in rows}


def test_the_few_that_make_most_are_a() -> None:
    assert abc({"a": 80, "b": 15, "c": 5, "d": 0}) == {"a": "A", "b": "B", "c": "C", "d": "C"}
    assert abc({"a": 0}) == {"a": "C"}
    assert abc({"b": 1, "a": 1}) == {"a": "A", "b": "A"}


@pytest.mark.parametrize(
    ("weekly", "expected"),
    [([5, 5, 5], "X"), ([1, 2, 3], "X"), ([0, 0, 3], "Z"), ([0, 2, 2], "Y"), ([0, 0], None)],
)
def test_steady_skus_are_x(weekly: list[int], expected: str | None) -> None:
    assert xyz(spread(weekly)) == expected


def test_stock_is_dead_when_nothing_came_or_went_for_long() -> None:
    assert is_dead(1, None, day(1), END, RULES)
    assert is_dead(1, day(2), day(1), END, RULES)
    assert not is_dead(0, None, day(1), END, RULES)
    assert not is_dead(1, day(20), day(1), END, RULES)
    assert not is_dead(1, None, day(20), END, RULES)


def test_figures_of_a_sku(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100, "B": 50})
    for week in range(4):
        sell(conn, "A", 10, week * 7 + 3.5)
    row = found(conn)["A"]
    assert (row["abc"], row["xyz"], row["units_sold"], row["on_hand"]) == ("A", "X", 40, 60)
    assert row["sold_at_cost_minor"] == 4000
    assert row["days_of_cover"] == pytest.approx(60 * 28 / 40)
    # 100 units less 10 a week from the middle of each week on: 80 on average.
    assert row["turnover"] == pytest.approx(40 * 365 / 28 / 80)
    dead = found(conn)["B"]
    assert (dead["abc"], dead["xyz"], dead["is_dead"], dead["days_of_cover"]) == (
        "C", None, True, None,
    )  # fmt: skip


def test_what_operators_are_shown(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 100, "B": 50})
    sell(conn, "A", 28, 20)
    assert classify_skus(conn, END, "run", RULES) == 2
    assert classify_skus(conn, END, "again", RULES) == 0
    assert [row.sku for row in conn.execute(DEAD_STOCK)] == ["B"]
    assert [row.sku for row in conn.execute(SHORTEST_COVER)] == ["A"]
    assert [tuple(row)[:2] for row in conn.execute(CLASS_TABLE)] == [("AZ", 1), ("C-", 1)]
    assert cover_per_class(conn) == (["AZ"], [72.0])


SALES = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 27), st.integers(1, 9)))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sales=SALES)
def test_sql_classifies_as_the_rules_do(
    conn: sa.Connection, sales: list[tuple[str, int, int]]
) -> None:
    trial = conn.begin_nested()
    open_shop(conn, dict.fromkeys("ABC", 500))
    weekly: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for number, (sku, at, units) in enumerate(sales):
        sell(conn, sku, units, at + 0.5 + number / 10_000)
        weekly[sku][at // 7] += units
    rows = found(conn)
    assert {sku: row["abc"] for sku, row in rows.items()} == abc(
        {sku: 100 * sum(weekly[sku]) for sku in "ABC"}, RULES
    )
    for sku, row in rows.items():
        expected = spread(weekly[sku])
        assert row["weekly_spread"] == pytest.approx(expected, abs=1e-9) or expected is None
        last = max((day(at) for of, at, _ in sales if of == sku), default=None)
        assert row["is_dead"] == is_dead(row["on_hand"], last, day(0), END, RULES)
    trial.rollback()
