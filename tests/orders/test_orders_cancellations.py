"""A cancelled order is never decided, whichever message comes, commits or is claimed first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.orders import store
from ecom_assets.orders.model import Message
from ecom_assets.orders.rules import find_cancellation_fault
from ecom_assets.orders.store import acceptance, cancellations, claims, figures
from ecom_assets.orders.store.cancelled import read_cancellations
from ecom_assets.orders.tables import INBOX, ORDERS
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.shared.working import open_empty
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Builder = Callable[..., dict[str, Any]]
WHOLE: dict[str, Any] = {"cancel": {"reason": "changed my mind"}}
PART: dict[str, Any] = {"cancel": {"lines": [{"line_no": 1, "quantity": 1}]}}


def send(conn: sa.Connection, payload: Any, minute: int = 0, order: str = "A-1") -> None:
    kind = "cancellation" if "cancel" in payload else "order"
    store.receive(conn, [Message("web", order, NOON + timedelta(minutes=minute), payload, kind)])


def accept(conn: sa.Connection, most: int = 100) -> dict[str, int]:
    claims.claim_pending(conn, most)
    return dict(acceptance.accept_claimed(conn, "run"))


def states(conn: sa.Connection) -> list[tuple[str, str, str | None]]:
    """Kind, state and reason of all messages by order, kind and arrival."""
    columns = INBOX.c.kind, INBOX.c.state, INBOX.c.reason
    by = INBOX.c.external_id, INBOX.c.kind, INBOX.c.received_at
    return [row._tuple() for row in conn.execute(sa.select(*columns).order_by(*by))]


def orders(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(ORDERS)).scalar_one()


CANCELLED = [
    ("cancellation", "applied", None),
    ("order", "superseded", "cancelled_before_acceptance"),
]


@pytest.mark.parametrize(
    ("first", "is_one_batch"), [("order", True), ("cancellation", True), ("cancellation", False)]
)
@pytest.mark.parametrize("cancelled_at", [-5, 0, 5])
def test_a_whole_cancellation_ends_the_order_in_any_order(
    scratch_catalog: sa.Connection, document: Builder, first: str, is_one_batch: bool,
    cancelled_at: int,
) -> None:  # fmt: skip
    conn = scratch_catalog
    sent = [(document(), 0), (WHOLE, cancelled_at)]
    if first == "cancellation":
        sent.reverse()
    for payload, minute in sent:
        send(conn, payload, minute)
        if not is_one_batch:
            accept(conn)
    accept(conn)
    assert states(conn) == CANCELLED
    assert orders(conn) == 0


def test_a_cancellation_without_its_order_stays_visible(scratch_catalog: sa.Connection) -> None:
    send(scratch_catalog, WHOLE)
    counts = {name: count for name, count in accept(scratch_catalog).items() if count}
    assert counts == {"waiting": 1}
    assert states(scratch_catalog) == [("cancellation", "waiting", None)]
    assert figures.waiting_cancellations(scratch_catalog) == 1
    assert figures.pending_messages(scratch_catalog) == 0
    (row,) = scratch_catalog.execute(figures.oldest_waiting())
    assert tuple(row) == ("web", "A-1", NOON)


def test_what_comes_of_a_cancelled_order_later_is_not_decided(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    conn = scratch_catalog
    send(conn, WHOLE)
    for minute in range(3):
        send(conn, document(shipping_minor=minute, total_minor=None), minute)
        accept(conn)
    assert [state for _, state, _ in states(conn)] == ["applied", *["superseded"] * 3]
    assert orders(conn) == 0


def test_a_cancellation_solves_a_parked_order(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    conn = scratch_catalog
    send(conn, document(total_minor=1))
    accept(conn)
    send(conn, WHOLE)
    assert accept(conn)["superseded"] == 1
    assert states(conn) == CANCELLED
    assert conn.execute(sa.select(QUARANTINE.c.state)).scalars().all() == ["replayed"]
    assert store.replay_parked(conn) == 0


@pytest.mark.parametrize("payload", [WHOLE, PART])
def test_a_cancellation_of_an_accepted_order_is_handed_over(
    scratch_catalog: sa.Connection, document: Builder, payload: dict[str, Any]
) -> None:
    conn = scratch_catalog
    send(conn, document())
    accept(conn)
    send(conn, payload, 5)
    assert accept(conn)["cancels"] == 1
    assert states(conn)[0] == ("cancellation", "changing", None)
    assert orders(conn) == 1
    assert store.replay_parked(conn) == 0


@pytest.mark.parametrize("sent", list(permutations(["order", "part", "part 2"])))
def test_partial_cancellations_wait_until_their_order_is_accepted(
    scratch_catalog: sa.Connection, document: Builder, sent: Sequence[str]
) -> None:
    conn = scratch_catalog
    second = {"cancel": {**PART["cancel"], "reference": "again"}}
    bodies = {"order": document(), "part": PART, "part 2": second}
    for name in sent:
        send(conn, bodies[name])
        accept(conn)
    late = ("cancellation", "changing", None)
    assert states(conn) == [late, late, ("order", "accepted", None)]


def test_a_partial_cancellation_of_an_order_cancelled_as_a_whole_is_superseded(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    conn = scratch_catalog
    for minute, payload in enumerate([PART, WHOLE, document()]):
        send(conn, payload, minute)
    accept(conn)
    gone = "superseded", "cancelled_before_acceptance"
    assert states(conn) == [
        ("cancellation", *gone), ("cancellation", "applied", None), ("order", *gone),
    ]  # fmt: skip


def test_other_orders_of_the_batch_are_accepted(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    conn = scratch_catalog
    send(conn, document())
    send(conn, WHOLE)
    send(conn, document(), order="B-1")
    send(conn, {"cancel": 1}, order="C-1")
    send(conn, document(), order="C-1")
    counts = accept(conn)
    assert (counts["accepted"], counts["superseded"], counts["parked"]) == (2, 1, 1)
    assert states(conn)[3:] == [
        ("cancellation", "parked", "malformed_cancellation"), ("order", "accepted", None),
    ]  # fmt: skip


@pytest.fixture
def shop(database: DatabaseResource, document: Builder) -> DatabaseResource:
    """Six orders that are cancelled, some before they came, and one that is not."""
    from ecom_assets.catalog.tables import PRODUCTS

    with database.begin() as conn:
        rows = [{"sku": sku, "name": sku, "category": "x", "currency": "EUR"}
                for sku in ("SKU-1", "SKU-2")]  # fmt: skip
        conn.execute(sa.insert(PRODUCTS), rows)
        for number in range(6):
            send(conn, document(), number, f"A-{number}")
            send(conn, WHOLE, 2 * number, f"A-{number}")
        send(conn, document(), 3, "B-1")
    return database


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_chunks_make_no_difference(shop: DatabaseResource, chunk: int) -> None:
    totals = store.accept_pending(shop.begin, "run", chunk=chunk)
    counts = {name: totals[name] for name in ("messages", "accepted", "superseded", "applied")}
    assert counts == {"messages": 13, "accepted": 1, "superseded": 6, "applied": 6}


@pytest.mark.parametrize("held_kind", ["order", "cancellation"])
@pytest.mark.parametrize("does_commit", [True, False])
def test_what_another_worker_holds_is_left_and_ends_the_same(
    shop: DatabaseResource, held_kind: str, does_commit: bool
) -> None:
    """One worker claims the orders, the other the cancellations; neither waits for the other."""
    with shop.engine.connect() as other:
        open_empty(other, claims.CLAIMED, claims.FAULTS)
        held = sa.select(INBOX.c.inbox_id, sa.true()).where(INBOX.c.kind == held_kind)
        other.execute(sa.insert(claims.CLAIMED).from_select(["inbox_id", "is_revised"], held))
        other.execute(sa.select(INBOX).where(INBOX.c.kind == held_kind).with_for_update())
        left = store.accept_pending(shop.begin, "run")
        assert (left["superseded"], left["applied"]) == (0, 0)
        assert left["accepted"] == (held_kind == "cancellation")
        acceptance.accept_claimed(other, "other")
        if does_commit:
            other.commit()
    store.accept_pending(shop.begin, "run")
    with shop.begin() as conn:
        assert states(conn) == [*CANCELLED * 6, ("order", "accepted", None)]


def test_an_order_that_comes_while_its_cancellation_is_decided(
    shop: DatabaseResource, document: Builder
) -> None:
    """The one transaction does not know the order yet, the other cannot have the cancellation."""
    store.accept_pending(shop.begin, "run")
    with shop.begin() as conn:
        send(conn, WHOLE, 1, "C-1")
    with shop.engine.connect() as first:
        assert accept(first)["waiting"] == 1
        with shop.begin() as conn:
            send(conn, document(), 9, "C-1")
        assert store.accept_pending(shop.begin, "run")["accepted"] == 0
        first.commit()
    store.accept_pending(shop.begin, "run")
    with shop.begin() as conn:
        assert states(conn)[-2:] == CANCELLED
        accepted = conn.execute(sa.select(ORDERS.c.external_id)).scalars().all()
    assert accepted == ["B-1"]


def test_a_message_that_commits_late_is_taken(shop: DatabaseResource, document: Builder) -> None:
    """Its id is smaller than ids that were decided before it could be seen."""
    with shop.engine.connect() as slow:
        send(slow, document(), 0, "slow")
        with shop.begin() as conn:
            send(conn, document(), 1, "fast")
        store.accept_pending(shop.begin, "run")
        slow.commit()
    assert store.accept_pending(shop.begin, "run")["accepted"] == 1
    with shop.begin() as conn:
        ids = conn.execute(
            sa.select(INBOX.c.external_id)
            .where(INBOX.c.external_id.in_(["slow", "fast"]))
            .order_by(INBOX.c.inbox_id)
        ).scalars()
        assert list(ids) == ["slow", "fast"]


_NUMBERS = st.sampled_from([1, 2, 2.0, 0, -1, 0.5, 10**7, True, None, "1"])
_LINES: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries({}, optional={"line_no": _NUMBERS, "quantity": _NUMBERS})
    | st.sampled_from([None, 3, "x", []]),
    max_size=3,
)
_TEXTS: st.SearchStrategy[Any] = st.sampled_from([None, "", "late", "x" * 501, 3, {}])
_CANCELS = st.fixed_dictionaries(
    {},
    optional={
        "reason": _TEXTS, "reference": _TEXTS,
        "lines": _LINES | st.sampled_from([None, {}, "", 1]),
    },
)  # fmt: skip
_PAYLOADS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"cancel": _CANCELS | st.sampled_from([None, [], 1, "x", {}])}
)


@given(payloads=st.lists(_PAYLOADS | st.sampled_from([None, [], {}, 1, "x"]), min_size=1))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_find_the_same_faults(conn: sa.Connection, payloads: list[Any]) -> None:
    with conn.begin_nested() as attempt:
        sent = [Message("web", f"{number:03}", NOON, payload, "cancellation")
                for number, payload in enumerate(payloads)]  # fmt: skip
        store.receive(conn, sent)
        claims.claim_pending(conn, len(sent))
        open_empty(conn, cancellations.CANCELLATIONS)
        read_cancellations(conn, cancellations.CANCELLATIONS)
        table = cancellations.CANCELLATIONS.c
        query = sa.select(table.fault, table.is_whole).order_by(table.external_id)
        found = conn.execute(query).all()
        attempt.rollback()
    assert [row.fault for row in found] == [find_cancellation_fault(each) for each in payloads]
    for payload, row in zip(payloads, found, strict=True):
        if row.fault is None:
            assert row.is_whole == (payload["cancel"].get("lines") is None)
