"""The benchmarks of stock: they do what they measure, and their floors move the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bench import atp, stock_sync
from ecom_assets.inventory.store import DIFFERENCES
from resources.database import DatabaseResource

FLOOR = sa.text("""
    SELECT (SELECT sum(on_hand) FROM floor.balances), (SELECT count(*) FROM floor.movements)
""")
OURS = sa.text("""
    SELECT (SELECT sum(on_hand) FROM inventory.balances),
        (SELECT count(*) FROM inventory.movements)
""")


def test_sync_and_floor_end_alike(database: DatabaseResource, tmp_path: Path) -> None:
    stock_sync.fill(database, 300)
    path = tmp_path / "snapshot.csv"
    applied = []
    for turn, share in enumerate(stock_sync.SHARES, 1):
        stock_sync.write_snapshot(path, 300, share, turn)
        found = stock_sync.measure(database, path, share, turn, None)
        applied.append(found.applied)
        with database.begin() as conn:
            assert conn.execute(FLOOR).one() == conn.execute(OURS).one()
            assert conn.execute(DIFFERENCES).all() == []
    assert applied == [0, 3, 300]


def test_a_sync_is_reported_with_its_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    stock_sync.report(stock_sync.Measured(1_000_000, 0.01, 3.0, 2.0, 10_000, 10**8, 10**9))
    said = capsys.readouterr().out
    assert "1,000,000 rows,   1% changed (10,000 applied):   3.00 s" in said
    assert "ratio 1.50; memory 100 MB, server 1000 MB" in said


def test_availability_is_measured_while_stock_is_written(
    database: DatabaseResource, capsys: pytest.CaptureFixture[str]
) -> None:
    atp.fill(database, 300, 3)
    refreshed = atp.measure_refresh(database, 300, None)
    assert refreshed.rows == 300 + 120
    looked = atp.measure_lookups(database, 300, 50)
    assert looked.writes > 0
    atp.report(refreshed, looked, 3)
    assert "300 SKUs over 3 locations, 420 rows" in capsys.readouterr().out
