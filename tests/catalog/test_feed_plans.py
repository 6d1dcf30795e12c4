"""Imports of whole shops are on record as plans: lineage, refusals and reversals see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.model import PlanRefused
from ecom_assets.catalog.store import apply_plan, revert_plan, take_products
from ecom_assets.catalog.store.plans import lineage
from ecom_assets.catalog.tables import IMPORT_PLANS, PRODUCTS
from ecom_assets.shared import feeds
from fixtures.catalogue import AT, RUN, planned, product, taken, value


def take(conn: sa.Connection, *rows: dict[str, Any]) -> int:
    gaps = {column.name: None for column in feeds.PRODUCTS.c if column.nullable}
    feeds.PRODUCTS.create(conn, checkfirst=True)
    conn.execute(sa.delete(feeds.PRODUCTS))
    given = {"name": "N", "category": "toys", "currency": "EUR"}
    conn.execute(sa.insert(feeds.PRODUCTS), [{**gaps, **given, **row} for row in rows])
    return take_products(conn, None)


def _plans(conn: sa.Connection) -> list[tuple[Any, ...]]:
    c = IMPORT_PLANS.c
    rows = sa.select(c.source, c.state, c.rows_create, c.rows_update).order_by(c.plan_id)
    return [tuple(row) for row in conn.execute(rows)]


def test_a_feed_is_kept_as_an_applied_plan(scratch: sa.Connection) -> None:
    take(scratch, {"sku": "a", "brand": "A"}, {"sku": "b"})
    take(scratch, {"sku": "a", "brand": "B"}, {"sku": "b"})
    assert _plans(scratch) == [("feed", "applied", 2, 0), ("feed", "applied", 0, 1)]
    told = {row["field"]: row["value"] for row in lineage(scratch, "a")}
    assert (told["brand"], told["name"]) == ("B", "N")


def test_an_equal_feed_leaves_no_plan(scratch: sa.Connection) -> None:
    take(scratch, {"sku": "a", "brand": "A"})
    assert take(scratch, {"sku": "a"}) == 0
    assert len(_plans(scratch)) == 1


def test_a_feed_moves_the_state_under_a_plan(scratch: sa.Connection, tmp_path: Path) -> None:
    take(scratch, {"sku": "a", "brand": "A"})
    plan = planned(scratch, tmp_path, {"sku": "a", "brand": "C"})
    take(scratch, {"sku": "a", "brand": "B"})
    with pytest.raises(PlanRefused, match=r"row 1 a \(brand\)"):
        apply_plan(scratch, plan.hash, AT, RUN)


def test_a_feed_can_be_reverted_like_any_plan(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", brand="A", list_price="5", unit_cost="2"))
    changed = {"sku": "a", "brand": "B", "currency": "GBP", "list_price_minor": 900}
    take(scratch, changed, {"sku": "b"})
    name = scratch.scalar(sa.select(IMPORT_PLANS.c.hash).order_by(IMPORT_PLANS.c.plan_id.desc()))
    done = revert_plan(scratch, name or "", AT, RUN)
    assert (done.created, done.updated) == (1, 1)
    names = ("brand", "currency", "list_price_minor", "unit_cost_minor", "category")
    expected = ["A", "EUR", 500, 200, "uncategorised"]
    assert [value(scratch, "a", each) for each in names] == expected
    assert scratch.scalar(sa.select(sa.func.count()).select_from(PRODUCTS)) == 1
