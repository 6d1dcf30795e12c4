"""A broken row, and how it gets past what the database itself would refuse."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True)
class Broken:
    """One broken row: how it gets in, the check that must see it, the keys it must show.

    `without` is the constraint that must go first, since the database itself would refuse the row.
    """

    table: str
    check: str
    statement: str
    keys: tuple[dict[str, str], ...]
    without: str = ""

    def happen(self, conn: sa.Connection) -> None:
        if self.without in ("foreign keys", "triggers"):
            conn.execute(sa.text("SET LOCAL session_replication_role = replica"))
        elif self.without:
            conn.execute(sa.text(f"ALTER TABLE {self.table} DROP CONSTRAINT {self.without}"))
        conn.execute(sa.text(self.statement))
