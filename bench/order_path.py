"""From an empty database to marts: seconds and rows per second per stage, and the ratio to COPY.

    python -m bench.order_path                      the simulated shop, 5,000 orders
    python -m bench.order_path --orders 100000
    python -m bench.order_path --data DIR --format olist

The floor of a stage is measured in the same run: the rows it wrote are copied out and then, timed,
by a plain COPY into an empty table of the same columns without keys or indexes.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from ecom.platform import Platform, opened
from ecom.progress import Progress
from ecom.settings import Settings
from ecom.work import MARTS_JOB, ORDER_JOB, run_job, take_in
from simulator.shop import generate

WRITTEN_BY = {
    "import": ("orders.inbox", "catalog.products", "inventory.balances", "orders.observed_events"),
    "orders": ("orders.orders", "orders.order_lines"),
    "customers": ("customers.customers", "customers.addresses"),
    "payments": ("payments.transactions", "payments.order_payments"),
    "fraud": ("fraud.sightings", "fraud.order_scores"),
    "risk__decisions": ("risk.decisions",),
    "inventory__reservations": ("inventory.reservations",),
    "warehouse__allocations": ("warehouse.allocations", "warehouse.site_loads"),
    "transport__carrier_choices": ("transport.carrier_choices",),
    "transport__shipments": ("transport.shipments",),
    "inventory__movements": ("inventory.movements",),
    "documents__invoices": ("documents.invoices",),
    "documents__packing_slips": ("documents.packing_slips",),
}
"""Tables whose rows count as the work of a stage; ledger and timeline are shared by all.

A stage is the key of its step: `<area>__<noun>`, or the function's name where one writes several.
"""


def copy_seconds(conn: psycopg.Connection, table: str) -> tuple[int, float]:
    """Rows of a table and the seconds a plain COPY of them takes."""
    name = sql.Identifier(*table.split("."))
    # Read out first, so that the time is the writing of rows alone.
    buffer = io.BytesIO()
    with conn.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(name)) as out:
            for block in out:
                buffer.write(block)
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE floor (LIKE {})").format(name))
        begun = time.perf_counter()
        with cursor.copy("COPY floor FROM STDIN") as into:
            into.write(buffer.getvalue())
        seconds = time.perf_counter() - begun
        rows = cursor.execute("SELECT count(*) FROM floor").fetchone()
        cursor.execute("DROP TABLE floor")
    return int(rows[0]) if rows else 0, seconds


def floors(platform: Platform) -> dict[str, tuple[int, float]]:
    """Rows and COPY seconds per stage."""
    found = {}
    with psycopg.connect(platform.url, autocommit=True) as conn:
        for stage, tables in WRITTEN_BY.items():
            measured = [copy_seconds(conn, table) for table in tables]
            found[stage] = (sum(m[0] for m in measured), sum(m[1] for m in measured))
    return found


def report(seconds: dict[str, float], floor: dict[str, tuple[int, float]]) -> None:
    """Print a line per stage and the total."""
    print(f"{'stage':34}{'seconds':>9}{'rows':>10}{'rows/s':>12}{'x COPY':>9}")
    for stage, taken in seconds.items():
        rows, least = floor.get(stage, (0, 0.0))
        # Jobs have no rows of their own: what they wrote is shown at their stages.
        rate = f"{rows / taken:,.0f}" if rows and taken else "-"
        ratio = f"{taken / least:.1f}" if least else "-"
        print(f"{stage:34}{taken:9.2f}{rows:10,}{rate:>12}{ratio:>9}")
    whole = sum(seconds[stage] for stage in ("import", ORDER_JOB, MARTS_JOB))
    least = sum(part for _, part in floor.values())
    print(f"{'empty database to marts':34}{whole:9.2f}{'':22}{whole / least:9.1f}")


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--format", default="sample")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        data = given.data or Path(folder) / "shop"
        progress = Progress()
        if given.data is None:
            generate(data, given.orders, 7)
        with opened(Settings(home, None)) as platform, platform.instance() as instance:
            take_in(platform, given.format, data, progress)
            run_job(instance, ORDER_JOB, progress)
            run_job(instance, MARTS_JOB, progress)
            report(progress.seconds, floors(platform))


if __name__ == "__main__":
    main()
