"""The checks of raw rows: what passes can be cast, and the first wrong field is named."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from importers.marking import (
    Form,
    accept_rest,
    park_malformed,
    park_orphans,
    permit,
    require,
    supersede_earlier,
)
from importers.source import SourceFile, raw_table

THING = SourceFile("thing", ("thing.csv",), ("key", "value"))
PART = SourceFile("part", ("part.csv",), ("key", "value"))


def _fill(conn: sa.Connection, file: SourceFile, *rows: tuple[str | None, str | None]) -> None:
    raw = raw_table(file)
    raw.create(conn)
    values = [
        {"row_no": number, "key": key, "value": value}
        for number, (key, value) in enumerate(rows, 1)
    ]
    conn.execute(sa.insert(raw), values)


def _fates(conn: sa.Connection, file: SourceFile) -> list[tuple[str | None, str | None]]:
    raw = raw_table(file)
    rows = conn.execute(sa.select(raw.c.fate, raw.c.reason).order_by(raw.c.row_no))
    return [(fate, reason) for fate, reason in rows]


def _is_moment(text: str) -> bool:
    try:
        return 1900 <= datetime.fromisoformat(text).year < 2100
    except ValueError:
        return False


def test_moments_are_those_of_the_calendar(conn: sa.Connection) -> None:
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in (1900, 1904, 1999, 2000, 2001, 2020, 2023, 2099, 2100)
        for month in range(14)
        for day in range(33)
    ]
    clock = (" 00:00:00", " 23:59:59", " 24:00:00", " 09:60:00", " 09:00:60", " 9:00:00",
             "T09:00:00", " 09:00", " 09:00:00.123456", " 09:00:00.1", " 09:00:00 ",
             " noon")  # fmt: skip
    times = [f"2017-05-{day}{time}" for day in ("02", "31") for time in clock]
    arabic = "2017-05-02".translate({ord("0") + n: 0x660 + n for n in range(10)})
    words = ["now", "infinity", "2017-05", "02/05/2017", arabic]
    texts = [*days, *(day + " 12:30:00" for day in days), *times, *words]
    _fill(conn, THING, *((text, text) for text in texts))
    park_malformed(conn, THING, "key", require("value", form=Form.MOMENT))
    raw = raw_table(THING)
    passed = set(conn.scalars(sa.select(raw.c.value).where(raw.c.fate.is_(None))))
    expected = {t for t in texts if _is_moment(t) and "T" not in t and t.isascii()}
    assert passed == expected
    conn.execute(sa.text("SELECT value::timestamp FROM raw_thing WHERE fate IS NULL"))


@pytest.mark.parametrize(
    ("form", "good", "bad", "number"),
    [
        (Form.AMOUNT, ["0", "12.50", "0.001"], ["-1", "1,5", ".", "1e9", "NaN", ""], sa.Numeric()),
        (Form.SIGNED_AMOUNT, ["-12.5", "3"], ["--1", "1-", "Infinity"], sa.Numeric()),
        (Form.WHOLE, ["0", "00012", "99999999"], ["1.0", "-1", "999999999", " 1"], sa.Integer()),
        (Form.SIGNED_WHOLE, ["-5", "7.0"], ["7.5", "+7", "0x1"], sa.Numeric()),
        (
            Form.DEGREES,
            ["-23.5", "179.123456789012345678901"],
            ["1000", "12°", "1.2.3"],
            sa.Double(),
        ),
    ],
)
def test_numbers_that_pass_can_be_cast(
    conn: sa.Connection,
    form: Form,
    good: list[str],
    bad: list[str],
    number: sa.types.TypeEngine[Any],
) -> None:
    _fill(conn, THING, *(("k", value) for value in [*good, *bad]))
    park_malformed(conn, THING, "key", require("value", form=form))
    fates = [fate for fate, _ in _fates(conn, THING)]
    assert fates == [None] * len(good) + ["parked"] * len(bad)
    raw = raw_table(THING)
    numbers = sa.select(sa.cast(raw.c.value, number)).where(raw.c.fate.is_(None))
    assert len(conn.execute(numbers).all()) == len(good)


def test_the_first_wrong_field_is_named(conn: sa.Connection) -> None:
    _fill(conn, THING, (None, "x"), ("k", None), ("k", "x"), ("k", "5"))
    park_malformed(conn, THING, "key", (*require("key"), *require("value", form=Form.WHOLE)))
    found = conn.execute(sa.text("SELECT reason, detail, subject FROM raw_thing ORDER BY row_no"))
    assert [tuple(row) for row in found] == [
        ("field_missing", "key: empty", None),
        ("field_missing", "value: empty", "k"),
        ("bad_number", "value: x", "k"),
        (None, None, None),
    ]


def test_permitted_fields_may_be_empty(conn: sa.Connection) -> None:
    _fill(conn, THING, ("k", None), ("k", "x"))
    park_malformed(conn, THING, "key", permit("value", form=Form.AMOUNT))
    assert _fates(conn, THING) == [(None, None), ("parked", "bad_amount")]


def test_of_equal_keys_the_last_counts_and_nothing_equals_nothing(conn: sa.Connection) -> None:
    _fill(conn, THING, ("a", None), ("b", "1"), ("a", None), ("a", "2"))
    supersede_earlier(conn, THING, "key", "value")
    assert [fate for fate, _ in _fates(conn, THING)] == ["superseded", None, None, None]


def test_parts_follow_what_they_belong_to(conn: sa.Connection) -> None:
    _fill(conn, THING, ("good", "1"), ("bad", "x"), ("again", "x"), ("again", "2"))
    _fill(conn, PART, ("good", ""), ("bad", ""), ("none", ""), ("again", ""))
    park_malformed(conn, THING, "key", require("value", form=Form.WHOLE))
    park_orphans(conn, PART, THING, "key", "thing")
    assert _fates(conn, PART) == [
        (None, None), ("parked", "thing_parked"), ("parked", "thing_missing"), (None, None),
    ]  # fmt: skip


def test_the_rest_is_accepted_and_nothing_decided_twice(conn: sa.Connection) -> None:
    _fill(conn, THING, ("a", "x"), ("b", "1"))
    park_malformed(conn, THING, "key", require("value", form=Form.WHOLE))
    accept_rest(conn, (THING,))
    supersede_earlier(conn, THING, "key")
    assert _fates(conn, THING) == [("parked", "bad_number"), ("accepted", None)]
