"""What becomes of messages that are late, wrong or repeated, and of runs that die meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders import store
from ecom_assets.orders.model import InboxState, Message, Problem
from ecom_assets.orders.store import acceptance, claims
from ecom_assets.orders.tables import CHANGES, INBOX, ORDER_LINES, ORDERS
from ecom_assets.shared import flow
from ecom_assets.shared.journal import LEDGER
from ecom_assets.shared.quarantine import QUARANTINE
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SKUS = ("SKU-1", "SKU-2")
Builder = Callable[..., dict[str, Any]]


def product(sku: str) -> dict[str, str]:
    return {"sku": sku, "name": sku, "category": "x", "currency": "EUR"}


def send(conn: sa.Connection, order: str, body: Any, minute: int = 0, channel: str = "web") -> None:
    store.receive(conn, [Message(channel, order, NOON + timedelta(minutes=minute), body)])


def accept(conn: sa.Connection, run: str = "run") -> dict[str, int]:
    claims.claim_pending(conn, 100)
    return dict(acceptance.accept_claimed(conn, run))


def rows(conn: sa.Connection, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.select(*columns).order_by(*columns))]


def states(conn: sa.Connection) -> list[tuple[Any, ...]]:
    return rows(conn, INBOX.c.external_id, INBOX.c.revision, INBOX.c.state)


def line(**members: Any) -> dict[str, Any]:
    return {"line_no": 1, "sku": "SKU-1", "quantity": 1, "unit_price_minor": 100, **members}


WRONG: dict[Problem, tuple[Any, str]] = {
    Problem.MALFORMED: ({"placed_at": None}, "placed_at must be a moment"),
    Problem.UNKNOWN_CURRENCY: ({"currency": "ЖЖЖ"}, "unknown currency ЖЖЖ"),
    Problem.MISSING_ADDRESS: ({"ship_to": {}}, "ship_to.country must be a country code"),
    Problem.WITHOUT_LINES: ({"lines": []}, "lines must be a list with at least one line"),
    Problem.BAD_LINE: ({"lines": [line(quantity=0)]}, "line 1: quantity must be a whole number"),
    Problem.UNKNOWN_SKU: ({"lines": [line(sku="A: B")]}, "unknown SKU A: B in line 1"),
    Problem.TOTAL_MISMATCH: ({"total_minor": 1}, "total_minor is 1, the lines add up to 1450"),
}


def test_every_problem_is_parked_with_its_row_reason_and_field(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    assert {*WRONG} == set(Problem)
    sent = {problem.value: document(**members) for problem, (members, _) in WRONG.items()}
    for order, body in sent.items():
        send(scratch_catalog, order, body)
    send(scratch_catalog, "good", document())
    assert accept(scratch_catalog)["parked"] == len(WRONG)
    found = scratch_catalog.execute(
        sa.select(QUARANTINE, INBOX.c.reason.label("said"), INBOX.c.run_id.label("decided_by"))
        .join(INBOX, INBOX.c.inbox_id == QUARANTINE.c.row_number)
        .order_by(QUARANTINE.c.row_number)
    ).all()
    assert [row.reason for row in found] == list(sent)
    for row, (_, detail) in zip(found, WRONG.values(), strict=True):
        assert row.detail.startswith(detail)
        assert (row.subject, row.row) == (f"web/{row.reason}", sent[row.reason])
        assert (row.said, row.source, row.state) == (row.reason, "orders.inbox", "parked")
        assert row.run_id == row.decided_by == "run"


def test_a_parked_order_leaves_no_trace_on_the_path(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    send(scratch_catalog, "A-1", document(total_minor=1))
    accept(scratch_catalog)
    assert rows(scratch_catalog, ORDERS.c.order_id) == []
    assert rows(scratch_catalog, LEDGER.c.order_id) == []
    assert flow.waiting(scratch_catalog) == {}


def test_blank_members_are_null_and_texts_lose_their_blanks(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    body = document(
        customer={"key": " c-1 ", "name": "  ", "email": "", "phone": None},
        ship_to={"country": "BE", "city": " Liège ", "line1": " "},
        context={"ip_address": ""}, shipping_minor=None, total_minor=None, promised_at=" ",
    )  # fmt: skip
    send(scratch_catalog, "A-1", body)
    accept(scratch_catalog)
    row = scratch_catalog.execute(sa.select(ORDERS)).one()
    assert (row.customer_key, row.ship_to_city, row.total_minor) == ("c-1", "Liège", 1200)
    empty = ("customer_name", "email", "phone", "ship_to_line1", "ip_address", "device_id",
             "promised_at", "ship_to_latitude")  # fmt: skip
    assert [name for name in empty if getattr(row, name) is not None] == []


def test_one_id_in_two_channels_is_two_orders(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    send(scratch_catalog, "1", document())
    send(scratch_catalog, "1", document(), channel="app")
    assert accept(scratch_catalog)["accepted"] == 2
    assert rows(scratch_catalog, ORDERS.c.channel, ORDERS.c.revision) == [("app", 1), ("web", 1)]


def test_a_message_overtaken_on_its_way_is_superseded_when_it_comes(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    send(scratch_catalog, "A-1", document(), minute=5)
    accept(scratch_catalog)
    send(scratch_catalog, "A-1", document(shipping_minor=0, total_minor=None), minute=1)
    assert accept(scratch_catalog) == {
        "superseded": 1, "edits": 0, "parked": 0, "accepted": 0,
    }  # fmt: skip
    assert rows(scratch_catalog, QUARANTINE.c.reason) == []


def test_the_newest_message_counts_even_where_it_is_wrong(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    """The channel took its order back into doubt: what it said before must not be shipped."""
    send(scratch_catalog, "A-1", document())
    send(scratch_catalog, "A-1", document(lines=[]), minute=1)
    assert accept(scratch_catalog) == {
        "superseded": 1, "edits": 0, "parked": 1, "accepted": 0,
    }  # fmt: skip
    assert states(scratch_catalog) == [("A-1", 1, "superseded"), ("A-1", 2, "parked")]


def test_messages_about_an_accepted_order_become_edits_of_it(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    for minute in range(3):
        body = document(shipping_minor=minute, total_minor=None)
        send(scratch_catalog, "A-1", body, minute)
        accept(scratch_catalog)
    assert [state for *_, state in states(scratch_catalog)] == ["accepted", "changing", "changing"]
    asked = rows(scratch_catalog, CHANGES.c.requested_at, CHANGES.c.kind, CHANGES.c.reason)
    assert [each[1:] for each in asked] == [("edit", "revision 2"), ("edit", "revision 3")]
    assert rows(scratch_catalog, ORDERS.c.shipping_minor) == [(0,)]


def test_of_several_messages_at_once_the_last_becomes_the_edit(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    send(scratch_catalog, "A-1", document())
    accept(scratch_catalog)
    for minute in (1, 2):
        body = document(shipping_minor=minute, total_minor=None)
        send(scratch_catalog, "A-1", body, minute)
    assert accept(scratch_catalog)["edits"] == 1
    assert [state for *_, state in states(scratch_catalog)] == [
        "accepted", "superseded", "changing",
    ]  # fmt: skip


def test_replay_leaves_a_message_parked_whose_next_problem_shows(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    """The catalog learned the SKU, but the stated total is wrong as well."""
    send(scratch_catalog, "A-1", document(lines=[line(sku="NEW")], total_minor=1))
    accept(scratch_catalog)
    scratch_catalog.execute(sa.insert(PRODUCTS).values(product("NEW")))
    assert store.replay_parked(scratch_catalog) == 0
    assert rows(scratch_catalog, INBOX.c.state, INBOX.c.reason) == [("parked", "unknown_sku")]


def test_the_ledger_holds_what_was_accepted_and_what_was_stated(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    send(scratch_catalog, "A-1", document(total_minor=1449, currency="JPY"))
    accept(scratch_catalog)
    inputs = scratch_catalog.execute(sa.select(LEDGER.c.inputs)).scalar_one()
    stated = scratch_catalog.execute(sa.select(INBOX.c.payload_hash)).scalar_one()
    assert inputs == {
        "payload_hash": stated, "revision": 1, "lines": 2, "items_minor": 1300,
        "discount_minor": 100, "shipping_minor": 250, "total_minor": 1450,
        "stated_total_minor": 1449, "currency": "JPY",
    }  # fmt: skip


def test_lines_keep_their_own_numbers_and_are_stored_in_that_order(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    numbers = (30, 10, 20)
    body = document(lines=[line(line_no=number) for number in numbers], total_minor=None)
    send(scratch_catalog, "A-1", body)
    assert accept(scratch_catalog)["lines"] == 3
    by_id = rows(scratch_catalog, ORDER_LINES.c.order_line_id, ORDER_LINES.c.line_no)
    assert [number for _, number in by_id] == [10, 20, 30]


@pytest.fixture
def shop(database: DatabaseResource, document: Builder) -> DatabaseResource:
    """Twelve messages about nine orders: good ones, wrong ones and revisions."""
    with database.begin() as conn:
        conn.execute(sa.insert(PRODUCTS), [product(sku) for sku in SKUS])
        for number in range(6):
            send(conn, f"good-{number}", document(), number)
        for number, (members, _) in enumerate(list(WRONG.values())[-3:]):
            send(conn, f"wrong-{number}", document(**members), number)
        for number in range(3):
            body = document(shipping_minor=number, total_minor=None)
            send(conn, f"good-{number}", body, 10 + number)
    return database


def run(shop: DatabaseResource, chunk: int = 100) -> dict[str, int]:
    return dict(store.accept_pending(shop.begin, "run", chunk=chunk))


@pytest.mark.parametrize("chunk", [1, 5])
def test_a_run_killed_between_chunks_ends_like_one_that_was_not(
    shop: DatabaseResource, document: Builder, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    with shop.engine.connect() as conn:
        claims.claim_pending(conn, 100)
        acceptance.accept_claimed(conn, "run")
        whole = final_state(conn)
        conn.rollback()
    record, calls = acceptance._record, iter(range(20))

    def dies(conn: sa.Connection, run: str) -> None:
        record(conn, run)
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(acceptance, "_record", dies)
    with pytest.raises(KeyboardInterrupt):
        run(shop, chunk)
    with shop.begin() as conn:
        assert len(rows(conn, ORDERS.c.order_id)) in range(1, 6)
    run(shop, chunk)
    with shop.begin() as conn:
        assert differences(whole, final_state(conn)) == {}
        assert rows(conn, INBOX.c.state).count((InboxState.PENDING,)) == 0


def test_every_message_is_counted_once_and_progress_is_told(shop: DatabaseResource) -> None:
    told: list[str] = []
    totals = store.accept_pending(shop.begin, "run", told.append, chunk=5)
    assert totals["messages"] == 12
    assert totals["accepted"] + totals["parked"] + totals["superseded"] == 12
    assert (len(told), told[-1]) == (3, "inbox: 12 messages, 6 accepted")


def test_two_replays_at_once_put_a_message_back_once(
    shop: DatabaseResource, document: Builder
) -> None:
    with shop.begin() as conn:
        send(conn, "late", document(lines=[line(sku="NEW")], total_minor=None))
    run(shop)
    with shop.begin() as conn:
        conn.execute(sa.insert(PRODUCTS).values(product("NEW")))
    with shop.begin() as first:
        assert store.replay_parked(first) == 1
        with shop.begin() as second:
            assert store.replay_parked(second) == 0
    with shop.begin() as conn:
        settled = rows(conn, QUARANTINE.c.subject, QUARANTINE.c.state)
    assert settled[0] == ("web/late", "replayed")
    assert {state for _, state in settled[1:]} == {"parked"}
