"""Purchase proposals: made from stock and policies, kept until something changes, decided once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.tables import (
    FORECAST_METHODS,
    PURCHASE_PROPOSAL_LINES,
    REORDER_POLICIES,
)
from ecom_assets.schema import schema
from ecom_assets.shared.expectations import TableExpectations
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock

ORIGIN = date(2026, 2, 2)
NOW = day(33)
_CATALOG = sa.text("""
    WITH supplier AS (
        INSERT INTO catalog.suppliers (supplier_key, name, country, minimum_order_minor) VALUES
            ('near', 'Near', 'DE', 0), ('far', 'Far', 'CN', 100000)
    )
    INSERT INTO catalog.products (sku, name, category, currency, unit_cost_minor, supplier_key)
    VALUES ('A', 'A', 'x', 'EUR', 250, 'near'), ('B', 'B', 'x', 'EUR', 1000, 'far')
""")
_OPEN = sa.text("""
    SELECT p.supplier_key, p.state, l.sku, l.available_units, l.on_order_units, l.quantity,
        p.reasons, l.reasons
    FROM inventory.purchase_proposals AS p
    JOIN inventory.purchase_proposal_lines AS l USING (proposal_id)
    WHERE p.state IN ('proposed', 'held') ORDER BY 1
""")
_STATES = sa.text("SELECT state, count(*) FROM inventory.purchase_proposals GROUP BY 1 ORDER BY 1")
_TERMS = sa.text("""
    INSERT INTO inventory.reorder_terms (sku, pack_units, minimum_units) VALUES ('A', 12, 40)
