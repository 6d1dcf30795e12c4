"""Lists of rows from the tables: searched, sorted, counted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from resources.database import DatabaseResource

MOST_COUNTED = 10_000
"""Rows that a list counts and shows; who looks for more searches."""

_READ_ONLY = sa.text("SET TRANSACTION READ ONLY")


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows that a screen lists.

    Attributes:
        rows: query of the rows; its columns bear the names of the screen's fields.
        key: column that names a row.
        searched: columns of text that a search looks into.
        order: columns to sort by where the user says nothing, a - before falling ones.
    """

    rows: sa.Select[Any]
    key: str
    searched: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def page(
        self, conn: sa.Connection, sought: str | None, sorts: Sequence[tuple[str, str]],
        skip: int, limit: int,
    ) -> list[SimpleNamespace]:  # fmt: skip
        """Rows of a page."""
        rows = self._sought(sought)
        asked = [self._sorted(rows, name, way == "desc") for name, way in sorts]
        default = [self._sorted(rows, name.lstrip("-"), name.startswith("-"))
                   for name in self.order]  # fmt: skip
        query = sa.select(rows).order_by(*(asked or default), rows.c[self.key])
        query = query.offset(skip).limit(limit if limit > 0 else MOST_COUNTED)
        return [SimpleNamespace(**row) for row in conn.execute(query).mappings()]

    def count(self, conn: sa.Connection, sought: str | None) -> int:
        """How many there are, at most `MOST_COUNTED`."""
        rows = sa.select(self._sought(sought).c[self.key]).limit(MOST_COUNTED).subquery()
        return conn.scalar(sa.select(sa.func.count()).select_from(rows)) or 0

    def _sought(self, sought: str | None) -> sa.Subquery:
        rows = self.rows.subquery("listed")
        words = (sought or "").replace("\x00", " ").split()
        # Every word is in one of the columns, whatever column that is.
        found = [
            sa.or_(*(rows.c[name].cast(sa.Text).icontains(word, autoescape=True)
                     for name in self.searched))
            for word in words[:10]
        ]  # fmt: skip
        return sa.select(rows).where(*found).subquery("found")

    @staticmethod
    def _sorted(rows: sa.Subquery, name: str, is_falling: bool) -> sa.UnaryExpression[Any]:
        column = rows.c[name]
        return column.desc().nulls_last() if is_falling else column.asc().nulls_last()


def reading(database: DatabaseResource, work: Any, *args: Any) -> Any:
    """Read in a transaction that can change nothing."""
    with database.begin() as conn:
        conn.execute(_READ_ONLY)
        return work(conn, *args)
