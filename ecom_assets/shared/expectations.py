"""Data-quality expectations as data: what must hold of a table, who answers, what it stops.

An area declares its expectations in `expectations.py` with these classes; `shared.checks` turns
them into asset checks that great_expectations evaluates in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa


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
    """

    property: str
    type: str
    arguments: Mapping[str, Any]
    description: str
    severity: Severity = Severity.ERROR
    is_blocking: bool = False


@dataclass(frozen=True, slots=True)
class TableExpectations:
    """All expectations of one table, evaluated together.

    Attributes:
        table: the table; its schema and name are also the asset key.
        expectations: what must hold.
        key: columns shown for failing rows; the primary key by default.
    """

    table: sa.Table
    expectations: tuple[Expectation, ...]
    key: tuple[str, ...] = field(default=())

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns that identify a failing row."""
        return self.key or tuple(column.name for column in self.table.primary_key.columns)
