"""Derive what a source of orders lacks: opening stock and a rate card.

An importer fills three temporary tables from the rows it accepts:

    demand(sku, units, home_site, near_site)   units ordered; where the SKU comes from, and the site
                                               nearest to most of its buyers
    freight(km, weight_g, price_minor)         a parcel and what was charged to ship it
    trips(km, days)                            a parcel and how long its carrier took

**Opening stock.** Of the units the source orders, 90% are there before the first order, rounded up
or down by a hash of the SKU and at least one: enough for most orders, and short for some, so that
stock-outs are decided. 70% lie at the home site, the rest near the buyers, so that orders split.

**Rate card.** Five zones by distance, ten weight bands, three carriers with two or three services
each. The price of a zone and band is the median freight of its parcels, drawn towards a plain
tariff (`ZONES` x `BANDS`, scaled to the median of all parcels) as strongly as 20 parcels would, so
that a handful of orders gives a usable card too; a farther zone or heavier band is never cheaper.
Transit times are drawn in the same way from observed times towards `Zone.days`. A service takes a
fixed share of the price and of the time. The card holds from 2000 on: it is a fact about supply and
has no beginning in the source.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf

import sqlalchemy as sa

from ecom_assets.shared import feeds


@dataclass(frozen=True, slots=True)
class Zone:
    """A distance zone with what it costs beside the nearest one, and the days a parcel takes."""

    zone_code: str
    from_km: float
    to_km: float
    factor: float
    days: float


@dataclass(frozen=True, slots=True)
class Band:
    """A weight band in grams with what it costs beside the band up to 1 kg."""

    from_g: int
    to_g: int
    factor: float


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its share of the plain price and transit time."""

    service: str
    carrier: str
    name: str
    max_weight_g: int
    dim_divisor: int
    quality: float
    price_factor: float
    time_factor: float


ZONES = (
    Zone("Z1", 0, 150, 1.0, 3.5),
    Zone("Z2", 150, 400, 1.15, 5.5),
    Zone("Z3", 400, 800, 1.35, 8),
    Zone("Z4", 800, 1500, 1.65, 11),
    Zone("Z5", 1500, inf, 2.2, 16),
)
"""Codes and distances are those of the sample shop: zones belong to the platform, not to a shop.
Were they different, a distance would lie in two zones where shops share a database."""

BANDS = (
    Band(0, 500, 0.85),
    Band(500, 1_000, 1.0),
    Band(1_000, 2_000, 1.15),
    Band(2_000, 5_000, 1.5),
    Band(5_000, 10_000, 2.3),
    Band(10_000, 20_000, 3.8),
    Band(20_000, 30_000, 5.0),
    Band(30_000, 50_000, 7.5),
    Band(50_000, 200_000, 20.0),
    Band(200_000, 2_000_000, 120.0),
)
CARRIERS = {"post": "Postal carrier", "road": "Road carrier", "air": "Air carrier"}
SERVICES = (
    Service("post_economy", "post", "Economy parcel", 30_000, 6_000, 0.985, 0.85, 1.3),
    Service("post_standard", "post", "Standard parcel", 30_000, 6_000, 0.99, 1.0, 1.0),
    Service("road_standard", "road", "Road parcel", 50_000, 6_000, 0.988, 0.95, 1.15),
    Service("road_express", "road", "Road express", 50_000, 6_000, 0.993, 1.3, 0.7),
    Service("road_freight", "road", "Road freight", 2_000_000, 0, 0.98, 1.1, 1.4),
    Service("air_express", "air", "Air express", 30_000, 6_000, 0.995, 1.7, 0.5),
    Service("air_priority", "air", "Air priority", 20_000, 6_000, 0.997, 2.3, 0.35),
)

STOCKED_SHARE = 0.9
"""Share of the units ordered that the opening stock covers."""
HOME_SHARE = 0.7
"""Share of the opening stock that lies at the home site."""
PRIOR_PARCELS = 20
"""Parcels that the plain tariff counts for."""
SPREAD_SHARE = 0.4
"""Standard deviation of a transit time beside its mean, where the data do not say."""

