"""The rule of reserving, in its plain form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.inventory.rules import (
    Ask,
    Outcome,
    StockMove,
    outcome,
    reserve_in_turn,
    stays_for_good,
)
from fixtures.stock_shop import day

MOVES = st.lists(st.builds(StockMove, st.integers(0, 9).map(day), st.integers(-6, 9)), max_size=8)
ASKS = st.lists(st.builds(Ask, st.integers(0, 9).map(day), st.integers(1, 5)), max_size=8)


def test_stock_that_comes_later_is_not_there_yet() -> None:
    moves = [StockMove(day(0), 2), StockMove(day(5), 3)]
    assert [stays_for_good(moves, day(at)) for at in (-1, 0, 4, 5)] == [0, 2, 2, 5]


def test_stock_that_is_written_down_later_was_never_free() -> None:
    moves = [StockMove(day(0), 5), StockMove(day(3), -4), StockMove(day(6), 7)]
    assert [stays_for_good(moves, day(at)) for at in (0, 3, 6)] == [1, 1, 8]


def test_lines_are_served_in_turn_as_far_as_stock_allows() -> None:
    asks = [Ask(day(1), 3), Ask(day(1), 4), Ask(day(2), 1), Ask(day(4), 2)]
    moves = [StockMove(day(0), 5), StockMove(day(3), 1)]
    assert reserve_in_turn(asks, moves, promised=0) == [3, 2, 0, 1]


def test_an_early_order_that_comes_late_gets_nothing_promised_to_others() -> None:
    moves = [StockMove(day(0), 2), StockMove(day(5), 9)]
    assert reserve_in_turn([Ask(day(1), 2), Ask(day(6), 9)], moves, promised=6) == [0, 5]


@given(MOVES, ASKS, st.integers(0, 5))
def test_no_line_gets_more_than_it_asks_or_than_stays(
    moves: list[StockMove], asks: list[Ask], promised: int
) -> None:
    asks = sorted(asks, key=lambda ask: ask.as_of)
    given_units = reserve_in_turn(asks, moves, promised)
    for place, ask in enumerate(asks):
        before = promised + sum(given_units[:place])
        assert 0 <= given_units[place] <= ask.quantity
        if given_units[place]:
            assert before + given_units[place] <= stays_for_good(moves, ask.as_of)


@pytest.mark.parametrize(
    ("requested", "reserved", "expected"),
    [(3, 3, Outcome.RESERVED), (3, 1, Outcome.PARTLY_RESERVED), (3, 0, Outcome.BACKORDERED)],
)
def test_the_outcome_says_how_far_stock_covers(
    requested: int, reserved: int, expected: Outcome
) -> None:
    assert outcome(requested, reserved) is expected
