"""Many processes on few SKUs, some of them killed: no unit is ever promised or shipped twice.

A watcher looks at one snapshot after another while they run. The shop's hour passes in
`ECOM_STORM_SECONDS`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
import sqlalchemy as sa

from ecom.settings import ROOT
from ecom_assets.shared.flow import waiting
from fixtures.allocated_shop import Shop, small_card
from fixtures.stock_shop import Move, open_sites, stock
from fixtures.stock_storm import SITES, SKUS, settle_down
from fixtures.stock_truth import wrong_stock
from resources.database import DatabaseResource

PROCESSES = 6
SECONDS = float(os.environ.get("ECOM_STORM_SECONDS", "25"))
KILL_EVERY_S = 3.0
LOOK_EVERY_S = 0.02

# An order may be reserved again only after it was left waiting, ran out, or was changed.
DECIDED_TWICE = sa.text("""
    WITH decided AS (
        SELECT order_id, count(*) AS times, max(attempt) AS last,
            count(*) FILTER (WHERE outcome = 'backordered') AS in_vain
        FROM decisions.ledger WHERE kind = 'reservation' GROUP BY order_id
    ), reopened AS (
        SELECT order_id, count(*) AS times FROM decisions.timeline
        WHERE event IN ('settled_anew', 'reservation_expired') GROUP BY order_id
    ), allocated AS (
        SELECT order_id, count(*) AS times FROM decisions.ledger
        WHERE kind = 'allocation' GROUP BY order_id
    )
    SELECT d.order_id FROM decided AS d
    LEFT JOIN reopened AS r USING (order_id)
    LEFT JOIN allocated AS a USING (order_id)
    WHERE d.last <> d.times OR d.times > 1 + d.in_vain + coalesce(r.times, 0)
        OR coalesce(a.times, 0) > d.times - d.in_vain
""")
DEADLOCKS = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


def open_shop(conn: sa.Connection) -> None:
    open_sites(conn, [(site, 48 + number, 9) for number, site in enumerate(SITES)])
    stock(conn, [Move(sku, 8, 0, site) for sku in SKUS for site in SITES])
    Shop(conn).take(small_card())


def start(database: DatabaseResource, seed: str, seconds: float) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-m", "fixtures.stock_storm", database.url, seed, str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


@contextmanager
def storm(database: DatabaseResource, seconds: float) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes at work; none is left when the block ends."""
    workers = [start(database, f"seed {number}", seconds) for number in range(PROCESSES)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def watch(database: DatabaseResource, workers: list[subprocess.Popen[str]]) -> tuple[int, int]:
    """Look again and again while processes work, and kill one now and then.

    Returns:
        How many snapshots were looked at, and how many processes were killed.
    """
    looks = kills = 0
    draw, begun = Random(7), time.monotonic()
    engine = database.engine.execution_options(isolation_level="REPEATABLE READ")
    while any(worker.poll() is None for worker in workers):
        with engine.begin() as conn:
            assert wrong_stock(conn) == []
        looks += 1
        # A watcher that never rests would leave the storm no core to run on.
        time.sleep(LOOK_EVERY_S)
        passed = time.monotonic() - begun
        if passed > (kills + 1) * KILL_EVERY_S and passed < SECONDS:
            victim = draw.randrange(len(workers))
            workers[victim].send_signal(signal.SIGKILL)
            workers[victim].communicate()
            workers[victim] = start(database, f"heir {kills}", SECONDS - passed)
            kills += 1
    return looks, kills


@pytest.mark.slow
def test_nothing_is_ever_promised_twice(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_shop(conn)
    with storm(database, SECONDS) as workers:
        looks, kills = watch(database, workers)
        ended = [(worker.communicate(), worker.returncode) for worker in workers]
    assert [errors for (_, errors), code in ended if code] == []
    assert looks > SECONDS
    assert kills > SECONDS / KILL_EVERY_S / 3
    settle_down(database)
    with database.begin() as conn:
        assert wrong_stock(conn) == []
        assert conn.execute(DECIDED_TWICE).all() == []
        assert set(waiting(conn)) <= {"packing_slip", "invoice", "notify_shipped"}
        assert conn.execute(DEADLOCKS).scalar_one() == 0
