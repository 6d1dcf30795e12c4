"""Messages enter the inbox once, in the order of their arrival, whoever else writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive, take_observed_events, take_orders
from ecom_assets.orders.tables import INBOX, OBSERVED_EVENTS
from ecom_assets.shared import feeds
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def message(minute: int, body: str, order: str = "A-1") -> Message:
    return Message("web", order, NOON + timedelta(minutes=minute), {"body": body})


def bodies(conn: sa.Connection, order: str = "A-1") -> list[str]:
    body = INBOX.c.payload["body"].astext
    rows = sa.select(body).where(INBOX.c.external_id == order).order_by(INBOX.c.revision)
    return list(conn.execute(rows).scalars())


def test_equal_message_is_a_no_op_and_a_different_one_a_revision(conn: sa.Connection) -> None:
    assert receive(conn, [message(0, "a")]).added == 1
    assert receive(conn, [message(1, "a")]).added == 0
    assert receive(conn, [message(2, "b")]).added == 1
    assert receive(conn, [message(3, "a")]).added == 1
    assert bodies(conn) == ["a", "b", "a"]


def test_key_order_and_blanks_of_a_document_do_not_matter(conn: sa.Connection) -> None:
    receive(conn, [Message("web", "A-1", NOON, {"x": 1, "y": 2})])
    assert receive(conn, [Message("web", "A-1", NOON, {"y": 2, "x": 1})]).added == 0


def test_several_messages_of_one_order_in_one_call_follow_their_arrival(
    conn: sa.Connection,
) -> None:
    assert (
        receive(conn, [message(5, "c"), message(1, "a"), message(3, "b"), message(4, "b")]).added
        == 3
    )
    assert bodies(conn) == ["a", "b", "c"]


def test_nothing_to_receive(conn: sa.Connection) -> None:
    assert receive(conn, []).added == 0


_ARRIVALS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from("abc"), st.sampled_from(["A-1", "A-2"])),
    max_size=12,
)


@given(first=_ARRIVALS, second=_ARRIVALS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_taking_messages_again_never_adds_any(
    conn: sa.Connection, first: list[tuple[int, str, str]], second: list[tuple[int, str, str]]
) -> None:
    with conn.begin_nested() as attempt:
        early = [message(*one) for one in first]
        late = [message(minute + 6, body, order) for minute, body, order in second]
        receive(conn, early)
        assert receive(conn, early).added == 0
        receive(conn, late)
        assert receive(conn, [*early, *late]).added == 0
        attempt.rollback()


def test_concurrent_intake_of_one_order_loses_nothing(database: DatabaseResource) -> None:
    """The second writer waits for the first, then takes its message as the next revision."""

    def take_late() -> None:
        with database.begin() as other:
            added.append(receive(other, [message(1, "b"), message(1, "z", "B-1")]).added)

    added: list[int] = []
    with database.begin() as first:
        receive(first, [message(0, "a")])
        thread = Thread(target=take_late)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the second writer must wait for the first"
    thread.join(10)
    with database.begin() as conn:
        assert added == [2]
        assert bodies(conn) == ["a", "b"]
        assert bodies(conn, "B-1") == ["z"]


def _fill(conn: sa.Connection, feed: sa.Table, *rows: dict[str, object]) -> None:
    conn.execute(sa.delete(feed))
    conn.execute(sa.insert(feed), list(rows))


def test_feed_of_an_import_names_the_import(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    row = {"channel": "web", "external_id": "A-1", "received_at": NOON, "payload": {"x": 1}}
    _fill(conn, feeds.ORDERS, row)
    assert take_orders(conn, 7) == 1
    assert take_orders(conn, 8) == 0
    assert conn.execute(sa.select(INBOX.c.import_id, INBOX.c.state)).one() == (7, "pending")


def test_observed_events_are_written_only_where_they_changed(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    event: dict[str, object] = {
        "channel": "web", "external_id": "A-1", "kind": "delivered", "reference": "",
        "happened_at": NOON, "detail": {}, "anomaly": None,
    }  # fmt: skip
    _fill(conn, feeds.OBSERVED_EVENTS, event)
    assert take_observed_events(conn, 1) == 1
    assert take_observed_events(conn, 2) == 0
    _fill(conn, feeds.OBSERVED_EVENTS, event, {**event, "happened_at": None})
    assert take_observed_events(conn, 3) == 1
    stored = conn.execute(sa.select(OBSERVED_EVENTS.c.happened_at, OBSERVED_EVENTS.c.import_id))
    assert stored.one() == (None, 3)
