"""The platform as `ecom up` serves it, with its processes' way to the database led through a proxy.

    python -m chaos.serving ORDERS SEED UI_PORT PROXY_PORT

Takes a shop without orders in, writes the orders held back to `messages.jsonl` in the home folder,
says on standard output where the database is, and serves when a line comes in.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from chaos.proxy import HOST
from ecom.platform import Platform, only_one, opened
from ecom.postgres import EmbeddedPostgres
from ecom.progress import Progress
from ecom.serve import serve
from ecom.settings import Settings, load
from ecom.work import is_empty
from importers.engine import run_import
from resources.database import DatabaseResource
from simulator.shop import generate

OF_ORDERS = ("orders", "order_lines", "payments", "observed_events", "labels")
"""Files of a simulated shop that are about its orders."""

_MESSAGES = sa.text("""
    SELECT channel, external_id, received_at, payload FROM orders.inbox
    ORDER BY received_at, inbox_id
""")


def hold_back(database: DatabaseResource, folder: Path, target: Path) -> int:
    """Write the messages of a shop's orders to a file, one JSON object a line.

    The shop is imported and the import rolled back: so the messages are those of the importer, and
    the database stays as it was.

    Returns:
        How many messages there are.
    """
    written = 0

    @contextmanager
    def looked_at() -> Iterator[sa.Connection]:
        nonlocal written
        with database.engine.connect() as conn, conn.begin() as transaction:
            yield conn
            with target.open("w") as file:
                for row in conn.execute(_MESSAGES).mappings():
                    file.write(json.dumps(dict(row), default=str) + "\n")
                    written += 1
            transaction.rollback()

    run_import(looked_at, "sample", folder, "chaos")
    return written


def without_orders(folder: Path, target: Path) -> None:
    """Copy a simulated shop and leave its orders out."""
    shutil.copytree(folder, target)
    for name in OF_ORDERS:
        path = target / f"{name}.csv"
        with path.open(newline="") as file:
            header = next(csv.reader(file))
        with path.open("w", newline="") as file:
            csv.writer(file).writerow(header)


def prepare(platform: Platform, orders: int, seed: int) -> None:
    """Take the shop in and hold its orders back."""
    home = platform.settings.home
    generate(home / "shop", orders, seed)
    hold_back(platform.database, home / "shop", home / "messages.jsonl")
    without_orders(home / "shop", home / "shop_without_orders")
    run_import(platform.database.begin, "sample", home / "shop_without_orders", "chaos")


def keep_commit_times(settings: Settings) -> None:
    """Let the server remember when each transaction was committed: the measure of all latencies."""
    with (
        EmbeddedPostgres(settings.postgres) as server,
        psycopg.connect(server.url("postgres"), autocommit=True) as conn,
    ):
        conn.execute("ALTER SYSTEM SET track_commit_timestamp = on")


def led_through(platform: Platform, port: int) -> Platform:
    """The platform for its child processes, who know the database by the proxy's port only."""
    move: Callable[[str], str] = partial(_at_port, port=port)
    return replace(platform, url=move(platform.url), dagster_url=move(platform.dagster_url))


def _at_port(url: str, port: int) -> str:
    return make_url(url).set(host=HOST, port=port).render_as_string(hide_password=False)


def main() -> None:
    """Prepare, wait for the word, serve until told to stop."""
    orders, seed, ui_port, proxy_port = map(int, sys.argv[1:])
    settings = load()
    # Only now, or children of ours would be taken for users of another database.
    os.environ.pop("ECOM_DATABASE_URL", None)
    settings = replace(settings, database_url=None)
    settings.home.mkdir(parents=True, exist_ok=True)
    keep_commit_times(settings)
    with only_one(settings.home), opened(settings) as platform:
        with platform.database.begin() as conn:
            is_new = is_empty(conn)
        if is_new:
            prepare(platform, orders, seed)
        print(json.dumps({"url": platform.url, "dagster_url": platform.dagster_url}), flush=True)
        sys.stdin.readline()
        serve(led_through(platform, proxy_port), ui_port, Progress())


if __name__ == "__main__":
    main()
