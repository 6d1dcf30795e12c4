"""Cursors: what is made is read back; whatever else is sent is refused and never an error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.cursors import BY_KEY, BY_MOMENT, BY_NAMES, decode, encode, paging
from gateway.api.faults import Fault
from gateway.api.values import MOST_BIGINT

MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is given below
    datetime(2999, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=200
).filter(str.strip)


@given(MOMENTS, st.integers(0, MOST_BIGINT))
def test_a_cursor_by_moment_is_read_back(at: datetime, key: int) -> None:
    assert decode(encode([at, key], "list"), BY_MOMENT, "list") == (at, key)


@given(NAMES, NAMES)
def test_a_cursor_by_names_is_read_back(first: str, second: str) -> None:
    assert decode(encode([first, second], "list"), BY_NAMES, "list") == (first, second)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_whatever_is_sent_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="is no cursor of this list"):
        decode(text, BY_MOMENT, "list")


@pytest.mark.parametrize(
    "values",
    [[], [1, 2], ["1"], [1.5], [True], [None], [-1], [2**63], [[1]], [{"a": 1}]],
)
def test_forged_values_are_refused(values: list[object]) -> None:
    with pytest.raises(Fault):
        decode(encode(values, "list"), BY_KEY, "list")


def test_a_cursor_serves_the_list_it_was_made_for() -> None:
    mine, other = paging(5, None, BY_KEY, "a", "web"), paging(5, None, BY_KEY, "a", "shop")
    cursor = encode([1], mine.asked)
    assert paging(5, cursor, BY_KEY, "a", "web").after == (1,)
    with pytest.raises(Fault):
        paging(5, cursor, BY_KEY, "a", "shop")
    assert mine.asked != other.asked
