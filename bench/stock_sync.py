"""Snapshot syncs of one location: seconds, and the ratio to hand-written SQL over the same rows.

    python -m bench.stock_sync                      10,000 and 100,000 SKUs
    python -m bench.stock_sync --rows 1000000

Of each size, snapshots with nothing, a hundredth and all changed are applied. The floor is measured
in the same run on twins of the tables with the same rows, keys and indexes: COPY into an unlogged
table, one guarded UPDATE ... FROM of the levels, and one INSERT of the changed rows to the ledger.
It neither parses nor checks anything, locks nothing in order, and keeps no sum over all sites.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.memory import Peak, watched
from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.inventory.feed_files import open_feed
from ecom_assets.inventory.model import Feed, FeedKind, SyncReport
from ecom_assets.inventory.store import stage_file, sync_stock
from resources.database import DatabaseResource

SIZES = (10_000, 100_000)
SHARES = (0.0, 0.01, 1.0)
"""Shares of the rows that differ."""

TARGET = 1.5
"""Most times the floor that a sync may take."""

SITE = "W1"
START = datetime(2026, 1, 1, tzinfo=UTC)
MB = 1_000_000

_FILL = (
    sa.text("""
        INSERT INTO warehouse.sites (
            site_code, name, country, latitude, longitude, handling_minor, currency
        ) VALUES ('W1', 'Warehouse', 'DE', 50, 9, 100, 'EUR')
    """),
    sa.text("""
        INSERT INTO catalog.products (sku, name, category, currency, unit_cost_minor)
        SELECT 'SKU-' || lpad(CAST(n AS text), 8, '0'), 'Thing ' || n, 'things', 'EUR', 100
        FROM generate_series(1, :rows) AS n
    """),
    sa.text("""
        INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
        SELECT sku, 'W1', 'opening', 50, timestamptz '2025-12-01Z', 'opening'
        FROM catalog.products ORDER BY sku
    """),
    sa.text("""
        INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
        SELECT sku, 'W1', 50, 0, timestamptz '2025-12-01Z' FROM catalog.products ORDER BY sku
    """),
    sa.text("""
        INSERT INTO inventory.positions (sku, on_hand, reserved)
        SELECT sku, 50, 0 FROM catalog.products ORDER BY sku
    """),
)
_TWINS = """
    CREATE SCHEMA floor;
    CREATE UNLOGGED TABLE floor.staged (sku text, quantity integer);
    CREATE TABLE floor.balances (LIKE inventory.balances INCLUDING ALL);
    ALTER TABLE floor.balances SET (fillfactor = 75);
    CREATE TABLE floor.movements (LIKE inventory.movements INCLUDING ALL);
    INSERT INTO floor.balances SELECT * FROM inventory.balances;
    ALTER TABLE floor.movements ALTER movement_id RESTART WITH 100000000;
    INSERT INTO floor.movements OVERRIDING SYSTEM VALUE SELECT * FROM inventory.movements;
"""
_COPY = "COPY floor.staged FROM STDIN (FORMAT csv, HEADER true)"
_LEVELS = """
    UPDATE floor.balances AS b SET on_hand = s.quantity, moved_at = %s
    FROM floor.staged AS s
    WHERE b.sku = s.sku AND b.site_code = 'W1' AND b.on_hand <> s.quantity
"""
_LEDGER = """
    WITH changed AS (
        SELECT s.sku, s.quantity - b.on_hand AS quantity
        FROM floor.staged AS s JOIN floor.balances AS b ON b.sku = s.sku AND b.site_code = 'W1'
        WHERE b.on_hand <> s.quantity
    )
    INSERT INTO floor.movements (sku, site_code, kind, quantity, moved_at, reference)
    SELECT sku, 'W1', 'count', quantity, %s, %s FROM changed
