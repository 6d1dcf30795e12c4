"""Draws are functions of their index: the same alone and in a block, and shaped as they say."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.draws import Draws, scramble

MANY = np.arange(200_000)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 2**50), min_size=1, max_size=20))
def test_a_draw_is_the_same_alone_and_among_others(seed: int, numbers: list[int]) -> None:
    draws = Draws(seed)
    together = draws.word("what", np.array(numbers))
    alone = [draws.word("what", np.array([number]))[0] for number in numbers]
    assert together.tolist() == alone


def splitmix64(state: int) -> int:
    """The published generator in whole numbers, without arrays."""
    mask = 2**64 - 1
    mixed = state & mask
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & mask
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & mask
    return mixed ^ (mixed >> 31)


@given(st.integers(0, 2**40), st.text(max_size=8), st.integers(0, 2**50))
def test_words_are_those_of_splitmix64(seed: int, what: str, number: int) -> None:
    digest = blake2b(f"{seed}/{what}".encode(), digest_size=8).digest()
    state = int.from_bytes(digest, "little") + number * 0x9E3779B97F4A7C15
    assert int(Draws(seed).word(what, np.array([number]))[0]) == splitmix64(state)


def test_names_and_seeds_give_unrelated_draws() -> None:
    one, other = Draws(1).uniform("a", MANY), Draws(1).uniform("b", MANY)
    third = Draws(2).uniform("a", MANY)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(one, third)[0, 1]) < 0.01
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.01


def test_uniform_draws_fill_the_unit_interval_evenly() -> None:
    drawn = Draws(3).uniform("u", MANY)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert np.abs(counts / len(MANY) - 0.05).max() < 0.003


def test_normal_draws_have_mean_zero_and_deviation_one() -> None:
    drawn = Draws(3).normal("n", MANY)
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1.0) < 0.01


def test_lognormal_draws_have_the_given_median() -> None:
    assert np.median(Draws(3).around("l", MANY, 50.0, 0.7)) == pytest.approx(50.0, rel=0.02)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=8))
def test_choices_are_positions_and_as_frequent_as_their_weights(weights: list[float]) -> None:
    chosen = Draws(4).choice("c", np.arange(20_000), weights)
    shares = np.bincount(chosen, minlength=len(weights)) / 20_000
    assert len(shares) == len(weights)
    assert np.abs(shares - np.array(weights) / sum(weights)).max() < 0.02


@given(st.integers(1, 1000))
def test_whole_draws_stay_below_their_bound(bound: int) -> None:
    drawn = Draws(5).below("b", np.arange(5_000), bound)
    assert drawn.min() >= 0
    assert drawn.max() < bound


@pytest.mark.parametrize("digits", [3, 6])
def test_scrambling_loses_and_repeats_nothing(digits: int) -> None:
    everything = np.arange(10**digits)
    assert np.array_equal(np.sort(scramble(everything, digits)), everything)
