"""Catalogue plans: seconds for many rows, the ratio to a floor of the same run, and memory.

    python -m bench.catalogue                       10,000 and 100,000 rows
    python -m bench.catalogue --rows 1000000        the full size; some minutes with its set-up

The floor takes the same file with COPY into an unlogged table of texts and compares it with the
products in one hand-written statement. What a plan does beyond that (reading the file, judging
every cell, keeping a row per record with what it changes) is not in the floor. At last 414 variants
of one product are planned, applied and reverted.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.memory import Peak, watched
from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.catalog.model import Plan
from ecom_assets.catalog.store import apply_plan, revert_plan
from ecom_assets.catalog.store.files import plan_file
from resources.database import DatabaseResource

TARGET_S = 60.0
"""What a plan of a million rows may take, in seconds."""

VARIANTS = 414
VARIANTS_TARGET_S = 1.0

AT = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = (
    "sku", "name", "category", "brand", "gtin", "weight_g", "list_price", "currency",
    "description", "colour",
)  # fmt: skip

_PRODUCTS = sa.text("""
    INSERT INTO catalog.products
        (sku, name, category, brand, gtin, weight_g, list_price_minor, currency, description)
    SELECT 'S' || n, 'Product number ' || n, 'Category ' || n % 40, 'Brand ' || n % 90,
        CASE WHEN catalog.is_gtin_14(g) THEN g ELSE left(g, 13) || check_digit END,
        100 + n % 900, 1000 + n % 5000, 'EUR', 'What there is to say about product ' || n
    FROM generate_series(1, :rows) AS n
        CROSS JOIN LATERAL (SELECT lpad(CAST(n AS text), 13, '0') || '0' AS g) AS made
        CROSS JOIN LATERAL (
            SELECT CAST((10 - sum(CAST(substr(g, at, 1) AS integer) * (1 + 2 * (at % 2))) % 10)
                % 10 AS text) AS check_digit
            FROM generate_series(1, 13) AS at
        ) AS checked
""")
_WRITTEN = sa.text("""
    SELECT sku, name, category, brand, gtin, weight_g, list_price_minor, currency, description
    FROM catalog.products ORDER BY sku
""")
_FLOOR_TABLE = """
    CREATE UNLOGGED TABLE public.floor_rows (sku text, name text, category text, brand text,
        gtin text, weight_g text, list_price text, currency text, description text, colour text)
"""
_FLOOR_COPY = "COPY public.floor_rows FROM STDIN (FORMAT csv, HEADER)"
_FLOOR_COMPARE = """
    SELECT count(*) FILTER (WHERE p.sku IS NULL), count(*) FILTER (WHERE p.sku IS NOT NULL AND (
        f.name, f.category, f.brand, f.gtin, CAST(f.weight_g AS integer),
        CAST(CAST(f.list_price AS numeric) * 100 AS bigint), f.currency, f.description
    ) IS DISTINCT FROM (
        p.name, p.category, p.brand, p.gtin, p.weight_g, p.list_price_minor,
        CAST(p.currency AS text), p.description
    ))
    FROM public.floor_rows AS f LEFT JOIN catalog.products AS p USING (sku)
