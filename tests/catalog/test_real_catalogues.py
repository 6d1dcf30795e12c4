"""Catalogues that nobody here wrote: every row has its fate, and a second plan finds nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom.settings import ROOT
from ecom_assets.catalog.store import apply_plan
from ecom_assets.catalog.store.files import plan_file
from ecom_assets.catalog.store.plans import finding_counts
from ecom_assets.catalog.store.taxonomy import take_taxonomy
from fixtures.catalogue import AT, RUN, counts

DATA = Path(os.environ.get("ECOM_REAL_DATA", ROOT.parent / "shared" / "data"))
SHOPS = {
    "catalogues/shopify_import/apparel.csv": ("USD", {}, {"sku_derived"}),
    "catalogues/shopify_import/jewelery.csv": ("USD", {}, {"sku_derived", "picture_of_product"}),
    "catalogues/bigbasket_20000.csv.gz": (
        "INR",
        {"sku": "index", "name": "product", "list_price": "market_price"},
        {"name_missing"},
    ),
    "amazon_india_seller/price_list_2022-05.csv": (
        "INR",
        {"sku": "Sku", "name": "Style Id", "weight_kg": "Weight", "unit_cost": "TP"},
        {"not_a_number", "spreadsheet_error"},
    ),
    "amazon_india_seller/stock_report.csv.gz": (
        "INR",
        {"sku": "SKU Code", "name": "Design No.", "ignore": "index"},
        {"sku_missing", "name_missing", "duplicate_sku", "spreadsheet_error"},
    ),
}


def real(name: str) -> Path:
    """A file of the real data, or the test is skipped."""
    for folder in (DATA, ROOT.parent.parent / "shared" / "data"):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not there")


@pytest.mark.parametrize("name", SHOPS)
def test_every_row_has_its_fate(scratch: sa.Connection, name: str) -> None:
    currency, columns, codes = SHOPS[name]
    path = real(name)
    plan = plan_file(scratch, path, AT, RUN, None, columns, currency)
    assert plan.rows_read == sum(counts(plan)) > 20
    assert {row["code"] for row in finding_counts(scratch, plan)} == codes
    created, _, skipped, wrong = counts(plan)
    assert apply_plan(scratch, plan.hash, AT, RUN).created == created
    again = plan_file(scratch, path, AT, RUN, None, columns, currency)
    assert counts(again) == (0, 0, created + skipped, wrong)


def test_the_published_taxonomy_is_taken(scratch: sa.Connection) -> None:
    lines = real("catalogues/google_product_taxonomy.txt").read_text().splitlines()
    assert take_taxonomy(scratch, lines) == len(lines) - 1
