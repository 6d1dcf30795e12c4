"""A plan is applied by its hash to the state it was made for, and can be taken back."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.model import PlanRefused
from ecom_assets.catalog.store import apply_plan, revert_plan
from ecom_assets.catalog.store.files import plan_statuses
from ecom_assets.catalog.store.plans import kept, lineage
from ecom_assets.catalog.tables import (
    ATTRIBUTE_VALUES,
    KITS,
    MEDIA,
    PLAN_ROWS,
    PRODUCT_GROUPS,
    PRODUCTS,
)
from ecom_assets.inventory.tables import POSITIONS
from fixtures.catalogue import AT, RUN, counts, planned, product, taken, value, values
from resources.database import DatabaseResource


def _all(conn: sa.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything plans write, without moments."""
    found = {}
    for table in (PRODUCTS, ATTRIBUTE_VALUES, MEDIA, KITS, PRODUCT_GROUPS):
        columns = [c for c in table.c if c.name not in {"recorded_at", "run_id"}]
        rows = conn.execute(sa.select(*columns).order_by(*table.primary_key.columns))
        found[table.name] = [tuple(row) for row in rows]
    return found


RICH = {
    "brand": "B", "gtin": "4006381333931", "weight_g": 5, "list_price": "9.99",
    "group_key": "g", "option:Size": "M", "colour": "red", "name#de": "Ding",
    "image": "https://a.example/1.jpg|https://a.example/2.jpg",
}  # fmt: skip


def test_an_applied_plan_leaves_nothing_to_plan(scratch: sa.Connection, tmp_path: Path) -> None:
    rows = (product("part"), product("a", **RICH, components="part:2"))
    plan = taken(scratch, tmp_path, *rows)
    assert (plan.state, counts(plan)) == ("applied", (2, 0, 0, 0))
    assert value(scratch, "a", "is_kit")
    assert values(scratch, "a") == {"colour": "red", "name#de": "Ding"}
    media = sa.select(MEDIA.c.position, MEDIA.c.url).where(MEDIA.c.sku == "a").order_by("position")
    assert [row.url[-5:] for row in scratch.execute(media)] == ["1.jpg", "2.jpg"]
    assert counts(planned(scratch, tmp_path, *rows)) == (0, 0, 2, 0)


def test_taking_a_plan_back_restores_everything(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("part"), product("a", **RICH, components="part:2"))
    before = _all(scratch)
    changed = {
        **product("a"), "name": "New", "brand": "C", "weight_g": 7, "list_price": "1",
        "currency": "USD", "colour": "blue", "size": "L", "image": "https://a.example/3.jpg",
        "components": "part:3", "group_key": "h", "option:Size": "L",
    }  # fmt: skip
    plan = taken(scratch, tmp_path, changed, product("fresh", components="part:1", colour="x"))
    assert _all(scratch) != before
    done = revert_plan(scratch, plan.hash, AT, RUN)
    assert (done.plan.state, done.created, done.updated, done.kept) == ("reverted", 1, 1, 0)
    assert _all(scratch) == before


def test_a_plan_is_applied_once_and_reverted_once(scratch: sa.Connection, tmp_path: Path) -> None:
    plan = taken(scratch, tmp_path, product("a"))
    with pytest.raises(PlanRefused, match="is applied, not planned"):
        apply_plan(scratch, plan.hash, AT, RUN)
    revert_plan(scratch, plan.hash, AT, RUN)
    with pytest.raises(PlanRefused, match="is reverted, not applied"):
        revert_plan(scratch, plan.hash, AT, RUN)
    again = planned(scratch, tmp_path, product("a"))
    assert again.hash != plan.hash, "the same changes planned again are another plan"
    assert apply_plan(scratch, again.hash, AT, RUN).created == 1


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ({"sku": "a", "brand": "Z"}, r"row 1 a \(brand\)"),
        ({"sku": "a", "colour": "green"}, r"row 1 a \(colour\)"),
        ({"sku": "a", "image": "https://z.example/z.jpg"}, r"row 1 a \(media\)"),
        ({"sku": "a", "components": "part:9"}, r"row 1 a \(.*components\)"),
        ({"sku": "b", "name": "B", "currency": "EUR"}, r"row 2 b \(sku\)"),
    ],
)
def test_a_plan_for_an_older_state_is_refused_naming_its_rows(
    scratch: sa.Connection, tmp_path: Path, meanwhile: dict[str, str], told: str
) -> None:
    taken(scratch, tmp_path, product("a", brand="A", colour="red"), product("part"))
    row = {"sku": "a", "brand": "B", "colour": "blue", "image": "https://a.example/1.jpg",
           "components": "part:1"}  # fmt: skip
    plan = planned(scratch, tmp_path, row, product("b"))
    taken(scratch, tmp_path, meanwhile)
    before = _all(scratch)
    with pytest.raises(PlanRefused, match=told):
        apply_plan(scratch, plan.hash, AT, RUN)
    assert _all(scratch) == before


