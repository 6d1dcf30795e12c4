"""A file becomes a plan: what each row does, with the values before and after."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.model import PlanRefused
from ecom_assets.catalog.reading import BadFile
from ecom_assets.catalog.store.plans import find_plan
from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS, PRODUCTS
from fixtures.catalogue import changes, counts, found, planned, product, taken, value, write


def test_rows_create_update_skip_and_fail(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", brand="A"), product("b", brand="B"))
    plan = planned(
        scratch, tmp_path, product("a", brand="A"), product("b", brand="C"),
        product("c", brand="C"), {"sku": "d", "brand": "D"},
    )  # fmt: skip
    assert counts(plan) == (1, 1, 1, 1)
    assert found(scratch, plan) == [(4, "name", "name_missing")]
    assert ("b", "brand", "B", "C") in changes(scratch, plan)
    assert ("c", "name", None, "Product c") in changes(scratch, plan)
    assert value(scratch, "b", "brand") == "B", "a plan changes nothing"


def test_a_gap_leaves_what_is_known(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", brand="A", weight_g=5))
    plan = planned(scratch, tmp_path, {"sku": "a", "brand": "", "weight_g": ""})
    assert counts(plan) == (0, 0, 1, 0)


def test_units_and_ways_of_writing_numbers_are_understood(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    taken(
        scratch, tmp_path,
        product("a", weight_kg="0.3", length_cm="12,5", list_price="1,299.50", unit_cost="7"),
        product("c", list_price="500", currency="JPY"),
    )  # fmt: skip
    dollars = {"list_price": "12.50 USD", "currency": "USD"}
    taken(scratch, tmp_path, product("b", weight="2 lb", **dollars))
    names = ("weight_g", "length_mm", "list_price_minor", "unit_cost_minor", "currency")
    assert [value(scratch, "a", name) for name in names] == [300, 125, 129_950, 700, "EUR"]
    assert [value(scratch, "b", name) for name in names] == [907, None, 1_250, None, "USD"]
    assert value(scratch, "c", "list_price_minor") == 500


def test_prices_without_a_currency_take_the_named_one(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    rows = {"sku": "a", "name": "A", "price": "5"}
    plan = planned(scratch, tmp_path, rows)
    assert (1, "currency", "currency_missing") in found(scratch, plan)
    taken(scratch, tmp_path, rows, currency="INR")
    assert value(scratch, "a", "currency") == "INR"
    # The catalogue now has one currency, which a file need not repeat.
    taken(scratch, tmp_path, {"sku": "b", "name": "B", "price": "5"})
    assert value(scratch, "b", "currency") == "INR"


def test_an_amount_of_another_currency_is_not_kept(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", unit_cost=4, list_price=9))
    plan = planned(scratch, tmp_path, {"sku": "a", "currency": "GBP", "list_price": "8"})
    assert changes(scratch, plan) == [
        ("a", "currency", "EUR", "GBP"),
        ("a", "list_price_minor", "900", "800"),
        ("a", "unit_cost_minor", "400", None),
    ]


def test_the_same_file_against_the_same_state_is_the_same_plan(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    first = planned(scratch, tmp_path, product("a"))
    assert planned(scratch, tmp_path, product("a")) == first
    assert scratch.scalar(sa.select(sa.func.count()).select_from(IMPORT_PLANS)) == 1
    taken(scratch, tmp_path, product("z"))
    assert planned(scratch, tmp_path, product("a"), product("b")).hash != first.hash


def test_a_plan_is_found_by_the_beginning_of_its_hash(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    plan = planned(scratch, tmp_path, product("a"))
    assert find_plan(scratch, plan.hash[:8]) == plan
    for name, problem in (("abc", "at least 6"), ("0" * 12, "no plan"), ("x%_'" * 3, "at least")):
        with pytest.raises(PlanRefused, match=problem):
            find_plan(scratch, name)


def test_columns_nobody_knows_become_attributes(scratch: sa.Connection, tmp_path: Path) -> None:
    row = product("a", **{"Colour": "red", "name#de": "Produkt", "colour@amazon#de-DE": "rot"})
    plan = planned(scratch, tmp_path, row)
    told = {field: after for _, field, _, after in changes(scratch, plan)}
    assert (told["colour"], told["name#de"]) == ("red", "Produkt")
    assert told["colour@amazon#de-DE"] == "rot"


def test_columns_may_be_named(scratch: sa.Connection, tmp_path: Path) -> None:
    row = {"Ref": "a", "What": "A thing", "Mass": "0.5", "Shade": "red", "Pos": "1", "Set": "g"}
    columns = {
        "sku": "Ref", "name": "What", "weight_kg": "Mass", "option:Colour": "Shade",
        "ignore": "Pos", "group_key": "Set",
    }  # fmt: skip
    taken(scratch, tmp_path, row, columns=columns, currency="EUR")
    assert value(scratch, "a", "weight_g") == 500
    assert value(scratch, "a", "options") == {"Colour": "red"}


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"sku": "Nope"}, "no column 'Nope'"),
        ({"prize": "sku"}, "no field 'prize'"),
    ],
)
def test_wrong_columns_are_named(
    scratch: sa.Connection, tmp_path: Path, columns: dict[str, str], problem: str
) -> None:
    with pytest.raises(BadFile, match=problem):
        planned(scratch, tmp_path, product("a"), columns=columns)


def test_a_file_that_changes_between_look_and_plan_is_refused(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    with pytest.raises(BadFile, match="no longer the file"):
        planned(scratch, tmp_path, product("a"), digest="0" * 64)


def test_a_header_alone_is_no_plan(scratch: sa.Connection, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("sku,name\n\n\n")
    from ecom_assets.catalog.store.files import plan_file
    from fixtures.catalogue import AT

    with pytest.raises(BadFile, match="a header and no rows"):
        plan_file(scratch, path, AT, "r")


def test_every_row_of_a_file_is_in_the_plan(scratch: sa.Connection, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", *(product(f"s{n}") for n in range(25)))
    with path.open("a") as stream:
        stream.write("too,few\n")
    from ecom_assets.catalog.store.files import plan_file
    from fixtures.catalogue import AT

    plan = plan_file(scratch, path, AT, "r")
    rows = scratch.scalar(sa.select(sa.func.count()).select_from(PLAN_ROWS))
    assert (plan.rows_read, rows, plan.rows_error) == (26, 26, 1)
    assert found(scratch, plan) == [(26, "", "wrong_field_count")]
    assert scratch.scalar(sa.select(sa.func.count()).select_from(PRODUCTS)) == 0
