"""Data-quality expectations as data: what must hold of a table, who answers, what it stops.

An area declares its expectations in `expectations.py` with these classes; `shared.checks` turns
them into asset checks that great_expectations evaluates in PostgreSQL. What a table declares of
itself (columns, keys, constraints) need not be written again: `shared.structure` derives it.

Failing rows are found by a query over `{batch}`, the place great_expectations puts the table in. A
query with a JOIN names it itself (`FROM {batch} AS line LEFT JOIN ...`), one without leaves the
alias away: the library adds one then. Any other brace in a query is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

CURRENCY = "^[A-Z]{3}$"
"""Form of an ISO 4217 code."""

COUNTRY = "^[A-Z]{2}$"
"""Form of an ISO 3166-1 alpha-2 code."""

SHA256 = "^[0-9a-f]{64}$"
"""Form of a SHA-256 in hexadecimal."""


class Severity(StrEnum):
    """How bad a failure is. `ERROR` fails the check, `WARN` only warns."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One property of a table.

    Attributes:
        property: snake_case name; the check is called `<table>_<property>`.
        type: great_expectations' type, such as `expect_column_values_to_not_be_null`.
        arguments: the type's arguments.
        description: one sentence for operators.
        severity: how bad a failure is.
        is_blocking: whether a failure stops what is downstream (keys and money).
        needs_rows: whether nothing can be said of an empty table, so that it passes.
    """

    property: str
    type: str
    arguments: Mapping[str, Any]
    description: str
    severity: Severity = Severity.ERROR
    is_blocking: bool = False
    needs_rows: bool = False


@dataclass(frozen=True, slots=True)
class TableExpectations:
    """All expectations of one table, evaluated together.

    Attributes:
        table: the table.
        expectations: what must hold.
        asset: key of the asset that shows the checks; the table's schema and name by default.
        after: assets that must be up to date before the checks run, besides `asset`.
    """

    table: sa.Table
    expectations: tuple[Expectation, ...]
    asset: tuple[str, ...] = field(default=())
    after: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def asset_key(self) -> tuple[str, ...]:
        """Parts of the key of the asset that shows the checks."""
        return self.asset or (str(self.table.schema), self.table.name)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns that identify a failing row."""
        return tuple(column.name for column in self.table.primary_key.columns)

    def check_name(self, expectation: Expectation) -> str:
        """Name of the check of one of the expectations."""
        return f"{self.table.name}_{expectation.property}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the evaluation of one expectation found.

    Attributes:
        is_met: whether it holds; never true where the evaluation failed.
        failing: rows that break it; None for expectations about the whole table.
        keys: primary keys of failing rows, a sample.
        observed: what was seen instead, for expectations about the whole table.
        error: why it could not be evaluated.
    """

    is_met: bool
    failing: int | None = None
    keys: tuple[Mapping[str, Any], ...] = ()
    observed: str | None = None
    error: str | None = None


def no_rows(property: str, query: str, description: str, **options: Any) -> Expectation:  # noqa: A002
    """A query that selects the keys of failing rows finds none.

    Args:
        property: name of the property.
        query: a select of the primary key over `{batch}`.
        description: one sentence for operators.
        **options: `severity` and `is_blocking`.
    """
    # On one line: the indentation of the module it stands in is no part of it.
    arguments = {"unexpected_rows_query": " ".join(query.split())}
    return Expectation(property, "unexpected_rows_expectation", arguments, description, **options)


def values_in(column: str, values: Sequence[str], **options: Any) -> Expectation:
    """Every value of the column is one of `values`."""
    return Expectation(
        f"{column}_known",
        "expect_column_values_to_be_in_set",
        {"column": column, "value_set": list(values)},
        f"Every {column} is one of {', '.join(values)}.",
        **options,
    )


def values_between(
    column: str, low: float | None, high: float | None, unit: str = "", **options: Any
) -> Expectation:
    """Every value of the column lies in a range, bounds included; None leaves a side open."""
    bounds = [f"at least {low:,}"] if low is not None else []
    bounds += [f"at most {high:,}"] if high is not None else []
    return Expectation(
        f"{column}_in_range",
        "expect_column_values_to_be_between",
        {"column": column, "min_value": low, "max_value": high},
        f"Every {column} is {' and '.join(bounds)} {unit}".rstrip() + ".",
        **options,
    )


def values_match(column: str, pattern: str, meaning: str, **options: Any) -> Expectation:
    """Every value of the column matches a regular expression; `meaning` says it in words."""
    return Expectation(
        f"{column}_well_formed",
        "expect_column_values_to_match_regex",
        {"column": column, "regex": pattern},
        f"Every {column} is {meaning}.",
        **options,
    )


def mean_between(column: str, low: float, high: float, description: str) -> Expectation:
    """The mean of the column lies in a range; a warning, since a distribution may truly move."""
    return Expectation(
        f"{column}_mean_plausible",
        "expect_column_mean_to_be_between",
        {"column": column, "min_value": low, "max_value": high},
        description,
        severity=Severity.WARN,
        needs_rows=True,
    )


def has_rows(description: str) -> Expectation:
    """The table is not empty; a warning, since a shop that just opened has empty tables."""
    return Expectation(
        "has_rows",
        "expect_table_row_count_to_be_between",
        {"min_value": 1},
        description,
        severity=Severity.WARN,
    )
