"""Cancellations and edits are carried out where new orders are decided, in the same call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecom_assets import deciding
from ecom_assets.deciding import CHANGES, decide, is_due
from ecom_assets.orders import store
from ecom_assets.orders.model import Message
from ecom_assets.shared.flow import CHANGING, Stage
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

PAID = {"paid": 2550}
RETURNED = """
    SELECT o.external_id, p.kind, p.amount_minor FROM payments.planned_releases AS p
    JOIN orders.orders AS o USING (order_id) WHERE p.state = 'planned' ORDER BY 1
"""


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop with stock for many orders."""
    shop = ChangedShop(database)
    shop.open(units=10_000)
    return shop


def tell(shop: ChangedShop, bodies: Mapping[str, dict[str, Any]], at: float) -> None:
    kinds = {name: "cancellation" if "cancel" in body else "order" for name, body in bodies.items()}
    sent = [Message("web", name, minute(at), body, kinds[name]) for name, body in bodies.items()]
    with shop.database.begin() as conn:
        store.receive(conn, sent)


def run(shop: ChangedShop) -> dict[str, dict[str, int]]:
    told: list[str] = []
    advanced = decide(shop.database.begin, "run", told.append)
    assert told == []
    return {table: dict(counts) for table, counts in advanced.items()}


def due(shop: ChangedShop) -> bool:
    with shop.database.begin() as conn:
        return is_due(conn)


def test_the_stages_are_those_of_a_change() -> None:
    assert tuple(part.stage for part in CHANGES) == CHANGING


def test_one_call_cancels_edits_decides_anew_and_plans_the_money(shop: ChangedShop) -> None:
    names = ("whole", "line", "down", "up", "kept")
    tell(shop, dict.fromkeys(names, document(4, **PAID)), 0)
    run(shop)
    cancelled = {"cancel": {"reason": "no more"}}
    line = {"cancel": {"reason": "less", "lines": [{"line_no": 1, "quantity": 2}]}}
    edits = {"down": document(2, **PAID), "up": document(7, **PAID)}
    tell(shop, {"whole": cancelled, "line": line, **edits}, 1)
    assert due(shop)
    advanced = run(shop)
    assert shop.changes() == [("applied", None)] * 4
    assert {table for table in advanced if table.startswith(("orders/s", "orders/ch"))} == {
        "orders/changes", "orders/settlements",
    }  # fmt: skip
    assert shop.states("whole")[2] == "cancelled"
    assert {shop.states(name)[2] for name in ("line", "down", "kept")} == {"allocated"}
    # It was paid for four units, so seven are not shipped before the rest is paid.
    assert shop.states("up")[0] == "underpaid"
    assert shop.rows(RETURNED) == [
        ("down", "refund", 1000), ("line", "refund", 1000), ("whole", "void", 2550),
    ]  # fmt: skip
    assert not due(shop)
    assert run(shop) == {}


def test_stock_of_a_cancelled_order_is_free_again(shop: ChangedShop) -> None:
    tell(shop, {"A": document(4, **PAID)}, 0)
    run(shop)
    tell(shop, {"A": {"cancel": {"reason": "no more"}}}, 1)
    run(shop)
    assert shop.rows("SELECT DISTINCT reserved FROM inventory.positions") == [(0,)]
    assert shop.rows("SELECT count(*) FROM warehouse.allocations") == [(0,)]


def test_a_person_may_ask_without_a_message(shop: ChangedShop) -> None:
    tell(shop, {"A": document(4, **PAID)}, 0)
    run(shop)
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order("A"), None, minute(1), "ann")
    assert due(shop)
    run(shop)
    assert shop.states("A")[2] == "cancelled"


def test_a_change_of_a_busy_order_is_not_due(shop: ChangedShop) -> None:
    tell(shop, {"A": document(4, **PAID)}, 0)
    run(shop)
    shop.advance(until=Stage.SHIP)
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order("A"), None, minute(1), "ann")
    # Its sale is not booked yet: the order path ends that by itself.
    assert not due(shop)
    assert run(shop) == {}
    shop.book()
    assert due(shop)
    run(shop)
    assert shop.changes() == [("refused", "already_shipped")]


def test_many_changes_of_an_order_need_more_than_one_call(
    shop: ChangedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "_ROUNDS", 1)
    tell(shop, {"A": document(9, paid=5050)}, 0)
    run(shop)
    with shop.database.begin() as conn:
        for number in range(3):
            line = [{"line_no": 1, "quantity": 1}]
            store.cancel(conn, shop.order("A"), line, minute(1 + number), "ann")
    calls = 0
    while due(shop):
        run(shop)
        calls += 1
    assert shop.changes() == [("applied", None)] * 3
    assert calls >= 3
    assert shop.rows("SELECT sum(quantity) FROM orders.order_lines") == [(7,)]
