"""What operators are shown of the stock: sums, values, cover, and proofs that name what is off."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.store import (
    DIFFERENCES,
    LOWEST_COVER,
    STOCK_VALUE,
    summary,
    units_per_site,
)
from ecom_assets.shared.metadata import money
from fixtures.stock_shop import Move, day, open_sites, stock

_SALE = sa.text("""
    INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
    VALUES (:sku, 'N', 'sale', :quantity, :at, :reference)
""")


def sell(conn: sa.Connection, sku: str, quantity: int, at: float) -> None:
    """Write a sale by hand; the balances stay as they are, since no cover depends on them."""
    values = {"sku": sku, "quantity": -quantity, "at": day(at), "reference": f"{sku}{at}"}
    conn.execute(_SALE, values)


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """Two sites; 10 A (4 at N, 6 at S), 3 B and 0 C."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    moves = [Move("A", 4), Move("A", 6, 0, "S"), Move("B", 3), Move("C", 2)]
    stock(conn, [*moves, Move("C", -2, 1, kind="adjustment")])
    return conn


def test_an_empty_shop_has_nothing_to_show(conn: sa.Connection) -> None:
    none = {"units_on_hand": 0, "units_reserved": 0, "skus_out_of_stock": 0}
    assert summary(conn) == none
    assert list(units_per_site(conn, 5)) == []
    assert conn.execute(LOWEST_COVER).all() == conn.execute(DIFFERENCES).all() == []
    assert money(conn, STOCK_VALUE).value == "none"


def test_the_summary_counts_what_is_free_to_sell(shop: sa.Connection) -> None:
    shop.execute(sa.text("UPDATE inventory.positions SET reserved = 3 WHERE sku = 'B'"))
    assert summary(shop) == {"units_on_hand": 13, "units_reserved": 3, "skus_out_of_stock": 2}


@pytest.mark.parametrize(("most", "expected"), [(5, [("N", 7), ("S", 6)]), (1, [("N", 7)])])
def test_the_fullest_sites_come_first(
    shop: sa.Connection, most: int, expected: list[tuple[str, int]]
) -> None:
    assert units_per_site(shop, most) == expected


def test_the_value_is_per_currency_and_leaves_unknown_costs_out(shop: sa.Connection) -> None:
    shop.execute(
        sa.text("""
            INSERT INTO catalog.products (sku, name, category, unit_cost_minor, currency) VALUES
                ('A', 'A', 'x', 9007199254740993, 'JPY'), ('B', 'B', 'x', 150, 'EUR'),
                ('C', 'C', 'x', 999, 'EUR'), ('D', 'D', 'x', 1, 'USD')
        """)
    )
    # Beyond what a float holds exactly, and a product that has no stock.
    assert money(shop, STOCK_VALUE).value == "4.50 EUR, 90,071,992,547,409,930 JPY"
    shop.execute(sa.text("UPDATE catalog.products SET unit_cost_minor = NULL WHERE sku = 'A'"))
    assert money(shop, STOCK_VALUE).value == "4.50 EUR"


def test_cover_looks_at_the_four_weeks_up_to_the_last_sale(shop: sa.Connection) -> None:
    sell(shop, "A", 7, 40)
    sell(shop, "A", 7, 13)
    sell(shop, "B", 28, 12)
    rows = {row.sku: row for row in shop.execute(LOWEST_COVER)}
    # B's sale is 28 days before the last one to the hour, hence out.
    assert set(rows) == {"A"}
    assert (float(rows["A"].sold_per_day), float(rows["A"].days_of_cover)) == (0.5, 20.0)


def test_what_runs_out_first_is_on_top(shop: sa.Connection) -> None:
    for sku, units in (("A", 28), ("B", 28), ("C", 56)):
        sell(shop, sku, units, 30)
    shop.execute(sa.text("UPDATE inventory.positions SET reserved = 3 WHERE sku = 'B'"))
    found = [(row.sku, float(row.days_of_cover)) for row in shop.execute(LOWEST_COVER)]
    # B has nothing free and C nothing at all: the one that sells more comes first.
    assert found == [("C", 0.0), ("B", 0.0), ("A", 10.0)]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            "UPDATE inventory.balances SET sold = 1 WHERE sku = 'B'",
            [("B", "N", "on hand 3, sold 1", "on hand 3, sold 0")],
        ),
        (
            "UPDATE inventory.positions SET on_hand = 4 WHERE sku = 'B'",
            [("B", None, "on hand 4, reserved 0", "on hand 3, reserved ")],
        ),
        (
            "DELETE FROM inventory.positions WHERE sku = 'B'",
            [("B", None, "on hand , reserved ", "on hand 3, reserved ")],
        ),
        (
            "INSERT INTO inventory.positions VALUES ('D', 1, 0)",
            [("D", None, "on hand 1, reserved 0", "on hand , reserved ")],
        ),
        (
            "INSERT INTO inventory.balances VALUES ('D', 'N', 0, 0, '2026-01-01Z')",
            [("D", "N", "on hand 0, sold 0", "on hand , sold ")],
        ),
        ("INSERT INTO inventory.positions VALUES ('D', 0, 0)", []),
        (
            "UPDATE inventory.balances SET on_hand = on_hand + 5 - 10 * (site_code = 'S')::int"
            " WHERE sku = 'A'",
            [("A", "N", "on hand 9, sold 0", "on hand 4, sold 0"),
             ("A", "S", "on hand 1, sold 0", "on hand 6, sold 0")],
        ),
    ],
)  # fmt: skip
def test_the_proof_names_what_is_off_on_both_sides(
    shop: sa.Connection, damage: str, expected: list[tuple[str | None, ...]]
) -> None:
    shop.execute(sa.text(damage))
    assert [tuple(row) for row in shop.execute(DIFFERENCES)] == expected


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE inventory.positions SET reserved = 11 WHERE sku = 'A'", "never_oversold"),
        ("UPDATE inventory.positions SET reserved = -1", "reserved_not_negative"),
        ("UPDATE inventory.balances SET on_hand = -1", "on_hand_not_negative"),
        ("UPDATE inventory.movements SET quantity = 0", "quantity_not_zero"),
        ("UPDATE inventory.movements SET kind = 'gift'", "kind_known"),
    ],
)
def test_the_database_itself_refuses_impossible_stock(
    shop: sa.Connection, statement: str, constraint: str
) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=constraint), shop.begin_nested():
        shop.execute(sa.text(statement))
