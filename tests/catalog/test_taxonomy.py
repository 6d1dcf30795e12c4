"""Categories from the text file of a published taxonomy."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.reading import BadFile
from ecom_assets.catalog.store.taxonomy import take_taxonomy
from ecom_assets.catalog.tables import CATEGORIES

LINES = [
    "# Google_Product_Taxonomy_Version: 2021-09-21", "1 - Arts & Crafts",
    "3 - Arts & Crafts > Paint > Oil", "2 - Arts & Crafts > Paint",
]  # fmt: skip


def test_categories_know_their_parents_and_their_version(scratch: sa.Connection) -> None:
    assert take_taxonomy(scratch, LINES) == 3
    assert take_taxonomy(scratch, LINES) == 0
    c = CATEGORIES.c
    rows = sa.select(c.category_id, c.parent_id, c.name, c.version).order_by(c.category_id)
    assert [tuple(row) for row in scratch.execute(rows)] == [
        (1, None, "Arts & Crafts", "2021-09-21"), (2, 1, "Paint", "2021-09-21"),
        (3, 2, "Oil", "2021-09-21"),
    ]  # fmt: skip


def test_a_category_that_is_renamed_is_changed_alone(scratch: sa.Connection) -> None:
    take_taxonomy(scratch, LINES)
    assert take_taxonomy(scratch, [*LINES[:2], "3 - Arts & Crafts > Ink", LINES[3]]) == 1


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "names no category"),
        (["sku,name"], "line 1 is no category"),
        (["1 - A", "1 - B"], "line 2 is no category"),
        (["1 - A", "2 - A"], "the same path"),
        (["1 - A > B"], "the category above 'A > B' is missing"),
    ],
)
def test_a_file_that_is_no_taxonomy_says_why(
    scratch: sa.Connection, lines: list[str], problem: str
) -> None:
    with pytest.raises(BadFile, match=problem):
        take_taxonomy(scratch, lines)