"""


@dataclass(frozen=True)
class Measured:
    """What planning a file took.

    Attributes:
        plan: the plan.
        seconds: time of reading, judging, comparing and keeping.
        floor_seconds: time of COPY and one comparison.
        peak: most memory meanwhile.
    """

    plan: Plan
    seconds: float
    floor_seconds: float
    peak: Peak


def fill(database: DatabaseResource, rows: int) -> None:
    """Make so many products."""
    with database.begin() as conn:
        conn.execute(_PRODUCTS, {"rows": rows})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("VACUUM ANALYZE catalog.products"))


def write_file(database: DatabaseResource, path: Path, every: int, is_new: bool = False) -> None:
    """Write the products to a file in which each `every`th one costs a cent more.

    Args:
        database: holds the products.
        path: the file.
        every: distance between two changes.
        is_new: give all of them SKUs that do not exist, and no GTIN.
    """
    with database.begin() as conn, path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        found = conn.execution_options(yield_per=20_000).execute(_WRITTEN)
        for at, row in enumerate(found):
            sku = f"N{row.sku}" if is_new else row.sku
            price = (row.list_price_minor + (at % every == 0)) / 100
            writer.writerow((
                sku, row.name, row.category, row.brand, "" if is_new else row.gtin, row.weight_g,
                f"{price:.2f}", row.currency, row.description, "" if at % every else "red",
            ))  # fmt: skip


def measure(database: DatabaseResource, path: Path, server: int | None) -> Measured:
    """Plan a file, then take the same file at the floor."""
    with watched(server) as peak:
        begun = time.perf_counter()
        with database.begin() as conn:
            plan = plan_file(conn, path, AT, "bench")
        seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    with psycopg.connect(database.url) as conn:
        conn.execute(_FLOOR_TABLE)
        with path.open("rb") as stream, conn.cursor() as cursor, cursor.copy(_FLOOR_COPY) as copy:
            while data := stream.read(1 << 20):
                copy.write(data)
        conn.execute("ANALYZE public.floor_rows")
        conn.execute(_FLOOR_COMPARE)
        floor_seconds = time.perf_counter() - begun
        conn.execute("DROP TABLE public.floor_rows")
    return Measured(plan, seconds, floor_seconds, peak)


def variants(database: DatabaseResource, folder: Path) -> tuple[float, float, float]:
    """Seconds to plan, apply and revert a change of all variants of one product."""
    path = folder / "variants.csv"
    for price in (10, 11):
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(
                ["sku", "name", "currency", "list_price", "group_key", "option:Size", "colour"]
            )
            writer.writerows(
                [f"V{n}", "Shirt", "EUR", price, "shirt", n, f"shade {price}"]
                for n in range(VARIANTS)
            )
        begun = time.perf_counter()
        with database.begin() as conn:
            plan = plan_file(conn, path, AT, "bench")
        planned = time.perf_counter()
        with database.begin() as conn:
            apply_plan(conn, plan.hash, AT, "bench")
        applied = time.perf_counter()
    with database.begin() as conn:
        revert_plan(conn, plan.hash, AT, "bench")
    return planned - begun, applied - planned, time.perf_counter() - applied


def report(name: str, measured: Measured) -> None:
    """Print what was measured in two lines."""
    plan, peak = measured.plan, measured.peak
    print(
        f"{name}: {plan.rows_read:,} rows = {plan.rows_create:,} create + {plan.rows_update:,}"
        f" update + {plan.rows_skip:,} skip + {plan.rows_error:,} error in {measured.seconds:.1f} s"
    )
    print(
        f"  floor {measured.floor_seconds:.1f} s, ratio"
        f" {measured.seconds / measured.floor_seconds:.1f}; memory {peak.own / 1e6:,.0f} MB here,"
        f" {peak.server / 1e6:,.0f} MB in the server"
    )


def main() -> None:
    """Run the benchmark the command line asks for; fails where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    given = parser.parse_args()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for rows in given.rows:
            with EmbeddedPostgres(Path(folder) / f"data{rows}") as server:
                url = server.url("bench")
                ensure_database(url)
                database = DatabaseResource(url=url)
                migrate(database.engine)
                fill(database, rows)
                path = Path(folder) / "rows.csv"
                for name, every, is_new in (("1% changed", 100, False), ("all new", 1, True)):
                    write_file(database, path, every, is_new)
                    measured = measure(database, path, server.pid)
                    report(name, measured)
                    slowest = max(slowest, measured.seconds)
                times = variants(database, Path(folder))
                database.engine.dispose()
    print(
        f"{VARIANTS} variants: plan {times[0]:.2f} s, apply {times[1]:.2f} s,"
        f" revert {times[2]:.2f} s"
    )
    if slowest > TARGET_S or max(times[:2]) > VARIANTS_TARGET_S:
        raise SystemExit(f"more than {TARGET_S:.0f} s, or {VARIANTS_TARGET_S:.0f} s for variants")


if __name__ == "__main__":
    main()