""")


def policy(sku: str, **changed: Any) -> dict[str, Any]:
    """A policy of N: order below 20 up to 50."""
    usual = {
        "sku": sku, "site_code": "N", "origin_date": ORIGIN, "segment": "smooth/core",
        "method": "ses", "service_level": 0.95, "lead_days": 14, "lead_spread_days": 3,
        "review_days": 7, "protected_units": 15, "demand_spread_units": 3, "lead_spread_units": 4,
        "safety_units": 5, "daily_units": 0.7, "reorder_point": 20, "order_up_to": 50,
        "run_id": "x",
    }  # fmt: skip
    return {**usual, **changed}


def decide(conn: sa.Connection, segment: str, is_passed: bool) -> None:
    row = {
        "decided_date": ORIGIN, "segment": segment, "method": "ses", "is_passed": is_passed,
        "reasons": ["better_than_naive"], "origins": 4, "series": 100, "weighted_rmsse": 0.8,
        "naive_rmsse": 1.2, "bias": 0, "coverage_miss": 0.01, "version": "x", "run_id": "x",
    }  # fmt: skip
    conn.execute(sa.insert(FORECAST_METHODS), [row])


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """Eight of A and B at N, which is less than their reorder points."""
    open_sites(conn, [("N", 53, 10)])
    conn.execute(_CATALOG)
    stock(conn, [Move("A", 8), Move("B", 8)])
    conn.execute(sa.insert(REORDER_POLICIES), [policy("A"), policy("B")])
    decide(conn, "smooth/core", True)
    return conn


def propose(conn: sa.Connection) -> store.Proposed:
    for name in ("proposal_groups", "proposal_lines"):
        conn.execute(_DROP[name])
    return store.propose(conn, ORIGIN, NOW, "run")


_DROP = {
    "proposal_groups": sa.text("DROP TABLE IF EXISTS proposal_groups"),
    "proposal_lines": sa.text("DROP TABLE IF EXISTS proposal_lines"),
}


def test_what_is_below_its_reorder_point_is_filled_up(shop: sa.Connection) -> None:
    made = propose(shop)
    assert (made.proposals, made.held, made.lines, made.unchanged) == (2, 1, 2, 0)
    far, near = shop.execute(_OPEN).tuples().all()
    assert near[:6] == ("near", "proposed", "A", 8, 0, 42)
    # 42 units cost 420.00, and 60 days of 0.7 more would not reach 1,000.00: it waits.
    assert far[:6] == ("far", "held", "B", 8, 0, 42)


def test_the_supplier_minimum_is_reached_some_days_ahead(shop: sa.Connection) -> None:
    shop.execute(sa.text("UPDATE catalog.suppliers SET minimum_order_minor = 60000"))
    propose(shop)
    rows = {row[2]: row for row in shop.execute(_OPEN).tuples()}
    assert rows["B"][1] == "proposed"
    assert rows["B"][5] == 60
    assert rows["B"][6] == ["reorder_points_reached", "raised_to_supplier_minimum"]
    assert rows["B"][7] == ["below_reorder_point", "raised_to_supplier_minimum"]
    # 240 of A would be needed for as much money: it waits.
    assert rows["A"][1] == "held"
    assert rows["A"][6] == ["below_supplier_minimum"]


def test_packs_and_minimums_are_told_in_words(shop: sa.Connection) -> None:
    shop.execute(_TERMS)
    shop.execute(sa.text("UPDATE inventory.reorder_policies SET order_up_to = 30"))
    propose(shop)
    rows = {row.sku: row for row in shop.execute(store.OPEN_LINES, {"most": 9})}
    assert rows["A"].quantity == 48
    assert rows["A"].explanation == (
        "8 free and 0 on order are at or below the reorder point of 20: 15.0 expected in 21 days"
        " and 5.0 for safety, so that stock lasts in 95.0 of 100 cases. Filling up to 30 takes 22;"
        " ordered are 48, the least is 40, in packs of 12."
    )


def test_an_equal_proposal_leaves_the_open_one(shop: sa.Connection) -> None:
    propose(shop)
    numbers = shop.execute(_NUMBERS).scalars().all()
    made = propose(shop)
    assert (made.proposals, made.unchanged) == (0, 2)
    assert shop.execute(_NUMBERS).scalars().all() == numbers


_NUMBERS = sa.text("SELECT proposal_id FROM inventory.purchase_proposals ORDER BY 1")


def test_another_proposal_takes_the_place_of_what_nobody_decided(shop: sa.Connection) -> None:
    propose(shop)
    stock(shop, [Move("A", 3, 32)], "later")
    assert propose(shop).proposals == 1
    states = dict(shop.execute(_STATES).tuples().all())
    assert states["superseded"] == 1
    assert sum(states.values()) == 3


def test_what_was_accepted_is_on_order_until_it_comes(shop: sa.Connection) -> None:
    propose(shop)
    number = shop.execute(_OF_NEAR).scalar_one()
    store.decide_proposal(shop, number, "accepted", "ann", NOW)
    assert shop.execute(_EXPECTED).tuples().all() == [
        (f"purchase-{number}", "A", NOW + timedelta(days=14), 42, 0)
    ]
    propose(shop)
    assert [row[2] for row in shop.execute(_OPEN).tuples()] == ["B"]
    stock(shop, [Move("A", 30, 34)], f"purchase-{number}/")
    shop.execute(sa.text("UPDATE inventory.reorder_policies SET reorder_point = 50"))
    propose(shop)
    rows = {row[2]: row for row in shop.execute(_OPEN).tuples()}
    # 8 and the 30 that came; 12 of the 42 are still to come, so it stands at 50.
    assert rows.get("A", (0, 0, 0, 38, 12))[3:5] == (38, 12)


_EXPECTED = sa.text("""
    SELECT reference, sku, due_at, quantity, received FROM inventory.expected_receipts
""")
_OF_NEAR = sa.text("""
    SELECT proposal_id FROM inventory.purchase_proposals WHERE supplier_key = 'near'
