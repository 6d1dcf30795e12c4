"""What operators and sensors see of the orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.orders.model import Message
from ecom_assets.orders.store import acceptance, claims, figures, receive, settle_revisions
from ecom_assets.shared import flow
from ecom_assets.shared.flow import Stage, hand_on

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Builder = Callable[..., dict[str, Any]]


def place(conn: sa.Connection, document: Builder, *days: int, **members: Any) -> None:
    """Accepted orders, placed some days before noon of the first of May."""
    sent = []
    for number, day in enumerate(days):
        placed_at = (NOON - timedelta(days=day)).isoformat()
        body = document(placed_at=placed_at, payments=[], **members)
        order = f"{members.get('currency')}-{day}-{number}"
        sent.append(Message("web", order, NOON, body))
    receive(conn, sent)
    claims.claim_pending(conn, len(sent))
    acceptance.accept_claimed(conn, "run")


def test_days_are_counted_back_from_the_latest_order(
    catalog: sa.Connection, document: Builder
) -> None:
    place(catalog, document, 0, 0, 59, 60)
    assert figures.orders_per_day(catalog) == [(date(2024, 3, 3), 1), (date(2024, 5, 1), 2)]


def test_totals_are_kept_apart_by_currency(catalog: sa.Connection, document: Builder) -> None:
    place(catalog, document, 0, 1)
    place(catalog, document, 0, currency="JPY")
    totals = [tuple(row) for row in catalog.execute(figures.totals_per_currency())]
    assert totals == [("EUR", 2900), ("JPY", 1450)]
    channels = [tuple(row) for row in catalog.execute(figures.orders_per_channel())]
    assert channels == [("web", 2, "EUR", 2900), ("web", 1, "JPY", 1450)]


def test_parked_messages_are_counted_by_reason(catalog: sa.Connection, document: Builder) -> None:
    place(catalog, document, 0, 1, currency="XXX")
    place(catalog, document, 0, currency="EUR", lines=[])
    rows = [tuple(row) for row in catalog.execute(figures.parked_by_reason())]
    assert rows == [("unknown_currency", 2), ("order_without_lines", 1)]


def test_waiting_tells_what_decides_from_what_follows(
    catalog: sa.Connection, document: Builder
) -> None:
    assert figures.waiting(catalog) == figures.Waiting(0, 0, 0, 0)
    assert not figures.has_pending(catalog)
    place(catalog, document, 0)
    assert not figures.has_pending(catalog)
    receive(catalog, [Message("web", "new", NOON, {})])
    assert figures.has_pending(catalog)
    # An accepted order waits for its payment to be matched, and for the customers' books.
    assert figures.waiting(catalog) == figures.Waiting(1, deciding=1, following=1, changes=0)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_waited_for_by_one_job(catalog: sa.Connection, stage: Stage) -> None:
    rows = sa.select(sa.literal(1).label("order_id"), sa.literal(NOON).label("due_at"))
    hand_on(catalog, [stage], rows)
    found = figures.waiting(catalog)
    assert sorted([found.deciding, found.following, found.changes]) == [0, 0, 1]
    assert flow.is_anyone_waiting(catalog, flow.DECIDING) == bool(found.deciding)


def test_a_held_order_starts_no_decision(catalog: sa.Connection) -> None:
    row = {"stage": Stage.RISK.value, "order_id": 1, "due_at": NOON, "is_held": True}
    catalog.execute(sa.insert(flow.PENDING).values(row))
    assert figures.waiting(catalog) == figures.Waiting(0, 0, 0, 0)
    assert not flow.is_anyone_waiting(catalog, flow.DECIDING)


def test_settling_an_inbox_without_revisions_claims_nothing(
    catalog: sa.Connection, document: Builder
) -> None:
    receive(catalog, [Message("web", "A-1", NOON, document())])
    assert claims.claim_revised(catalog) == 0
    assert settle_revisions(catalog, "run") == {"superseded": 0, "edits": 0}


def test_settling_again_changes_nothing(catalog: sa.Connection, document: Builder) -> None:
    for minute in range(3):
        body = document(shipping_minor=minute, total_minor=None)
        receive(catalog, [Message("web", "A-1", NOON + timedelta(minutes=minute), body)])
    outcomes = []
    for _ in range(2):
        claims.claim_revised(catalog)
        outcomes.append(settle_revisions(catalog, "run"))
    assert outcomes == [{"superseded": 2, "edits": 0}, {"superseded": 0, "edits": 0}]
