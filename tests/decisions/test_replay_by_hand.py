"""A change of routing, replayed, agrees with orders served one by one in a few lines of Python."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import sqlalchemy as sa

from ecom_assets.decisions.model import Request
from ecom_assets.inventory.store import reserve
from ecom_assets.replaying import replay
from ecom_assets.shared.flow import Stage, drain
from ecom_assets.warehouse.rules import great_circle_km
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

SITES = {"N": (53.5, 10.0), "S": (48.1, 11.6), "W": (51.0, 7.0)}
SKUS = "ABC"

_DECIDED = sa.text("""
    INSERT INTO decisions.ledger
        (kind, order_id, subject, attempt, inputs, version, outcome, decided_as_of, run_id)
    SELECT 'risk_decision', order_id, '', 1, jsonb_build_object('payment_state', 'authorised',
        'probability', 0.01, 'total_minor', 0, 'currency', 'EUR', 'minor_per_eur', 100,
        'is_new_country', false, 'is_first_order', false), 'risk/1', 'accepted', decided_as_of, ''
    FROM orders.orders
""")
_ALLOCATED = sa.text("""
    SELECT o.external_id, o.decided_as_of, a.sku, a.site_code FROM warehouse.allocations AS a
    JOIN orders.orders AS o USING (order_id)
""")
_REPLAYED = sa.text("""
    SELECT o.external_id, u.before, u.after, u.amount_after_minor, u.parcels_after, u.is_changed
    FROM decisions.replay_outcomes AS u JOIN orders.orders AS o USING (order_id)
    WHERE u.kind = 'allocation'
""")


def make_shop(database: DatabaseResource, seed: int) -> tuple[list[Order], list[Move]]:
    """A decided shop in which every line is one unit, and stock comes little by little."""
    draw = random.Random(seed)
    moves = [
        Move(sku, draw.randint(1, 6), draw.uniform(0, 8), site)
        for sku in SKUS for site in SITES for _ in range(4)
    ]  # fmt: skip
    orders = [
        Order(when, [(sku, 1) for sku in draw.sample(SKUS, draw.randint(1, 3))],
              draw.uniform(47, 54), draw.uniform(6, 13))
        for when in sorted(draw.uniform(0, 10) for _ in range(60))
    ]  # fmt: skip
    with database.begin() as conn:
        open_sites(conn, ((code, *where) for code, where in SITES.items()))
        stock(conn, moves)
        place(conn, orders)
        conn.execute(_DECIDED)
    drain(database.begin, Stage.RESERVE, lambda conn: reserve(conn, "run"))
    drain(database.begin, Stage.ALLOCATE, lambda conn: allocate(conn, "run"))
    return orders, moves


def nearest_first(
    orders: list[Order], moves: list[Move], given: list[sa.Row[tuple[str, object, str, str]]]
) -> dict[str, list[str]]:
    """Sites of the orders from day 5 on, if each unit came from the nearest site that has one."""
    taken = Counter((sku, site) for _, at, sku, site in given if at < day(5))
    served = {(name, sku) for name, _, sku, _ in given}
    found: dict[str, list[str]] = {}
    for number, order in enumerate(orders, 1):
        if order.day < 5:
            continue
        for sku, _ in order.lines:
            if (str(number), sku) not in served:
                continue
            by_distance = sorted(
                SITES,
                key=lambda site: great_circle_km(
                    *SITES[site], order.latitude or 0, order.longitude or 0
                ),
            )
            site = next(
                site for site in by_distance
                if sum(m.quantity for m in moves if (m.sku, m.site_code) == (sku, site)
                       and m.day <= order.day) > taken[sku, site]
            )  # fmt: skip
            taken[sku, site] += 1
            found.setdefault(str(number), []).append(site)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_change_of_routing_agrees_with_a_computation_by_hand(
    database: DatabaseResource, seed: int
) -> None:
    orders, moves = make_shop(database, seed)
    request = Request(day(5), day(100), {"routing": {"ranking": ["nearest"]}})
    replay(database, request, "run", lambda _: None)
    with database.begin() as conn:
        expected = nearest_first(orders, moves, list(conn.execute(_ALLOCATED).all()))
        replayed = {row.external_id: row for row in conn.execute(_REPLAYED)}
    assert set(replayed) == set(expected)
    for name, sites in expected.items():
        units = sorted(Counter(sites).items())
        assert replayed[name].after == ", ".join(f"{site} {count}" for site, count in units)
        assert replayed[name].parcels_after == len(units)
        assert replayed[name].amount_after_minor == 100 * len(units)
    assert any(row.is_changed for row in replayed.values())
