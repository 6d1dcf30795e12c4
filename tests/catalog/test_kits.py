"""The database refuses kits that contain themselves, whoever writes them."""

from __future__ import annotations

from threading import Thread

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import KITS, PRODUCTS
from resources.database import DatabaseResource


def _products(conn: sa.Connection, *skus: str) -> None:
    rows = [{"sku": sku, "name": sku, "category": "x", "currency": "EUR"} for sku in skus]
    conn.execute(sa.insert(PRODUCTS), rows)


def _kits(conn: sa.Connection, *pairs: str) -> None:
    rows = [{"kit_sku": pair[0], "component_sku": pair[1], "quantity": 1} for pair in pairs]
    conn.execute(sa.insert(KITS), rows)


def test_kits_of_kits_may_share_a_component(scratch: sa.Connection) -> None:
    _products(scratch, *"abcd")
    _kits(scratch, "ab", "ac", "bd", "cd")


@pytest.mark.parametrize("pairs", [("ab", "ba"), ("ab", "bc", "ca"), ("ab", "bc", "cd", "db")])
def test_a_circle_is_refused(scratch: sa.Connection, pairs: tuple[str, ...]) -> None:
    _products(scratch, *"abcd")
    with pytest.raises(sa.exc.IntegrityError, match="would contain itself"):
        _kits(scratch, *pairs)


def test_a_change_that_closes_a_circle_is_refused(scratch: sa.Connection) -> None:
    _products(scratch, *"abc")
    _kits(scratch, "ab", "bc")
    change = sa.update(KITS).where(KITS.c.kit_sku == "b").values(component_sku="a")
    with pytest.raises(sa.exc.IntegrityError, match="would contain itself"):
        scratch.execute(change)


def test_a_kit_of_itself_is_refused(scratch: sa.Connection) -> None:
    _products(scratch, "a")
    with pytest.raises(sa.exc.IntegrityError, match="not_of_itself"):
        _kits(scratch, "aa")


def test_two_transactions_cannot_close_a_circle_together(database: DatabaseResource) -> None:
    def second() -> None:
        try:
            with database.begin() as other:
                _kits(other, "ba")
        except sa.exc.IntegrityError as error:
            refused.append(str(error))

    refused: list[str] = []
    with database.begin() as conn:
        _products(conn, *"ab")
    with database.begin() as conn:
        _kits(conn, "ab")
        thread = Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it must wait for the first"
    thread.join(10)
    assert len(refused) == 1
