"""Orders decided in one go end as those that went through the assets, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom_assets import deciding
from ecom_assets.deciding import PARTS, Part, decide, is_due
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from ecom_assets.shared.flow import DECIDING, Stage, claim, waiting
from fixtures.changed_shop import ChangedShop, document
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource
from scenarios.conftest import take_shop
from simulator.shop import generate

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TABLES = {table for part in PARTS for table in part.tables} | {
    "orders/inbox", "orders/orders", "orders/order_lines",
}  # fmt: skip
STATES = sa.text("SELECT fulfilment_state, count(*) FROM flow.order_states GROUP BY 1")
ALL_ALLOCATED = {"allocated": 3}


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop with stock for many orders."""
    shop = ChangedShop(database)
    shop.open(units=10_000)
    return shop


def send(shop: ChangedShop, *names: str) -> None:
    with shop.database.begin() as conn:
        receive(conn, [Message("web", name, NOON, document(1)) for name in names])


def run(shop: ChangedShop, told: list[object] | None = None) -> dict[str, dict[str, int]]:
    """Decide what waits; returns what was advanced."""
    advanced = decide(shop.database.begin, "run", ([] if told is None else told).append)
    return {table: dict(counts) for table, counts in advanced.items()}


def fulfilment(shop: ChangedShop) -> dict[str, int]:
    with shop.database.begin() as conn:
        return dict(conn.execute(STATES).tuples().all())


def refuse(monkeypatch: pytest.MonkeyPatch, stage: Stage, poison: str) -> None:
    """Let a stage refuse every chunk that has the poisonous order in it."""
    found = sa.text("""
        SELECT count(*) FROM claimed JOIN orders.orders AS o USING (order_id)
        WHERE o.external_id = :poison
    """)

    def guarded(part: Part) -> Part:
        def step(conn: sa.Connection, run: str) -> Mapping[str, int]:
            if conn.execute(found, {"poison": poison}).scalar_one():
                raise RuntimeError(poison)
            return part.step(conn, run)

        return replace(part, step=step) if part.stage is stage else part

    monkeypatch.setattr(deciding, "PARTS", tuple(guarded(part) for part in PARTS))


