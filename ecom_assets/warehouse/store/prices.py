"""Reads what carriage of the numbered orders costs at least, and columns of any query as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from ecom_assets.warehouse.allocation.arrays import Ints
    from ecom_assets.warehouse.allocation.prices import Prices

DEFAULT_UNIT_WEIGHT_G = 500
"""Grams of a unit whose product has no weight; an estimate needs no policy of its own."""

_WEIGHTS = sa.text("""
    SELECT CAST(least(sum(CAST(l.units AS numeric)
        * coalesce(p.shipping_weight_g, :default_unit_weight_g)), 2147483647) AS bigint)
    FROM allocating_orders AS o
    LEFT JOIN allocating_lines AS l USING (order_no)
    LEFT JOIN catalog.products AS p ON p.sku = l.sku
    GROUP BY o.order_no
    ORDER BY o.order_no
""").bindparams(default_unit_weight_g=DEFAULT_UNIT_WEIGHT_G)
_SITE_CURRENCIES = sa.text("""
    SELECT dense_rank() OVER (ORDER BY s.currency) - 1
    FROM allocating_sites AS a
    JOIN warehouse.sites AS s ON s.site_code = a.site_code
    ORDER BY a.site_no
""")
# What is archived prices nothing that is due later.
# Only rates that may hold for one of the moments and weights: a batch of one order reads a few
# dozen of them.
_RATES = sa.text("""
    WITH asked AS (
        SELECT min(due_at) AS first_at, max(due_at) AS last_at FROM allocating_orders
    ), money AS (
        SELECT currency, dense_rank() OVER (ORDER BY currency) - 1 AS number
        FROM (SELECT DISTINCT s.currency FROM allocating_sites JOIN warehouse.sites AS s
            USING (site_code)) AS every
    )
    SELECT z.from_km, z.to_km, r.from_g, least(r.to_g, s.max_weight_g), r.price_minor, m.number,
        CAST(extract(epoch FROM r.valid_from_at) * 1000000 AS bigint),
        coalesce(
            CAST(extract(
                epoch FROM least(r.valid_to_at, s.archived_at, c.archived_at, z.archived_at)
            ) * 1000000 AS bigint),
            :no_end
        )
    FROM asked AS a
    JOIN transport.rates AS r
        ON r.valid_from_at <= a.last_at AND coalesce(r.valid_to_at > a.first_at, true)
    JOIN transport.services AS s USING (service_code)
    JOIN transport.carriers AS c USING (carrier_code)
    JOIN transport.zones AS z USING (zone_code)
    JOIN money AS m ON m.currency = r.currency
    WHERE r.from_g < :heaviest_g AND least(r.to_g, s.max_weight_g) >= :lightest_g
        AND r.from_g < s.max_weight_g
""").bindparams(no_end=2**63 - 1)


def read_prices(conn: sa.Connection, due: Ints) -> Prices:
    """The cheapest carriage of the numbered orders; prices stay in the currency of the site."""
    from ecom_assets.warehouse.allocation.prices import Rates, cheapest

    (weight,) = columns(conn, _WEIGHTS, "i8")
    (currency,) = columns(conn, _SITE_CURRENCIES, "i8")
    kinds = ("f8", "f8", "i8", "i8", "i8", "i8", "i8", "i8")
    weights = {
        "lightest_g": int(weight.min(initial=2**31)),
        "heaviest_g": int(weight.max(initial=0)),
    }
    rates = Rates(*columns(conn, _RATES.bindparams(**weights), *kinds))
    return cheapest(rates, weight, due, currency)


def columns(conn: sa.Connection, query: sa.TextClause, *types: str) -> Sequence[Any]:
    """The columns of a query as arrays; NULL becomes NaN where the type has it."""
    import numpy as np

    rows = conn.execute(query).all()
    found = zip(*rows, strict=True) if rows else ((),) * len(types)
    return [np.array(column, dtype=kind) for column, kind in zip(found, types, strict=True)]
