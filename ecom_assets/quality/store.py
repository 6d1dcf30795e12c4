"""The quality area's SQL: runs the comparisons where the data is, keeps the last result of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from ecom_assets.orders.tables import ORDERS
from ecom_assets.quality.comparisons import Comparison
from ecom_assets.quality.tables import RECONCILIATIONS

SAMPLE = 20
"""Differences kept as a sample of each comparison."""

_RESULT = ("compared", "differences", "sample", "checked_as_of")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The stored result of one comparison.

    Attributes:
        name: name of the comparison.
        compared: subjects compared.
        differences: subjects on which the areas differ.
        sample: the first differences, each with `subject` and `detail`.
    """

    name: str
    compared: int
    differences: int
    sample: list[dict[str, str]]


def reconcile(conn: sa.Connection, comparisons: Iterable[Comparison], run: str) -> int:
    """Run the comparisons and store what each found.

    A result that says what is already stored is left alone, so a second run changes nothing.

    Args:
        conn: connection inside a transaction.
        comparisons: what to compare.
        run: Dagster run id.

    Returns:
        How many stored results changed.
    """
    # The shop's own time, not the clock: a second run over the same data says the same.
    as_of = sa.select(sa.func.max(ORDERS.c.decided_as_of)).scalar_subquery()
    return sum(_store(conn, _compared(item, as_of, run)) for item in comparisons)


def _compared(item: Comparison, as_of: sa.ScalarSelect[Any], run: str) -> sa.Select[Any]:
    """One row for `RECONCILIATIONS`: the counts of a comparison and its first differences."""
    rows = (
        sa.text(item.query)
        .columns(subject=sa.Text, differs=sa.Boolean, detail=sa.Text)
        .cte("compared_subjects")
    )
    # Sorted before cut, so that the same differences give the same sample in every run.
    shown = (
        sa.select(rows.c.subject, rows.c.detail)
        .where(rows.c.differs)
        .order_by(rows.c.subject, rows.c.detail)
        .limit(SAMPLE)
        .subquery("shown")
    )
    entry = sa.func.jsonb_build_object("subject", shown.c.subject, "detail", shown.c.detail)
    sample = sa.select(sa.func.jsonb_agg(entry)).scalar_subquery()
    return sa.select(
        sa.literal(item.name).label("name"),
        sa.func.count().label("compared"),
        sa.func.count().filter(rows.c.differs).label("differences"),
        sa.func.coalesce(sample, sa.literal([], JSONB)).label("sample"),
        as_of.label("checked_as_of"),
        sa.literal(run).label("run_id"),
    ).select_from(rows)


def _store(conn: sa.Connection, row: sa.Select[Any]) -> int:
    statement = insert(RECONCILIATIONS).from_select(list(row.selected_columns.keys()), row)
    given = statement.excluded
    changed = sa.or_(*(RECONCILIATIONS.c[name].is_distinct_from(given[name]) for name in _RESULT))
    written = {name: given[name] for name in (*_RESULT, "run_id")}
    # With an unchanged result the row, its run and its moment stay as they are.
    upsert = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={**written, "recorded_at": sa.func.clock_timestamp()},
        where=changed,
    )
    return conn.execute(upsert).rowcount


def reconciled(conn: sa.Connection) -> dict[str, Reconciled]:
    """The stored results, by name of the comparison."""
    table = RECONCILIATIONS.c
    rows = conn.execute(
        sa.select(table.name, table.compared, table.differences, table.sample)
    ).all()
    return {row.name: Reconciled(*row) for row in rows}