def test_a_change_of_other_values_does_not_stand_in_the_way(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    taken(scratch, tmp_path, product("a", brand="A"))
    plan = planned(scratch, tmp_path, {"sku": "a", "brand": "B"})
    taken(scratch, tmp_path, {"sku": "a", "weight_g": "3"})
    assert apply_plan(scratch, plan.hash, AT, RUN).updated == 1


def test_a_product_that_is_gone_is_named(scratch: sa.Connection, tmp_path: Path) -> None:
    made = taken(scratch, tmp_path, product("a"))
    plan = planned(scratch, tmp_path, {"sku": "a", "brand": "B"})
    revert_plan(scratch, made.hash, AT, RUN)
    with pytest.raises(PlanRefused, match=r"row 1 a \(sku\)"):
        apply_plan(scratch, plan.hash, AT, RUN)


def test_the_write_judges_with_the_validators_of_the_plan(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    plan = planned(scratch, tmp_path, product("a", gtin="4006381333931"))
    taken(scratch, tmp_path, product("b", gtin="4006381333931"))
    with pytest.raises(PlanRefused, match="row 1 gtin: gtin_on_two_skus"):
        apply_plan(scratch, plan.hash, AT, RUN)


def test_a_row_somebody_changed_since_is_kept(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a", brand="A"), product("b", brand="A"))
    plan = taken(scratch, tmp_path, {"sku": "a", "brand": "B"}, {"sku": "b", "brand": "B"})
    taken(scratch, tmp_path, {"sku": "b", "brand": "C"})
    done = revert_plan(scratch, plan.hash, AT, RUN)
    assert (done.updated, done.kept) == (1, 1)
    assert [value(scratch, sku, "brand") for sku in "ab"] == ["A", "C"]
    (row,) = kept(scratch, plan, 10)
    assert (row["sku"], row["kept_because"]) == ("b", "changed_since")


def test_a_product_in_use_is_not_taken_back(scratch: sa.Connection, tmp_path: Path) -> None:
    plan = taken(scratch, tmp_path, product("a"), product("b"), product("c"))
    scratch.execute(sa.insert(POSITIONS).values(sku="a", on_hand=1, reserved=0))
    taken(scratch, tmp_path, {"sku": "b", "brand": "later"})
    done = revert_plan(scratch, plan.hash, AT, RUN)
    assert (done.created, done.kept) == (1, 2)
    reasons = {row["sku"]: row["kept_because"] for row in kept(scratch, plan, 10)}
    assert reasons == {"a": "in_use", "b": "changed_since"}


def test_a_component_of_a_kit_that_stays_is_kept(scratch: sa.Connection, tmp_path: Path) -> None:
    plan = taken(scratch, tmp_path, product("kit", components="part:1"), product("part"))
    taken(scratch, tmp_path, {"sku": "kit", "brand": "later"})
    with pytest.raises(PlanRefused, match=r"row 1 kit \(changed_since\); row 2 part \(in_use\)"):
        revert_plan(scratch, plan.hash, AT, RUN)


def test_every_value_has_its_lineage(scratch: sa.Connection, tmp_path: Path) -> None:
    first = taken(scratch, tmp_path, product("a", brand="A", colour="red"))
    second = taken(scratch, tmp_path, {"sku": "a", "colour": "blue"})
    told = {row["field"]: row for row in lineage(scratch, "a")}
    assert (told["brand"]["plan_id"], told["brand"]["value"]) == (first.plan_id, "A")
    assert (told["colour"]["plan_id"], told["colour"]["run_id"]) == (second.plan_id, RUN)
    colour = sa.select(ATTRIBUTE_VALUES.c.plan_id, ATTRIBUTE_VALUES.c.source)
    assert tuple(scratch.execute(colour).one()) == (second.plan_id, "products.csv")
    revert_plan(scratch, second.hash, AT, RUN)
    again = {row["field"]: row["plan_id"] for row in lineage(scratch, "a")}
    assert again["colour"] == first.plan_id
    assert scratch.execute(colour).one().plan_id == first.plan_id


def test_archiving_is_a_plan_too(scratch: sa.Connection, tmp_path: Path) -> None:
    taken(scratch, tmp_path, product("a"), product("b"))
    plan = plan_statuses(scratch, ["a", "nobody"], "archived", AT, RUN)
    assert counts(plan) == (0, 1, 0, 1)
    apply_plan(scratch, plan.hash, AT, RUN)
    assert (value(scratch, "a", "status"), value(scratch, "a", "is_active")) == ("archived", False)
    revert_plan(scratch, plan.hash, AT, RUN)
    assert (value(scratch, "a", "status"), value(scratch, "a", "is_active")) == ("active", True)


def test_of_two_applications_at_once_one_is_refused(
    database: DatabaseResource, tmp_path: Path
) -> None:
    def second() -> None:
        try:
            with database.begin() as other:
                apply_plan(other, plan.hash, AT, "other")
        except PlanRefused as error:
            refused.append(str(error))

    refused: list[str] = []
    with database.begin() as conn:
        plan = planned(conn, tmp_path, product("a"))
    with database.begin() as conn:
        apply_plan(conn, plan.hash, AT, RUN)
        thread = Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it must wait for the first"
    thread.join(10)
    assert "is applied, not planned" in refused[0]


def test_a_killed_application_leaves_the_plan_as_it_was(
    database: DatabaseResource, tmp_path: Path
) -> None:
    with database.begin() as conn:
        plan = planned(conn, tmp_path, *(product(f"s{n}") for n in range(50)))
    with database.engine.connect() as conn:
        apply_plan(conn, plan.hash, AT, RUN)
        conn.invalidate()
    with database.begin() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(PRODUCTS)) == 0
        assert apply_plan(conn, plan.hash, AT, RUN).created == 50
        rows = sa.select(sa.func.count()).select_from(PLAN_ROWS)
        assert conn.scalar(rows) == 50
