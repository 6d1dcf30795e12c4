"""Allocation over arrays: equal to serving orders in turn, choice by choice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecom_assets.warehouse.allocation.arrays import Ints
from ecom_assets.warehouse.allocation.prices import Prices
from ecom_assets.warehouse.allocation.problem import Orders, Sites, Stock
from ecom_assets.warehouse.allocation.result import Allocation, Lines, allocate
from ecom_assets.warehouse.rules import (
    ROUTING,
    Demand,
    NotCovered,
    RankingRule,
    Routing,
    Shares,
    Standing,
    allocate_in_turn,
    available_at,
    great_circle_km,
    units_at,
)

Move = tuple[int, int, int, int]
"""SKU, site, moment, quantity."""
Line = tuple[int, int]
"""SKU, quantity."""
OrderTuple = tuple[int, list[Line]]
"""Moment and lines."""

SITES = Sites(
    latitude=np.array([0.0, 0.0, 1.0, 2.0]),
    longitude=np.array([0.0, 1.0, 1.0, 3.0]),
    country=np.array(["DE", "DE", "FR", "FR"]),
    handling=np.array([3, 1, 2, 1]),
)
MOVES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 8), st.integers(1, 6)),
    min_size=1,
    max_size=12,
)
LINE = st.tuples(st.integers(0, 2), st.integers(1, 4))
RANKINGS = st.lists(st.sampled_from(RankingRule), min_size=1, unique=True).map(tuple)
CARRIAGE = 50, 120, 400
"""Minor units below 60 km, below 200 km and beyond."""
ORDERS = st.lists(
    st.tuples(st.integers(0, 8), st.lists(LINE, min_size=1, max_size=3)), min_size=1, max_size=10
)


def ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def columns(rows: Sequence[tuple[int, int, int]]) -> Ints:
    """The columns of a table of three."""
    return np.array(rows, np.int64).reshape(-1, 3).T


def stock_of(moves: Sequence[Move], loads: dict[tuple[int, int], int]) -> Stock:
    """The arrays that the store reads from the database, made the plain way."""
    cells: list[tuple[int, int, int]] = []
    later: list[tuple[int, int, int]] = []
    for key, of_cell in groupby(sorted(moves), lambda move: move[:2]):
        by_moment = [(move[2], move[3]) for move in of_cell]
        total = sum(units for _, units in by_moment) - loads.get(key, 0)
        if total <= 0:
            continue
        for moment in sorted({at for at, _ in by_moment}):
            sums = [
                sum(units for at, units in by_moment if at >= start)
                for start, _ in by_moment
                if start >= moment
            ]
            later.append((len(cells), moment, max(0, *sums)))
        cells.append((key[0], key[1], total))
    return Stock(*columns(cells), *columns(later))


def solve(
    orders: Sequence[OrderTuple],
    moves: Sequence[Move],
    loads: dict[tuple[int, int], int],
    ranking: tuple[RankingRule, ...] = ROUTING.ranking,
) -> tuple[Allocation, Lines]:
    lines = Lines(
        *columns(
            [
                (number, sku, quantity)
                for number, (_, of_order) in enumerate(orders)
                for sku, quantity in sorted(of_order)
            ]
        )
    )
    due = ints([due for due, _ in orders])
    frame = Orders(
        due=due,
        latitude=np.where(due % 3, due / 5, np.nan),
        longitude=np.where(due % 3, due / 7, np.nan),
        country=np.array(["DE", "FR"])[due % 2],
    )
    minor = np.tile(np.array(CARRIAGE, np.float64), (1, len(orders), 1))
    prices = Prices(np.array([60.0, 200.0]), minor, np.zeros(4, np.int64))
    routing = Routing("test", ranking)
    return allocate(frame, SITES, lines, stock_of(moves, loads), routing, prices), lines


def standing(orders: Orders, order: int, site: int) -> Standing:
    """How a site stands to an order; the plain form."""
    latitude, longitude = float(orders.latitude[order]), float(orders.longitude[order])
    is_abroad = bool(SITES.country[site] != orders.country[order])
    handling = int(SITES.handling[site])
    if np.isnan(latitude):
        return Standing(is_abroad, handling, float(is_abroad), handling)
    place = float(SITES.latitude[site]), float(SITES.longitude[site])
    km = great_circle_km(*place, latitude, longitude)
    carriage = CARRIAGE[(km >= 60) + (km >= 200)]
    return Standing(is_abroad, handling + carriage, round(km, 3), handling)


def in_turn(
    allocation: Allocation,
    orders: Sequence[OrderTuple],
    moves: Sequence[Move],
    ranking: tuple[RankingRule, ...] = ROUTING.ranking,
) -> list[Shares]:
    """What the plain rule chooses."""
    demands = []
    for number, (due, lines) in enumerate(orders):
        units: dict[str, int] = {}
        for sku, quantity in sorted(lines):
            units[str(sku)] = units.get(str(sku), 0) + quantity
        asked = allocation.problem.orders
        sites = {str(site): standing(asked, number, site) for site in range(4)}
        demands.append(Demand(due, units, sites))
    return allocate_in_turn(demands, plain(moves), {}, ranking)


def plain(moves: Sequence[Move]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    result: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for sku, site, at, quantity in moves:
        result.setdefault((str(sku), str(site)), []).append((at, quantity))
    return result


def chosen(allocation: Allocation) -> list[Shares]:
    """Shares per order, as the plain rule gives them."""
    found: list[Shares] = [{} for _ in allocation.problem.orders.due]
    demand, stock = allocation.problem.demand, allocation.problem.stock
    for row, cell, units in zip(
        allocation.shares.demand, allocation.shares.cell, allocation.shares.quantity, strict=True
    ):
        found[demand.order[row]][str(demand.sku[row]), str(stock.site[cell])] = int(units)
    return found


def write_downs(moves: Sequence[Move], seed: int) -> list[Move]:
    """The moves with some later ones turned into write-downs that the stock covers."""
    rows, left = [], dict.fromkeys({move[:2] for move in moves}, 0)
    for place, (sku, site, at, quantity) in enumerate(sorted(moves, key=lambda move: move[2])):
        is_loss = (seed >> place) & 1 and left[sku, site] >= quantity
        rows.append((sku, site, at, -quantity if is_loss else quantity))
        left[sku, site] += rows[-1][3]
    return rows


def trimmed(orders: Sequence[OrderTuple], moves: Sequence[Move]) -> list[OrderTuple]:
    """The orders in turn, as far as the stock of all sites covers them."""
    left = dict.fromkeys(range(3), 0)
    for sku, _, _, quantity in moves:
        left[sku] += quantity
    kept = []
    for due, lines in sorted(orders, key=lambda order: order[0]):
        covered = []
        for sku, quantity in lines:
            units = min(quantity, left[sku])
            left[sku] -= units
            covered += [(sku, units)] if units else []
        kept += [(due, covered)] if covered else []
    return kept


@settings(max_examples=400, deadline=None)
@given(orders=ORDERS, moves=MOVES, seed=st.integers(0, 4095), ranking=RANKINGS)
@example(
    orders=[(5, [(0, 1)]), (6, [(0, 4)])], moves=[(0, 0, 9, 3), (0, 1, 7, 2)], seed=0,
    ranking=ROUTING.ranking,
)  # fmt: skip
def test_arrays_choose_like_the_plain_rule_under_any_ranking(
    orders: list[OrderTuple], moves: list[Move], seed: int, ranking: tuple[RankingRule, ...]
) -> None:
    moves = write_downs(moves, seed)
    orders = trimmed(orders, moves)
    if orders:
        allocation, _ = solve(orders, moves, {}, ranking)
        assert chosen(allocation) == in_turn(allocation, orders, moves, ranking)


@settings(max_examples=200, deadline=None)
@given(orders=ORDERS, moves=MOVES, seed=st.integers(0, 4095))
def test_rows_and_moments_follow_from_the_choice(
    orders: list[OrderTuple], moves: list[Move], seed: int
) -> None:
    moves = write_downs(moves, seed)
    orders = trimmed(orders, moves)
    if not orders:
        return
    allocation, lines = solve(orders, moves, {})
    rows = allocation.rows(lines)
    given_units = np.bincount(rows.line, rows.quantity, minlength=len(lines.quantity))
    assert given_units.tolist() == lines.quantity.tolist()
    assert len(set(zip(rows.line.tolist(), rows.site.tolist(), strict=True))) == len(rows.line)
    loads: dict[tuple[int, int], int] = {}
    for line, site, units, at in zip(
        rows.line, rows.site, rows.quantity, rows.available, strict=True
    ):
        cell = int(lines.sku[line]), int(site)
        loads[cell] = loads.get(cell, 0) + int(units)
        due = int(allocation.problem.orders.due[lines.order[line]])
        history = [move[2:] for move in moves if move[:2] == cell]
        assert due <= at
        assert available_at(history, loads[cell], due) <= at
        assert loads[cell] <= units_at(history, int(at))


@settings(max_examples=200, deadline=None)
@given(
    orders=ORDERS, moves=MOVES, seed=st.integers(0, 4095), cut=st.integers(1, 9), ranking=RANKINGS
)
def test_chunks_do_not_matter(
    orders: list[OrderTuple], moves: list[Move], seed: int, cut: int,
    ranking: tuple[RankingRule, ...],
) -> None:  # fmt: skip
    moves = write_downs(moves, seed)
    orders = trimmed(orders, moves)
    if not 0 < cut < len(orders):
        return
    first, _ = solve(orders[:cut], moves, {}, ranking)
    loads: dict[tuple[int, int], int] = {}
    for shares in chosen(first):
        for (sku, site), units in shares.items():
            loads[int(sku), int(site)] = loads.get((int(sku), int(site)), 0) + units
    second, _ = solve(orders[cut:], moves, loads, ranking)
    whole, _ = solve(orders, moves, {}, ranking)
    assert chosen(first) + chosen(second) == chosen(whole)


def test_one_site_that_has_all_is_better_than_two_that_are_near() -> None:
    moves = [(0, 0, 0, 1), (1, 1, 0, 1), (0, 3, 0, 1), (1, 3, 0, 1)]
    allocation, lines = solve([(1, [(0, 1), (1, 1)])], moves, {})
    rows = allocation.rows(lines)
    assert rows.site.tolist() == [3, 3]
    assert rows.policy.tolist() == ["single_site", "single_site"]


def test_a_split_takes_the_site_with_most_lines_first() -> None:
    moves = [(0, 0, 0, 1), (1, 2, 0, 1), (0, 3, 0, 1), (2, 3, 0, 1)]
    allocation, lines = solve([(1, [(0, 1), (1, 1), (2, 1)])], moves, {})
    rows = allocation.rows(lines)
    assert rows.site.tolist() == [3, 2, 3]
    assert set(rows.policy.tolist()) == {"split_by_line"}


def test_a_line_no_site_has_whole_is_put_together_and_waits_for_the_rest() -> None:
    moves = [(0, 0, 0, 2), (0, 1, 0, 1), (0, 2, 9, 5)]
    allocation, lines = solve([(1, [(0, 1), (0, 3)])], moves, {})
    rows = allocation.rows(lines)
    assert rows.site.tolist() == [0, 0, 1, 2]
    assert rows.quantity.tolist() == [1, 1, 1, 1]
    assert rows.available.tolist() == [1, 1, 1, 9]
    assert set(rows.policy.tolist()) == {"split_line"}


def test_considered_says_what_each_site_could_have_shipped() -> None:
    moves = [(0, 0, 0, 1), (0, 1, 0, 2), (1, 1, 0, 2)]
    allocation, _ = solve([(1, [(0, 1)]), (2, [(0, 1), (1, 1)])], moves, {})
    told = allocation.considered()
    by_order = list(zip(told.order.tolist(), told.site.tolist(), told.covers.tolist(), strict=True))
    assert by_order == [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 2)]


def test_units_that_are_nowhere_break_an_invariant() -> None:
    with pytest.raises(NotCovered):
        solve([(1, [(0, 2)])], [(0, 0, 0, 1)], {})


def test_distances_agree_with_the_plain_formula() -> None:
    allocation, _ = solve([(1, [(0, 1)])] * 3, [(0, site, 0, 9) for site in range(4)], {})
    orders, candidates = allocation.problem.orders, allocation.candidates
    for order, site, km in zip(candidates.order, candidates.site, candidates.distance, strict=True):
        places = SITES.latitude[site], SITES.longitude[site]
        there = orders.latitude[order], orders.longitude[order]
        expected = np.nan if np.isnan(there[0]) else great_circle_km(*places, *there)
        assert km == pytest.approx(expected, nan_ok=True)


def test_no_order_is_nearer_than_itself_and_half_the_earth_is_far() -> None:
    assert great_circle_km(52.5, 13.4, 52.5, 13.4) == 0
    assert great_circle_km(0, 0, 0, 180) == pytest.approx(20015.1, abs=0.1)
    assert all(a < b for a, b in pairwise(great_circle_km(0, 0, 0, x) for x in range(0, 181, 20)))
