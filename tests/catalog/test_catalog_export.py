"""What is exported can be imported again without a change, and runs in no spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import sqlalchemy as sa

from ecom_assets.catalog.store.exporting import export_rows
from ecom_assets.catalog.store.files import plan_file
from ecom_assets.catalog.tables import PRODUCTS
from fixtures.catalogue import AT, counts, product, taken


def _exported(conn: sa.Connection, path: Path) -> list[list[str]]:
    rows = list(export_rows(conn))
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return rows


def test_an_export_is_imported_without_a_change(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(
        scratch, tmp_path,
        product("part", list_price="1234.50", unit_cost="0.05", weight_kg="1.5"),
        product("kit", components="part:2", image="https://a.example/1", gtin="4006381333931"),
        product("yen", currency="JPY", list_price="5"), product("'=odd", brand="'-5 degrees"),
    )  # fmt: skip
    path = tmp_path / "export.csv"
    rows = _exported(scratch, path)
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    plan = plan_file(scratch, path, AT, "r")
    assert counts(plan) == (0, 0, 4, 0)


def test_a_formula_that_came_by_another_way_is_marked(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    row = {"sku": "a", "name": "=cmd()", "category": "@x", "currency": "EUR"}
    scratch.execute(sa.insert(PRODUCTS).values(row))
    exported = dict(zip(*_exported(scratch, tmp_path / "e.csv"), strict=True))
    assert (exported["name"], exported["category"]) == ("'=cmd()", "'@x")
