"""The benchmark of the allocation: it allocates everything, and its floor moves the same rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bench.allocation import Measured, fill, measure, report
from ecom_assets.inventory.store import DIFFERENCES
from ecom_assets.shared.flow import waiting
from resources.database import DatabaseResource


def test_what_is_moved_by_sql_is_what_was_allocated(database: DatabaseResource) -> None:
    fill(database, 60, 5)
    with database.begin() as conn:
        assert waiting(conn) == {"allocate": 60}
    measured = measure(database)
    assert measured.orders == 60
    assert measured.parcels >= 60
    assert measured.seconds > 0
    assert measured.floor_seconds > 0
    with database.begin() as conn:
        assert waiting(conn) == {"carrier": 60}
        assert conn.execute(DIFFERENCES).all() == []
        units = sa.text("""
            SELECT (SELECT sum(quantity) FROM warehouse.allocations),
                (SELECT sum(allocated) FROM warehouse.site_loads),
                (SELECT sum(reserved) FROM inventory.reservations)
        """)
        assert len(set(conn.execute(units).one())) == 1


def test_a_report_says_seconds_rate_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    report(Measured(2.0, 0.5, 10_000, 12_345), 20)
    said = capsys.readouterr().out
    assert "10,000 orders over 20 sites, 12,345 parcels: 2.00 s, 5,000 orders/s" in said
    assert "0.50 s; ratio 4.0" in said
