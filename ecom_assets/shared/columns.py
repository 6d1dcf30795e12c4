"""The table base: one metadata, and columns that carry their unit in their name.

Tables are declared with these functions so that names, types and comments stay alike; the data
dictionary, the checks and the migrations derive from what is declared here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

METADATA = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)
"""The metadata of every table of the platform."""

Rows = sa.Select[Any] | sa.TextualSelect
"""A set of rows for one statement: a select, or `sa.text(...).columns(...)`."""

PERSONAL = {"personal": True}
"""`info` of a column that holds personal data."""


def area_table(area: str, name: str, comment: str, *items: sa.schema.SchemaItem) -> sa.Table:
    """Declare `area.name` with its comment in the shared metadata."""
    return sa.Table(name, METADATA, *items, schema=area, comment=comment)


def identity(name: str, comment: str) -> sa.Column[int]:
    """A surrogate key that the database allots."""
    return sa.Column(name, sa.BigInteger, sa.Identity(), primary_key=True, comment=comment)


def reference(name: str, comment: str, target: str | None = None, **options: Any) -> sa.Column[int]:
    """A surrogate key of another row; `target` (`schema.table.column`) makes it a foreign key."""
    keys = [sa.ForeignKey(target)] if target else []
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger, *keys, comment=comment, **options)


def text(name: str, comment: str, **options: Any) -> sa.Column[str]:
    """A text that must be there unless `nullable=True`."""
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Text, comment=comment, **options)


def integer(name: str, comment: str, **options: Any) -> sa.Column[int]:
    """A count or a small whole number."""
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Integer, comment=comment, **options)


def minor(name: str, comment: str, **options: Any) -> sa.Column[int]:
    """Money in the currency's minor unit; the name ends in `_minor`."""
    assert name.endswith("_minor"), name  # noqa: S101 - a programming error, found at import
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger, comment=comment, **options)


def currency(**options: Any) -> sa.Column[str]:
    """The ISO 4217 code of the money columns of a row."""
    options.setdefault("nullable", False)
    return sa.Column("currency", sa.CHAR(3), comment="ISO 4217 code", **options)


def moment(name: str, comment: str, **options: Any) -> sa.Column[Any]:
    """A moment in UTC; the name ends in `_at` or `_as_of`."""
    assert name.endswith(("_at", "_as_of")), name  # noqa: S101 - found at import
    options.setdefault("nullable", False)
    return sa.Column(name, TIMESTAMP(timezone=True), comment=comment, **options)


def number(name: str, comment: str, **options: Any) -> sa.Column[float]:
    """A real number; the comment or the name says its unit."""
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Double, comment=comment, **options)


def flag(name: str, comment: str, **options: Any) -> sa.Column[bool]:
    """A truth value; the name starts with `is_` or `has_`."""
    assert name.startswith(("is_", "has_")), name  # noqa: S101 - found at import
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Boolean, comment=comment, **options)


def document(name: str, comment: str, **options: Any) -> sa.Column[Any]:
    """A JSON document."""
    options.setdefault("nullable", False)
    return sa.Column(name, JSONB, comment=comment, **options)


def texts(name: str, comment: str, **options: Any) -> sa.Column[Any]:
    """A list of texts, empty by default."""
    options.setdefault("nullable", False)
    options.setdefault("server_default", sa.text("'{}'::text[]"))
    return sa.Column(name, ARRAY(sa.Text), comment=comment, **options)


def run_id() -> sa.Column[str]:
    """The Dagster run that wrote the row."""
    return sa.Column("run_id", sa.Text, nullable=False, comment="Dagster run that wrote the row")


def recorded_at() -> sa.Column[Any]:
    """When the database wrote the row: for audit only, no rule reads it."""
    return sa.Column(
        "recorded_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.text("clock_timestamp()"),
        comment="when the row was written; audit only, never an input to a rule",
    )
