"""The cheapest carriage of an order: equal to looking through all rates, one by one."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.inventory.store import reserve
from ecom_assets.shared.flow import Stage, claim
from ecom_assets.warehouse.allocation.arrays import Ints
from ecom_assets.warehouse.allocation.prices import Prices, Rates, cheapest
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock


class Rate(NamedTuple):
    """A rate with its ranges, as the arrays hold it."""

    from_km: int
    to_km: float
    from_g: int
    to_g: int
    price: int
    currency: int
    from_at: int
    to_at: int


def ints(values: list[int]) -> Ints:
    return np.array(values, np.int64)


def prices(rates: list[Rate], weight: list[int], due: list[int], currency: list[int]) -> Prices:
    given = Rates(
        from_km=np.array([rate.from_km for rate in rates], np.float64),
        to_km=np.array([rate.to_km for rate in rates], np.float64),
        from_g=ints([rate.from_g for rate in rates]),
        to_g=ints([rate.to_g for rate in rates]),
        price=ints([rate.price for rate in rates]),
        currency=ints([rate.currency for rate in rates]),
        from_at=ints([rate.from_at for rate in rates]),
        to_at=ints([rate.to_at for rate in rates]),
    )
    return cheapest(given, ints(weight), ints(due), ints(currency))


def plain(rates: list[Rate], weight: int, due: int, currency: int, km: float) -> float:
    """The least price of the rates that fit."""
    if isnan(km):
        return 0
    return min(
        (
            rate.price
            for rate in rates
            if rate.currency == currency
            and rate.from_km <= km < rate.to_km
            and rate.from_g < weight <= rate.to_g
            and rate.from_at <= due < rate.to_at
        ),
        default=inf,
    )


def spans(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, most), st.integers(1, most)).map(lambda s: (s[0], sum(s)))


@st.composite
def rate(draw: st.DrawFn) -> Rate:
    from_km, to_km = draw(spans(5))
    from_g, to_g = draw(spans(5))
    from_at, to_at = draw(spans(5))
    price, currency = draw(st.integers(0, 9)), draw(st.integers(0, 1))
    last_km = inf if draw(st.booleans()) else to_km
    return Rate(from_km, last_km, from_g, to_g, price, currency, from_at, to_at)


@given(
    st.lists(rate(), max_size=6),
    st.integers(0, 11),
    st.integers(-1, 11),
    st.integers(0, 1),
    st.integers(0, 11) | st.just(nan),
)
def test_the_table_gives_the_least_price_of_the_rates_that_fit(
    rates: list[Rate], weight: int, due: int, currency: int, km: float
) -> None:
    found = prices(rates, [weight], [due], [currency])
    carriage = found.carriage(ints([0]), ints([0]), np.array([float(km)]))
    assert carriage.tolist() == [plain(rates, weight, due, currency, km)]


def test_each_order_and_site_has_its_own_price() -> None:
    rates = [Rate(0, 10, 0, 5, 100, 0, 0, 9), Rate(10, inf, 0, 5, 300, 0, 0, 9),
             Rate(0, inf, 5, 9, 700, 0, 0, 9), Rate(0, inf, 0, 9, 50, 1, 0, 9)]  # fmt: skip
    found = prices(rates, [5, 6], [0, 8], [0, 1])
    order, site = ints([0, 0, 0, 1, 1]), ints([0, 0, 1, 0, 1])
    km = np.array([9.9, 10.0, 10.0, 0.0, 99.0])
    assert found.carriage(order, site, km).tolist() == [100, 300, 50, 700, 50]


_CARD = (
    "INSERT INTO transport.carriers VALUES ('c', 'Carrier')",
    "INSERT INTO transport.services (service_code, carrier_code, name, max_weight_g, dim_divisor,"
    " quality) VALUES ('s', 'c', 'Service', 900, 0, 1)",
    "INSERT INTO transport.zones (zone_code, from_km, to_km)"
    " VALUES ('near', 0, 300), ('far', 300, 'infinity')",
    "INSERT INTO transport.rates (service_code, zone_code, from_g, to_g, price_minor, currency,"
    " transit_days, transit_spread_days, valid_from_at) SELECT 's', zone_code, 0, 5000, price,"
    " 'EUR', 1, 0, '2020-01-01' FROM (VALUES ('near', 100), ('far', 400)) AS z (zone_code, price)",
)


def sites_of(conn: sa.Connection) -> list[tuple[str, int | None, str]]:
    query = sa.text("""
        SELECT c ->> 'site' AS site, CAST(c ->> 'cost_minor' AS integer) AS cost,
            c ->> 'verdict' AS verdict
        FROM decisions.ledger CROSS JOIN jsonb_array_elements(inputs -> 'candidates') AS c
        WHERE kind = 'allocation' ORDER BY order_id
    """)
    return [tuple(row) for row in conn.execute(query)]


def test_a_dearer_zone_outweighs_cheaper_handling(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53.5, 10.0), ("S", 48.1, 11.6)])
    conn.execute(sa.text("UPDATE warehouse.sites SET handling_minor = 10 WHERE site_code = 'S'"))
    for statement in _CARD:
        conn.execute(sa.text(statement))
    stock(conn, [Move("A", 9, site_code=site) for site in "NS"])
    place(conn, [Order(1, [("A", 1)], 53.0, 10.0), Order(2, [("A", 2)], 53.0, 10.0)])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    claim(conn, Stage.ALLOCATE)
    allocate(conn, "run")
    # A second unit is too heavy for the only service: the nearer site is left to choose by.
    assert sites_of(conn) == [
        ("N", 200, "ships"), ("S", 410, "less preferred"),
        ("N", None, "ships"), ("S", None, "less preferred"),
    ]  # fmt: skip


def test_what_is_archived_prices_nothing_due_later(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53.5, 10.0)])
    for statement in _CARD:
        conn.execute(sa.text(statement))
    archive = sa.text("UPDATE transport.services SET archived_at = :at")
    conn.execute(archive, {"at": day(2)})
    stock(conn, [Move("A", 9, site_code="N")])
    place(conn, [Order(1, [("A", 1)], 53.0, 10.0), Order(2, [("A", 1)], 53.0, 10.0)])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    claim(conn, Stage.ALLOCATE)
    allocate(conn, "run")
    assert [cost is None for _, cost, _ in sites_of(conn)] == [False, True]
