"""The benchmark of the order path: its floor is measured, its ratios are what they say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bench.order_path import WRITTEN_BY, copy_seconds, floors, report
from ecom.work import MARTS_JOB, ORDER_JOB
from ecom_assets.definitions import defs
from ecom_assets.schema import schema
from resources.database import DatabaseResource

FLOOR = {"import": (1_000, 0.5), "risk__decisions": (2_000, 0.25)}


def test_a_copy_counts_and_times_every_row(module_database: DatabaseResource) -> None:
    with module_database.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO warehouse.site_loads"
                " SELECT 'SKU' || n, E'tab\\tand\\nline', n FROM generate_series(1, 500) AS n"
            )
        )
    with psycopg.connect(module_database.url) as conn:
        rows, seconds = copy_seconds(conn, "warehouse.site_loads")
        assert rows == 500
        assert 0 < seconds < 5
        # the table it measured with is gone, so the next one can be measured
        assert copy_seconds(conn, "warehouse.site_loads")[0] == 500
        assert conn.execute("SELECT count(*) FROM warehouse.site_loads").fetchone() == (500,)


def test_an_empty_table_has_a_floor_too(database: DatabaseResource) -> None:
    with psycopg.connect(database.url) as conn:
        rows, seconds = copy_seconds(conn, "orders.orders")
    assert rows == 0
    assert seconds > 0


def test_a_table_that_is_not_there_is_named(module_database: DatabaseResource) -> None:
    with (
        psycopg.connect(module_database.url) as conn,
        pytest.raises(psycopg.errors.UndefinedTable, match="no_such"),
    ):
        copy_seconds(conn, "orders.no_such")


def test_a_floor_adds_up_the_tables_of_its_stage(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(
            sa.text("INSERT INTO warehouse.site_loads VALUES ('A', 'N', 1), ('B', 'N', 1)")
        )
    platform: Any = SimpleNamespace(url=database.url)
    found = floors(platform)
    assert list(found) == list(WRITTEN_BY)
    assert found["warehouse__allocations"][0] == 2
    assert sum(rows for rows, _ in found.values()) == 2


def test_stages_and_tables_are_those_of_the_platform() -> None:
    named = {table for tables in WRITTEN_BY.values() for table in tables}
    assert named <= set(schema().tables)
    steps = {node.name for node in defs.resolve_job_def(ORDER_JOB).nodes}
    assert set(WRITTEN_BY) - {"import"} <= steps


def _lines(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    lines = capsys.readouterr().out.splitlines()
    return {line[:34].strip(): line[34:].split() for line in lines}


def test_a_report_shows_seconds_rows_rate_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = {"import": 2.0, "risk__decisions": 0.5, ORDER_JOB: 4.0, MARTS_JOB: 1.5}
    report(seconds, FLOOR)
    assert _lines(capsys) == {
        "stage": ["seconds", "rows", "rows/s", "x", "COPY"],
        "import": ["2.00", "1,000", "500", "4.0"],
        "risk__decisions": ["0.50", "2,000", "4,000", "2.0"],
        # jobs hold stages: they have rows of their own neither here nor in the total
        ORDER_JOB: ["4.00", "0", "-", "-"],
        MARTS_JOB: ["1.50", "0", "-", "-"],
        "empty database to marts": ["7.50", "10.0"],
    }


def test_a_stage_too_fast_to_measure_has_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    report({"import": 0.0, ORDER_JOB: 0.0, MARTS_JOB: 0.0}, FLOOR)
    assert _lines(capsys)["import"] == ["0.00", "1,000", "-", "0.0"]


@pytest.mark.parametrize("missing", ["import", ORDER_JOB, MARTS_JOB])
def test_a_total_without_one_of_its_parts_is_refused(missing: str) -> None:
    seconds = {"import": 1.0, ORDER_JOB: 1.0, MARTS_JOB: 1.0}
    del seconds[missing]
    with pytest.raises(KeyError, match=missing):
        report(seconds, FLOOR)