_OPEN = sa.text("""
    CREATE TEMPORARY TABLE demand
        (sku text NOT NULL, units bigint NOT NULL, home_site text NOT NULL, near_site text NOT NULL)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE freight
        (km double precision NOT NULL, weight_g double precision NOT NULL,
         price_minor bigint NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE trips
        (km double precision NOT NULL, days double precision NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE tariff_zones
        (zone_code text, from_km double precision, to_km double precision,
         factor double precision, days double precision) ON COMMIT DROP;
    CREATE TEMPORARY TABLE tariff_bands
        (from_g bigint, to_g bigint, factor double precision) ON COMMIT DROP;
    CREATE TEMPORARY TABLE tariff_services
        (service_code text, price_factor double precision, time_factor double precision,
         max_weight_g bigint) ON COMMIT DROP;
    -- Great-circle distance on a sphere of 6371 km (haversine formula).
    CREATE OR REPLACE FUNCTION pg_temp.km(
        from_latitude double precision, from_longitude double precision,
        to_latitude double precision, to_longitude double precision
    ) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
        SELECT 12742 * asin(least(1, sqrt(
            sind((to_latitude - from_latitude) / 2) ^ 2
            + cosd(from_latitude) * cosd(to_latitude)
              * sind((to_longitude - from_longitude) / 2) ^ 2)))
    $$
""")
_STOCK = sa.text("""
    WITH first_order AS (SELECT min(received_at) AS at FROM feed_orders),
    wanted AS (
        SELECT sku, home_site, near_site, greatest(1, floor(
            :stocked_share * units
            -- A fixed number in [0, 1) per SKU rounds the shares up and down alike.
            + ('x' || substr(md5(sku), 1, 8))::bit(32)::bigint / 4294967296.0
        ))::bigint AS units
        FROM demand
    ),
    placed AS (
        SELECT sku, home_site AS site_code, round(:home_share * units)::bigint AS units FROM wanted
        UNION ALL
        SELECT sku, near_site, units - round(:home_share * units)::bigint FROM wanted
    )
    INSERT INTO feed_movements (sku, site_code, kind, quantity, moved_at, reference)
    SELECT sku, site_code, 'opening', sum(units), at - interval '1 day',
        'stock before ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM placed CROSS JOIN first_order
    WHERE at IS NOT NULL
    GROUP BY sku, site_code, at
    HAVING sum(units) > 0
""")
_RATES = sa.text("""
    WITH parcels AS (
        SELECT zone_code, from_g, price_minor, price_minor / (z.factor * b.factor) AS plain_minor
        FROM freight AS f
        JOIN tariff_zones AS z ON f.km >= z.from_km AND f.km < z.to_km
        JOIN tariff_bands AS b ON f.weight_g > b.from_g AND f.weight_g <= b.to_g
        WHERE price_minor > 0
    ),
    observed_prices AS (
        SELECT zone_code, from_g, count(*) AS n,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY price_minor) AS median_minor
        FROM parcels GROUP BY zone_code, from_g
    ),
    base AS (
        SELECT (:prior * :base_minor + count(*) * coalesce(
            percentile_cont(0.5) WITHIN GROUP (ORDER BY plain_minor), 0)
        ) / (:prior + count(*)) AS minor
        FROM parcels
    ),
    fitted_prices AS (
        SELECT zone_code, z.from_km, from_g, to_g,
            (coalesce(n * median_minor, 0) + :prior * base.minor * z.factor * b.factor)
            / (coalesce(n, 0) + :prior) AS minor
        FROM tariff_zones AS z CROSS JOIN tariff_bands AS b CROSS JOIN base
        LEFT JOIN observed_prices USING (zone_code, from_g)
    ),
    rising_by_weight AS (
        SELECT zone_code, from_km, from_g, to_g,
            max(minor) OVER (PARTITION BY zone_code ORDER BY from_g) AS minor
        FROM fitted_prices
    ),
    prices AS (
        SELECT zone_code, from_g, to_g,
            max(minor) OVER (PARTITION BY from_g ORDER BY from_km) AS minor
        FROM rising_by_weight
    ),
    observed_times AS (
        SELECT zone_code, count(*) AS n, avg(t.days) AS days, coalesce(stddev(t.days), 0) AS spread
        FROM trips AS t JOIN tariff_zones AS z ON t.km >= z.from_km AND t.km < z.to_km
        GROUP BY zone_code
    ),
    fitted_times AS (
        SELECT zone_code, from_km,
            (coalesce(n * t.days, 0) + :prior * z.days) / (coalesce(n, 0) + :prior) AS days,
            (coalesce(n * spread, 0) + :prior * z.days * :spread_share) / (coalesce(n, 0) + :prior)
                AS spread
        FROM tariff_zones AS z LEFT JOIN observed_times AS t USING (zone_code)
    ),
    times AS (
        SELECT zone_code, max(days) OVER (ORDER BY from_km) AS days,
            max(spread) OVER (ORDER BY from_km) AS spread
        FROM fitted_times
    )
    INSERT INTO feed_rates (service_code, zone_code, from_g, to_g, price_minor, currency,
        transit_days, transit_spread_days, valid_from_at)
    SELECT service_code, zone_code, from_g, to_g, ceil(minor * price_factor)::bigint, :currency,
        round((days * time_factor)::numeric, 2), round((spread * time_factor)::numeric, 2),
        '2000-01-01T00:00:00Z'
    FROM tariff_services CROSS JOIN prices JOIN times USING (zone_code)
    WHERE from_g < max_weight_g
""")


