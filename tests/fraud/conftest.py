"""Accepted and matched orders that wait for their fraud score, and a shop with fraud rings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, hand_on
from ecom_assets.shared.states import open_states
from fixtures.scratch import rolled_back
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, Sequence[Order]], None]

START = datetime(2024, 1, 1, tzinfo=UTC)

_INSERTS = (
    """
    INSERT INTO orders.inbox
        (channel, external_id, revision, payload, payload_hash, received_at, state)
    SELECT 'web', id, 1, '{}', '', placed_at, 'accepted' FROM given
    """,
    """
    INSERT INTO orders.orders (
        channel, external_id, revision, inbox_id, customer_key, email, placed_at, decided_as_of,
        currency, items_minor, discount_minor, shipping_minor, tax_minor, total_minor,
        ship_to_line1, ship_to_country, device_id, ip_address, run_id)
    SELECT 'web', id, 1, inbox_id, coalesce(customer, id), email, placed_at,
        coalesce(due_at, placed_at), coalesce(currency, 'EUR'), total, 0, 0, 0, total, street,
        coalesce(country, 'DE'), device, ip, 'intake'
    FROM given JOIN orders.inbox ON external_id = id
    ORDER BY placed_at, external_id
    """,
    """
    INSERT INTO orders.order_lines (
        order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor,
        line_total_minor)
    SELECT order_id, 1, 'sku', 1, total, 0, 0, total
    FROM given JOIN orders.orders ON external_id = id
    """,
    """
    INSERT INTO payments.transactions (
        order_id, sequence, method, installments, amount_minor, currency, state, authorised_at,
        card_fingerprint, avs_result, cvv_result, run_id)
    SELECT order_id, 1, 'card', 1, total, 'EUR', 'authorised', given.placed_at, card, avs, cvv, ''
    FROM given JOIN orders.orders ON external_id = id
    """,
    """
    INSERT INTO customers.customers (customer_key, country, signed_up_at)
    SELECT DISTINCT ON (coalesce(customer, id)) coalesce(customer, id), 'DE', signed_up_at
    FROM given ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO fraud.labels (channel, external_id, label, known_at, source)
    SELECT 'web', id, label, known_at, 'simulation' FROM given WHERE label IS NOT NULL
    """,
)
_GIVEN = sa.text("""
    CREATE TEMPORARY TABLE given ON COMMIT DROP AS
    SELECT * FROM jsonb_to_recordset(CAST(:orders AS jsonb)) AS g (
        id text, customer text, email text, placed_at timestamptz, due_at timestamptz,
        currency text, total bigint, street text, country text, device text, ip text, card text,
        avs text, cvv text, signed_up_at timestamptz, label text, known_at timestamptz)
""")
_ACCEPTED = sa.text("""
    SELECT order_id, decided_as_of AS changed_at, decided_as_of AS due_at
    FROM given JOIN orders.orders ON external_id = id
""").columns(*map(sa.column, ("order_id", "changed_at", "due_at")))


@pytest.fixture(scope="session")
def place() -> Place:
    """Put orders in line for `Stage.SCORE`; needs `id` and `placed_at`, `total` is 5000 if left."""

    def put(conn: sa.Connection, orders: Sequence[Order]) -> None:
        rows = [{"total": 5_000, **order} for order in orders]
        conn.execute(_GIVEN, {"orders": json.dumps(rows, default=str)})
        for insert in _INSERTS:
            conn.execute(sa.text(insert))
        open_states(conn, _ACCEPTED)
        hand_on(conn, (Stage.SCORE,), _ACCEPTED)
        conn.execute(sa.text("DROP TABLE given"))

    return put


def _order(at: datetime, number: int, **more: Any) -> Order:
    is_fraud = more.pop("is_fraud")
    known = at + timedelta(days=30 if is_fraud else 90)
    label = "fraud" if is_fraud else "legitimate"
    return {"id": f"o{number:05}", "placed_at": at, "label": label, "known_at": known, **more}


@pytest.fixture(scope="session")
def ring_shop() -> list[Order]:
    """A year of 3,000 orders, about 3 % from rings that share devices and cards for two days.

    Honest families share devices too, thieves buy for somewhat more, and a third of the fraud is a
    lone account takeover that shares nothing: neither rules nor model can be perfect.
    """
    draw = np.random.default_rng(7)
    orders: list[Order] = []
    for number in range(3_000):
        at = START + timedelta(minutes=int(draw.integers(0, 365 * 1440)))
        is_fraud = bool(draw.random() < 0.012)
        customer = int(draw.integers(0, 900))
        total = int(draw.lognormal(8.6 if is_fraud else 8.2, 0.7))
        shared = {"device": f"d{customer // 2}", "card": f"c{customer}", "ip": f"i{customer // 3}"}
        failed = draw.random() < (0.35 if is_fraud else 0.03)
        person = {"customer": f"k{customer}", "signed_up_at": START - timedelta(days=customer)}
        orders.append(_order(at, number, is_fraud=is_fraud, total=total,
                             avs="N" if failed else "Y", **person, **shared))  # fmt: skip
    for ring in range(18):
        begin = START + timedelta(days=int(draw.integers(0, 360)))
        for member in range(int(draw.integers(3, 8))):
            at = begin + timedelta(minutes=int(draw.integers(0, 2880)))
            orders.append(_order(at, len(orders), is_fraud=True, customer=f"r{ring}-{member}",
                                 device=f"rd{ring}-{member % 2}", card=f"rc{ring}-{member % 3}",
                                 total=int(draw.lognormal(8.8, 0.6)), ip=f"ri{ring}-{member}",
                                 signed_up_at=begin - timedelta(days=2)))  # fmt: skip
    return orders


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection to the module's database whose work is undone after the test."""
    with rolled_back(module_database) as conn:
        yield conn
