"""Sales to consumers in other countries of the EU, against the threshold of the one-stop shop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from ecom_assets.backoffice.tables import OSS_TURNOVER
from ecom_assets.backoffice.taxation import EU
from ecom_assets.shared import shop_settings
from ecom_assets.shared.money import exponent

# Orders hold no VAT id, so all buyers count as consumers: the threshold is seen early, never late.
_SALES = (
    sa.text("""
        SELECT order_id, seller_country, country, currency, placed_at, net_minor,
            net_minor / power(CAST(10 AS numeric), places) / per_eur * 100 AS eur_minor
        FROM (
            SELECT o.order_id, s.seller_country, o.ship_to_country AS country, o.currency,
                o.total_minor - o.tax_minor AS net_minor, o.placed_at,
                CASE WHEN o.currency = 'EUR' THEN 1 ELSE x.per_eur END AS per_eur,
                coalesce(CAST(CAST(:exponents AS jsonb) ->> o.currency AS integer), 2) AS places
            FROM orders.orders AS o
            JOIN backoffice.tax_settings AS s USING (channel)
            JOIN flow.order_states AS f USING (order_id)
            LEFT JOIN LATERAL (
                SELECT r.per_eur FROM backoffice.exchange_rates AS r
                WHERE r.currency = o.currency
                    AND r.rate_date <= CAST(o.placed_at AT TIME ZONE 'UTC' AS date)
                    AND r.rate_date > CAST(o.placed_at AT TIME ZONE 'UTC' AS date) - :most_age
                ORDER BY r.rate_date DESC LIMIT 1
            ) AS x ON true
            WHERE o.placed_at >= :from_at AND o.placed_at < :to_at
                AND o.ship_to_country <> s.seller_country AND o.ship_to_country = ANY(:eu)
                AND s.seller_country = ANY(:eu) AND f.fulfilment_state <> 'cancelled'
                AND f.risk_state <> 'rejected'
        ) AS sale
    """)
    .bindparams(sa.bindparam("most_age", type_=sa.Integer))
    .columns(
        sa.column("order_id"), sa.column("seller_country"), sa.column("country"),
        sa.column("currency"), sa.column("placed_at"), sa.column("net_minor"),
        sa.column("eur_minor"),
    )
    .cte("sale")
)  # fmt: skip
_ALL, _KNOWN = sa.func.count(), sa.func.count(_SALES.c.eur_minor)
_TOTALS = sa.insert(OSS_TURNOVER).from_select(
    ["year", "seller_country", "country", "currency", "orders", "net_minor", "eur_minor",
     "unconverted", "counted_as_of", "run_id"],
    sa.select(
        sa.bindparam("year", type_=sa.Integer), _SALES.c.seller_country, _SALES.c.country,
        _SALES.c.currency, _ALL, sa.func.sum(_SALES.c.net_minor),
        sa.case((_KNOWN == _ALL, sa.cast(sa.func.round(sa.func.sum(_SALES.c.eur_minor)),
                                         sa.BigInteger))),
        _ALL - _KNOWN, sa.bindparam("to_at", type_=TIMESTAMP(timezone=True)),
        sa.bindparam("run", type_=sa.Text),
    ).group_by(_SALES.c.seller_country, _SALES.c.country, _SALES.c.currency),
)  # fmt: skip
_RUNNING = sa.select(
    _SALES.c.seller_country, _SALES.c.placed_at,
    sa.func.sum(_SALES.c.eur_minor).over(
        partition_by=_SALES.c.seller_country, order_by=(_SALES.c.placed_at, _SALES.c.order_id)
    ).label("so_far"),
).subquery("running")  # fmt: skip
_CROSSED = (
    sa.select(_RUNNING.c.seller_country, sa.func.min(_RUNNING.c.placed_at))
    .where(_RUNNING.c.so_far > sa.bindparam("threshold", type_=sa.BigInteger))
    .group_by(_RUNNING.c.seller_country)
)
_FORGET = sa.text("DELETE FROM backoffice.oss_turnover WHERE year = :year")


def count_turnover(conn: sa.Connection, year: int, as_of: datetime, run: str) -> int:
    """Count the sales of a calendar year (in UTC) until a moment.

    Returns:
        Rows that were written: a country and currency each.
    """
    conn.execute(_FORGET, {"year": year})
    return conn.execute(_TOTALS, _given(conn, year, as_of) | {"year": year, "run": run}).rowcount


def crossed(
    conn: sa.Connection, year: int, as_of: datetime, threshold: int
) -> Mapping[str, datetime]:
    """When each seller's country passed a threshold in euro cents; those that did not are left out.

    What has no exchange rate is not in it, so the moment may have been earlier.
    """
    rows = conn.execute(_CROSSED, _given(conn, year, as_of) | {"threshold": threshold})
    return dict(rows.tuples().all())


def _given(conn: sa.Connection, year: int, as_of: datetime) -> dict[str, Any]:
    currencies = conn.scalars(sa.text("SELECT DISTINCT currency FROM orders.orders")).all()
    start, end = (datetime(each, 1, 1, tzinfo=as_of.tzinfo) for each in (year, year + 1))
    return {
        "from_at": start, "to_at": min(end, max(as_of, start)), "eu": sorted(EU),
        # Banks publish no rate at weekends and holidays.
        "most_age": shop_settings.read(conn, shop_settings.EXCHANGE_RATE_DAYS)[0],
        "exponents": json.dumps({code: exponent(code) for code in currencies}),
    }  # fmt: skip


_STANDING = sa.text("""
    SELECT year, seller_country, sum(orders) AS orders, coalesce(sum(eur_minor), 0) AS eur_minor,
        sum(unconverted) AS unconverted, max(counted_as_of) AS counted_as_of,
        array_agg(DISTINCT currency) FILTER (WHERE unconverted > 0) AS unknown
    FROM backoffice.oss_turnover GROUP BY year, seller_country ORDER BY year DESC, seller_country
""")


def standing(conn: sa.Connection) -> list[dict[str, Any]]:
    """Turnover per year and seller's country, as far as it was counted, newest first."""
    return [dict(row) for row in conn.execute(_STANDING).mappings()]
