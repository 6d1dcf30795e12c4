"""Temporary tables of one transaction, in which the steps of the area keep what they hold."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

WORK = sa.MetaData()
"""Temporary tables of one transaction."""


def work_table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Declare a temporary table that lives until the transaction ends."""
    return sa.Table(name, WORK, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def open_empty(conn: sa.Connection, *tables: sa.Table) -> None:
    """Make temporary tables, or empty those this transaction already made."""
    for table in tables:
        conn.execute(CreateTable(table, if_not_exists=True))
        conn.execute(sa.delete(table))
