"""What the mart assets show of themselves in the UI: sizes, column types, weekly sales.

Imported by `assets` only; it reads the tables dbt has just built.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.marts.assets.specs import models
from ecom_assets.shared.metadata import bar_plot, money, preview
from ecom_assets.shared.money import exponent

Event = (
    dg.Output[Any]
    | dg.AssetMaterialization
    | dg.AssetObservation
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
)
"""What dagster-dbt makes of an event of dbt."""

_COLUMNS = sa.text("""
    SELECT table_name, column_name, data_type FROM information_schema.columns
    WHERE table_schema IN ('staging', 'marts') ORDER BY table_name, ordinal_position
""")
# One plot shows one currency: the one most orders are in.
_WEEKS = sa.text("""
    WITH most_used AS (
        SELECT currency FROM marts.daily_sales
        GROUP BY currency ORDER BY sum(orders_count) DESC, currency LIMIT 1
    )
    SELECT date_trunc('week', sales_date)::date AS week, sum(ordered_minor)::bigint, currency
    FROM marts.daily_sales JOIN most_used USING (currency)
    GROUP BY week, currency ORDER BY week DESC LIMIT 60
""")
_MONEY = sa.text("""
    SELECT currency, sum(ordered_minor)::bigint AS amount FROM marts.daily_sales
    GROUP BY currency ORDER BY currency
""").columns(sa.column("currency"), sa.column("amount"))
_LATEST = sa.text("""
    SELECT sales_date, channel, currency, orders_count, ordered_minor, approved_minor
    FROM marts.daily_sales ORDER BY sales_date DESC, channel, currency LIMIT 10
""").columns(
    sa.column("sales_date"),
    sa.column("channel"),
    sa.column("currency"),
    sa.column("orders_count"),
    sa.column("ordered_minor"),
    sa.column("approved_minor"),
)
_REFUSED_ROWS = 10


def with_summaries(
    conn: sa.Connection, events: Sequence[Event], refused: Mapping[str, str]
) -> list[Event]:
    """The events of a build with what an operator wants to see of each.

    Args:
        conn: a connection to read the built tables with.
        events: what dbt did.
        refused: for each test that failed, the SQL that finds the rows it refuses.

    Returns:
        The same events; tables with their rows and typed columns, failed tests with the first
        rows they refuse, `daily_sales` with a plot.
    """
    names = {_name(event) for event in events if isinstance(event, dg.Output)}
    tables = _tables(conn, names)
    rows = {test: _refused(conn, query) for test, query in refused.items()}
    return [_with_summary(event, tables, rows) for event in events]


def _with_summary(
    event: Event, tables: Mapping[str, dict[str, Any]], rows: Mapping[str, dg.MetadataValue[Any]]
) -> Event:
    if isinstance(event, dg.Output):
        return event.with_metadata({**event.metadata, **tables[_name(event)]})
    if isinstance(event, dg.AssetCheckResult) and (found := rows.get(str(event.check_name))):
        return event._replace(metadata={**event.metadata, "refused_rows": found})
    return event


def _name(event: dg.Output[None]) -> str:
    return event.output_name.removeprefix("marts__")


def _refused(conn: sa.Connection, query: str) -> dg.MarkdownMetadataValue:
    # no colon or percent sign of dbt's SQL is meant as a parameter
    rows = conn.execute(sa.text(query.replace(":", r"\:"))).mappings().fetchmany(_REFUSED_ROWS)
    lines = [", ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))


def _tables(conn: sa.Connection, names: set[str]) -> dict[str, dict[str, Any]]:
    known = {model["name"]: model for model in models()}
    schemas = _column_schemas(conn, known)
    metadata: dict[str, dict[str, Any]] = {
        name: {"dagster/column_schema": schemas[name]} for name in names
    }
    for name in names:
        # a view is counted only by running it
        if known[name]["schema"] == "marts":
            metadata[name]["dagster/row_count"] = _rows(conn, name)
    if "daily_sales" in names:
        metadata["daily_sales"] |= _sales(conn)
    return metadata


def _rows(conn: sa.Connection, name: str) -> dg.IntMetadataValue:
    table = sa.table(name, schema="marts")
    return dg.MetadataValue.int(
        conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    )


def _column_schemas(
    conn: sa.Connection, known: Mapping[str, dict[str, Any]]
) -> dict[str, dg.TableSchemaMetadataValue]:
    columns = defaultdict(list)
    for table, column, data_type in conn.execute(_COLUMNS).tuples():
        description = known.get(table, {"columns": {}})["columns"].get(column)
        columns[table].append(dg.TableColumn(column, data_type, description))
    return {table: dg.MetadataValue.table_schema(dg.TableSchema(c)) for table, c in columns.items()}


def _sales(conn: sa.Connection) -> dict[str, Any]:
    weeks = conn.execute(_WEEKS).tuples().all()[::-1]
    tables = {"latest_days": preview(conn, _LATEST), "ordered": money(conn, _MONEY)}
    if not weeks:
        return tables
    currency = weeks[0][2]
    heights = [float(ordered) / 10 ** exponent(currency) for _, ordered, _ in weeks]
    plot = bar_plot([week for week, _, _ in weeks], heights, "Ordered per week", currency)
    return {**tables, "ordered_per_week": plot}
