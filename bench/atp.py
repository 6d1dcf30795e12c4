"""Available to promise: seconds for all SKUs, and milliseconds for one while stock is written.

    python -m bench.atp                             100,000 SKUs over 10 locations
    python -m bench.atp --skus 1000000

A tenth of the SKUs has safety stock at every location, a fifth is expected from suppliers twice,
every hundredth lies in lots. The floor of the refresh is one hand-written aggregate over the
balances of all locations into a new table; of the lookup, a read of one position by its key.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread

import psycopg
import sqlalchemy as sa

from bench.memory import watched
from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.inventory.store import available, hold_stock, refresh_atp
from resources.database import DatabaseResource

TARGET_S = 10.0
"""What a refresh of a million SKUs over ten locations may take, in seconds."""

TARGET_MS = 5.0
"""What 99 of 100 lookups may take under write load, in milliseconds."""

LOOKUPS = 2_000
WRITERS = 2
NOW = datetime(2026, 1, 10, tzinfo=UTC)
LATER = datetime(2026, 3, 1, tzinfo=UTC)
MB = 1_000_000

_FILL = (
    sa.text("""
        INSERT INTO warehouse.sites (
            site_code, name, country, latitude, longitude, handling_minor, currency
        )
        SELECT 'W' || n, 'Warehouse ' || n, 'DE', 50, 9, 100, 'EUR'
        FROM generate_series(0, :sites - 1) AS n
    """),
    sa.text("""
        INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
        SELECT 'SKU-' || lpad(CAST(s AS text), 8, '0'), 'W' || w, 10, 0, timestamptz '2026-01-01Z'
        FROM generate_series(1, :skus) AS s, generate_series(0, :sites - 1) AS w
    """),
    sa.text("""
        INSERT INTO inventory.positions (sku, on_hand, reserved)
        SELECT 'SKU-' || lpad(CAST(s AS text), 8, '0'), 10 * :sites, s % 7
        FROM generate_series(1, :skus) AS s
    """),
    sa.text("""
        INSERT INTO inventory.safety_stocks (sku, site_code, units, source)
        SELECT 'SKU-' || lpad(CAST(s * 10 AS text), 8, '0'), 'W' || w, 2, 'bench'
        FROM generate_series(1, :skus / 10) AS s, generate_series(0, :sites - 1) AS w
    """),
    sa.text("""
        INSERT INTO inventory.expected_receipts (reference, sku, site_code, due_at, quantity)
        SELECT 'PO-' || n, 'SKU-' || lpad(CAST(s * 5 AS text), 8, '0'), 'W0',
            timestamptz '2026-01-15Z' + n * interval '9 days', 20
        FROM generate_series(1, :skus / 5) AS s, generate_series(0, 1) AS n
    """),
    sa.text("""
        INSERT INTO inventory.lots (sku, site_code, lot_code, received, received_at, expires_at)
        SELECT 'SKU-' || lpad(CAST(s * 100 AS text), 8, '0'), 'W' || w, 'lot', 6,
            timestamptz '2026-01-01Z', timestamptz '2026-01-05Z' + s % 30 * interval '1 day'
        FROM generate_series(1, :skus / 100) AS s, generate_series(0, :sites - 1) AS w
    """),
)
_FLOOR = sa.text("""
    CREATE TABLE public.floor AS
    SELECT sku, sum(on_hand) AS units FROM inventory.balances GROUP BY sku
