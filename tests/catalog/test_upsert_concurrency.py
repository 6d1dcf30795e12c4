"""Two imports of the same new row: the later one waits, then compares."""

from __future__ import annotations

from threading import Thread
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.tables import SUPPLIERS
from ecom_assets.shared.upsert import upsert
from resources.database import DatabaseResource


def rows(name: str) -> sa.Select[Any]:
    values = {"supplier_key": "s", "name": name, "country": "DE"}
    return sa.select(*(sa.literal(value).label(column) for column, value in values.items()))


def test_row_inserted_meanwhile_is_updated_not_lost(database: DatabaseResource) -> None:
    def take_late() -> None:
        with database.begin() as other:
            written.append(upsert(other, SUPPLIERS, rows("late"), ["supplier_key"]))

    written: list[int] = []
    with database.begin() as first:
        assert upsert(first, SUPPLIERS, rows("early"), ["supplier_key"]) == 1
        thread = Thread(target=take_late)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the later import must wait for the first"
    thread.join(10)
    with database.begin() as conn:
        assert written == [1]
        assert conn.execute(sa.select(SUPPLIERS.c.name)).scalar_one() == "late"
        assert upsert(conn, SUPPLIERS, rows("late"), ["supplier_key"]) == 0