def test_together_or_stage_by_stage_makes_no_difference(
    database: DatabaseResource,
    module_database: DatabaseResource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generate(tmp_path / "shop", 400, 11)
    told: list[object] = []
    for most, shop in ((1_000_000, database), (0, module_database)):
        monkeypatch.setattr(deciding, "MOST", most)
        take_shop(shop, tmp_path / "shop")
        assert decide(shop.begin, "run", told.append)
        with shop.begin() as conn:
            assert not is_due(conn)
    assert told == []
    with database.begin() as together, module_database.begin() as apart:
        assert differences(final_state(apart), final_state(together)) == {}


def test_the_parts_are_the_stages_that_decide() -> None:
    assert tuple(part.stage for part in PARTS) == DECIDING


def test_nothing_waits_and_nothing_is_told(shop: ChangedShop) -> None:
    with shop.database.begin() as conn:
        assert not is_due(conn)
    assert run(shop) == {}


def test_a_few_orders_pass_every_stage_in_one_transaction(shop: ChangedShop) -> None:
    shop.send("C", document(1))  # accepted before
    send(shop, "A", "B")
    with shop.database.begin() as conn:
        assert is_due(conn)
    advanced = run(shop)
    assert set(advanced) == TABLES
    assert advanced["orders/inbox"]["orders"] == 2
    assert advanced["risk/decisions"]["orders"] == 3
    assert fulfilment(shop) == ALL_ALLOCATED
    written = shop.rows("SELECT count(DISTINCT xmin::text) FROM transport.carrier_choices")
    assert written == [(1,)]
    assert run(shop) == {}


def test_only_tables_that_were_advanced_are_told(shop: ChangedShop) -> None:
    shop.send("A", document(1))
    shop.advance(until=Stage.RESERVE)
    assert set(run(shop)) == {"warehouse/allocations", "transport/carrier_choices"}


def test_a_message_that_is_parked_advances_the_inbox_only(shop: ChangedShop) -> None:
    with shop.database.begin() as conn:
        receive(conn, [Message("web", "A", NOON, {"lines": []})])
    advanced = run(shop)
    assert set(advanced) == {"orders/inbox", "orders/orders", "orders/order_lines"}
    assert advanced["orders/inbox"]["parked"] == 1


def test_more_orders_than_fit_in_one_go_are_all_decided(
    shop: ChangedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "MOST", 4)
    send(shop, *(f"order-{number}" for number in range(11)))
    advanced = run(shop)
    assert {table: counts["orders"] for table, counts in advanced.items()} == dict.fromkeys(
        TABLES, 11
    )
    assert fulfilment(shop) == {"allocated": 11}


@pytest.mark.parametrize("stage", [Stage.PAYMENT, Stage.SCORE, Stage.RISK, Stage.RESERVE])
def test_a_poisonous_order_does_not_stop_those_at_other_stages(
    shop: ChangedShop, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    shop.send("ahead", document(1))
    shop.advance(until=Stage.RESERVE)
    send(shop, "poison", "new")
    told: list[object] = []
    with monkeypatch.context() as patch:
        refuse(patch, stage, "poison")
        with pytest.raises(RuntimeError, match="poison"):
            run(shop, told)
    assert told == ["deciding stage by stage: poison"]
    assert fulfilment(shop) == {"allocated": 1, "new": 2}
    with shop.database.begin() as conn:
        deciders = {name: n for name, n in waiting(conn).items() if name in set(DECIDING)}
    # The others came as far as they could: to the stage that refuses the chunk they are in.
    assert deciders == {stage.value: 2}
    assert run(shop)
    assert fulfilment(shop) == ALL_ALLOCATED


def test_orders_that_a_stage_takes_one_way_but_not_the_other_pass(
    shop: ChangedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of going together, such as a lost lock, is no fault of the orders."""
    send(shop, "A", "B", "C")
    calls: list[str] = []

    def once(conn: sa.Connection, run: str) -> dict[str, int]:
        calls.append(run)
        if len(calls) == 1:
            raise RuntimeError("only this time")
        return dict(PARTS[2].step(conn, run))

    assert PARTS[2].stage is Stage.RISK
    monkeypatch.setattr(deciding, "PARTS", (*PARTS[:2], replace(PARTS[2], step=once), *PARTS[3:]))
    told: list[object] = []
    advanced = run(shop, told)
    assert told == ["deciding stage by stage: only this time"]
    assert set(advanced) == TABLES
    assert fulfilment(shop) == ALL_ALLOCATED
    assert shop.rows("SELECT DISTINCT attempt FROM decisions.ledger") == [(1,)]


def test_orders_another_worker_holds_are_left_to_it(shop: ChangedShop) -> None:
    for name in ("A", "B"):
        shop.send(name, document(1))
    with shop.database.engine.connect() as other:
        assert claim(other, Stage.PAYMENT, most=1) == 1
        assert run(shop)["risk/decisions"]["orders"] == 1
        other.rollback()
    assert run(shop)["risk/decisions"]["orders"] == 1
    assert fulfilment(shop) == {"allocated": 2}


@pytest.mark.parametrize("most", [1, 200])
def test_a_kit_is_put_together_and_sent_like_any_product(
    shop: ChangedShop, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(deciding, "MOST", most)
    with shop.database.begin() as conn:
        conn.execute(_KIT)
        conn.execute(_PARTS)
        asked = document(2)
        asked["lines"][0]["sku"] = "KIT"
        receive(conn, [Message("web", "k", NOON, asked), Message("web", "b", NOON, document(1))])
    run(shop)
    assert fulfilment(shop) == {"allocated": 2}
    with shop.database.begin() as conn:
        moved = conn.execute(_ASSEMBLED).tuples().all()
    assert moved == [("KIT", 2), ("SKU-1", -2), ("SKU-2", -6)]


_KIT = sa.text("""
    INSERT INTO catalog.products (sku, name, category, currency, is_kit)
    VALUES ('KIT', 'Kit', 'x', 'EUR', true)
""")
_PARTS = sa.text("""
    INSERT INTO catalog.kits (kit_sku, component_sku, quantity)
    VALUES ('KIT', 'SKU-1', 1), ('KIT', 'SKU-2', 3)
""")
_ASSEMBLED = sa.text("""
    SELECT sku, quantity FROM inventory.movements WHERE kind = 'assembly' ORDER BY sku
""")
