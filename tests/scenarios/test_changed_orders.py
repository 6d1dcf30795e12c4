"""Messages that cancel and edit orders, taken by the jobs that take them in production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs
from ecom_assets.orders import store
from ecom_assets.orders.model import Message
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

UNTIL_ALLOCATED = dg.AssetSelection.assets(["warehouse", "allocations"]).upstream()
"""What a run has done that was killed before it chose carriers."""

PAID = {"paid": 2550}
"""All orders are paid for four units, so that an edit changes what is due, not what was paid."""

FACTS = {
    "lines": "SELECT line_no, quantity FROM orders.order_lines WHERE order_id = :order ORDER BY 1",
    "shipped": "SELECT units FROM transport.shipments WHERE order_id = :order",
    "due": "SELECT due_minor FROM payments.order_payments WHERE order_id = :order",
    "released": """SELECT kind, amount_minor FROM payments.planned_releases
        WHERE order_id = :order AND state = 'planned'""",
    "change": "SELECT state, refusal FROM orders.changes WHERE order_id = :order",
}


def whole(**members: Any) -> dict[str, Any]:
    """A cancellation of the whole order."""
    return {"cancel": {"reason": "changed my mind", **members}}


def part(units: int) -> dict[str, Any]:
    """A cancellation of some units of the first line."""
    return whole(lines=[{"line_no": 1, "quantity": units}])


def tell(shop: ChangedShop, bodies: Mapping[str, dict[str, Any]], at: float) -> None:
    """Let messages come in, one per order, and nobody look at them yet."""
    kinds = {name: "cancellation" if "cancel" in body else "order" for name, body in bodies.items()}
    sent = [Message("web", name, minute(at), bodies[name], kinds[name]) for name in bodies]
    with shop.database.begin() as conn:
        store.receive(conn, sent)


def run(shop: ChangedShop, job: str, only: dg.AssetSelection | None = None) -> None:
    """Run a job of the platform, or the assets of it that a killed run got to."""
    defs = build_defs({"database": shop.database})
    chosen = None
    if only is not None:
        chosen = [key for key in only.resolve(defs.resolve_asset_graph()) if key.path[0] != "marts"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(job).execute_in_process(
            instance=instance,
            asset_selection=chosen,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert result.success
    assert not failed


@pytest.fixture(scope="module")
def shop(module_database: DatabaseResource) -> ChangedShop:
    """A shop that was told to change orders at every point of their way, and has done so."""
    shop = ChangedShop(module_database)
    shop.open()
    tell(shop, {"shipped": document(4, **PAID)}, 0)
    run(shop, "orders_flow")
    tell(shop, {"never": whole(), "less": part(3)}, 1)
    run(shop, "orders_flow", UNTIL_ALLOCATED)
    names = ("never", "kept", "cancelled", "down", "up", "part", "too much")
    tell(shop, dict.fromkeys(names, document(4, **PAID)), 2)
    run(shop, "orders_flow", UNTIL_ALLOCATED)
    assert shop.rows("SELECT sku, on_hand, reserved FROM inventory.positions ORDER BY 1") == [
        ("SKU-1", 96, 24), ("SKU-2", 99, 6),
    ]  # fmt: skip
    # It is accepted and cut in one run, which must not ship it as it was ordered.
    tell(shop, {"less": document(4, **PAID)}, 3)
    tell(
        shop,
        {
            "cancelled": whole(), "shipped": whole(), "part": part(2), "too much": part(9),
            "down": document(2, **PAID), "up": document(7, **PAID),
        },
        4,
    )  # fmt: skip
    # The changes once more: what is to give back is known when the new totals were matched.
    for job in ("orders_flow", "orders_changes", "orders_flow", "orders_changes"):
        run(shop, job)
    return shop


def facts(shop: ChangedShop, name: str) -> dict[str, Any]:
    """What is on record of an order."""
    return {key: shop.rows(query, order=shop.order(name)) for key, query in FACTS.items()}


def test_a_cancelled_order_leaves_neither_goods_nor_money(shop: ChangedShop) -> None:
    assert shop.states("cancelled") == ("authorised", "accepted", "cancelled", "none")
    found = facts(shop, "cancelled")
    assert (found["shipped"], found["released"]) == ([], [("void", 2550)])
    assert found["change"] == [("applied", None)]


@pytest.mark.parametrize(
    ("name", "units", "payment", "released"),
    [
        ("kept", 4, "authorised", []),
        ("down", 2, "overpaid", [("refund", 1000)]),
        ("part", 2, "overpaid", [("refund", 1000)]),
        ("less", 1, "overpaid", [("refund", 1500)]),
    ],
)
def test_what_ships_and_is_due_is_what_was_wanted_last(
    shop: ChangedShop, name: str, units: int, payment: str, released: list[tuple[str, int]]
) -> None:
    assert shop.states(name) == (payment, "accepted", "shipped", "none")
    found = facts(shop, name)
    assert found["lines"] == [(1, units), (2, 1)]
    assert found["shipped"] == [(units + 1,)]
    assert found["due"] == [(units * 500 + 550,)]
    assert found["released"] == released


def test_an_order_that_grew_beyond_its_payment_is_reviewed(shop: ChangedShop) -> None:
    assert shop.states("up") == ("underpaid", "review", "new", "held")
    found = facts(shop, "up")
    assert (found["due"], found["shipped"], found["released"]) == ([(4050,)], [], [])


def test_what_cannot_be_is_refused_parked_and_changes_nothing(shop: ChangedShop) -> None:
    for name, refusal in (("shipped", "already_shipped"), ("too much", "more_than_ordered")):
        found = facts(shop, name)
        assert found["change"] == [("refused", refusal)]
        assert (found["lines"], found["shipped"]) == ([(1, 4), (2, 1)], [(5,)])
        assert shop.events(name).count("cancel_refused") == 1
    parked = """
        SELECT subject, reason, detail FROM flow.quarantine WHERE state = 'parked' ORDER BY 1
    """
    assert shop.rows(parked) == [
        ("web/shipped", "already_shipped", "the order has shipped"),
        ("web/too much", "more_than_ordered", "line 1 has 4 units, 9 were to be cancelled"),
    ]


def test_an_order_cancelled_before_it_came_was_never_decided(shop: ChangedShop) -> None:
    never = "SELECT state, reason FROM orders.inbox WHERE external_id = 'never' ORDER BY revision"
    assert shop.rows(never) == [
        ("applied", None), ("superseded", "cancelled_before_acceptance"),
    ]  # fmt: skip
    assert shop.rows("SELECT 1 FROM orders.orders WHERE external_id = 'never'") == []


def test_stock_is_what_has_left_the_house(shop: ChangedShop) -> None:
    # shipped 4, kept 4, down 2, part 2, too much 4, less 1; nothing is promised to anybody.
    assert shop.rows("SELECT sku, on_hand, reserved FROM inventory.positions ORDER BY 1") == [
        ("SKU-1", 83, 0), ("SKU-2", 94, 0),
    ]  # fmt: skip
    folded = "SELECT sku, sum(quantity) FROM inventory.movements GROUP BY 1 ORDER BY 1"
    assert shop.rows(folded) == [("SKU-1", 83), ("SKU-2", 94)]


def test_the_timelines_tell_it_in_order(shop: ChangedShop) -> None:
    assert shop.events("cancelled")[-5:] == [
        "cancel_requested", "allocation_withdrawn", "reservation_released", "order_cancelled",
        "money_return_planned",
    ]  # fmt: skip
    for name, asked, done in (
        ("down", "edit_requested", "order_edited"),
        ("less", "cancel_requested", "order_lines_cancelled"),
    ):
        told = shop.events(name)
        places = [told.index(event) for event in ("order_accepted", asked, done, "order_shipped")]
        assert places == sorted(places), told


def test_nothing_is_left_to_do(shop: ChangedShop) -> None:
    assert shop.rows("SELECT order_id, stage FROM flow.pending WHERE NOT is_held") == []
    open_ = "SELECT 1 FROM orders.inbox WHERE state IN ('pending', 'waiting', 'changing')"
    assert shop.rows(open_) == []


def test_an_order_told_again_after_its_partial_cancellation_says_nothing_new(
    shop: ChangedShop,
) -> None:
    with shop.database.begin() as conn:
        again = Message("web", "part", minute(60), document(4, **PAID))
        assert store.receive(conn, [again]).repeated == 1
    messages = sa.text("SELECT count(*) FROM orders.inbox WHERE external_id = 'part'")
    with shop.database.begin() as conn:
        assert conn.execute(messages).scalar_one() == 3
