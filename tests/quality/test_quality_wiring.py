"""The checks inside Dagster: named, blocking, subsettable; the jobs hold what they say."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.areas import AREA_NAMES, AREAS
from ecom_assets.quality.assets import reconciliations
from ecom_assets.quality.checks import reconciliation_checks
from ecom_assets.quality.comparisons import COMPARISONS
from ecom_assets.schema import schema
from ecom_assets.shared.checks import build_checks
from ecom_assets.shared.expectations import TableExpectations
from ecom_assets.shared.structure import structure
from ecom_assets.warehouse.expectations import EXPECTATIONS as WAREHOUSE
from resources.database import DatabaseResource


@pytest.fixture(scope="session")
def template(shop_template: str) -> str:
    """Every database of this module starts as the consistent shop."""
    return shop_template


def _declared() -> list[TableExpectations]:
    names = [f"ecom_assets.{area.name}.expectations" for area in AREAS]
    return [item for name in names if find_spec(name) for item in import_module(name).EXPECTATIONS]


ALLOCATIONS = next(item for item in WAREHOUSE if item.table.name == "allocations")
SITES = next(item for item in WAREHOUSE if item.table.name == "sites")


@dg.asset(key=["warehouse", "allocations"])
def allocations() -> None:
    """Stands for the step that fills the table."""


@dg.asset(key=["transport", "shipments"], deps=[allocations])
def downstream() -> None:
    """Must not run when a blocking check of its input fails."""


def _run(database: DatabaseResource) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions(
        assets=[allocations, downstream],
        asset_checks=build_checks([ALLOCATIONS]),
        resources={"database": database},
        executor=dg.in_process_executor,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(instance=instance, raise_on_error=False)


def _evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {found.check_name: found for found in result.get_asset_check_evaluations()}


def test_checks_that_pass_let_what_is_downstream_run(database: DatabaseResource) -> None:
    result = _run(database)
    assert result.success
    assert len(_evaluations(result)) == len(ALLOCATIONS.expectations)
    assert len(result.get_asset_materialization_events()) == 2


def test_a_blocking_check_that_fails_stops_what_is_downstream(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE warehouse.allocations SET quantity = 5"))
    result = _run(database)
    evaluations = _evaluations(result)
    assert not result.success
    assert not evaluations["allocations_quantity_within_reservation"].passed
    assert evaluations["allocations_key_unique"].passed
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == allocations.key


def test_one_check_can_run_by_itself(database: DatabaseResource) -> None:
    (checks,) = build_checks([SITES])
    name = "sites_latitude_in_range"
    key = dg.AssetCheckKey(dg.AssetKey(["warehouse", "sites"]), name)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [checks],
            instance=instance,
            selection=dg.AssetSelection.checks(key),
            resources={"database": database},
        )
    assert list(_evaluations(result)) == [name]


def _reconcile(database: DatabaseResource) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [reconciliations, reconciliation_checks],
            instance=instance,
            resources={"database": database},
            raise_on_error=False,
        )


def test_the_reconciliation_shows_its_counts_and_passes(database: DatabaseResource) -> None:
    result = _reconcile(database)
    assert result.success
    assert len(_evaluations(result)) == len(COMPARISONS)
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["differences"].value == 0
    assert all(item.name in str(metadata["comparisons"].value) for item in COMPARISONS)


def test_a_difference_fails_its_check_with_a_sample(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE documents.series SET next_number = 9"))
    result = _reconcile(database)
    failed = {name: item for name, item in _evaluations(result).items() if not item.passed}
    assert list(failed) == ["reconciliations_invoice_numbers"]
    assert "INV-2018" in str(failed["reconciliations_invoice_numbers"].metadata["sample"].value)


def test_a_comparison_that_has_not_run_is_not_a_pass(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [reconciliation_checks],
            instance=instance,
            selection=dg.AssetSelection.all_asset_checks(),
            resources={"database": database},
            raise_on_error=False,
        )
    evaluations = _evaluations(result)
    assert len(evaluations) == len(COMPARISONS)
    assert not any(item.passed for item in evaluations.values())
    assert all("error" in item.metadata for item in evaluations.values())


def test_check_names_are_the_table_and_a_property() -> None:
    names = [table.check_name(item) for table in _declared() for item in table.expectations]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch("[a-z][a-z0-9_]*", name)] == []
    assert {table.asset_key[0] for table in _declared()} <= AREA_NAMES


@pytest.mark.parametrize("name", sorted(schema().tables))
def test_what_a_table_declares_of_itself_is_checked(name: str) -> None:
    table = schema().tables[name]
    (declared,) = [item for item in _declared() if item.table is table]
    assert set(map(str, structure(table))) <= set(map(str, declared.expectations))
    blocking = {item.property for item in declared.expectations if item.is_blocking}
    assert blocking >= {"columns_as_declared", "key_unique", "required_values_present"}


def test_the_jobs_hold_every_check_and_the_daily_one_every_asset() -> None:
    from ecom_assets.definitions import build_defs

    defs = build_defs()
    daily, checks = defs.resolve_job_def("shop_daily"), defs.resolve_job_def("quality_checks")
    every = {
        key
        for key in defs.resolve_asset_graph().asset_check_keys
        if key.asset_key.path[0] != "marts"
    }
    assert every <= set(daily.asset_layer.asset_graph.asset_check_keys)
    assert every <= set(checks.asset_layer.asset_graph.asset_check_keys)
    moved = {key.to_user_string() for key in checks.asset_layer.executable_asset_keys}
    assert moved == {"quality/reconciliations"}
    # Sending and upkeep have jobs of their own; replays, plans and copy need to be asked for; what
    # looks weeks ahead has its own times.
    apart = {
        ("effects", "outbox"), ("decisions", "replays"), ("decisions", "replay_outcomes"),
        ("backoffice", "purges"), ("catalog", "import_plans"), ("catalog", "plan_applications"),
        ("catalog", "copy_drafts"), ("inventory", "demand_history"),
        ("inventory", "forecast_backtests"), ("inventory", "forecast_methods"),
        ("inventory", "policy_simulations"), ("inventory", "forecasts"),
        ("inventory", "reorder_policies"), ("inventory", "purchase_proposals"),
        ("backoffice", "audit_entries"), ("backoffice", "business_rules"),
        ("backoffice", "order_taxes"), ("backoffice", "oss_turnover"),
        ("backoffice", "rule_trials"), ("backoffice", "tax_rates"), ("backoffice", "vat_checks"),
        ("pricing", "price_plans"), ("pricing", "plan_lines"),
        ("pricing", "prices"), ("pricing", "elasticities"), ("pricing", "markdown_plans"),
        ("pricing", "backtests"),
    }  # fmt: skip
    assert daily.asset_layer.executable_asset_keys == (
        defs.resolve_asset_graph().executable_asset_keys - {dg.AssetKey(key) for key in apart}
    )
