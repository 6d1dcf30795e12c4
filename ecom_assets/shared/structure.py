"""Expectations that a table's own declaration implies: columns, keys, required values, constraints.

The database refuses most such rows itself. These checks see the ones that came in another way: a
constraint dropped for a bulk load, a restore that skipped the foreign keys, a table altered by
hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.expectations import Expectation, no_rows

# Unquoted, since it is no name: the library replaces it with the table or a subquery.
_BATCH = sa.sql.quoted_name("{batch}", quote=False)


def structure(table: sa.Table) -> tuple[Expectation, ...]:
    """Everything the declaration of a table implies, in a fixed order.

    Keys, required values, references and constraints on money are blocking.
    """
    return (
        _columns(table),
        unique(table, "key", *(column.name for column in table.primary_key.columns)),
        _required(table),
        *_natural_keys(table),
        *_references(table),
        *_constraints(table),
    )


def unique(table: sa.Table, name: str, *columns: str) -> Expectation:
    """No two rows have the same values in the columns; the property is `<name>_unique`."""
    description = f"No two rows have the same {', '.join(columns)}."
    if len(columns) == 1:
        kind, arguments = "expect_column_values_to_be_unique", {"column": columns[0]}
        return Expectation(f"{name}_unique", kind, arguments, description, is_blocking=True)
    # The library's own expectation for several columns does not tell which rows fail in SQL.
    parts = [table.c[column] for column in columns]
    repeated = sa.select(*parts).group_by(*parts).having(sa.func.count() > sa.literal_column("1"))
    query = _failing(table).where(sa.tuple_(*map(sa.column, columns)).in_(repeated))
    return no_rows(f"{name}_unique", str(query), description, is_blocking=True)


def _failing(table: sa.Table) -> sa.Select[Any]:
    """A select of the keys of rows, yet without the condition that makes them failing ones."""
    key: list[sa.ColumnClause[Any]] = [sa.column(part.name) for part in table.primary_key.columns]
    return sa.select(*key).select_from(sa.table(_BATCH))


def _columns(table: sa.Table) -> Expectation:
    return Expectation(
        "columns_as_declared",
        "expect_table_columns_to_match_set",
        {"column_set": [column.name for column in table.columns], "exact_match": True},
        "The table has exactly the declared columns.",
        is_blocking=True,
    )


def _required(table: sa.Table) -> Expectation:
    """One check for all columns that may not be empty: the failing row shows which one is."""
    names = [column.name for column in table.columns if not column.nullable]
    # num_nulls takes up to a hundred columns; no table of ours comes near.
    nulls = sa.func.num_nulls(*map(sa.column, names))
    query = _failing(table).where(nulls > sa.literal_column("0"))
    description = f"No row lacks {', '.join(names)}."
    return no_rows("required_values_present", str(query), description, is_blocking=True)


def _natural_keys(table: sa.Table) -> Iterator[Expectation]:
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    # Constraints come as a set: sorted, so that checks keep their order from run to run.
    for columns in sorted(keys):
        yield unique(table, "_".join(columns), *columns)


def _references(table: sa.Table) -> Iterator[Expectation]:
    for key in sorted(table.foreign_keys, key=lambda found: found.parent.name):
        yield refers_to(table, key.parent.name, key.column)


def refers_to(table: sa.Table, column: str, target: sa.Column[object]) -> Expectation:
    """Every value of a column exists in a column of another table.

    Args:
        table: the table that refers.
        column: its column; empty values refer to nothing and are fine.
        target: the column referred to.
    """
    names = {column, *(part.name for part in table.primary_key.columns)}
    referring = sa.table(_BATCH, *map(sa.column, sorted(names))).alias("referring")
    referred = target.table.alias("referred")
    query = (
        sa.select(*(referring.c[part.name] for part in table.primary_key.columns))
        .join_from(
            referring, referred, referring.c[column] == referred.c[target.name], isouter=True
        )
        .where(referring.c[column].is_not(None), referred.c[target.name].is_(None))
    )
    description = f"Every {column} is in {target.table.fullname}."
    return no_rows(f"{column}_exists", str(query), description, is_blocking=True)


def _constraints(table: sa.Table) -> Iterator[Expectation]:
    found = [item for item in table.constraints if isinstance(item, sa.CheckConstraint)]
    for constraint in sorted(found, key=lambda item: str(item.name)):
        # The naming convention wrapped the declared name: orders_total_adds_up_check.
        name = str(constraint.name).removeprefix(f"{table.name}_").removesuffix("_check")
        rule = str(constraint.sqltext)
        # NOT (NULL) is NULL: a row the database would accept is not found here either.
        query = _failing(table).where(sa.not_(sa.literal_column(f"({rule})", sa.Boolean)))
        # Braces of the rule itself, such as those of an empty array, are doubled for the library.
        text = str(query).replace("{", "{{").replace("}", "}}").replace("{{batch}}", "{batch}")
        yield no_rows(name, text, f"{rule}.", is_blocking="_minor" in rule)
