"""The benchmark of a backlog: it drains everything, and its floor moves what was written."""

from __future__ import annotations

import os

import psycopg
import pytest
import sqlalchemy as sa

from bench.floor import DECIDING as FLOOR_TABLES
from bench.floor import DOCUMENTS as PRINTED_TABLES
from bench.floor import Floor, floor_seconds
from bench.memory import Peak, watched
from bench.throughput import DECIDING, DOCUMENTS, Drained, fill, measure, report, report_curve
from ecom_assets.schema import schema
from ecom_assets.shared.flow import NEXT, Stage, waiting
from resources.database import DatabaseResource


def _drained(orders: int, seconds: float) -> Drained:
    floor = Floor(orders * 10, 0.5, orders * 2, 0.25)
    peak = Peak(100_000_000, 50_000_000, 25_000_000)
    return Drained(orders, {"accept": seconds}, {"invoice": 1.0}, floor, peak, {})


@pytest.fixture(scope="module")
def drained(module_database: DatabaseResource) -> Drained:
    """A small shop, drained."""
    fill(module_database, 120)
    return measure(module_database)


def test_every_stage_of_the_path_is_drained() -> None:
    path, ahead = {Stage.CUSTOMER, Stage.PAYMENT}, [Stage.PAYMENT]
    while ahead:
        following = set(NEXT[ahead.pop()])
        path |= following
        ahead += following
    assert {"inbox", "accept"} | {stage.value for stage in path} == {*DECIDING, *DOCUMENTS}


def test_a_backlog_is_decided_and_printed(
    drained: Drained, module_database: DatabaseResource
) -> None:
    assert list(drained.deciding) == list(DECIDING)
    assert list(drained.documents) == list(DOCUMENTS)
    assert 100 < drained.orders <= 120
    assert drained.outcomes["order_acceptance", "accepted"] == drained.orders
    with module_database.begin() as conn:
        assert waiting(conn) == {}
        counts = (
            sa.select(sa.func.count()).select_from(schema().tables[name]).scalar_subquery()
            for name in (*FLOOR_TABLES, *PRINTED_TABLES)
        )
        # Letters are planned although the orders were imported.
        assert all(conn.execute(sa.select(*counts)).one())


def test_the_floor_moves_every_row_of_its_tables(
    drained: Drained, module_database: DatabaseResource
) -> None:
    with psycopg.connect(module_database.url, autocommit=True) as conn:
        conn.execute("CREATE TEMPORARY TABLE numbers (rows bigint)")
        for name in FLOOR_TABLES:
            table = psycopg.sql.Identifier(*name.split("."))
            conn.execute(
                psycopg.sql.SQL("INSERT INTO numbers SELECT count(*) FROM {}").format(table)
            )
        found = conn.execute("SELECT sum(rows) FROM numbers").fetchone()
        assert found == (drained.floor.deciding_rows,)
        assert conn.execute("SELECT to_regnamespace('floor')").fetchone() == (None,)
    again = floor_seconds(module_database.url)
    assert again.deciding_rows == drained.floor.deciding_rows
    assert again.documents_rows == drained.floor.documents_rows > 0


def test_a_report_says_rate_cost_share_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    report(_drained(1_000, 4.0))
    said = capsys.readouterr().out.splitlines()
    lines = {line[:28].strip(): line[28:].split() for line in said}
    assert lines["accept"] == ["4.00", "250", "4000", "80.0%"]
    assert lines["documents"] == ["1.00", "1,000", "1000", "20.0%"]
    assert lines["all"] == ["5.00", "200", "5000", "100.0%"]
    assert any("10,000 rows by SQL alone: 0.50 s, ratio 8.0" in line for line in said)
    assert any("this process 100 MB" in line for line in said)


def test_a_curve_shows_the_cost_of_an_order_by_size(capsys: pytest.CaptureFixture[str]) -> None:
    report_curve([_drained(1_000, 4.0), _drained(10_000, 20.0)])
    lines = {line[:28].strip(): line[28:].split() for line in capsys.readouterr().out.splitlines()}
    assert lines["us per order at"] == ["1,000", "10,000"]
    assert lines["accept"] == ["4,000", "2,000"]
    assert lines["floor of deciding"] == ["500", "50"]
    assert lines["deciding, orders/s"] == ["250", "500"]


def test_memory_is_looked_at_while_a_block_runs() -> None:
    with watched(os.getpid()) as peak:
        block = bytearray(b"x") * 60_000_000
    del block
    assert peak.own > 0
    assert peak.server >= peak.own


def test_a_server_that_is_gone_takes_no_memory() -> None:
    with watched(2**22 + 1) as peak:
        pass
    assert peak.server == 0
