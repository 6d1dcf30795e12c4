"""Upserts: new rows in, changed ones updated, equal ones not even touched."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from ecom_assets.catalog.tables import SUPPLIERS
from ecom_assets.shared.feeds import SUPPLIERS as FEED
from ecom_assets.shared.imports import IMPORTS
from ecom_assets.shared.upsert import newest, upsert
from fixtures.given import given
from resources.database import DatabaseResource

NAMES = ("supplier_key", "name", "country", "lead_time_days")
KEY = ("supplier_key",)


def _suppliers(*rows: tuple[str, str] | tuple[str, str, float | None]) -> sa.Select[Any]:
    return given(NAMES, [(key, name, "DE", *(rest or [None])) for key, name, *rest in rows])


def _stored(conn: sa.Connection) -> dict[str, str]:
    rows = sa.select(SUPPLIERS.c.supplier_key, SUPPLIERS.c.name)
    return dict(conn.execute(rows).tuples().all())


def _places(conn: sa.Connection) -> Sequence[str]:
    """Where the rows lie: a row that is rewritten lies elsewhere."""
    return conn.scalars(sa.text("SELECT ctid::text FROM catalog.suppliers ORDER BY 1")).all()


def test_new_changed_and_equal_rows_are_told_apart(conn: sa.Connection) -> None:
    assert upsert(conn, SUPPLIERS, _suppliers(("a", "A"), ("b", "B")), KEY) == 2
    assert upsert(conn, SUPPLIERS, _suppliers(("a", "A"), ("b", "new"), ("c", "C")), KEY) == 2
    assert _stored(conn) == {"a": "A", "b": "new", "c": "C"}


def test_an_equal_row_is_not_rewritten(conn: sa.Connection) -> None:
    rows = _suppliers(("a", "A"), ("b", "B", 2.5))
    upsert(conn, SUPPLIERS, rows, KEY)
    before = _places(conn)
    assert upsert(conn, SUPPLIERS, rows, KEY) == 0
    assert _places(conn) == before


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [(None, None, 0), (None, 0.0, 1), (0.0, None, 1), (1.5, 1.5, 0), (1.5, 1.6, 1)],
)
def test_an_empty_value_is_a_value(
    conn: sa.Connection, before: float | None, after: float | None, written: int
) -> None:
    upsert(conn, SUPPLIERS, _suppliers(("a", "A", before)), KEY)
    assert upsert(conn, SUPPLIERS, _suppliers(("a", "A", after)), KEY) == written
    assert conn.execute(sa.select(SUPPLIERS.c.lead_time_days)).scalar_one() == after


def test_rows_that_are_not_given_stay(conn: sa.Connection) -> None:
    upsert(conn, SUPPLIERS, _suppliers(("a", "A")), KEY)
    assert upsert(conn, SUPPLIERS, _suppliers(), KEY) == 0
    assert upsert(conn, SUPPLIERS, _suppliers(("b", "B")), KEY) == 1
    assert _stored(conn) == {"a": "A", "b": "B"}


def test_columns_that_are_not_given_keep_their_value(conn: sa.Connection) -> None:
    upsert(conn, SUPPLIERS, _suppliers(("a", "A", 2.5)), KEY)
    assert upsert(conn, SUPPLIERS, given(NAMES[:3], [("a", "new", "DE")]), KEY) == 1
    assert conn.execute(sa.select(SUPPLIERS.c.lead_time_days)).scalar_one() == 2.5


@pytest.mark.parametrize("key", ["", " ", "日本", "x" * 2000, "it's", "a\\b", "%s", ":name"])
def test_any_text_is_a_key(conn: sa.Connection, key: str) -> None:
    assert upsert(conn, SUPPLIERS, _suppliers((key, "A")), KEY) == 1
    assert upsert(conn, SUPPLIERS, _suppliers((key, "A")), KEY) == 0
    assert _stored(conn) == {key: "A"}


def test_keys_that_differ_in_case_or_accents_are_two(conn: sa.Connection) -> None:
    assert upsert(conn, SUPPLIERS, _suppliers(("e", "1"), ("E", "2"), ("é", "3")), KEY) == 3


def test_a_row_the_table_refuses_stops_the_whole_set(conn: sa.Connection) -> None:
    rows = given(NAMES, [("a", "A", "DE", None), ("b", None, "DE", None)])
    with pytest.raises(sa.exc.IntegrityError, match='null value in column "name"'), conn.begin():
        upsert(conn, SUPPLIERS, rows, KEY)
    assert _stored(conn) == {}


def test_stamps_are_written_with_a_row_but_are_no_change_by_themselves(
    conn: sa.Connection,
) -> None:
    names, key = ("format", "digest"), ("format", "digest")
    first = given((*names, "first_at"), [("uci", "d", None)], first_at=IMPORTS.c.first_at.type)
    assert upsert(conn, IMPORTS, first, key, {"run_id": "one"}) == 1
    assert upsert(conn, IMPORTS, first, key, {"run_id": "two"}) == 0
    assert conn.execute(sa.select(IMPORTS.c.run_id)).scalar_one() == "one"
    later = sa.select(*first.subquery().c).with_only_columns(
        sa.literal("uci").label("format"),
        sa.literal("d").label("digest"),
        sa.func.to_timestamp(0).label("first_at"),
    )
    assert upsert(conn, IMPORTS, later, key, {"run_id": "three"}) == 1
    assert conn.execute(sa.select(IMPORTS.c.run_id)).scalar_one() == "three"


def test_a_key_of_several_columns_is_compared_as_a_whole(conn: sa.Connection) -> None:
    names = ("format", "digest", "run_id")
    rows = given(names, [("uci", "1", "r"), ("uci", "2", "r"), ("olist", "1", "r")])
    assert upsert(conn, IMPORTS, rows, names[:2]) == 3
    changed = given(names, [("uci", "1", "new"), ("olist", "2", "r")])
    assert upsert(conn, IMPORTS, changed, names[:2]) == 2
    found = conn.execute(sa.select(IMPORTS.c.format, IMPORTS.c.digest, IMPORTS.c.run_id))
    assert set(map(tuple, found)) == {
        ("uci", "1", "new"), ("uci", "2", "r"), ("olist", "1", "r"), ("olist", "2", "r"),
    }  # fmt: skip


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@drawn(
    feeds=st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["x", "y", ""])), max_size=4
    )
)
def test_the_table_holds_the_last_word_and_counts_what_changed(
    conn: sa.Connection, feeds: list[dict[str, str]]
) -> None:
    with conn.begin_nested() as undone:
        expected: dict[str, str] = {}
        for feed in feeds:
            changed = sum(expected.get(key) != name for key, name in feed.items())
            assert upsert(conn, SUPPLIERS, _suppliers(*sorted(feed.items())), KEY) == changed
            expected |= feed
        assert _stored(conn) == expected
        undone.rollback()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ([], {}),
        ([("a", "first")], {"a": "first"}),
        ([("a", "first"), ("b", "B"), ("a", "last")], {"a": "last", "b": "B"}),
        ([("a", "same"), ("a", "same")], {"a": "same"}),
    ],
)
def test_of_rows_with_one_key_the_last_written_counts(
    conn: sa.Connection, written: list[tuple[str, str]], kept: dict[str, str]
) -> None:
    FEED.create(conn)
    for key, name in written:
        conn.execute(sa.insert(FEED).values(supplier_key=key, name=name, country="DE"))
    found = conn.execute(newest(FEED, KEY)).mappings()
    assert {row["supplier_key"]: row["name"] for row in found} == kept


def test_the_last_of_thousands_of_repeats_counts(conn: sa.Connection) -> None:
    FEED.create(conn)
    # more than one page of rows, so that the place has to count pages before rows
    rows = [{"supplier_key": "a", "name": str(n), "country": "DE"} for n in range(2_000)]
    conn.execute(sa.insert(FEED), rows)
    assert conn.execute(newest(FEED, KEY)).one().name == "1999"


def test_writers_of_the_same_rows_in_any_order_all_end(database: DatabaseResource) -> None:
    names = [f"s{number:02}" for number in range(40)]

    def take(order: list[str]) -> int:
        with database.begin() as conn:
            return upsert(conn, SUPPLIERS, _suppliers(*((name, "N") for name in order)), KEY)

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(take, [names, names[::-1], names[20:] + names[:20], names]))
    # each row was new to exactly one of them, and no two waited for each other
    assert sum(written) == len(names)
