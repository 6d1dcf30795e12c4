"""The benchmark of growth: it counts what was added, per 10,000 orders and per run."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bench.growth import Growth, added, report, sizes
from ecom_assets.schema import schema
from resources.database import DatabaseResource


def test_what_rows_add_is_seen_at_their_table(database: DatabaseResource) -> None:
    before = sizes(database.engine)
    assert set(schema().tables) <= set(before)
    with database.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO warehouse.site_loads"
                " SELECT 'SKU' || n, repeat('x', 100), n FROM generate_series(1, 5000) AS n"
            )
        )
    grown = added(before, sizes(database.engine))
    assert set(grown) == {"warehouse.site_loads"}
    assert grown["warehouse.site_loads"] > 500_000


def test_a_table_that_is_new_has_grown_and_one_that_shrank_has_not() -> None:
    assert added({"a": 5, "b": 5, "c": 5}, {"a": 5, "b": 4, "c": 7, "d": 2}) == {"c": 2, "d": 2}


def test_a_report_tells_growth_per_10_000_orders_and_per_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop = {f"area.table{number}": number * 1_000_000 for number in range(1, 13)}
    report(Growth(20_000, 39_000_000, 4, 2_000, 800, shop, {"event_logs": 8_000_000}))
    lines = capsys.readouterr().out.splitlines()
    said = {line[:40].strip(): line[40:].split() for line in lines[1:]}
    assert lines[0] == "20,000 orders in 4 runs"
    assert said["area.table12"] == ["6.00", "15%"]
    assert "area.table2" not in said, "only the largest tables are shown"
    assert said["x the messages themselves"] == ["2.0"]
    assert said["event_logs"] == ["4.00", "100%"]
    assert said["kB per run"] == ["2,000.0"]
    assert said["events per run"] == ["500.0"]
    assert said["check results per run"] == ["200.0"]


def test_nothing_measured_is_no_division_by_zero(capsys: pytest.CaptureFixture[str]) -> None:
    report(Growth(0, 0, 0, 0, 0, {}, {}))
    assert "0 orders in 0 runs" in capsys.readouterr().out
