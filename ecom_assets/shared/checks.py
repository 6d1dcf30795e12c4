"""Asset checks from declared expectations: one named check per expectation, one run per table."""

# No postponed annotations here: Dagster reads those of the check functions.
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.shared.expectations import Expectation, Outcome, Severity, TableExpectations
from ecom_assets.shared.gx import evaluate
from ecom_assets.shared.metadata import as_table
from resources.database import DatabaseResource

_SEVERITIES = {
    Severity.WARN: dg.AssetCheckSeverity.WARN,
    Severity.ERROR: dg.AssetCheckSeverity.ERROR,
}


def build_checks(tables: Sequence[TableExpectations]) -> list[dg.AssetChecksDefinition]:
    """One check definition per table, with one named check per expectation.

    A definition can run any subset of its checks; those chosen are evaluated together.
    """
    return [_definition(table) for table in tables]


def _definition(table: TableExpectations) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{table.table.schema}_{table.table.name}_checks",
        specs=[_spec(table, item) for item in table.expectations],
        description=f"Expectations of {table.table.fullname}, evaluated together in PostgreSQL.",
        compute_kind="great_expectations",
        can_subset=True,
    )
    def checks(
        context: dg.AssetCheckExecutionContext, database: DatabaseResource
    ) -> Iterator[dg.AssetCheckResult]:
        selected = {key.name for key in context.selected_asset_check_keys}
        chosen = [item for item in table.expectations if table.check_name(item) in selected]
        yield from run_checks(database, table, chosen)

    return checks


def _spec(table: TableExpectations, item: Expectation) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=table.check_name(item),
        asset=dg.AssetKey(table.asset_key),
        description=item.description,
        blocking=item.is_blocking,
        additional_deps=[dg.AssetKey(key) for key in table.after],
        metadata={"expectation": item.type, "table": table.table.fullname},
    )


def run_checks(
    database: DatabaseResource, table: TableExpectations, chosen: Sequence[Expectation]
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the chosen expectations of a table and report each as the result of its check."""
    outcomes = evaluate(database.url, table, chosen)
    rows = _count(database, table.table)
    for item in chosen:
        yield _result(table, item, outcomes[item.property], rows)


def _count(database: DatabaseResource, table: sa.Table) -> int | None:
    """Rows of the table, so that a check that passes for want of rows says so; None if unknown."""
    try:
        with database.begin() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    except sa.exc.SQLAlchemyError:  # the outcomes tell what is wrong with the table
        return None


def _result(
    table: TableExpectations, item: Expectation, outcome: Outcome, rows: int | None
) -> dg.AssetCheckResult:
    # A mean over nothing is NULL, which the library takes for a failure.
    if rows == 0 and item.needs_rows and not outcome.error:
        outcome = Outcome(is_met=True)
    # What could not be evaluated is an error even where a failure would only warn.
    severity = Severity.ERROR if outcome.error else item.severity
    return dg.AssetCheckResult(
        passed=outcome.is_met,
        asset_key=dg.AssetKey(table.asset_key),
        check_name=table.check_name(item),
        severity=_SEVERITIES[severity],
        metadata=({} if rows is None else {"rows": rows}) | _findings(outcome),
    )


def _findings(outcome: Outcome) -> dict[str, Any]:
    """What a failed check shows: the error, what was observed, or the failing rows' keys."""
    found: dict[str, Any] = {}
    if outcome.error:
        found["error"] = outcome.error
    if outcome.observed is not None and not outcome.is_met:
        found["observed"] = outcome.observed
    if outcome.failing is not None and not outcome.is_met:
        # As text: keys may be moments or numbers that JSON cannot hold.
        keys = [{name: str(value) for name, value in key.items()} for key in outcome.keys]
        found["failing"] = outcome.failing
        rows = [list(key.values()) for key in keys]
        found["failing_rows"] = dg.MetadataValue.md(as_table(list(keys[0]) if keys else (), rows))
        found["failing_keys"] = dg.MetadataValue.json(keys)
    return found
