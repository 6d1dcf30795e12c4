"""Pending messages become orders, exactly once, whatever stands beside them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders import store
from ecom_assets.orders.model import Message
from ecom_assets.orders.tables import CHANGES, INBOX, ORDER_LINES, ORDERS
from ecom_assets.shared.flow import FIRST, PENDING
from ecom_assets.shared.journal import LEDGER, TIMELINE
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.shared.states import ORDER_STATES
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Builder = Callable[..., dict[str, Any]]


@pytest.fixture
def shop(database: DatabaseResource) -> DatabaseResource:
    """A shop that sells SKU-1 and SKU-2."""
    rows = [{"sku": sku, "name": sku, "category": "x", "currency": "EUR"} for sku in SKUS]
    with database.begin() as conn:
        conn.execute(sa.insert(PRODUCTS), rows)
    return database


SKUS = ("SKU-1", "SKU-2")


def send(shop: DatabaseResource, order: str, document: Any, minute: int = 0) -> None:
    message = Message("web", order, NOON + timedelta(minutes=minute), document)
    with shop.begin() as conn:
        store.receive(conn, [message])


def accept(shop: DatabaseResource, chunk: int = 100) -> dict[str, int]:
    return dict(store.accept_pending(shop.begin, "run-1", chunk=chunk))


def rows(shop: DatabaseResource, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    with shop.begin() as conn:
        return [tuple(row) for row in conn.execute(sa.select(*columns).order_by(*columns))]


def messages(shop: DatabaseResource) -> list[tuple[Any, ...]]:
    return rows(shop, INBOX.c.external_id, INBOX.c.revision, INBOX.c.state, INBOX.c.reason)


def test_accepted_order_has_lines_states_decision_event_and_next_stages(
    shop: DatabaseResource, document: Builder
) -> None:
    send(shop, "A-1", document())
    assert accept(shop) == {
        "messages": 1, "accepted": 1, "lines": 2, "parked": 0, "superseded": 0, "edits": 0
    }  # fmt: skip
    assert messages(shop) == [("A-1", 1, "accepted", None)]
    total = ORDERS.c.items_minor, ORDERS.c.discount_minor, ORDERS.c.total_minor
    assert rows(shop, *total) == [(1300, 100, 1450)]
    assert rows(shop, ORDERS.c.decided_as_of) == [(NOON + timedelta(minutes=5),)]
    assert rows(shop, ORDER_LINES.c.line_no, ORDER_LINES.c.line_total_minor) == [(1, 900), (2, 300)]
    assert rows(shop, ORDER_STATES.c.payment_state) == [("unchecked",)]
    assert rows(shop, LEDGER.c.kind, LEDGER.c.outcome) == [("order_acceptance", "accepted")]
    assert rows(shop, TIMELINE.c.event, TIMELINE.c.run_id) == [("order_accepted", "run-1")]
    assert rows(shop, PENDING.c.stage) == sorted((stage.value,) for stage in FIRST)


def test_second_run_changes_nothing(shop: DatabaseResource, document: Builder) -> None:
    send(shop, "A-1", document())
    accept(shop)
    before = rows(shop, ORDERS.c.order_id, ORDERS.c.recorded_at)
    assert not any(accept(shop).values())
    assert rows(shop, ORDERS.c.order_id, ORDERS.c.recorded_at) == before


def test_bad_documents_are_parked_beside_good_ones(
    shop: DatabaseResource, document: Builder
) -> None:
    send(shop, "bad-1", document(lines=[{"line_no": 3, "sku": "GONE", "quantity": 1,
                                         "unit_price_minor": 5}]))  # fmt: skip
    send(shop, "bad-2", [1, 2])
    send(shop, "good", document())
    counts = accept(shop)
    assert (counts["accepted"], counts["parked"]) == (1, 2)
    kept = rows(shop, QUARANTINE.c.subject, QUARANTINE.c.reason, QUARANTINE.c.detail)
    assert kept[0] == ("web/bad-1", "unknown_sku", "unknown SKU GONE in line 3")
    assert kept[1][:2] == ("web/bad-2", "malformed_document")
    assert messages(shop)[0] == ("bad-1", 1, "parked", "unknown_sku")


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_ids_follow_the_moment_of_decision_then_the_natural_key(
    shop: DatabaseResource, document: Builder, chunk: int
) -> None:
    for order, minute in (("c", 2), ("b", 1), ("a", 2)):
        moment = (NOON + timedelta(minutes=minute)).isoformat()
        send(shop, order, document(placed_at=moment, payments=[]), minute)
    assert accept(shop, chunk)["accepted"] == 3
    by_id = [order for _, order in rows(shop, ORDERS.c.order_id, ORDERS.c.external_id)]
    assert by_id[0] == "b"
    assert chunk < 100 or by_id == ["b", "a", "c"]


def test_only_the_newest_of_several_messages_is_accepted(
    shop: DatabaseResource, document: Builder
) -> None:
    for minute in (0, 2, 1):
        send(shop, "A-1", document(shipping_minor=minute, total_minor=None), minute)
    assert accept(shop, chunk=1)["superseded"] == 2
    assert rows(shop, ORDERS.c.revision, ORDERS.c.shipping_minor) == [(2, 2)]


def test_message_about_an_accepted_order_becomes_an_edit(
    shop: DatabaseResource, document: Builder
) -> None:
    send(shop, "A-1", document())
    accept(shop)
    send(shop, "A-1", document(shipping_minor=0, total_minor=None), 1)
    assert accept(shop)["edits"] == 1
    assert messages(shop)[1] == ("A-1", 2, "changing", None)
    assert rows(shop, CHANGES.c.kind, CHANGES.c.state) == [("edit", "pending")]
    assert rows(shop, ORDERS.c.revision) == [(1,)]


def test_corrected_message_takes_the_parked_one_off_the_list(
    shop: DatabaseResource, document: Builder
) -> None:
    send(shop, "A-1", document(currency="EURO"))
    accept(shop)
    send(shop, "A-1", document(), 1)
    assert accept(shop)["accepted"] == 1
    assert messages(shop)[0] == ("A-1", 1, "superseded", "superseded_by_revision")
    assert rows(shop, QUARANTINE.c.state) == [("replayed",)]


def test_replay_takes_what_the_catalog_has_learned_and_nothing_else(
    shop: DatabaseResource, document: Builder
) -> None:
    lines = [{"line_no": 1, "sku": "NEW", "quantity": 1, "unit_price_minor": 1000}]
    send(shop, "A-1", document(lines=lines, total_minor=None))
    send(shop, "A-2", document(currency="EURO"))
    accept(shop)
    with shop.begin() as conn:
        assert store.replay_parked(conn) == 0
        new = {"sku": "NEW", "name": "new", "category": "x", "currency": "EUR"}
        conn.execute(sa.insert(PRODUCTS).values(new))
        assert store.replay_parked(conn) == 1
    assert accept(shop)["accepted"] == 1
    assert [row[2] for row in messages(shop)] == ["accepted", "parked"]
    assert rows(shop, QUARANTINE.c.subject, QUARANTINE.c.state) == [
        ("web/A-1", "replayed"), ("web/A-2", "parked")
    ]  # fmt: skip


def test_two_workers_share_the_inbox(shop: DatabaseResource, document: Builder) -> None:
    """What one worker holds the other passes over; nothing is accepted twice."""
    for order in ("A-1", "A-2"):
        send(shop, order, document(), int(order[-1]))
    with shop.begin() as first:
        assert store.claims.claim_pending(first, 1) == 1
        assert accept(shop)["accepted"] == 1
        assert store.acceptance.accept_claimed(first, "run-2")["accepted"] == 1
    assert rows(shop, ORDERS.c.external_id, ORDERS.c.run_id) == [("A-1", "run-2"), ("A-2", "run-1")]


def test_revision_that_lost_a_race_is_settled_by_the_next_step(
    shop: DatabaseResource, document: Builder
) -> None:
    """A worker holds revision 1 while another accepts revision 2: one order, one parked message."""
    send(shop, "A-1", document())
    with shop.begin() as first:
        store.claims.claim_pending(first, 1)
        send(shop, "A-1", document(shipping_minor=0, total_minor=None), 1)
        assert accept(shop)["accepted"] == 1
        assert store.acceptance.accept_claimed(first, "run-2")["accepted"] == 0
    assert accept(shop)["superseded"] == 1
    assert rows(shop, ORDERS.c.revision) == [(2,)]
