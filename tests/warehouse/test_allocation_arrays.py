"""The arrays an allocation is made from, piece by piece, and distances over the globe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.warehouse.allocation.arrays import Ints, ranges, running
from ecom_assets.warehouse.allocation.candidates import find_candidates
from ecom_assets.warehouse.allocation.problem import Demand, Orders, Problem, Sites, Stock
from ecom_assets.warehouse.allocation.result import Lines, allocate
from ecom_assets.warehouse.rules import (
    EARTH_KM,
    NotCovered,
    Standing,
    allocate_in_turn,
    available_at,
    great_circle_km,
    units_at,
)
from ecom_assets.warehouse.rules import Demand as PlainDemand


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("starts", "counts", "expected"),
    [
        ([], [], []),
        ([5], [0], []),
        ([5, 1, 9], [2, 0, 3], [5, 6, 9, 10, 11]),
        ([0, 0], [1, 2], [0, 0, 1]),
    ],
)
def test_ranges_follow_each_other(
    starts: Sequence[int], counts: Sequence[int], expected: Sequence[int]
) -> None:
    assert ranges(ints(*starts), ints(*counts)).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9))))
def test_running_sums_start_anew_in_each_segment(rows: list[tuple[int, int]]) -> None:
    rows.sort(key=lambda row: row[0])
    expected, sums = [], dict.fromkeys(range(5), 0)
    for segment, value in rows:
        sums[segment] += value
        expected.append(sums[segment])
    segments, values = [row[0] for row in rows], [row[1] for row in rows]
    assert running(ints(*values), ints(*segments)).tolist() == expected


STOCK = Stock(
    sku=ints(0, 0, 2), site=ints(0, 3, 1), free=ints(7, 4, 5),
    # Cell 0 gets 3 at moment 10 and 2 at 20; cell 2 got all it has at 15.
    move_cell=ints(0, 0, 2), move_at=ints(10, 20, 15), move_most=ints(5, 2, 5),
)  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "at", "free"),
    [(0, 9, 2), (0, 10, 5), (0, 19, 5), (0, 20, 7), (1, -5, 4), (2, 14, 0), (2, 15, 5)],
)
def test_stock_is_free_from_the_moment_of_its_move(cell: int, at: int, free: int) -> None:
    assert STOCK.free_at(ints(cell), ints(at)).tolist() == [free]


@pytest.mark.parametrize(
    ("cell", "level", "at", "moment"),
    [(0, 2, 1, 1), (0, 3, 1, 10), (0, 5, 1, 10), (0, 6, 1, 20), (0, 6, 99, 99), (1, 4, 0, 0),
     (2, 1, 0, 15), (0, 0, 0, 0)],
)  # fmt: skip
def test_a_level_is_there_from_its_first_moment(
    cell: int, level: int, at: int, moment: int
) -> None:
    assert STOCK.there_at(ints(cell), ints(level), ints(at)).tolist() == [moment]


def test_stock_without_moves_is_always_there() -> None:
    still = Stock(ints(0), ints(0), ints(3), ints(), ints(), ints())
    assert still.free_at(ints(0, 0), ints(-(10**15), 10**15)).tolist() == [3, 3]
    assert still.there_at(ints(0), ints(3), ints(8)).tolist() == [8]


MOVES = st.lists(st.tuples(st.integers(0, 9), st.integers(-4, 6)), max_size=7)


@given(MOVES, st.integers(0, 9), st.integers(1, 6))
def test_the_plain_forms_agree_with_each_other(
    moves: list[tuple[int, int]], as_of: int, level: int
) -> None:
    if units_at(moves, 99) < level:
        with pytest.raises(StopIteration):
            available_at(moves, level, as_of)
        return
    moment = available_at(moves, level, as_of)
    assert units_at(moves, moment) >= level
    assert moment == as_of or units_at(moves, as_of) < level


def sites(*places: tuple[float, float, str, int]) -> Sites:
    latitude, longitude, country, handling = zip(*places, strict=True)
    return Sites(np.array(latitude), np.array(longitude), np.array(country), ints(*handling))


def preferred(order: tuple[float, float, str], *places: tuple[float, float, str, int]) -> list[int]:
    """Sites in the order in which one order would like them."""
    latitude, longitude, country = order
    orders = Orders(ints(0), np.array([latitude]), np.array([longitude]), np.array([country]))
    count = len(places)
    stock = Stock(
        np.zeros(count, np.int64), np.arange(count), np.ones(count, np.int64), ints(), ints(),
        ints(),
    )  # fmt: skip
    problem = Problem(orders, sites(*places), Demand(ints(0), ints(0), ints(1)), stock)
    return [int(site) for site in find_candidates(problem).site]


NAN = float("nan")


@pytest.mark.parametrize(
    ("order", "places", "expected"),
    [
        # The customer's country, though the other is nearer and cheaper.
        ((50, 8, "DE"), [(50, 7.5, "FR", 0), (53, 10, "DE", 9)], [1, 0]),
        # The cheaper site, though the other is nearer; of sites as dear, the nearer.
        ((50, 8, "DE"), [(50, 7.5, "DE", 9), (53, 10, "DE", 8)], [1, 0]),
        ((50, 8, "DE"), [(53, 10, "DE", 9), (50, 7.5, "DE", 9)], [1, 0]),
        # All alike: the site code.
        ((50, 8, "DE"), [(50, 9, "DE", 9), (50, 7, "DE", 8)], [1, 0]),
        ((50, 8, "DE"), [(50, 9, "DE", 9), (50, 7, "DE", 9)], [0, 1]),
        # A metre apart is a difference, less than half of one is not.
        ((0, 0, "DE"), [(0, 0.00002, "DE", 9), (0, 0.00001, "DE", 9)], [1, 0]),
        ((0, 0, "DE"), [(0, 0.0000101, "DE", 9), (0, 0.00001, "DE", 9)], [0, 1]),
        # Without a place: the customer's country, then handling.
        ((NAN, NAN, "FR"), [(50, 8, "DE", 0), (50, 8, "FR", 7), (50, 8, "FR", 6)], [2, 1, 0]),
        ((50, NAN, "FR"), [(50, 8, "DE", 0), (1, 1, "FR", 7)], [1, 0]),
        # Over the date line it is near.
        ((0, 179.9, "FJ"), [(0, 170, "FJ", 0), (0, -179.9, "FJ", 0)], [1, 0]),
        # At the pole every longitude is the same place.
        ((90, 0, "NO"), [(90, 180, "NO", 1), (90, -45, "NO", 0)], [1, 0]),
    ],
)
def test_preference(
    order: tuple[float, float, str], places: list[tuple[float, float, str, int]],
    expected: list[int],
) -> None:  # fmt: skip
    assert preferred(order, *places) == expected


DEGREES = st.floats(-180, 180)


@given(st.floats(-90, 90), DEGREES, st.floats(-90, 90), DEGREES)
def test_distance_is_symmetric_and_at_most_half_way_round(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> None:
    there = great_circle_km(latitude, longitude, other_latitude, other_longitude)
    back = great_circle_km(other_latitude, other_longitude, latitude, longitude)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= EARTH_KM * np.pi + 1e-6


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        ((0, 0), (0, 1), 111.195),
        ((90, 0), (-90, 0), 20_015.1),
        ((0, 179), (0, -179), 222.39),
        ((52.52, 13.405), (-23.5505, -46.6333), 10_250.8),
    ],
)
def test_known_distances(here: tuple[float, float], there: tuple[float, float], km: float) -> None:
    assert great_circle_km(*here, *there) == pytest.approx(km, rel=2e-3)


NOBODY = Orders(ints(), np.array([]), np.array([]), np.array([], "U2"))


def test_no_orders_need_no_sites() -> None:
    nothing = Lines(ints(), ints(), ints())
    empty = Stock(*[ints()] * 6)
    assert allocate(NOBODY, sites((0, 0, "DE", 0)), nothing, empty).rows(nothing).line.size == 0


def test_many_orders_for_the_last_units_are_served_in_turn() -> None:
    count = 200
    orders = Orders(
        np.arange(count), np.full(count, NAN), np.full(count, NAN), np.full(count, "DE")
    )
    lines = Lines(np.arange(count), np.zeros(count, np.int64), np.ones(count, np.int64))
    stock = Stock(ints(0, 0), ints(0, 1), ints(150, 50), ints(), ints(), ints())
    places = sites((0, 0, "DE", 1), (0, 0, "DE", 2))
    assert allocate(orders, places, lines, stock).rows(lines).site.tolist() == [0] * 150 + [1] * 50


def test_one_unit_too_few_is_named_not_passed_over() -> None:
    orders = Orders(ints(1, 2), np.array([NAN] * 2), np.array([NAN] * 2), np.array(["DE", "DE"]))
    lines = Lines(ints(0, 1), ints(0, 0), ints(2, 2))
    stock = Stock(ints(0), ints(0), ints(3), ints(), ints(), ints())
    with pytest.raises(NotCovered, match="1 orders and SKUs"):
        allocate(orders, sites((0, 0, "DE", 1)), lines, stock)
    with pytest.raises(NotCovered, match="A: 1 reserved units are at no site"):
        allocate_in_turn([PlainDemand(1, {"A": 4}, {"N": Standing()})], {("A", "N"): [(0, 3)]}, {})
