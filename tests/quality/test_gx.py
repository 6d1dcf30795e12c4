"""The adapter evaluates honestly: errors fail, empty tables say so, samples are short."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.fraud.expectations import EXPECTATIONS
from ecom_assets.fraud.tables import ORDER_SCORES
from ecom_assets.shared.checks import run_checks
from ecom_assets.shared.expectations import (
    Expectation,
    Severity,
    TableExpectations,
    has_rows,
    mean_between,
    no_rows,
    values_between,
)
from ecom_assets.shared.gx import SAMPLE, evaluate
from ecom_assets.shared.structure import structure
from ecom_assets.warehouse.tables import SITE_LOADS
from resources.database import DatabaseResource

BAD_QUERY = no_rows("readable", "SELECT nothing FROM {batch}", "Cannot be evaluated.")


def _loads(*expectations: Expectation) -> TableExpectations:
    return TableExpectations(SITE_LOADS, expectations)


def _fill(database: DatabaseResource, rows: int) -> None:
    with database.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO warehouse.site_loads"
                " SELECT 'SKU' || n, 'N', n FROM generate_series(1, :rows) AS n"
            ),
            {"rows": rows},
        )


def test_an_expectation_that_cannot_be_evaluated_is_not_met(database: DatabaseResource) -> None:
    table = _loads(BAD_QUERY, values_between("allocated", 0, 9))
    outcomes = evaluate(database.url, table, table.expectations)
    assert not outcomes["readable"].is_met
    assert "nothing" in str(outcomes["readable"].error)


def test_an_error_fails_a_check_even_where_a_failure_would_only_warn(
    database: DatabaseResource,
) -> None:
    table = _loads(replace(BAD_QUERY, severity=Severity.WARN))
    (result,) = run_checks(database, table, table.expectations)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert "error" in result.metadata


def test_a_missing_table_fails_every_check(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("DROP TABLE warehouse.site_loads"))
    table = TableExpectations(SITE_LOADS, structure(SITE_LOADS))
    results = list(run_checks(database, table, table.expectations))
    assert results
    assert not any(result.passed for result in results)
    assert all("error" in result.metadata for result in results)


def test_a_server_that_cannot_be_reached_fails_every_check() -> None:
    database = DatabaseResource(url="postgresql://nobody:x@127.0.0.1:1/nowhere")
    table = TableExpectations(SITE_LOADS, structure(SITE_LOADS))
    results = list(run_checks(database, table, table.expectations))
    assert not any(result.passed for result in results)
    assert all("error" in result.metadata for result in results)


def test_an_empty_table_passes_with_its_row_count(database: DatabaseResource) -> None:
    table = next(item for item in EXPECTATIONS if item.table is ORDER_SCORES)
    results = list(run_checks(database, table, table.expectations))
    assert [result.check_name for result in results if not result.passed] == []
    assert {result.metadata["rows"].value for result in results} == {0}


def test_emptiness_is_seen_where_it_is_a_fault(database: DatabaseResource) -> None:
    table = _loads(has_rows("Something is loaded."))
    (result,) = run_checks(database, table, table.expectations)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.metadata["observed"].value == "0"


@pytest.mark.parametrize(
    "expectation",
    [
        values_between("allocated", 0, 50),
        no_rows("small", "SELECT sku, site_code FROM {batch} WHERE allocated > 50", "Is small."),
    ],
    ids=["column", "query"],
)
def test_the_sample_is_short_and_the_count_is_exact(
    database: DatabaseResource, expectation: Expectation
) -> None:
    _fill(database, 350)
    table = _loads(expectation)
    (outcome,) = evaluate(database.url, table, table.expectations).values()
    assert not outcome.is_met
    assert outcome.failing == 300
    assert len(outcome.keys) == SAMPLE
    assert set(outcome.keys[0]) == {"sku", "site_code"}


def test_what_was_observed_of_the_whole_table_is_shown(database: DatabaseResource) -> None:
    _fill(database, 3)
    with database.begin() as conn:
        conn.execute(sa.text("ALTER TABLE warehouse.site_loads ADD COLUMN extra text"))
    table = _loads(structure(SITE_LOADS)[0], mean_between("allocated", 0, 1, "Small."))
    outcomes = evaluate(database.url, table, table.expectations)
    assert "extra" in str(outcomes["columns_as_declared"].observed)
    assert outcomes["allocated_mean_plausible"].observed == "2.0"


def test_only_chosen_expectations_are_evaluated(database: DatabaseResource) -> None:
    table = TableExpectations(SITE_LOADS, structure(SITE_LOADS))
    chosen = table.expectations[1:2]
    assert set(evaluate(database.url, table, chosen)) == {chosen[0].property}


def test_a_password_may_hold_any_character(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("CREATE ROLE odd LOGIN SUPERUSER PASSWORD 'a$b@c/d%e'"))
    try:
        url = sa.make_url(database.url).set(username="odd", password="a$b@c/d%e")  # noqa: S106
        table = TableExpectations(SITE_LOADS, structure(SITE_LOADS))
        address = url.render_as_string(hide_password=False)
        outcomes = evaluate(address, table, table.expectations)
        assert [outcome.error for outcome in outcomes.values() if outcome.error] == []
    finally:
        with database.begin() as conn:
            conn.execute(sa.text("DROP ROLE odd"))


_IN_A_PROCESS = """
import io, json, socket, sys
from contextlib import redirect_stderr, redirect_stdout
import ecom_assets.definitions
heavy = sorted({"great_expectations", "pandas", "numpy"} & set(sys.modules))
opened = []
def refuse(self, address):
    opened.append(str(address))
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *given, **named: refuse(None, given)
from ecom_assets.shared.expectations import TableExpectations
from ecom_assets.shared.gx import evaluate
from ecom_assets.shared.structure import structure
from ecom_assets.warehouse.tables import SITE_LOADS
table = TableExpectations(SITE_LOADS, structure(SITE_LOADS))
said = io.StringIO()
with redirect_stdout(said), redirect_stderr(said):
    outcomes = evaluate(sys.argv[1], table, table.expectations)
met = all(outcome.is_met for outcome in outcomes.values())
print(json.dumps({"heavy": heavy, "opened": opened, "said": said.getvalue(), "met": met}))
"""


def test_nothing_heavy_is_imported_early_and_nothing_is_sent_or_said(
    database: DatabaseResource,
) -> None:
    # The driver is a C library: what Python's sockets would open is not the database connection.
    command = [sys.executable, "-c", _IN_A_PROCESS, database.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"heavy": [], "opened": [], "said": "", "met": True}
    assert done.stderr == ""


def test_what_holds_is_asked_once(database: DatabaseResource) -> None:
    _fill(database, 5)
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    table = _loads(no_rows("small", "SELECT sku FROM {batch} WHERE allocated > 99", "Small."))
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        assert evaluate(database.url, table, table.expectations)["small"].is_met
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len([statement for statement in asked if "allocated > 99" in statement]) == 1
