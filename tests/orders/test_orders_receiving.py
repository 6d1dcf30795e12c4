"""Every row that comes is new, repeated, rejected or parked, and every bad one is named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.orders.delivery import IntakeReport, Policy
from ecom_assets.orders.model import Message
from ecom_assets.orders.storable import (
    MOST_ID_CHARACTERS,
    MOST_PAYLOAD_CHARACTERS,
    Unstorable,
    find_storage_fault,
    rendered,
)
from ecom_assets.orders.store import receive
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared.quarantine import QUARANTINE
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Builder = Callable[..., dict[str, Any]]
Json = dict[str, Any]


def endless() -> Json:
    """A payload that holds itself twice: without an end, and never deep for long."""
    payload: Json = {"again": []}
    payload["again"] += [payload, payload]
    return payload


def deep(levels: int) -> Json:
    payload: Json = {}
    for _ in range(levels):
        payload = {"in": payload}
    return payload


BAD: dict[str, tuple[dict[str, Any], Unstorable, str]] = {
    "NUL": ({"payload": {"a": ["x\x00"]}}, Unstorable.BAD_PAYLOAD, "payload.a[0]"),
    "surrogate": ({"payload": {"a": "\ud800"}}, Unstorable.BAD_PAYLOAD, "payload.a"),
    "NUL in a name": ({"payload": {"a\x00": 1}}, Unstorable.BAD_PAYLOAD, "payload"),
    "NaN": ({"payload": {"a": math.nan}}, Unstorable.BAD_PAYLOAD, "payload.a"),
    "Infinity": ({"payload": {"a": -math.inf}}, Unstorable.BAD_PAYLOAD, "payload.a"),
    "long number": ({"payload": {"a": 10**5000}}, Unstorable.BAD_PAYLOAD, "payload.a"),
    "number as a name": ({"payload": {1: 1}}, Unstorable.BAD_PAYLOAD, "payload"),
    "no JSON": ({"payload": {"a": NOON}}, Unstorable.BAD_PAYLOAD, "payload.a"),
    "too deep": ({"payload": deep(60)}, Unstorable.BAD_PAYLOAD, "payload.in"),
    "endless": ({"payload": endless()}, Unstorable.BAD_PAYLOAD, "payload.again"),
    "large": ({"payload": {"a": "x" * 10**6}}, Unstorable.TOO_LARGE, "payload"),
    "many": ({"payload": {"a": [0] * 10**6}}, Unstorable.TOO_LARGE, "payload"),
    "no id": ({"external_id": ""}, Unstorable.BAD_ID, "external_id"),
    "blank id": ({"external_id": " \n"}, Unstorable.BAD_ID, "external_id"),
    "number as id": ({"external_id": 7}, Unstorable.BAD_ID, "external_id"),
    "long id": ({"external_id": "x" * 201}, Unstorable.BAD_ID, "external_id"),
    "NUL in id": ({"external_id": "a\x00"}, Unstorable.BAD_ID, "external_id"),
    "no channel": ({"channel": None}, Unstorable.BAD_ID, "channel"),
    "surrogate in channel": ({"channel": "\udfff"}, Unstorable.BAD_ID, "channel"),
    "kind": ({"kind": "rumour"}, Unstorable.BAD_KIND, "kind"),
    "no kind": ({"kind": None}, Unstorable.BAD_KIND, "kind"),
    "naive": ({"received_at": NOON.replace(tzinfo=None)}, Unstorable.BAD_MOMENT, "received_at"),
    "year 1": ({"received_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
               Unstorable.BAD_MOMENT, "received_at"),
    "year 9999": ({"received_at": datetime.max.replace(tzinfo=timezone(-timedelta(hours=14)))},
                  Unstorable.BAD_MOMENT, "received_at"),
    "moment as text": ({"received_at": "2024-05-01"}, Unstorable.BAD_MOMENT, "received_at"),
}  # fmt: skip


def message(order: str = "A-1", minute: int = 0, **members: Any) -> Message:
    given_ = {
        "channel": "web", "external_id": order, "received_at": NOON + timedelta(minutes=minute),
        "payload": {}, **members,
    }  # fmt: skip
    return Message(**given_)


def as_floats(payload: Any) -> Any:
    """What JSON makes of it; PostgreSQL writes 1e16 as a whole number."""
    return json.loads(json.dumps(payload), parse_int=float)


def size(conn: sa.Connection, table: sa.Table) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_stored_is_named(name: str) -> None:
    members, reason, field = BAD[name]
    found = find_storage_fault(message(**members))
    assert found is not None
    assert found.startswith(f"{reason}: {field}")
    assert " must " in found


def test_bad_rows_do_not_lose_the_batch(conn: sa.Connection) -> None:
    bad = [message(**members) for members, _, _ in BAD.values()]
    report = receive(conn, [message("first"), *bad, message("last")])
    assert (report.given, report.added, report.parked) == (len(bad) + 2, 2, len(bad))
    assert [fault.row for fault in report.faults] == list(range(2, len(bad) + 2))
    parked = conn.execute(sa.select(QUARANTINE).order_by(QUARANTINE.c.row_number)).all()
    assert [row.reason for row in parked] == [reason.value for _, reason, _ in BAD.values()]
    assert "\\ud800" in parked[1].row["text"]
    assert "x\\u0000" in parked[0].row["text"]
    large = parked[list(BAD).index("large")].row
    assert (len(large["text"]), large["is_cut"]) == (MOST_PAYLOAD_CHARACTERS, True)
    assert receive(conn, [message("first"), *bad]).repeated == len(bad) + 1
    assert size(conn, QUARANTINE) == len(bad)


def test_the_largest_that_may_be_stored_is(conn: sa.Connection) -> None:
    widest = "\U0001f6d2" * MOST_ID_CHARACTERS
    many = {f"name {i}": [i, i / 3, None, True, "ü"] for i in range(10_000)}
    payloads = [{}, deep(49), {"n": 10**300 - 1, "f": 1.7e308, "tiny": 5e-324}, many]
    rows = [message(widest, minute, channel=widest, payload=body)
            for minute, body in enumerate(payloads)]  # fmt: skip
    assert receive(conn, rows).added == len(payloads)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
    | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
))  # fmt: skip
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_comes_is_stored_or_shown(conn: sa.Connection, payload: Any) -> None:
    with conn.begin_nested() as attempt:
        report = receive(conn, [message(payload=payload)])
        assert report.added + report.parked == 1
        if report.added:
            stored = conn.execute(sa.select(INBOX.c.payload)).scalar_one()
            assert as_floats(stored) == as_floats(payload)
        attempt.rollback()
    assert set(rendered(payload)) <= {"text", "is_cut"}


GOOD, STALE, UNUSABLE, UNSTORABLE = "good", "stale", "unusable", "unstorable"
_ROWS = st.lists(
    st.tuples(st.sampled_from([GOOD, STALE, UNUSABLE, UNSTORABLE]), st.integers(0, 3)), max_size=9
)


@given(rows=_ROWS, policy=st.sampled_from(Policy))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_accounts_are_exact_for_every_mix(
    catalog: sa.Connection, document: Builder, rows: list[tuple[str, int]], policy: Policy
) -> None:
    """Counted in the tables, not by the function that reports."""
    bodies = {GOOD: document(), STALE: document(shipping_minor=0, total_minor=None),
              UNUSABLE: document(lines=[]), UNSTORABLE: {"x": "\x00"}}  # fmt: skip
    sent = [message(f"{kind}-{order}", payload=bodies[kind]) for kind, order in rows]
    bad = {UNSTORABLE} if policy is Policy.PARK else {UNSTORABLE, UNUSABLE}
    faulty = [row for row, (kind, _) in enumerate(rows, start=1) if kind in bad]
    with catalog.begin_nested() as attempt:
        receive(catalog, [message(f"{STALE}-{order}", payload=bodies[STALE]) for order in range(4)])
        before = size(catalog, INBOX)
        report = receive(catalog, sent, policy)
        added, parked = size(catalog, INBOX) - before, size(catalog, QUARANTINE)
        attempt.rollback()
    assert [fault.row for fault in report.faults] == faulty
    assert (report.given, report.added, report.parked) == (len(rows), added, parked)
    fresh = {row for row in rows if row[0] not in {STALE, *bad}}
    if policy is Policy.REJECT_BATCH and faulty:
        assert (added, report.rejected) == (0, len(rows))
    else:
        assert added == len(fresh)
        assert report.rejected == (0 if policy is Policy.PARK else len(faulty))
        assert parked == (len(faulty) if policy is Policy.PARK else 0)


def test_a_rejected_row_is_named_by_the_rules_of_acceptance(
    catalog: sa.Connection, document: Builder
) -> None:
    sent = [
        message("1", payload=document()),
        message("2", payload=document(customer={})),
        message("3", payload=document(lines=[{"line_no": 1}])),
        message("4", payload=document(currency="GOLD")),
        message("5", payload=[]),
        message("6", payload={"cancel": {"lines": []}}, kind="cancellation"),
        message("7", payload=document(total_minor=1)),
        message("8", channel=""),
        message("9", payload=document(lines=[{**document()["lines"][0], "sku": "NEW"}])),
    ]
    report = receive(catalog, sent, Policy.REJECT_ROW)
    assert (report.added, report.rejected) == (1, 8)
    assert [(fault.row, fault.field, fault.reason) for fault in report.faults] == [
        (2, "customer.key", "malformed_document"),
        (3, "line 1: sku", "bad_line"),
        (4, "currency", "unknown_currency"),
        (5, "payload", "malformed_document"),
        (6, "cancel.lines", "malformed_cancellation"),
        (7, "total_minor", "total_differs_from_lines"),
        (8, "channel", "unusable_id"),
        (9, "lines", "unknown_sku"),
    ]


def test_a_report_that_does_not_add_up_cannot_be() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        IntakeReport(given=2, added=1)
    whole = IntakeReport(2, 1, 1) + IntakeReport(1, rejected=1)
    assert whole == IntakeReport(3, 1, 1, 1)


def test_equal_webhooks_at_once_are_one_message(database: DatabaseResource) -> None:
    """Each arrives at a moment of its own, and they commit in any order."""

    def deliver(second: int) -> IntakeReport:
        at = NOON + timedelta(seconds=second)
        with database.begin() as conn:
            return receive(conn, [message(received_at=at, payload={"x": 1})])

    with ThreadPoolExecutor(20) as pool:
        reports = list(pool.map(deliver, range(100)))
    assert sum(report.added for report in reports) == 1
    assert sum(report.repeated for report in reports) == 99
    with database.begin() as conn:
        assert size(conn, INBOX) == 1


def test_different_revisions_at_once_are_all_kept(database: DatabaseResource) -> None:
    """Batches hold several orders in different orders, and wait for each other without a knot."""

    def deliver(number: int) -> int:
        orders = [f"A-{(number * 3 + step) % 5}" for step in range(5)]
        rows = [message(order, number, payload={"revision": number}) for order in orders]
        with database.begin() as conn:
            return receive(conn, rows).added

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(deliver, range(40))) == 200
    with database.begin() as conn:
        revisions = conn.execute(
            sa.select(sa.func.array_agg(INBOX.c.revision)).group_by(INBOX.c.external_id)
        ).scalars()
        assert {tuple(sorted(found)) for found in revisions} == {tuple(range(1, 41))}


def test_an_equal_message_that_was_overtaken_is_no_news(conn: sa.Connection) -> None:
    assert receive(conn, [message(minute=5, payload={"v": 1})]).added == 1
    assert receive(conn, [message(minute=1, payload={"v": 1})]).repeated == 1
    assert receive(conn, [message(minute=3, payload={"v": 2})]).added == 1
    assert receive(conn, [message(minute=4, payload={"v": 2})]).repeated == 1


def test_kinds_do_not_interrupt_each_other(conn: sa.Connection) -> None:
    """An order told again after its cancellation says nothing new."""
    cancel = message(minute=1, payload={"cancel": {}}, kind="cancellation")
    assert receive(conn, [message(), cancel, message(minute=2)]).added == 2
    kinds = conn.execute(sa.select(INBOX.c.revision, INBOX.c.kind).order_by(INBOX.c.revision))
    assert [tuple(row) for row in kinds] == [(1, "order"), (2, "cancellation")]
