"""What is wrong with rows is named with row and field, and keeps only those rows out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import CATEGORIES, FAMILIES
from fixtures.catalogue import counts, found, planned, product, taken, value

GTIN, OTHER = "4006381333931", "96385074"


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"gtin": "4006381333932"}, "gtin", "gtin_wrong_check_digit"),
        ({"gtin": "4.00638E+12"}, "gtin", "gtin_digits_lost"),
        ({"gtin": "12345"}, "gtin", "gtin_wrong_length"),
        ({"gtin": "unknown"}, "gtin", "gtin_not_digits"),
        ({"name": "=HYPERLINK(1)"}, "name", "formula"),
        ({"brand": "@SUM(A1)"}, "brand", "formula"),
        ({"colour": "+cmd|x"}, "colour", "formula"),
        ({"option:Size": "-1+1", "group_key": "g"}, "option:Size", "formula"),
        ({"brand": "#REF!"}, "brand", "spreadsheet_error"),
        ({"list_price": "Nill"}, "list_price", "not_a_number"),
        ({"list_price": "-3"}, "list_price", "negative"),
        ({"list_price": "3.999"}, "list_price", "fraction_of_minor_unit"),
        ({"list_price": "3 USD"}, "list_price", "currency_differs"),
        ({"list_price": "9" * 25}, "list_price", "too_large"),
        ({"currency": "EURO"}, "currency", "unknown_currency"),
        ({"weight_g": "-3"}, "weight", "negative"),
        ({"weight_g": "heavy"}, "weight", "not_a_number"),
        ({"weight": "3"}, "weight", "unit_missing"),
        ({"weight": "3 stone"}, "weight", "unit_unknown"),
        ({"weight_kg": "9999999"}, "weight", "too_large"),
        ({"family": "shoe"}, "family", "unknown_family"),
        ({"supplier": "nobody"}, "supplier_key", "unknown_supplier"),
        ({"status": "maybe"}, "status", "unknown_status"),
        ({"image": "javascript:alert(1)"}, "media", "no_web_address"),
        ({"components": "b"}, "components", "components_malformed"),
        ({"components": "nobody:2"}, "components", "unknown_component"),
        ({"sku": "s" * 201}, "sku", "too_long"),
        ({"sku": ""}, "sku", "sku_missing"),
    ],
)
def test_a_wrong_value_is_named_and_keeps_its_row_out_alone(
    scratch: sa.Connection, tmp_path: Path, members: dict[str, Any], field: str, code: str
) -> None:
    plan = planned(scratch, tmp_path, {**product("a"), **members}, product("fine"))
    assert counts(plan) == (1, 0, 0, 1)
    assert (1, field, code) in found(scratch, plan)


@pytest.mark.parametrize(
    ("members", "code", "column", "stored"),
    [
        ({"gtin": f"{GTIN}.0"}, "gtin_was_float", "gtin", f"0{GTIN}"),
        ({"gtin": "36000291452"}, "gtin_zero_restored", "gtin", "00036000291452"),
        ({"weight_g": "0"}, "zero_left_out", "weight_g", None),
    ],
)
def test_what_can_be_mended_is_mended_and_noted(
    scratch: sa.Connection,
    tmp_path: Path,
    members: dict[str, Any],
    code: str,
    column: str,
    stored: str | None,
) -> None:
    plan = taken(scratch, tmp_path, product("a", **members))
    assert [each[2] for each in found(scratch, plan)] == [code]
    assert value(scratch, "a", column) == stored


def test_one_gtin_on_two_skus_of_a_file_names_both(scratch: sa.Connection, tmp_path: Path) -> None:
    rows = (product("a", gtin=GTIN), product("b", gtin=f"0{GTIN}"), product("c", gtin=OTHER))
    plan = planned(scratch, tmp_path, *rows)
    assert counts(plan) == (1, 0, 0, 2)
    codes = [(1, "gtin", "gtin_on_two_skus"), (2, "gtin", "gtin_on_two_skus")]
    assert found(scratch, plan) == codes


def test_a_gtin_of_a_known_product_is_not_given_twice(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    taken(scratch, tmp_path, product("a", gtin=GTIN))
    plan = planned(scratch, tmp_path, product("b", gtin=GTIN))
    assert found(scratch, plan) == [(1, "gtin", "gtin_on_two_skus")]


def test_of_rows_that_differ_nobody_knows_which_is_meant(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    rows = (product("a", brand="A"), product("a", brand="B"), product("b"), product("b"))
    plan = planned(scratch, tmp_path, *rows)
    assert counts(plan) == (1, 0, 1, 2)
    assert found(scratch, plan) == [
        (1, "sku", "duplicate_sku"), (2, "sku", "duplicate_sku"), (4, "sku", "repeated_row"),
    ]  # fmt: skip


def test_a_marked_formula_is_a_text(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", brand="'-40 degrees", colour="'=x"))
    assert value(scratch, "a", "brand") == "-40 degrees"


def test_variants_of_a_group_differ_in_their_options(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    size = "option:Size"
    rows = [product(sku, group_key="g", **{size: of}) for sku, of in (("a", "S"), ("b", "S"))]
    plan = planned(scratch, tmp_path, *rows, product("c", group_key="g", **{size: "M"}))
    assert found(scratch, plan) == [
        (1, "options", "same_options"), (2, "options", "same_options")
    ]  # fmt: skip
    taken(scratch, tmp_path, product("c", group_key="g", **{size: "M"}))
    again = planned(scratch, tmp_path, product("d", group_key="g", **{size: "M"}))
    assert found(scratch, again) == [(1, "options", "same_options")]


def test_a_row_without_a_usable_sku_takes_no_variant_down(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    size = "option:Size"
    rows = [product(sku, group_key="g", **{size: "S"}) for sku in ("a", "#REF!")]
    assert counts(planned(scratch, tmp_path, *rows)) == (1, 0, 0, 1)


def test_a_category_is_known_by_number_or_path(scratch: sa.Connection, tmp_path: Path) -> None:
    row = product("a", google_product_category="Arts > Paint")
    plan = planned(scratch, tmp_path, row)
    assert found(scratch, plan) == [(1, "taxonomy", "taxonomy_not_imported")]
    categories: list[dict[str, Any]] = [
        {"category_id": 1, "parent_id": None, "name": "Arts", "path": "Arts", "version": ""},
        {"category_id": 2, "parent_id": 1, "name": "Paint", "path": "Arts > Paint", "version": ""},
    ]
    scratch.execute(sa.insert(CATEGORIES), categories)
    taken(scratch, tmp_path, row, product("b", google_product_category="1"))
    assert [value(scratch, sku, "category_id") for sku in "ab"] == [2, 1]
    plan = planned(scratch, tmp_path, product("c", google_product_category="Arts > Glue"))
    assert found(scratch, plan) == [(1, "taxonomy", "unknown_category")]


def test_a_known_family_is_taken(scratch: sa.Connection, tmp_path: Path) -> None:
    scratch.execute(sa.insert(FAMILIES).values(family="shoe", name="Shoes"))
    taken(scratch, tmp_path, product("a", family="shoe"))
    assert value(scratch, "a", "family") == "shoe"


def test_a_kit_that_contains_itself_is_named(scratch: sa.Connection, tmp_path: Path) -> None:
    rows = (
        product("a", components="b:1"), product("b", components="c:1|d:2"),
        product("c", components="a:1"), product("d"), product("e", components="e:1"),
    )  # fmt: skip
    plan = planned(scratch, tmp_path, *rows)
    assert [each for each in found(scratch, plan) if each[2] == "cyclic_kit"] == [
        (row, "components", "cyclic_kit") for row in (1, 2, 3, 5)
    ]
    assert counts(plan) == (1, 0, 0, 4)


def test_a_circle_through_known_kits_is_named(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", components="b:1"), product("b"))
    plan = planned(scratch, tmp_path, {"sku": "b", "components": "a:1"})
    assert found(scratch, plan) == [(1, "components", "cyclic_kit")]


def test_a_kit_falls_with_its_component(scratch: sa.Connection, tmp_path: Path) -> None:
    rows = (
        product("kit", components="part:1"), product("part", gtin="1"),
        product("box", components="kit:1"),
    )  # fmt: skip
    plan = planned(scratch, tmp_path, *rows)
    assert counts(plan) == (0, 0, 0, 3)
    assert (3, "components", "unknown_component") in found(scratch, plan)