""")


def test_customers_who_wait_are_owed_their_units(shop: sa.Connection) -> None:
    place(shop, [Order(30, [("A", 20)])])
    shop.execute(_WAITS, {"at": day(30)})
    propose(shop)
    rows = {row[2]: row for row in shop.execute(_OPEN).tuples()}
    assert rows["A"][3:6] == (-12, 0, 62)


_WAITS = sa.text("""
    WITH moved AS (
        UPDATE flow.order_states SET fulfilment_state = 'backordered' RETURNING order_id
    )
    INSERT INTO inventory.reservations
        (order_line_id, order_id, sku, requested, reserved, backordered, reserved_as_of, run_id)
    SELECT order_line_id, order_id, sku, quantity, 0, quantity, :at, 'x' FROM orders.order_lines
""")


def test_a_failed_backtest_stops_its_segment(shop: sa.Connection) -> None:
    decide(shop, "lumpy/tail", False)
    shop.execute(_LUMPY)
    made = propose(shop)
    assert made.counts["failed_backtest"] == 1
    assert [row[2] for row in shop.execute(_OPEN).tuples()] == ["B"]


def test_a_segment_without_a_backtest_is_not_trusted(shop: sa.Connection) -> None:
    shop.execute(sa.delete(FORECAST_METHODS))
    made = propose(shop)
    assert (made.lines, made.counts["failed_backtest"]) == (0, 2)


_LUMPY = sa.text("UPDATE inventory.reorder_policies SET segment = 'lumpy/tail' WHERE sku = 'A'")


def test_the_blocking_check_finds_what_slipped_through(shop: sa.Connection) -> None:
    schema()
    # Late: expectations resolve references to tables of every area.
    from ecom_assets.inventory.expectations import demand

    propose(shop)
    table: TableExpectations = next(
        each for each in demand.EXPECTATIONS if each.table is PURCHASE_PROPOSAL_LINES
    )
    rule = next(each for each in table.expectations if each.property == "methods_passed")
    assert rule.is_blocking
    query = sa.text(
        rule.arguments["unexpected_rows_query"].format(batch=PURCHASE_PROPOSAL_LINES.fullname)
    )
    assert shop.execute(query).all() == []
    shop.execute(sa.text("UPDATE inventory.forecast_methods SET is_passed = false"))
    assert len(shop.execute(query).all()) == 2


@pytest.mark.parametrize("outcome", ["accepted", "rejected"])
def test_a_proposal_is_decided_once(shop: sa.Connection, outcome: str) -> None:
    propose(shop)
    number = shop.execute(_OF_NEAR).scalar_one()
    store.decide_proposal(shop, number, outcome, "ann", NOW, "as agreed")
    with pytest.raises(store.NotOpen, match=f"proposal {number} is not open"):
        store.decide_proposal(shop, number, "accepted", "bob", NOW)


def test_what_waits_for_a_minimum_cannot_be_accepted(shop: sa.Connection) -> None:
    shop.execute(sa.text("UPDATE catalog.suppliers SET minimum_order_minor = 10000000"))
    propose(shop)
    number = shop.execute(_OF_NEAR).scalar_one()
    with pytest.raises(store.NotOpen):
        store.decide_proposal(shop, number, "accepted", "ann", NOW)
    store.decide_proposal(shop, number, "rejected", "ann", NOW)
    assert propose(shop).proposals == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE inventory.purchase_proposal_lines SET quantity = quantity + 1",
        "UPDATE inventory.purchase_proposal_lines SET available_units = 1000",
        "UPDATE inventory.purchase_proposals SET state = 'accepted'",
        "UPDATE inventory.purchase_proposals SET minimum_minor = 10000000 WHERE state = 'proposed'",
        "INSERT INTO inventory.purchase_proposals SELECT * FROM inventory.purchase_proposals",
    ],
)
def test_the_database_refuses_impossible_proposals(shop: sa.Connection, wrong: str) -> None:
    shop.execute(_TERMS)
    propose(shop)
    with pytest.raises(sa.exc.IntegrityError), shop.begin_nested():
        shop.execute(sa.text(wrong))