""")
_ONE = sa.text("SELECT on_hand - reserved FROM inventory.positions WHERE sku = :sku")


@dataclass(frozen=True)
class Refreshed:
    """What a refresh took.

    Attributes:
        skus: SKUs.
        rows: rows written by the first refresh.
        first_seconds: filling the empty table.
        again_seconds: with nothing changed.
        floor_seconds: of the aggregate.
        own_bytes: most memory of this process.
        server_bytes: most memory of the server's processes.
    """

    skus: int
    rows: int
    first_seconds: float
    again_seconds: float
    floor_seconds: float
    own_bytes: int
    server_bytes: int


@dataclass(frozen=True)
class Looked:
    """Milliseconds that half, and 99 of 100, lookups took."""

    median_ms: float
    p99_ms: float
    floor_p99_ms: float
    writes: int


def fill(database: DatabaseResource, skus: int, sites: int) -> None:
    """Make locations, balances and what else availability depends on."""
    values = {"skus": skus, "sites": sites}
    with database.begin() as conn:
        for statement in _FILL:
            names = statement.compile().params
            conn.execute(statement, {name: values[name] for name in names})
    with psycopg.connect(database.url, autocommit=True) as driver:
        driver.execute("VACUUM ANALYZE")


def measure_refresh(database: DatabaseResource, skus: int, server: int | None) -> Refreshed:
    """Fill the table, refresh it again, and run the floor."""
    with watched(server) as peak:
        rows, first = _timed(lambda conn: refresh_atp(conn, NOW, "bench")["added"], database)
        _, again = _timed(lambda conn: refresh_atp(conn, NOW, "bench")["changed"], database)
    _, floor = _timed(lambda conn: conn.execute(_FLOOR).rowcount, database)
    return Refreshed(skus, rows, first, again, floor, peak.own, peak.server)


def _timed(step: Callable[[sa.Connection], int], database: DatabaseResource) -> tuple[int, float]:
    begun = time.perf_counter()
    with database.begin() as conn:
        found = step(conn)
    return found, time.perf_counter() - begun


def measure_lookups(database: DatabaseResource, skus: int, lookups: int = LOOKUPS) -> Looked:
    """Look single SKUs up while others hold and give up stock all the time."""
    # A large prime spreads the SKUs over all pages.
    spread = [_sku(number * 7_919_933 % skus + 1) for number in range(lookups)]
    with _writers(database, skus) as done:
        mine = [_lookup(database, sku) for sku in spread]
        floor = [_read(database, sku) for sku in spread]
        writes = sum(done)
    cuts = quantiles(mine, n=100)
    return Looked(cuts[49], cuts[98], quantiles(floor, n=100)[98], writes)


@contextmanager
def _writers(database: DatabaseResource, skus: int) -> Iterator[list[int]]:
    ended, done = Event(), [0] * WRITERS
    threads = [Thread(target=_write, args=(database, skus, n, done, ended)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _write(
    database: DatabaseResource, skus: int, number: int, done: list[int], ended: Event
) -> None:
    for turn in count(number):
        if ended.is_set():
            return
        wishes = {_sku(turn * prime % skus + 1): 1 for prime in (104_729, 1_299_709, 15_485_863)}
        with database.begin() as conn:
            hold_stock(conn, f"basket {number}", wishes, NOW, LATER)
        done[number] += 1


def _lookup(database: DatabaseResource, sku: str) -> float:
    """Milliseconds of one lookup, with its transaction."""
    begun = time.perf_counter()
    with database.begin() as conn:
        available(conn, [sku], NOW)
    return (time.perf_counter() - begun) * 1000


def _read(database: DatabaseResource, sku: str) -> float:
    begun = time.perf_counter()
    with database.begin() as conn:
        conn.execute(_ONE, {"sku": sku}).scalar_one()
    return (time.perf_counter() - begun) * 1000


def _sku(number: int) -> str:
    return f"SKU-{number:08d}"


def report(refreshed: Refreshed, looked: Looked, sites: int) -> None:
    """Print what was measured in three lines."""
    print(
        f"{refreshed.skus:,} SKUs over {sites} locations, {refreshed.rows:,} rows:"
        f" {refreshed.first_seconds:.2f} s, again {refreshed.again_seconds:.2f} s,"
        f" floor {refreshed.floor_seconds:.2f} s,"
        f" ratio {refreshed.first_seconds / refreshed.floor_seconds:.2f}"
    )
    print(f"memory {refreshed.own_bytes / MB:.0f} MB, server {refreshed.server_bytes / MB:.0f} MB")
    print(
        f"one SKU while {looked.writes:,} baskets are held: median {looked.median_ms:.2f} ms,"
        f" p99 {looked.p99_ms:.2f} ms, floor p99 {looked.floor_p99_ms:.2f} ms,"
        f" ratio {looked.p99_ms / looked.floor_p99_ms:.2f}"
    )


def main() -> None:
    """Run the benchmark the command line asks for; fails where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--skus", type=int, default=100_000)
    parser.add_argument("--sites", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "data") as server:
        url = server.url("bench")
        ensure_database(url)
        database = DatabaseResource(url=url)
        migrate(database.engine)
        fill(database, given.skus, given.sites)
        refreshed = measure_refresh(database, given.skus, server.pid)
        looked = measure_lookups(database, given.skus)
        database.engine.dispose()
    report(refreshed, looked, given.sites)
    if refreshed.first_seconds > TARGET_S or looked.p99_ms > TARGET_MS:
        raise SystemExit(f"more than {TARGET_S:.0f} s, or {TARGET_MS:.0f} ms")


if __name__ == "__main__":
    main()
