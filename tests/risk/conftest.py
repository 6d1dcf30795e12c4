"""Matched and scored orders that wait for their risk decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, hand_on
from ecom_assets.shared.states import open_states
from fixtures.scratch import rolled_back
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, Sequence[Order]], None]

_PLACE = sa.text("""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:orders AS jsonb)) AS g (
            id text, currency text, total bigint, payment text, probability double precision,
            features jsonb)
    ), message AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, state)
        SELECT 'web', id, 1, '{}', '', '2024-03-01', 'accepted' FROM given
        RETURNING inbox_id, external_id
    ), placed AS (
        INSERT INTO orders.orders (
            channel, external_id, revision, inbox_id, customer_key, placed_at, decided_as_of,
            currency, items_minor, discount_minor, shipping_minor, tax_minor, total_minor,
            ship_to_country, run_id)
        SELECT 'web', id, 1, inbox_id, id, '2024-03-01', '2024-03-02', currency, total, 0, 0, 0,
            total, 'DE', 'intake'
        FROM given JOIN message ON external_id = id
        ORDER BY id
        RETURNING order_id, external_id
    ), paid AS (
        INSERT INTO payments.order_payments (
            order_id, due_minor, authorised_minor, pending_minor, difference_minor, currency,
            payment_state, rule_version, decided_as_of, run_id)
        SELECT order_id, total, 0, 0, -total, currency, payment, 'rule', '2024-03-02', 'match'
        FROM given JOIN placed ON external_id = id
    )
    INSERT INTO fraud.order_scores
        (order_id, probability, method, version, features, reasons, scored_as_of, run_id)
    SELECT order_id, probability, 'model', 'logistic', features, '{}', '2024-03-01', 'score'
    FROM given JOIN placed ON external_id = id
""")
_ALL = sa.text("""
    SELECT order_id, decided_as_of AS changed_at, decided_as_of AS due_at FROM orders.orders
""").columns(*map(sa.column, ("order_id", "changed_at", "due_at")))

ORDINARY: Order = {
    "currency": "EUR", "total": 5_000, "payment": "authorised", "probability": 0.01,
    "features": {"customer_orders": 1},
}  # fmt: skip


@pytest.fixture
def place() -> Place:
    """Put orders in line for `Stage.RISK`; an order says only how it differs from `ORDINARY`."""

    def put(conn: sa.Connection, orders: Sequence[Order]) -> None:
        named = [{"id": f"{at:03}", **ORDINARY, **order} for at, order in enumerate(orders)]
        conn.execute(_PLACE, {"orders": json.dumps(named)})
        open_states(conn, _ALL)
        hand_on(conn, (Stage.RISK,), _ALL)

    return put


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection to the module's database whose work is undone after the test."""
    with rolled_back(module_database) as conn:
        yield conn
