"""What the checks of a large table cost, against one hand-written query that counts the same.

    python -m bench.checks                       100,000 products
    python -m bench.checks --rows 1000000

The table is `catalog.products` with all its expectations, none of them broken. The floor is one
statement of our own over the same columns, with a row counted where it breaks any of them. The
import of the library is timed apart: a process pays it once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.catalog.expectations import EXPECTATIONS
from ecom_assets.schema import schema
from ecom_assets.shared.expectations import TableExpectations
from ecom_assets.shared.gx import evaluate, warm_up
from resources.database import DatabaseResource

TARGET = 1.3
"""What the checks may cost, in floors."""

TURNS = 3

_FILL = (
    sa.text("""
        INSERT INTO catalog.suppliers (supplier_key, name, country, lead_time_days,
            lead_time_spread_days, minimum_order_minor)
        SELECT 'S' || n, 'Supplier ' || n, 'DE', 7, 1, 0 FROM generate_series(0, 99) AS n
    """),
    sa.text("""
        INSERT INTO catalog.product_groups (group_key, name)
        SELECT 'G' || n, 'Group ' || n FROM generate_series(0, :rows / 4) AS n
    """),
    sa.text("""
        INSERT INTO catalog.products (sku, name, category, brand, weight_g, shipping_weight_g,
            length_mm, width_mm, height_mm, unit_cost_minor, list_price_minor, currency,
            supplier_key, group_key, options)
        SELECT 'SKU-' || lpad(CAST(n AS text), 8, '0'), 'Product ' || n, 'c' || n % 50,
            'b' || n % 200, n % 900 + 1, n % 900 + 1, n % 300 + 1, 20, 30, n % 5000, n % 9000,
            'EUR', 'S' || n % 100, 'G' || n / 4, '{}'
        FROM generate_series(1, :rows) AS n
    """),
)
_FLOOR = sa.text("""
    SELECT count(*), count(DISTINCT p.sku),
        count(*) FILTER (WHERE num_nulls(p.sku, p.name, p.category, p.currency, p.is_active,
            p.options, p.status, p.is_kit, p.recorded_at) > 0),
        count(*) FILTER (WHERE p.category_id IS NOT NULL AND c.category_id IS NULL),
        count(*) FILTER (WHERE p.family IS NOT NULL AND f.family IS NULL),
        count(*) FILTER (WHERE p.group_key IS NOT NULL AND g.group_key IS NULL),
        count(*) FILTER (WHERE p.supplier_key IS NOT NULL AND s.supplier_key IS NULL),
        count(*) FILTER (WHERE NOT (p.status = 'active' OR NOT p.is_active)),
        count(*) FILTER (WHERE NOT catalog.is_gtin_14(p.gtin)),
        count(*) FILTER (WHERE NOT (p.unit_cost_minor >= 0 AND p.list_price_minor >= 0)),
        count(*) FILTER (WHERE NOT (p.length_mm > 0 AND p.width_mm > 0 AND p.height_mm > 0)),
        count(*) FILTER (WHERE p.status NOT IN ('active', 'archived')),
        count(*) FILTER (WHERE NOT p.weight_g > 0),
        count(*) FILTER (WHERE p.currency !~ '^[A-Z]{3}$'),
        count(*) FILTER (WHERE p.shipping_weight_g NOT BETWEEN 1 AND 1000000),
        count(*) FILTER (WHERE p.shipping_weight_g <> p.weight_g)
    FROM catalog.products AS p
    LEFT JOIN catalog.categories AS c ON c.category_id = p.category_id
    LEFT JOIN catalog.families AS f ON f.family = p.family
    LEFT JOIN catalog.product_groups AS g ON g.group_key = p.group_key
    LEFT JOIN catalog.suppliers AS s ON s.supplier_key = p.supplier_key
""")


@dataclass(frozen=True)
class Measured:
    """What one turn took.

    Attributes:
        expectations: how many were evaluated.
        failed: how many did not hold or could not be evaluated.
        seconds: all of them together.
        floor_seconds: the hand-written statement.
    """

    expectations: int
    failed: int
    seconds: float
    floor_seconds: float

    @property
    def ratio(self) -> float:
        """Seconds in floors."""
        return self.seconds / self.floor_seconds


def fill(database: DatabaseResource, rows: int) -> None:
    """Make products, with their suppliers and groups."""
    with database.begin() as conn:
        for statement in _FILL:
            names = statement.compile().params
            conn.execute(statement, dict.fromkeys(names, rows))
    with psycopg.connect(database.url, autocommit=True) as driver:
        driver.execute("VACUUM ANALYZE")


def table() -> TableExpectations:
    """The expectations of the products."""
    schema()  # references are to tables of other modules
    return next(item for item in EXPECTATIONS if item.table.name == "products")


def measure(database: DatabaseResource) -> Measured:
    """Evaluate everything once and run the floor once."""
    expected = table()
    begun = time.perf_counter()
    found = evaluate(database.url, expected, expected.expectations)
    seconds = time.perf_counter() - begun
    failed = [name for name, outcome in found.items() if not outcome.is_met]
    begun = time.perf_counter()
    with database.begin() as conn:
        conn.execute(_FLOOR).one()
    return Measured(len(found), len(failed), seconds, time.perf_counter() - begun)


def main() -> None:
    """Measure on a server of our own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "data") as postgres,
    ):
        database = DatabaseResource(url=postgres.url())
        ensure_database(database.url)
        migrate(database.engine)
        fill(database, rows)
        begun = time.perf_counter()
        warm_up()
        print(f"importing the library took {time.perf_counter() - begun:.1f} s")
        turns = [measure(database) for _ in range(TURNS)]
        for turn in turns:
            print(
                f"{rows:,} rows, {turn.expectations} expectations, {turn.failed} broken:"
                f" {turn.seconds:.2f} s, floor {turn.floor_seconds:.2f} s, ratio {turn.ratio:.2f}"
            )
        database.engine.dispose()
    if min(turn.ratio for turn in turns) > TARGET:
        print(f"more than {TARGET} times the floor")


if __name__ == "__main__":
    main()
