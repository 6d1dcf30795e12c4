"""Completeness and scores: SQL and the plain rules agree, and one channel alone holds back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.catalog.completeness import Asked, Described, completeness, score
from ecom_assets.catalog.demands import read_demands
from ecom_assets.catalog.reading import BadFile
from ecom_assets.catalog.store.completeness import judge_completeness, judge_scores, listable
from ecom_assets.catalog.store.requirements import set_families, set_requirements
from ecom_assets.catalog.store.staging import PRODUCT_VALUES
from ecom_assets.catalog.tables import COMPLETENESS, MEDIA, PRODUCT_SCORES, PRODUCTS
from fixtures.catalogue import product, taken

DEMANDS: dict[str, Any] = {
    "families": {"shoe": {"name": "Shoes", "required": ["size"], "optional": ["sole"]}},
    "channels": {
        "web": {"required": ["name"], "wanted": ["brand"]},
        "market": {
            "locales": ["de", "fr"], "required": ["gtin", "title"], "localised": ["title"],
            "families": {"shoe": {"required": ["image"]}},
        },
    },
}  # fmt: skip


def demand(conn: sa.Connection, document: dict[str, Any]) -> None:
    found = read_demands(document)
    set_families(conn, found.families, found.attributes)
    set_requirements(conn, found.channels, found.requirements)


def judged(conn: sa.Connection, sku: str) -> dict[tuple[str, str], tuple[list[str], bool]]:
    c = COMPLETENESS.c
    rows = conn.execute(sa.select(c.channel, c.locale, c.missing, c.is_ready).where(c.sku == sku))
    return {(channel, locale): (missing, ready) for channel, locale, missing, ready in rows}


def test_a_product_is_held_back_from_one_channel_only(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    demand(scratch, DEMANDS)
    taken(
        scratch, tmp_path,
        product("a", family="shoe", size="42", gtin="4006381333931", **{"title#de": "Schuh"}),
        product("b", gtin="96385074", brand="B", **{"title#de": "Ding", "title#fr": "Chose"}),
    )  # fmt: skip
    judge_completeness(scratch, "r")
    assert judged(scratch, "a") == {
        ("web", ""): (["brand"], True),
        ("market", "de"): (["image"], False),
        ("market", "fr"): (["image", "title"], False),
    }
    assert (listable(scratch, "web"), listable(scratch, "market")) == (["a", "b"], ["b"])
    why = sa.text("SELECT held_back_by FROM catalog.channel_products WHERE NOT is_listable")
    assert scratch.scalars(why).all() == ["de: image; fr: image, title"]


def test_a_family_requires_on_every_channel(scratch: sa.Connection, tmp_path: Path) -> None:
    demand(scratch, DEMANDS)
    taken(scratch, tmp_path, product("a", family="shoe"))
    judge_completeness(scratch, "r")
    assert judged(scratch, "a")["web", ""] == (["brand", "size"], False)


def test_only_what_differs_is_written_and_what_nobody_asks_goes(
    scratch: sa.Connection, tmp_path: Path
) -> None:
    demand(scratch, DEMANDS)
    plan = taken(scratch, tmp_path, product("a"), product("b"))
    assert judge_completeness(scratch, "r", plan.plan_id) == 6
    assert judge_completeness(scratch, "r") == 0
    later = taken(scratch, tmp_path, {"sku": "a", "brand": "B"})
    assert judge_completeness(scratch, "r", later.plan_id) == 1
    demand(scratch, {"channels": {"market": {}}})
    assert judge_completeness(scratch, "r") == 4
    assert list(judged(scratch, "a")) == [("web", "")]


def test_an_archived_product_goes_to_no_channel(scratch: sa.Connection, tmp_path: Path) -> None:
    demand(scratch, DEMANDS)
    taken(scratch, tmp_path, product("a", brand="B", status="archived"))
    judge_completeness(scratch, "r")
    assert listable(scratch, "web") == []


_NAMES = ("name", "brand", "gtin", "weight_g", "image", "colour", "title")
_ASKED = st.lists(
    st.builds(Asked, st.sampled_from(_NAMES), st.booleans(), st.booleans()), max_size=6,
    unique_by=lambda one: one.attribute,
)  # fmt: skip
_VALUES = st.sets(
    st.tuples(
        st.sampled_from(("colour", "title", "brand")), st.sampled_from(("", "web", "other")),
        st.sampled_from(("", "de", "fr")),
    ),
    max_size=6,
)  # fmt: skip
_PLACE = {"category": "x", "currency": "EUR", "sku": "p"}


def _described(conn: sa.Connection, values: set[tuple[str, str, str]], pictures: int) -> Described:
    row = conn.execute(sa.select(PRODUCTS)).mappings().one()
    columns = {name: str(row[name]) for name in PRODUCT_VALUES if row[name] is not None}
    return Described(columns, frozenset(values), pictures)


def _fill(
    conn: sa.Connection, columns: dict[str, Any], values: set[tuple[str, str, str]], pictures: int
) -> None:
    conn.execute(sa.insert(PRODUCTS).values({**_PLACE, **columns}))
    plan = sa.text("""
        INSERT INTO catalog.import_plans (hash, source, format, file_digest, settings, rows_read,
            rows_create, rows_update, rows_skip, rows_error, planned_at, run_id)
        VALUES ('h', 's', 'csv', '', '{}', 0, 0, 0, 0, 0, '2026-01-01Z', 'r') RETURNING plan_id
    """)
    plan_id = conn.scalar(plan)
    insert = sa.text("""
        INSERT INTO catalog.attribute_values
            (sku, attribute, channel, locale, value, source, plan_id, run_id)
        VALUES ('p', :attribute, :channel, :locale, 'v', 's', :plan_id, 'r')
    """)
    for attribute, channel, locale in values:
        told = {"attribute": attribute, "channel": channel, "locale": locale, "plan_id": plan_id}
        conn.execute(insert, told)
    for place in range(1, pictures + 1):
        url = f"https://a.example/{place}"
        conn.execute(sa.insert(MEDIA).values(sku="p", position=place, url=url))


_COLUMNS = st.fixed_dictionaries(
    {"name": st.sampled_from(["", "short", "A name that is long enough", "x" * 151])},
    optional={
        "brand": st.sampled_from(["", "B"]), "gtin": st.just("04006381333931"),
        "weight_g": st.just(5), "length_mm": st.just(1), "width_mm": st.just(1),
        "height_mm": st.just(1), "category": st.just("uncategorised"),
        "description": st.sampled_from(["d", "d" * 50, "d" * 200]),
    },
)  # fmt: skip


@given(columns=_COLUMNS, values=_VALUES, asked=_ASKED, pictures=st.integers(0, 3))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_judge_the_same(
    scratch: sa.Connection,
    columns: dict[str, Any],
    values: set[tuple[str, str, str]],
    asked: list[Asked],
    pictures: int,
) -> None:
    with scratch.begin_nested() as attempt:
        _fill(scratch, columns, values, pictures)
        rows = [
            {"channel": "web", "locale": "de", "family": "", "attribute": one.attribute,
             "is_localised": one.is_localised, "is_blocking": one.is_blocking}
            for one in asked
        ]  # fmt: skip
        set_requirements(scratch, ["web"], rows)
        judge_completeness(scratch, "r")
        judge_scores(scratch, "r")
        described = _described(scratch, values, pictures)
        expected = completeness(described, asked, "web", "de")
        c = COMPLETENESS.c
        found = scratch.execute(
            sa.select(c.required, c.missing, c.blocking, c.is_ready)
        ).one_or_none()
        if asked:
            assert found is not None
            told = (expected.required, [*expected.missing], [*expected.blocking], expected.is_ready)
            assert tuple(found) == told
        row = scratch.execute(sa.select(PRODUCT_SCORES.c.score, PRODUCT_SCORES.c.lacking)).one()
        points = score(described)
        assert tuple(row) == (points.points, [*points.lacking])
        attempt.rollback()


def test_a_product_with_everything_scores_a_hundred() -> None:
    columns = {
        "name": "A name that is long enough", "description": "d" * 200, "gtin": "g", "brand": "B",
        "category": "x", "weight_g": "1", "length_mm": "1", "width_mm": "1", "height_mm": "1",
    }  # fmt: skip
    assert score(Described(columns, pictures=3)).points == 100
    assert score(Described({"category": "uncategorised"})).points == 0


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"chanels": {}}, "unknown chanels"),
        ({"channels": {"web": {"require": []}}}, "channels.web: unknown require"),
        ({"channels": {"web": {"required": "name"}}}, "must be a list"),
        ({"channels": {"web": {"localised": ["x"]}}}, "localised but not asked for"),
        ({"families": []}, "families must be a table"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        read_demands(document)