def open_supply(conn: sa.Connection) -> None:
    """Create `demand`, `freight` and `trips`, empty, and the function `pg_temp.km`."""
    conn.execute(_OPEN)


def derive_opening_stock(conn: sa.Connection) -> None:
    """Fill the feed of movements from `demand`, dated the day before the first order."""
    shares = {"stocked_share": STOCKED_SHARE, "home_share": HOME_SHARE}
    conn.execute(_STOCK, shares)


def derive_rate_card(conn: sa.Connection, prefix: str, currency: str, base_minor: int) -> None:
    """Fill the feeds of carriers, services, zones and rates from `freight` and `trips`.

    Args:
        conn: connection inside the import's transaction.
        prefix: put before the codes of carriers and services, so that shops do not meet in them.
        currency: ISO 4217 code of the prices.
        base_minor: plain price of a parcel up to 1 kg in the nearest zone, where data are few.
    """
    names = [{"carrier_code": f"{prefix}_{code}", "name": name} for code, name in CARRIERS.items()]
    conn.execute(sa.insert(feeds.CARRIERS), names)
    conn.execute(sa.insert(feeds.SERVICES), [_service(prefix, service) for service in SERVICES])
    zones = [asdict(zone) for zone in ZONES]
    conn.execute(sa.insert(feeds.ZONES), [_only(zone, feeds.ZONES.c.keys()) for zone in zones])
    conn.execute(_INTO_ZONES, zones)
    conn.execute(_INTO_BANDS, [asdict(band) for band in BANDS])
    # Zones are shared by all shops and take no prefix; services are a shop's own.
    factors = [{**asdict(s), "service_code": f"{prefix}_{s.service}"} for s in SERVICES]
    conn.execute(_INTO_SERVICES, factors)
    figures = {"prior": PRIOR_PARCELS, "base_minor": base_minor, "spread_share": SPREAD_SHARE}
    conn.execute(_RATES, {**figures, "currency": currency})


_INTO_ZONES = sa.text(
    "INSERT INTO tariff_zones VALUES (:zone_code, :from_km, :to_km, :factor, :days)"
)
_INTO_BANDS = sa.text("INSERT INTO tariff_bands VALUES (:from_g, :to_g, :factor)")
_INTO_SERVICES = sa.text(
    "INSERT INTO tariff_services VALUES (:service_code, :price_factor, :time_factor, :max_weight_g)"
)


def _service(prefix: str, service: Service) -> dict[str, object]:
    return {
        "service_code": f"{prefix}_{service.service}",
        "carrier_code": f"{prefix}_{service.carrier}",
        "name": service.name,
        "max_weight_g": service.max_weight_g,
        "dim_divisor": service.dim_divisor,
        "quality": service.quality,
    }


def _only(row: dict[str, object], names: list[str]) -> dict[str, object]:
    return {name: row[name] for name in names}