"""


@dataclass(frozen=True)
class Measured:
    """What a sync took.

    Attributes:
        rows: rows of the snapshot.
        share: share of them that differ.
        seconds: of the sync, from the file to the commit.
        floor_seconds: of the floor.
        applied: rows that moved stock.
        own_bytes: most memory of this process.
        server_bytes: most memory of the server's processes.
    """

    rows: int
    share: float
    seconds: float
    floor_seconds: float
    applied: int
    own_bytes: int
    server_bytes: int


def fill(database: DatabaseResource, rows: int) -> None:
    """Make one location with stock of so many SKUs, and the twins of the floor."""
    with database.begin() as conn:
        for number, statement in enumerate(_FILL):
            conn.execute(statement, {"rows": rows} if number == 1 else {})
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(_TWINS)
        conn.execute("VACUUM ANALYZE")


def write_snapshot(path: Path, rows: int, share: float, turn: int) -> None:
    """Write levels of which a share differs from those of the turn before."""
    step = int(1 / share) if share else 0
    with path.open("w") as file:
        file.write("sku,quantity\n")
        for number in range(1, rows + 1):
            level = 50 + turn if step and number % step == 0 else _level(number, turn)
            file.write(f"SKU-{number:08d},{level}\n")


def _level(number: int, turn: int) -> int:
    """What the turns before left: the second changed every hundredth SKU."""
    return 52 if turn > 2 and number % 100 == 0 else 50


def measure(
    database: DatabaseResource, path: Path, share: float, turn: int, server: int | None
) -> Measured:
    """Apply a snapshot, and the same by hand-written SQL on the twins."""
    at = START + timedelta(days=turn)
    floor_seconds = _floor(database.url, path, at, f"turn {turn}")
    with watched(server) as peak:
        begun = time.perf_counter()
        report = _sync(database, path, at)
        seconds = time.perf_counter() - begun
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
    return _measured(report, share, seconds, floor_seconds, peak)


def _measured(
    report: SyncReport, share: float, seconds: float, floor_seconds: float, peak: Peak
) -> Measured:
    return Measured(
        report.rows_read, share, seconds, floor_seconds, report.rows_applied, peak.own, peak.server
    )


def _sync(database: DatabaseResource, path: Path, at: datetime) -> SyncReport:
    with database.begin() as conn:
        file = open_feed(path)
        stage_file(conn, file)
        feed = Feed(SITE, FeedKind.SNAPSHOT, f"{file.digest}@{at.isoformat()}", at, str(path))
        return sync_stock(conn, feed, "bench")


def _floor(url: str, path: Path, at: datetime, reference: str) -> float:
    begun = time.perf_counter()
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        cursor.execute("TRUNCATE floor.staged")
        with path.open("rb") as file, cursor.copy(_COPY) as copy:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
        cursor.execute("ANALYZE floor.staged")
        cursor.execute(_LEDGER, [at, reference])
        cursor.execute(_LEVELS, [at])
    return time.perf_counter() - begun


def report(measured: Measured) -> None:
    """Print what was measured in a line."""
    print(
        f"{measured.rows:>9,} rows, {measured.share:>4.0%} changed ({measured.applied:,} applied):"
        f" {measured.seconds:6.2f} s, floor {measured.floor_seconds:6.2f} s,"
        f" ratio {measured.seconds / measured.floor_seconds:.2f};"
        f" memory {measured.own_bytes / MB:.0f} MB, server {measured.server_bytes / MB:.0f} MB"
    )


def run(rows: int, folder: Path) -> list[Measured]:
    """Measure all shares at one size on a server of its own."""
    with EmbeddedPostgres(folder / "data") as server:
        url = server.url("bench")
        ensure_database(url)
        database = DatabaseResource(url=url)
        migrate(database.engine)
        fill(database, rows)
        found = []
        for turn, share in enumerate(SHARES, 1):
            path = folder / "snapshot.csv"
            write_snapshot(path, rows, share, turn)
            found.append(measure(database, path, share, turn, server.pid))
            report(found[-1])
        database.engine.dispose()
    return found


def main() -> None:
    """Run the benchmark the command line asks for; fails where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    given = parser.parse_args()
    found = []
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            found += run(rows, Path(folder))
    # Below a second, planning and commits outweigh the rows.
    slow = [m for m in found if m.rows >= 100_000 and m.seconds > TARGET * m.floor_seconds]
    if slow:
        raise SystemExit(f"more than {TARGET} times the floor in {len(slow)} cases")


if __name__ == "__main__":
    main()
