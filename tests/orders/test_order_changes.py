"""Cancelling and editing accepted orders: carried out one after the other, or refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.orders import store
from ecom_assets.orders.model import Refusal
from ecom_assets.risk.rules import Outcome
from ecom_assets.risk.store import review
from ecom_assets.shared import holds
from ecom_assets.shared.flow import Stage, waiting
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

ATTEMPTS = """
    SELECT kind, array_agg(attempt ORDER BY attempt) FROM decisions.ledger
    WHERE order_id = :order GROUP BY kind ORDER BY kind
"""
LINES = "SELECT line_no, sku, quantity FROM orders.order_lines ORDER BY line_no"
RELEASES = """
    SELECT kind, amount_minor, state FROM payments.planned_releases ORDER BY release_id
"""


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop without orders."""
    shop = ChangedShop(database)
    shop.open()
    return shop


def select(order: int) -> sa.Select[tuple[int]]:
    return sa.select(sa.literal(order))


def cancel(shop: ChangedShop, *lines: tuple[int, int], at: float = 5) -> None:
    """Ask for a cancellation of units by line, or of the whole order, and carry it out."""
    taken = [{"line_no": line, "quantity": units} for line, units in lines] or None
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order(), taken, minute(at), "ann", "no longer wanted")


def test_an_order_edited_twice_ships_what_the_last_edit_says(shop: ChangedShop) -> None:
    shop.send("A", document(2, paid=100))
    shop.advance()
    assert shop.states() == ("underpaid", "review", "new", "held")
    shop.send("A", document(5, paid=200), at=1)
    assert shop.change() == {"started": 1, "refused": 0, "orders": 1, "reopened": 1,
                             "cancelled": 0, "rest_cancelled": 0}  # fmt: skip
    assert shop.states() == ("unchecked", "undecided", "new", "none")
    shop.advance()
    assert shop.states() == ("underpaid", "review", "new", "held")
    shop.send("A", document(3), at=2)
    shop.change()
    shop.advance()
    shop.book()
    shop.give_back()
    assert shop.states() == ("authorised", "accepted", "shipped", "none")
    attempts = dict(shop.rows(ATTEMPTS, order=shop.order()))
    for kind in ("order_acceptance", "payment_match", "fraud_score", "risk_decision"):
        assert attempts[kind] == [1, 2, 3], kind
    for kind in ("reservation", "allocation", "carrier_choice"):
        assert attempts[kind] == [1], kind
    assert shop.rows(LINES) == [(1, "SKU-1", 3), (2, "SKU-2", 1)]
    assert shop.rows("SELECT revision, total_minor, decided_as_of FROM orders.orders") == [
        (3, 2050, minute(2))
    ]
    assert shop.rows("SELECT amount_minor FROM payments.transactions") == [(2050,)]
    assert shop.rows("SELECT due_minor FROM payments.order_payments") == [(2050,)]
    assert shop.rows("SELECT outcome, decided_as_of FROM risk.decisions") == [
        ("accepted", minute(2))
    ]
    assert shop.rows("SELECT sku, on_hand, reserved FROM inventory.positions ORDER BY sku") == [
        ("SKU-1", 97, 0), ("SKU-2", 99, 0),
    ]  # fmt: skip
    cards = "SELECT count(*) FROM fraud.sightings WHERE kind = 'card'"
    assert shop.rows(cards) == [(1,)], "the cards of former documents are forgotten"
    assert shop.rows("SELECT state, revision FROM orders.inbox ORDER BY revision") == [
        ("superseded", 1), ("superseded", 2), ("accepted", 3),
    ]  # fmt: skip
    assert shop.rows(RELEASES) == []


