"""The adapter's reading of what the library reports, and its use by several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.shared.checks import build_checks, run_checks
from ecom_assets.shared.expectations import (
    Expectation,
    Outcome,
    Severity,
    TableExpectations,
    has_rows,
    no_rows,
    values_between,
)
from ecom_assets.shared.flow import PENDING
from ecom_assets.shared.gx import SAMPLE, _error, _outcome, evaluate
from ecom_assets.shared.structure import structure
from ecom_assets.warehouse.tables import SITE_LOADS
from resources.database import DatabaseResource

SMALL = values_between("allocated", 0, 50)
UNKNOWN = Expectation("odd", "expect_the_unexpected", {}, "No such type.")
WRONG = Expectation("wrong", "expect_column_values_to_be_between", {"column": 7}, "Bad argument.")


def _reported(success: bool, result: dict[str, Any] | None, **info: Any) -> SimpleNamespace:
    return SimpleNamespace(success=success, result=result, exception_info=info)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (None, None),
        ({}, None),
        ({"raised_exception": False, "exception_message": None}, None),
        ({"raised_exception": True, "exception_message": "no such column"}, "no such column"),
        ({"raised_exception": True, "exception_message": ""}, "unknown error"),
        ({"raised_exception": True}, "unknown error"),
        (
            {"metric a": {"raised_exception": False}, "metric b": {"raised_exception": True,
             "exception_message": "timeout"}},
            "timeout",
        ),
        ({"metric a": {"raised_exception": False}}, None),
    ],
)  # fmt: skip
def test_the_error_is_found_wherever_the_library_puts_it(
    info: dict[str, Any] | None, message: str | None
) -> None:
    assert _error(info) == message


@pytest.mark.parametrize(
    ("reported", "outcome"),
    [
        (_reported(True, {}), Outcome(is_met=True)),
        (_reported(True, None), Outcome(is_met=True)),
        # a success beside an error is none
        (
            _reported(True, {}, raised_exception=True, exception_message="boom"),
            Outcome(is_met=False, error="boom"),
        ),
        (_reported(False, {"observed_value": 0}), Outcome(is_met=False, observed="0")),
        (
            _reported(False, {"unexpected_count": 3, "partial_unexpected_index_list": None}),
            Outcome(is_met=False, failing=3),
        ),
        (
            _reported(False, {"observed_value": 1, "details": {"unexpected_rows": [{"k": 1}]}}),
            Outcome(is_met=False, failing=1, keys=({"k": 1},)),
        ),
        (
            _reported(False, {"observed_value": ["a"], "details": {"mismatched": {"new": ["b"]}}}),
            Outcome(is_met=False, observed="{'new': ['b']}"),
        ),
    ],
)
def test_a_report_becomes_an_outcome(reported: SimpleNamespace, outcome: Outcome) -> None:
    assert _outcome(reported, ("k",)) == outcome


def test_a_long_report_is_cut_to_the_sample() -> None:
    rows = [{"k": number, "personal": "secret"} for number in range(SAMPLE + 5)]
    found = _outcome(
        _reported(False, {"unexpected_count": 25, "partial_unexpected_index_list": rows}), ("k",)
    )
    assert found.failing == 25
    # keys only: what else the row holds may be personal
    assert found.keys == tuple({"k": number} for number in range(SAMPLE))


@pytest.mark.parametrize("broken", [UNKNOWN, WRONG], ids=["type", "argument"])
def test_an_expectation_the_library_refuses_is_no_pass_for_any(
    module_database: DatabaseResource, broken: Expectation
) -> None:
    table = TableExpectations(SITE_LOADS, (SMALL, broken))
    outcomes = evaluate(module_database.url, table, table.expectations)
    assert set(outcomes) == {"allocated_in_range", broken.property}
    assert not any(outcome.is_met for outcome in outcomes.values())
    assert all(outcome.error for outcome in outcomes.values())


def test_no_expectation_asks_nothing(module_database: DatabaseResource) -> None:
    table = TableExpectations(SITE_LOADS, ())
    assert evaluate(module_database.url, table, ()) == {}
    assert list(run_checks(module_database, table, ())) == []


def test_one_query_that_fails_does_not_take_the_others_with_it(
    module_database: DatabaseResource,
) -> None:
    bad = no_rows("divided", "SELECT sku, site_code FROM {batch} WHERE 1 / 0 = 1", "Breaks.")
    table = TableExpectations(SITE_LOADS, (*structure(SITE_LOADS), bad))
    outcomes = evaluate(module_database.url, table, table.expectations)
    assert [name for name, outcome in outcomes.items() if outcome.error] == ["divided"]
    assert [name for name, outcome in outcomes.items() if not outcome.is_met] == ["divided"]


def test_a_table_that_comes_back_is_checked_again(database: DatabaseResource) -> None:
    table = TableExpectations(SITE_LOADS, (SMALL,))
    with database.begin() as conn:
        conn.execute(sa.text("ALTER TABLE warehouse.site_loads RENAME TO gone"))
    (lost,) = evaluate(database.url, table, table.expectations).values()
    with database.begin() as conn:
        conn.execute(sa.text("ALTER TABLE warehouse.gone RENAME TO site_loads"))
    (found,) = evaluate(database.url, table, table.expectations).values()
    assert (lost.is_met, bool(lost.error)) == (False, True)
    assert (found.is_met, found.error) == (True, None)


def test_two_shops_in_one_process_are_told_apart(
    database: DatabaseResource, module_database: DatabaseResource
) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("INSERT INTO warehouse.site_loads VALUES ('A', 'N', 99)"))
    table = TableExpectations(SITE_LOADS, (SMALL,))
    found = [
        evaluate(shop.url, table, table.expectations)["allocated_in_range"].is_met
        for shop in (database, module_database, database)
    ]
    assert found == [False, True, False]


def test_threads_do_not_mix_their_tables(module_database: DatabaseResource) -> None:
    tables = [
        TableExpectations(SITE_LOADS, structure(SITE_LOADS)),
        TableExpectations(PENDING, structure(PENDING)),
    ] * 2
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda item: evaluate(module_database.url, item, item.expectations), tables)
        )
    for item, outcomes in zip(tables, found, strict=True):
        assert set(outcomes) == {expectation.property for expectation in item.expectations}
        assert [outcome.error for outcome in outcomes.values() if outcome.error] == []


def test_an_empty_table_meets_what_needs_rows_and_nothing_else(
    module_database: DatabaseResource,
) -> None:
    mean = Expectation(
        "mean",
        "expect_column_mean_to_be_between",
        {"column": "allocated", "min_value": 0, "max_value": 1},
        "Needs rows.",
        severity=Severity.WARN,
        needs_rows=True,
    )
    table = TableExpectations(SITE_LOADS, (mean, has_rows("Is loaded.")))
    results = {r.check_name: r for r in run_checks(module_database, table, table.expectations)}
    assert results["site_loads_mean"].passed
    assert results["site_loads_mean"].metadata["rows"].value == 0
    assert not results["site_loads_has_rows"].passed


def test_the_definition_of_a_table_names_its_checks_asset_and_dependencies() -> None:
    item = no_rows("fine", "SELECT 1 FROM {batch}", "Is fine.", is_blocking=True)
    table = TableExpectations(SITE_LOADS, (item, SMALL), ("shown", "here"), (("ran", "before"),))
    (definition,) = build_checks([table])
    specs = {spec.name: spec for spec in definition.check_specs}
    assert set(specs) == {"site_loads_fine", "site_loads_allocated_in_range"}
    fine = specs["site_loads_fine"]
    assert fine.asset_key == dg.AssetKey(["shown", "here"])
    assert fine.description == "Is fine."
    assert (fine.blocking, specs["site_loads_allocated_in_range"].blocking) == (True, False)
    assert [dep.asset_key.path for dep in fine.additional_deps] == [["ran", "before"]]
    assert definition.can_subset
