"""UCI: products, and the supply side of a wholesaler whose warehouses the source does not name.

- **Sites**: three in the United Kingdom (`SITES`).
- **Stock**: every product's home is the main site; the rest lies at one of the other two, by a hash
  of the SKU, since all that is known of most buyers is their country.
- **Rate card**: the source charges postage in lump sums without weights, so the card is the plain
  tariff.

Reads the tables `importers.uci_orders` left.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared import feeds
from importers.supply import derive_opening_stock, derive_rate_card, open_supply

SITES = (
    ("GB-MID", "Midlands", "Daventry", 52.26, -1.16),
    ("GB-NOR", "North", "Wakefield", 53.68, -1.50),
    ("GB-SCO", "Scotland", "Livingston", 55.90, -3.52),
)
"""Code, name, town, degrees north and east; the first is the main site."""
HANDLING_MINOR = 60
"""Cost of handling one parcel, in pence."""
PLAIN_PARCEL_MINOR = 350
"""Price of a parcel up to 1 kg over a short distance, in pence."""

_PRODUCTS = sa.text("""
    WITH sold AS (SELECT * FROM uci_lines WHERE NOT is_shipping),
    names AS (
        SELECT sku, mode() WITHIN GROUP (ORDER BY description) AS name
        FROM sold WHERE description <> '' GROUP BY sku
    ),
    first_prices AS (
        SELECT DISTINCT ON (sku) sku, price_minor FROM sold ORDER BY sku, written_at, row_no
    )
    INSERT INTO feed_products (sku, name, category, currency, list_price_minor)
    SELECT sku, coalesce(name, sku), 'uncategorised', 'GBP', price_minor
    FROM first_prices LEFT JOIN names USING (sku)
""")
_DEMAND = sa.text("""
    INSERT INTO demand (sku, units, home_site, near_site)
    SELECT sku, sum(quantity), 'GB-MID',
        CASE WHEN ('x' || substr(md5(sku), 9, 1))::bit(4)::int % 2 = 0
            THEN 'GB-NOR' ELSE 'GB-SCO' END
    FROM uci_lines WHERE NOT is_shipping GROUP BY sku
""")


def map_supply(conn: sa.Connection) -> None:
    """Fill the feeds of products, sites, opening stock and the rate card."""
    open_supply(conn)
    conn.execute(_PRODUCTS)
    conn.execute(sa.insert(feeds.SITES), [_site(*site) for site in SITES])
    conn.execute(_DEMAND)
    derive_opening_stock(conn)
    derive_rate_card(conn, "uci", "GBP", PLAIN_PARCEL_MINOR)


def _site(code: str, name: str, city: str, latitude: float, longitude: float) -> dict[str, object]:
    return {
        "site_code": code,
        "name": name,
        "country": "GB",
        "city": city,
        "latitude": latitude,
        "longitude": longitude,
        "handling_minor": HANDLING_MINOR,
        "currency": "GBP",
    }
