"""How much both databases grow: bytes per 10,000 orders by table, and events per run.

    python -m bench.growth                              2,000 orders of the simulated shop in 4 runs
    python -m bench.growth --orders 20000 --runs 10

The messages of a simulated shop come in through the intake, a share before each run of the order
path. The floor of the shop's database is the messages themselves: the bytes of their payloads as
text. Dagster's database grows with runs rather than with orders, so it is shown per run as well.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ecom.platform import Platform, opened
from ecom.progress import Progress
from ecom.settings import Settings
from ecom.work import ORDER_JOB, run_job, take_in
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from ecom_assets.orders.tables import INBOX
from resources.database import engine_for
from simulator.shop import generate

PER = 10_000
"""Orders that growth is told for."""

SHOWN = 10
"""Tables shown of each database, those that grew most."""

_SIZES = sa.text("""
    SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
        pg_total_relation_size(c.oid)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
        AND n.nspname <> 'information_schema'
""")
_RUN_ROWS = sa.text("""
    SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM event_logs),
        (SELECT count(*) FROM asset_check_executions)
""")
_COMPACT = sa.text("VACUUM (FULL) orders.inbox")

Sizes = Mapping[str, int]
"""Bytes by table, its indexes and long values included."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What a number of orders added.

    Attributes:
        orders: order messages taken.
        payload_bytes: length of their payloads, as text.
        runs: runs of the order path.
        events: events recorded of them.
        evaluations: check results recorded of them.
        shop: bytes added to each table of the shop's database.
        dagster: the same of Dagster's own.
    """

    orders: int
    payload_bytes: int
    runs: int
    events: int
    evaluations: int
    shop: Sizes
    dagster: Sizes


def messages_of_shop(platform: Platform, folder: Path, progress: Progress) -> list[Message]:
    """Import a shop's files, and take its order messages out of the inbox again."""
    take_in(platform, "sample", folder, progress)
    columns = (INBOX.c[name] for name in ("channel", "external_id", "received_at", "payload"))
    with platform.database.begin() as conn:
        rows = conn.execute(sa.select(*columns).order_by(INBOX.c.received_at, INBOX.c.inbox_id))
        messages = [Message(*row) for row in rows.tuples()]
        conn.execute(sa.delete(INBOX))
    with platform.database.engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").execute(_COMPACT)
    return messages


def measure(
    platform: Platform, messages: Sequence[Message], runs: int, progress: Progress
) -> Growth:
    """Take the messages in `runs` shares and decide each; say what was added by it."""
    shop, dagster = platform.database.engine, engine_for(platform.dagster_url)
    before = sizes(shop), sizes(dagster), _run_rows(dagster)
    share = -(-len(messages) // runs)
    with platform.instance() as instance:
        for start in range(0, len(messages), share):
            with platform.database.begin() as conn:
                receive(conn, messages[start : start + share])
            run_job(instance, ORDER_JOB, progress)
    now, then = _run_rows(dagster), before[2]
    return Growth(
        orders=len(messages),
        payload_bytes=_payload_bytes(shop),
        runs=now[0] - then[0],
        events=now[1] - then[1],
        evaluations=now[2] - then[2],
        shop=added(before[0], sizes(shop)),
        dagster=added(before[1], sizes(dagster)),
    )


def sizes(engine: sa.Engine) -> Sizes:
    """Bytes of each table of a database."""
    with engine.connect() as conn:
        return dict(conn.execute(_SIZES).tuples().all())


def added(before: Sizes, after: Sizes) -> Sizes:
    """Bytes by which tables grew; those that did not are left out."""
    grown = {name: size - before.get(name, 0) for name, size in after.items()}
    return {name: size for name, size in grown.items() if size > 0}


def _run_rows(engine: sa.Engine) -> tuple[int, int, int]:
    """Runs, events and check results on record."""
    with engine.connect() as conn:
        runs, events, evaluations = conn.execute(_RUN_ROWS).tuples().one()
    return runs, events, evaluations


def _payload_bytes(engine: sa.Engine) -> int:
    length = sa.func.sum(sa.func.octet_length(sa.cast(INBOX.c.payload, sa.Text)))
    with engine.connect() as conn:
        return int(conn.execute(sa.select(length)).scalar_one() or 0)


def report(growth: Growth) -> None:
    """Print both databases, the largest tables first."""
    print(f"{growth.orders:,} orders in {growth.runs:,} runs")
    shop = sum(growth.shop.values())
    _table("shop", growth.shop, growth.orders)
    ratio = shop / growth.payload_bytes if growth.payload_bytes else 0
    print(f"{'x the messages themselves':40}{ratio:12.1f}")
    _table("dagster", growth.dagster, growth.orders)
    runs = max(growth.runs, 1)
    print(f"{'kB per run':40}{sum(growth.dagster.values()) / runs / 1e3:12,.1f}")
    print(f"{'events per run':40}{growth.events / runs:12,.1f}")
    print(f"{'check results per run':40}{growth.evaluations / runs:12,.1f}")


def _table(name: str, grown: Sizes, orders: int) -> None:
    whole = sum(grown.values())
    print(f"{name:40}{f'MB/{PER:,}':>12}{'share':>8}")
    largest = sorted(grown.items(), key=lambda each: -each[1])[:SHOWN]
    for table, size in [*largest, ("in all", whole)]:
        share = f"{size / whole:.0%}" if whole else "-"
        print(f"{table:40}{size * PER / max(orders, 1) / 1e6:12.2f}{share:>8}")


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, progress = Path(folder) / "shop", Progress()
        generate(data, given.orders, 7)
        with opened(Settings(Path(folder) / "home", None)) as platform:
            messages = messages_of_shop(platform, data, progress)
            report(measure(platform, messages, given.runs, progress))


if __name__ == "__main__":
    main()
