"""Feeds, counts, transfers, receipts, reservations and parcels at once, from several processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from ecom.settings import ROOT
from ecom_assets.inventory.store import DISAGREEMENTS, value_stock
from fixtures.allocated_shop import Shop, small_card
from fixtures.kept_stock import products
from fixtures.stock_shop import Move, day, open_sites, stock
from fixtures.stock_storm import SITES, SKUS
from fixtures.stock_truth import wrong_stock
from resources.database import DatabaseResource

PROCESSES = 4
SECONDS = float(os.environ.get("ECOM_STORM_SECONDS", "12"))
LOOK_EVERY_S = 0.05

UNTOLD = sa.text("""
    SELECT 'feed' AS what, CAST(s.sync_id AS text) AS name FROM inventory.feed_syncs AS s
    LEFT JOIN (
        SELECT reference, sum(quantity) AS units FROM inventory.movements GROUP BY reference
    ) AS m ON m.reference = 'feed:' || s.sync_id
    WHERE s.units_in - s.units_out <> coalesce(m.units, 0)
    UNION ALL
    SELECT 'transfer', t.reference FROM inventory.transfers AS t
    WHERE t.quantity + (
        SELECT coalesce(sum(m.quantity), 0) FROM inventory.movements AS m
        WHERE m.kind = 'transfer' AND m.reference IN (
            'transfer:' || t.reference, concat('transfer_in:', t.reference, '/', t.from_site))
    ) <> CASE WHEN t.arrived_at IS NULL THEN 0 ELSE t.quantity END
    UNION ALL
    SELECT 'count', c.reference FROM inventory.counts AS c
    LEFT JOIN inventory.movements AS m ON m.kind = 'count'
        AND m.reference = 'count:' || c.reference AND m.sku = c.sku AND m.site_code = c.site_code
    WHERE coalesce(m.quantity, 0) <> CASE c.state WHEN 'posted' THEN c.difference ELSE 0 END
""")
DONE = sa.text("""
    SELECT (SELECT count(*) FROM inventory.feed_syncs WHERE state = 'applied'),
        (SELECT count(*) FROM inventory.counts), (SELECT count(*) FROM inventory.transfers),
        (SELECT count(*) FROM inventory.reservations)
""")
DEADLOCKS = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


def start(database: DatabaseResource, seed: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-m", "fixtures.keeping_storm", database.url, seed, str(SECONDS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def watch(database: DatabaseResource, workers: list[subprocess.Popen[str]]) -> int:
    """Look at one snapshot after another until all have ended; how often was looked."""
    looks = 0
    engine = database.engine.execution_options(isolation_level="REPEATABLE READ")
    while any(worker.poll() is None for worker in workers):
        with engine.begin() as conn:
            assert wrong_stock(conn) == []
        looks += 1
        time.sleep(LOOK_EVERY_S)
    return looks


@pytest.mark.slow
def test_whatever_happens_at_once_stock_adds_up(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [(site, 48 + number, 9) for number, site in enumerate(SITES)])
        products(conn, SKUS)
        stock(conn, [Move(sku, 8, 0, site) for sku in SKUS for site in SITES])
        Shop(conn).take(small_card())
    workers = [start(database, f"seed {number}") for number in range(PROCESSES)]
    try:
        looks = watch(database, workers)
        ended = [(worker.communicate()[1], worker.returncode) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    for errors, code in ended:
        assert not code, errors[-1500:]
    assert looks > SECONDS
    with database.begin() as conn:
        assert wrong_stock(conn) == []
        assert conn.execute(UNTOLD).all() == []
        assert min(conn.execute(DONE).one()) > 3
        value_stock(conn, day(9), "run")
        assert conn.execute(DISAGREEMENTS).all() == []
        assert conn.execute(DEADLOCKS).scalar_one() == 0
