"""The adapter to great_expectations: evaluates a table's expectations in PostgreSQL.

The library costs seconds to import, so it is imported by the first evaluation of a process; its
context and one data source per address are then kept. It is told to send nothing and to stay quiet.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import make_url

from ecom_assets.shared.expectations import Expectation, Outcome, TableExpectations

SAMPLE = 20
"""Failing rows whose keys are shown."""

_ONE_AT_A_TIME = threading.Lock()
"""The library keeps its context and its batches in globals that threads may not share."""


def evaluate(
    url: str, table: TableExpectations, expectations: Iterable[Expectation]
) -> dict[str, Outcome]:
    """Evaluate expectations of one table together.

    The first pass only asks what holds, which costs little more than one hand-written aggregate
    query; the second looks for the failing rows of what does not.

    Args:
        url: address of the database; its driver, if any, is replaced.
        table: the table.
        expectations: those of its expectations to evaluate.

    Returns:
        An outcome for each expectation, by its property. One that could not be evaluated, for
        whatever reason, has an error and is not met.
    """
    chosen = {item.property: item for item in expectations}
    with _ONE_AT_A_TIME:
        try:
            batch = _batch(url, str(table.table.schema), table.table.name)
            return _two_passes(batch, table, chosen)
        except Exception as error:  # a check that could not run is not a pass, whatever the cause
            failed = Outcome(is_met=False, error=f"{type(error).__name__}: {error}")
            return dict.fromkeys(chosen, failed)


def _two_passes(
    batch: Any, table: TableExpectations, chosen: Mapping[str, Expectation]
) -> dict[str, Outcome]:
    first = {
        name: _outcome(result)
        for name, result in _validate(batch, chosen.values(), {"result_format": "BOOLEAN_ONLY"})
    }
    broken = [chosen[name] for name, found in first.items() if not (found.is_met or found.error)]
    # Only COMPLETE returns the rows of a query; of columns it would return every failing row.
    queries = [item for item in broken if "unexpected_rows_query" in item.arguments]
    others = [item for item in broken if item not in queries]
    keys = {"unexpected_index_column_names": list(table.key_columns)}
    detailed = [
        *_validate(batch, queries, {"result_format": "COMPLETE"}),
        *_validate(
            batch, others, {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE, **keys}
        ),
    ]
    # The second pass has the last word: a table may change between the two.
    return first | {name: _outcome(result, table.key_columns) for name, result in detailed}


def _validate(
    batch: Any, expectations: Iterable[Expectation], result_format: Mapping[str, Any]
) -> list[tuple[str, Any]]:
    """Results with the property each is about; nothing runs where there is no expectation."""
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.registry import get_expectation_impl

    is_first = result_format["result_format"] == "BOOLEAN_ONLY"
    declared = [
        (_counted() if is_first and "unexpected_rows_query" in item.arguments
         else get_expectation_impl(item.type))(**item.arguments, meta={"property": item.property})
        for item in expectations
    ]  # fmt: skip
    if not declared:
        return []
    suite = ExpectationSuite(name="suite", expectations=declared)
    results = batch.validate(suite, result_format=dict(result_format)).results
    return [(result.expectation_config.meta["property"], result) for result in results]


@lru_cache(maxsize=1)
def _counted() -> Any:
    """The library's expectation of no rows without its second query, which fetches the rows.

    That query runs even where only the count is asked for, and costs as much as the count.
    """
    from great_expectations.expectations.core import UnexpectedRowsExpectation

    count = "unexpected_rows_query.row_count"

    class CountedRowsExpectation(UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = (count,)

        def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
            return {"success": metrics[count] == 0}

    return CountedRowsExpectation


def _outcome(result: Any, key_columns: tuple[str, ...] = ()) -> Outcome:
    error = _error(result.exception_info)
    if error:
        return Outcome(is_met=False, error=error)
    found = result.result or {}
    if "unexpected_rows" in found.get("details", {}):
        failing, rows = found["observed_value"], found["details"]["unexpected_rows"]
    else:
        failing, rows = found.get("unexpected_count"), found.get("partial_unexpected_index_list")
    keys = tuple({name: row[name] for name in key_columns} for row in (rows or ())[:SAMPLE])
    # Where rows are counted, the count says it; the library's own words would repeat it.
    observed = _observed(found) if failing is None else None
    return Outcome(bool(result.success), failing, keys, observed)


def _observed(found: Mapping[str, Any]) -> str | None:
    """What was seen of the whole table: the library tells more in `details` where it has any."""
    seen = found.get("details", {}).get("mismatched") or found.get("observed_value")
    return None if seen is None else str(seen)


def _error(info: Mapping[str, Any] | None) -> str | None:
    """The message of an evaluation that failed; the library reports one, or one per metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    raised = [entry for entry in entries if entry.get("raised_exception")]
    return str(raised[0].get("exception_message") or "unknown error") if raised else None


def warm_up() -> None:
    """Import the library now, so that the first check of the process does not wait for it."""
    _context()


@lru_cache(maxsize=1)
def _context() -> Any:
    # Read at import; the context's own switch below holds for this context only.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports modules that Python deprecates
        import great_expectations
    # What it logs comes back in the results.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = great_expectations.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    return context


# Bounded: tests open a database each, and every source keeps a connection.
@lru_cache(maxsize=64)
def _source(url: str) -> Any:
    address = make_url(url).set(drivername="postgresql+psycopg2")
    return _context().data_sources.add_postgres(
        name=f"shop {_source.cache_info().misses}",
        connection_string=address.render_as_string(hide_password=False),
        kwargs={
            # Evaluations wait for each other anyway.
            "pool_size": 1,
            "pool_pre_ping": True,
            "connect_args": {"options": "-c timezone=UTC", "application_name": "ecom checks"},
        },
    )


@lru_cache(maxsize=1024)
def _definition(url: str, schema: str, name: str) -> Any:
    with warnings.catch_warnings():
        # The library would rather have a data source, thus a connection, per schema.
        warnings.filterwarnings("ignore", "`?schema_name`?", DeprecationWarning)
        asset = _source(url).add_table_asset(
            name=f"{schema}.{name}", table_name=name, schema_name=schema
        )
    return asset.add_batch_definition_whole_table("whole table")


def _batch(url: str, schema: str, name: str) -> Any:
    return _definition(url, schema, name).get_batch()