def test_an_order_does_not_ship_past_a_change_nobody_has_looked_at(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    shop.advance(Stage.ALLOCATE)
    shop.send("A", document(3), at=1)
    cancel(shop, (1, 9), at=2)
    cancel(shop, (1, 1), at=3)
    for _ in range(2):
        shop.advance()
        assert shop.rows("SELECT count(*) FROM transport.shipments") == [(0,)]
        shop.change()
    shop.advance()
    shop.book()
    assert shop.states()[2] == "shipped"
    assert shop.rows(LINES)[0] == (1, "SKU-1", 2)
    assert [state for state, _ in shop.changes()] == ["applied", "refused", "applied"]


def test_a_hold_outlasts_a_change_that_was_refused(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    with shop.database.begin() as conn:
        holds.hold(conn, select(shop.order()), "odd", "ann", minute(1))
    cancel(shop, (1, 9))
    shop.change()
    shop.advance()
    assert shop.states()[2:] == ("new", "held")


def test_two_edits_at_once_are_carried_out_one_after_the_other(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    with shop.database.begin() as conn:
        later = store.edit(conn, shop.order(), document(7), minute(9), "bob")
        earlier = store.edit(conn, shop.order(), document(4), minute(3), "ann")
    assert shop.change()["reopened"] == 1
    assert shop.rows(LINES)[0] == (1, "SKU-1", 4)
    assert shop.change()["reopened"] == 1
    assert shop.rows(LINES)[0] == (1, "SKU-1", 7)
    shop.advance()
    found = shop.rows("SELECT change_id, state, effective_as_of FROM orders.changes ORDER BY 3")
    assert found == [(earlier, "applied", minute(3)), (later, "applied", minute(9))]


def test_a_cancelled_order_ends_and_gets_all_its_money_back(shop: ChangedShop) -> None:
    shop.send("A", document(2, paid=100))
    shop.advance()
    cancel(shop)
    assert shop.change()["cancelled"] == 1
    shop.give_back()
    shop.advance()
    assert shop.states() == ("underpaid", "review", "cancelled", "none")
    assert shop.rows(RELEASES) == [("void", 100, "planned")]
    with shop.database.begin() as conn:
        assert waiting(conn) == {}
    assert shop.events()[-4:] == [
        "cancel_requested", "order_released", "order_cancelled", "money_return_planned"
    ]  # fmt: skip


def test_an_order_cancelled_before_it_was_matched_gets_its_money_back(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    cancel(shop)
    shop.change()
    shop.advance()
    shop.give_back()
    assert shop.states() == ("authorised", "undecided", "cancelled", "none")
    assert shop.rows(RELEASES) == [("void", 1550, "planned")]
    with shop.database.begin() as conn:
        assert waiting(conn) == {}


def test_units_of_a_line_are_cancelled_and_the_rest_goes_on(shop: ChangedShop) -> None:
    shop.send("A", document(3))
    cancel(shop, (1, 2), (2, 1))
    shop.change()
    shop.advance()
    shop.book()
    shop.give_back()
    assert shop.states() == ("overpaid", "accepted", "shipped", "none")
    assert shop.rows(LINES) == [(1, "SKU-1", 1)]
    assert shop.rows(RELEASES) == [("refund", 1300, "planned")]


def test_only_the_newest_plan_to_give_money_back_stands(shop: ChangedShop) -> None:
    shop.send("A", document(4, paid=2550))
    for at, left in ((5, 500), (6, 1000)):
        cancel(shop, (1, 1), at=at)
        shop.change()
        shop.advance(Stage.PAYMENT)
        shop.give_back()
        assert shop.rows(RELEASES)[-1] == ("refund", left, "planned")
    assert shop.rows(RELEASES)[0] == ("refund", 500, "withdrawn")
    shop.send("A", {**document(4, paid=2550), "promised_at": minute(99).isoformat()}, at=7)
    shop.change()
    shop.advance(Stage.PAYMENT)
    shop.give_back()
    assert {state for *_, state in shop.rows(RELEASES)} == {"withdrawn"}


def test_cancelling_every_unit_is_cancelling_the_order(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    cancel(shop, (1, 2), (2, 1))
    assert shop.change()["cancelled"] == 1
    assert shop.rows(LINES) == [(1, "SKU-1", 2), (2, "SKU-2", 1)], (
        "what was ordered stays on record"
    )


def test_what_has_shipped_cannot_be_changed(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    shop.advance()
    shop.book()
    before = shop.rows("SELECT * FROM orders.orders")
    cancel(shop)
    shop.send("A", document(9), at=6)
    for _ in range(2):
        shop.change()
    assert shop.changes() == [("refused", Refusal.ALREADY_SHIPPED)] * 2
    assert shop.rows("SELECT * FROM orders.orders") == before
    parked = "SELECT reason, subject FROM flow.quarantine WHERE state = 'parked'"
    assert shop.rows(parked) == [("already_shipped", "web/A")]
    with shop.database.begin() as conn:
        assert store.replay_parked(conn) == 0


def test_a_shipment_that_is_not_booked_yet_lets_a_change_wait(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    shop.advance()
    cancel(shop)
    assert shop.change()["refused"] == 0
    shop.book()
    assert shop.change()["refused"] == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**document(2), "lines": []}, "order_without_lines"),
        ({**document(2), "customer": {"key": "other"}}, "customer_changed"),
        ({**document(2), "currency": "USD"}, "currency_changed"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(
    shop: ChangedShop, body: dict[str, object], reason: str
) -> None:
    shop.send("A", document(2, paid=100))
    shop.advance()
    before = shop.states(), shop.rows(LINES), shop.rows("SELECT * FROM orders.orders")
    shop.send("A", body, at=3)
    assert shop.change()["refused"] == 1
    assert (shop.states(), shop.rows(LINES), shop.rows("SELECT * FROM orders.orders")) == before
    assert shop.changes() == [("refused", reason)]
    assert shop.events()[-1] == "edit_refused"
    assert shop.rows("SELECT state, reason FROM orders.inbox WHERE revision = 2") == [
        ("parked", reason)
    ]


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([], Refusal.MALFORMED),
        ("all of it", Refusal.MALFORMED),
        ([{"line_no": 1}], Refusal.MALFORMED),
        ([{"line_no": 1, "quantity": 0}], Refusal.MALFORMED),
        ([{"line_no": 1, "quantity": 1}] * 2, Refusal.MALFORMED),
        ([{"line_no": 8, "quantity": 1}], Refusal.UNKNOWN_LINE),
        ([{"line_no": 1, "quantity": 3}], Refusal.MORE_THAN_ORDERED),
    ],
)
def test_a_cancellation_that_cannot_be_is_refused(
    shop: ChangedShop, lines: object, refusal: Refusal
) -> None:
    shop.send("A", document(2))
    _cancellation(shop, {"cancel": {"reason": "x", "lines": lines}})
    shop.change()
    assert shop.changes() == [("refused", refusal)]


@pytest.mark.parametrize("lines", [{}, {"lines": None}])
def test_a_cancellation_message_without_lines_is_about_the_whole_order(
    shop: ChangedShop, lines: dict[str, object]
) -> None:
    shop.send("A", document(2))
    assert _cancellation(shop, {"cancel": {"reason": " wrong size ", **lines}}) == 1
    assert _cancellation(shop, {"cancel": {}}, name="unknown") == 0
    shop.change()
    assert shop.states()[2] == "cancelled"
    assert shop.rows("SELECT reason, requested_by FROM orders.changes") == [("wrong size", "web")]


def _cancellation(shop: ChangedShop, payload: object, name: str = "A") -> int:
    rows = sa.select(
        sa.null().cast(sa.BigInteger).label("inbox_id"),
        sa.literal("web").label("channel"),
        sa.literal(name).label("external_id"),
        sa.literal(minute(5)).label("received_at"),
        sa.literal(payload, JSONB).label("payload"),
    )
    with shop.database.begin() as conn:
        return store.requests_from_cancellations(conn, rows)


def test_a_cancelled_order_cannot_be_changed_again(shop: ChangedShop) -> None:
    shop.send("A", document(2))
    for at in (5, 6):
        cancel(shop, at=at)
        shop.change()
    assert shop.changes() == [("applied", None), ("refused", Refusal.ALREADY_CANCELLED)]


def test_the_rest_of_what_shipped_in_part_can_be_cancelled(database: DatabaseResource) -> None:
    shop = ChangedShop(database)
    shop.open(units=1)
    shop.send("A", document(3))
    shop.advance()
    shop.book()
    assert shop.states()[2] == "partly_shipped"
    cancel(shop, (1, 1))
    shop.change()
    assert shop.changes() == [("refused", Refusal.PARTLY_SHIPPED)]
    # The stage before has released the promise of what never came.
    with shop.database.begin() as conn:
        conn.execute(sa.text(
            "UPDATE inventory.reservations SET requested = reserved, backordered = 0"
        ))  # fmt: skip
    cancel(shop, at=6)
    assert shop.change()["rest_cancelled"] == 1
    shop.advance()
    shop.give_back()
    assert shop.states() == ("overpaid", "accepted", "shipped", "none")
    assert shop.rows(LINES) == [(1, "SKU-1", 1), (2, "SKU-2", 1)]
    assert shop.rows(RELEASES) == [("refund", 1000, "planned")]


def test_an_edit_of_an_order_in_review_is_reviewed_anew_or_not_at_all(shop: ChangedShop) -> None:
    shop.send("A", document(2, paid=100))
    shop.advance()
    shop.send("A", document(2, paid=120), at=1)
    store.start_pending(shop.database.begin, "run")
    with shop.database.begin() as conn:
        decided = review(conn, select(shop.order()), Outcome.ACCEPTED, "ann", minute(2))
    assert decided == 0, "what is about to be decided anew cannot be accepted"
    shop.change()
    assert shop.states() == ("unchecked", "undecided", "new", "none")


def test_unknown_orders_cannot_be_changed(shop: ChangedShop) -> None:
    with shop.database.begin() as conn:
        with pytest.raises(store.UnknownOrder, match="no order 7"):
            store.cancel(conn, 7, None, minute(1), "ann")
        with pytest.raises(store.UnknownOrder, match="no order 7"):
            store.edit(conn, 7, document(), minute(1), "ann")
