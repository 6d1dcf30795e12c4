"""What is expected of the catalogue's tables holds after plans; what is broken is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.expectations import EXPECTATIONS
from ecom_assets.catalog.store import fill_shipping_weights, revert_plan
from ecom_assets.catalog.store.completeness import judge_completeness, judge_scores
from ecom_assets.catalog.store.requirements import set_requirements
from ecom_assets.shared.expectations import Outcome
from ecom_assets.shared.gx import evaluate
from fixtures.catalogue import AT, RUN, planned, product, taken
from resources.database import DatabaseResource


def outcomes(database: DatabaseResource) -> dict[str, Outcome]:
    """What every expectation of the area found, by the name of its check."""
    return {
        table.check_name(item): found[item.property]
        for table in EXPECTATIONS
        for found in [evaluate(database.url, table, list(table.expectations))]
        for item in table.expectations
    }


@pytest.fixture
def stocked(database: DatabaseResource, tmp_path: Path) -> DatabaseResource:
    ask = {"channel": "web", "locale": "", "family": "", "attribute": "brand",
           "is_localised": False, "is_blocking": True}  # fmt: skip
    size = "option:Size"
    with database.begin() as conn:
        set_requirements(conn, ["web"], [ask])
        taken(
            conn, tmp_path,
            product("part", gtin="4006381333931", image="https://a.example/1"),
            product("kit", components="part:2", colour="red", list_price="5"),
            product("s", group_key="g", **{size: "S"}), product("m", group_key="g", **{size: "M"}),
            product("bad", gtin="1"),
        )  # fmt: skip
        plan = taken(conn, tmp_path, {"sku": "part", "brand": "B"})
        revert_plan(conn, plan.hash, AT, RUN)
        planned(conn, tmp_path, product("later"))
        fill_shipping_weights(conn)
        judge_completeness(conn, RUN)
        judge_scores(conn, RUN)
    return database


def test_all_hold_but_what_warns_of_incomplete_products(stocked: DatabaseResource) -> None:
    found = outcomes(stocked)
    assert not {name: each.error for name, each in found.items() if each.error}
    failed = {name for name, each in found.items() if not each.is_met}
    assert failed <= {"completeness_all_complete", "suppliers_has_rows"}
    assert "completeness_all_complete" in failed


BREAKS = {
    "kits_kits_flagged": "UPDATE catalog.products SET is_kit = false",
    "kits_acyclic": """
        ALTER TABLE catalog.kits DISABLE TRIGGER ALL;
        INSERT INTO catalog.kits VALUES ('part', 'kit', 1)
    """,
    "product_groups_told_apart": 'UPDATE catalog.products SET options = \'{"Size": "S"}\''
    " WHERE group_key = 'g'",
    "import_plans_rows_counted": "DELETE FROM catalog.plan_rows WHERE sku = 'kit'",
    "plan_rows_errors_named": "UPDATE catalog.plan_rows SET findings = '[]'",
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found(stocked: DatabaseResource, name: str) -> None:
    with stocked.begin() as conn:
        for statement in BREAKS[name].split(";"):
            conn.execute(sa.text(statement.replace(":", "\\:")))
    table, item = next(
        (table, item)
        for table in EXPECTATIONS
        for item in table.expectations
        if table.check_name(item) == name
    )
    assert not evaluate(stocked.url, table, [item])[item.property].is_met
