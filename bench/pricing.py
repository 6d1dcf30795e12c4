"""A whole price list repriced: seconds from the first read to the checked plan, and memory.

    python -m bench.pricing                       10,000 and 100,000 products
    python -m bench.pricing --products 1000000
    python -m bench.pricing --apply               and the seconds to make the plan effective

Every product has a price, a cost, limits, offers of competitors, stock with sales, an elasticity;
all kinds of rules and limits are in force. The floor is measured in the same run: the same input
rows read by COPY, the same lines written into a twin of their table, by hand-written SQL alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa

from bench.memory import watched
from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.pricing import store
from resources.database import DatabaseResource

NOW = datetime(2026, 6, 1, tzinfo=UTC)

RULES: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("follow", "follow_competitor", {"position": "lowest", "offset_minor": -1}, 10),
    ("best", "margin_optimal", {"most_width_milli": 1_500, "reach_bps": 1_500}, 20),
    ("plus", "cost_plus", {"markup_bps": 4_500}, 30),
    ("cover", "cover_markdown", {"tiers": [[120, 500], [240, 1_500]]}, 40),
    ("ageing", "ageing_markdown", {"tiers": [[180, 1_000], [360, 2_500]]}, 50),
    ("sale", "promotion", {}, 60),
)

# Figures follow from a product's number by multiplication, so that a shop of any size is the same.
_FILL = (
    """INSERT INTO catalog.products (sku, name, category, currency)
    SELECT 'SKU-' || lpad(n::text, 8, '0'), 'Product ' || n, 'category ' || n % 200, 'EUR'
    FROM generate_series(1, :products) AS n""",
    """INSERT INTO pricing.feeds (kind, source, digest, state, entries, accepted, unchanged,
        flagged, parked, taken_as_of, run_id)
    VALUES ('costs', 'bench', repeat('0', 64), 'taken', 0, 0, 0, 0, 0, :start, 'bench')""",
    """INSERT INTO pricing.price_plans (price_list_id, kind, state, planned_as_of, effective_at,
        requested_by, rules, inputs, lines, moved, held, run_id)
    VALUES (:list, 'import', 'verified', :start, :start, 'bench', '[]', '{}', 0, 0, 0, 'bench')""",
    """INSERT INTO pricing.costs (sku, currency, cost_minor, valid_from_at, feed_id)
    SELECT sku, 'EUR', 300 + n * 7919 % 20000, :start, 1
    FROM (SELECT sku, row_number() OVER (ORDER BY sku) AS n FROM catalog.products) AS p""",
    """INSERT INTO pricing.prices (price_list_id, sku, min_quantity, price_minor, regular_minor,
        valid_from_at, rule, plan_id, run_id)
    SELECT :list, c.sku, 1, c.cost_minor * (130 + c.cost_id % 40) / 100,
        c.cost_minor * (130 + c.cost_id % 40) / 100, :start, 'import', 1, 'bench'
    FROM pricing.costs AS c""",
    """INSERT INTO pricing.constraints (price_list_id, sku, minimum_minor, ceiling_minor, map_minor,
        margin_bps)
    SELECT :list, sku, CASE WHEN cost_id % 50 <> 0 THEN cost_minor * 11 / 10 END, cost_minor * 3,
        CASE WHEN cost_id % 9 = 0 THEN cost_minor * 14 / 10 END,
        CASE WHEN cost_id % 50 <> 0 THEN 500 END
    FROM pricing.costs WHERE cost_id % 5 = 0""",
    """INSERT INTO pricing.competitor_offers (competitor, sku, currency, price_minor, observed_at,
        state, feed_id)
    SELECT 'rival ' || r, sku, 'EUR', greatest(cost_minor * (115 + (cost_id * r) % 50) / 100, 1),
        :now - interval '5 hours', 'accepted', 1
    FROM pricing.costs CROSS JOIN generate_series(1, 3) AS r WHERE (cost_id + r) % 2 = 0""",
    """INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
    SELECT sku, 'A', k.kind, CASE WHEN k.kind = 'sale' THEN -(1 + cost_id % 7) ELSE 60 END,
        CASE WHEN k.kind = 'sale' THEN :now - interval '9 days'
            ELSE :now - (10 + cost_id % 500) * interval '1 day' END, 'bench'
    FROM pricing.costs CROSS JOIN (VALUES ('receipt'), ('sale')) AS k (kind)""",
    """INSERT INTO pricing.elasticities (channel, currency, sku, estimated_as_of, category,
        category_mean, weight, elasticity, low, high, weeks, units, method, is_usable, run_id)
    SELECT 'web', 'EUR', sku, :start, 'x', -2, 0.5, -1.5 - cost_id % 20 / 10.0,
        -1.5 - cost_id % 20 / 10.0 - (cost_id % 11) / 10.0,
        -1.5 - cost_id % 20 / 10.0 + (cost_id % 11) / 10.0, 100, 500, 'price_tests', true, 'bench'
    FROM pricing.costs""",
)

_READ = (
    "COPY pricing.prices TO STDOUT", "COPY pricing.costs TO STDOUT",
    "COPY pricing.constraints TO STDOUT", "COPY pricing.competitor_offers TO STDOUT",
    "COPY inventory.movements TO STDOUT", "COPY pricing.elasticities TO STDOUT",
    "COPY (SELECT sku, category FROM catalog.products) TO STDOUT",
)  # fmt: skip


def fill(database: DatabaseResource, products: int) -> int:
    """Make the shop; returns the id of its price list."""
    start = NOW - timedelta(days=60)
    with database.begin() as conn:
        price_list = store.open_list(conn, "web", "EUR", tax_bps=1_900, most_moved_bps=10_000,
                                     approve_above_bps=1_000_000)  # fmt: skip
        values = {"products": products, "list": price_list, "start": start, "now": NOW}
        for statement in _FILL:
            conn.execute(sa.text(statement), values)
        store.limit(conn, price_list, margin_bps=800, step_bps=1_000, charm_modulus=10,
                    charm_ending=9)  # fmt: skip
        store.promote(
            conn,
            name="june",
            category="category 7",
            discount_bps=1_000,
            is_combinable=False,
            starts_at=start,
            ends_at=NOW + timedelta(days=9),
        )
        for name, kind, parameters, priority in RULES:
            store.add_rule(conn, name, kind, parameters, start, "bench", priority=priority)
    # What the server does by itself sooner or later; the first readers would pay for it here.
    with psycopg.connect(database.url, autocommit=True) as driver:
        driver.execute("VACUUM ANALYZE")
    return price_list


def floor_seconds(database: DatabaseResource, plan: int) -> float:
    """Seconds that reading the same rows and writing the same lines take by themselves."""
    begun = time.perf_counter()
    with database.engine.connect() as conn, conn.begin() as trial:
        driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
        for statement in _READ:
            with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for _ in copy:
                    pass
        conn.execute(sa.text("CREATE TABLE public.twin (LIKE pricing.plan_lines INCLUDING ALL)"))
        moved = sa.text(
            "INSERT INTO public.twin SELECT * FROM pricing.plan_lines WHERE plan_id = :p"
        )
        conn.execute(moved, {"p": plan})
        trial.commit()
    seconds = time.perf_counter() - begun
    with database.begin() as conn:
        conn.execute(sa.text("DROP TABLE public.twin"))
    return seconds


def measure(database: DatabaseResource, server: int | None, products: int, applies: bool) -> None:
    """Reprice a shop of so many products once and print a line about it."""
    price_list = fill(database, products)
    with watched(server) as peak:
        begun = time.perf_counter()
        with database.begin() as conn:
            plan = store.plan_list(conn, price_list, NOW, "bench", "bench")
        seconds = time.perf_counter() - begun
    floor = floor_seconds(database, plan)
    with database.begin() as conn:
        head = store.plan_of(conn, plan) or {}
        counts = store.counts(conn, [plan])
    print(
        f"{products:>10,} products{seconds:8.1f} s{seconds / floor:6.1f} x floor"
        f"{peak.own / 2**20:8,.0f} MB own{peak.server / 2**20:8,.0f} MB server; {head['state']},"
        f" {head['moved']:,} moved, {head['held']:,} held"
    )
    print(f"    limits: {counts['limit']}")
    if applies:
        with database.begin() as conn:
            begun = time.perf_counter()
            done = store.apply(conn, plan, "bench")
        print(f"    applied in {time.perf_counter() - begun:.1f} s: {done.begun:,} prices began")


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--products", type=int, action="append")
    parser.add_argument("--apply", action="store_true")
    given = parser.parse_args()
    for products in given.products or [10_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder, \
                EmbeddedPostgres(Path(folder) / "data") as server:  # fmt: skip
            url = server.url("shop")
            ensure_database(url)
            database = DatabaseResource(url=url)
            migrate(database.engine)
            measure(database, server.pid, products, given.apply)
            database.engine.dispose()


if __name__ == "__main__":
    main()
