"""Accepted orders that wait for their payments to be matched."""

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

Place = Callable[[sa.Connection, Sequence[tuple[int, Any]]], None]

_PLACE = sa.text("""
    WITH given AS (
        SELECT number, (entry ->> 0)::bigint AS total_minor, entry -> 1 AS payments
        FROM jsonb_array_elements(CAST(:orders AS jsonb)) WITH ORDINALITY AS e (entry, number)
    ), message AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, state)
        SELECT 'web', number::text, 1, jsonb_build_object('payments', payments), '',
            '2024-03-01', 'accepted'
        FROM given
        RETURNING inbox_id, external_id
    )
    INSERT INTO orders.orders (
        channel, external_id, revision, inbox_id, customer_key, placed_at, decided_as_of, currency,
        items_minor, discount_minor, shipping_minor, tax_minor, total_minor, ship_to_country,
        run_id)
    SELECT 'web', external_id, 1, inbox_id, 'customer ' || external_id, '2024-03-01', '2024-03-02',
        'EUR', total_minor, 0, 0, 0, total_minor, 'DE', 'intake'
    FROM message JOIN given ON number::text = external_id
    ORDER BY number
""")
_ALL = sa.text(
    "SELECT order_id, decided_as_of AS changed_at, decided_as_of AS due_at FROM orders.orders"
)


@pytest.fixture
def place() -> Place:
    """Put orders, each `(total_minor, payments)`, in line for `Stage.PAYMENT`; ids count from 1."""

    def put(conn: sa.Connection, orders: Sequence[tuple[int, Any]]) -> None:
        conn.execute(_PLACE, {"orders": json.dumps(orders)})
        accepted = _ALL.columns(*map(sa.column, ("order_id", "changed_at", "due_at")))
        open_states(conn, accepted)
        hand_on(conn, (Stage.PAYMENT,), accepted)

    return put


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection to the module's database whose work is undone after the test."""
    with rolled_back(module_database) as conn:
        yield conn
