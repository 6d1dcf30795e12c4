"""Scores of whole frames of orders: by a stored model, or by the rules.

Nothing is deserialised: a model is its intercept and per feature a weight, a mean and a scale. Sums
run along the row of one order, never through a matrix product, so an order's score does not depend
on which other orders are scored with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecom_assets.fraud import features
from ecom_assets.fraud.rules import FraudPolicy

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]

MOST_REASONS = 3
LEAST_CONTRIBUTION = 0.25
"""Log-odds that a feature must add, over the average order, to be named as a reason."""

FARTHEST = 8.0
"""A standardised feature counts at most this many standard deviations from its mean."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of orders, in the order of the frame.

    Attributes:
        probability: 0 to 1, rounded to six digits.
        reasons: one row per order, strongest first, None where there are fewer.
    """

    probability: Floats
    reasons: Words


def standardise(columns: Floats, mean: Floats, scale: Floats) -> Floats:
    """Columns as distances from the mean in standard deviations, within `FARTHEST`."""
    clipped: Floats = np.clip((columns - mean) / scale, -FARTHEST, FARTHEST)
    return clipped


def score_by_model(figures: pd.DataFrame, coefficients: Mapping[str, Any]) -> Scores:
    """Score orders with a model as `training.train` returns it."""
    names = tuple(coefficients["features"])
    parts = coefficients["features"].values()
    weight, mean, scale = (
        np.array([part[key] for part in parts], dtype=np.float64)
        for key in ("weight", "mean", "scale")
    )
    contributions = standardise(features.design(figures, names), mean, scale) * weight
    log_odds = coefficients["intercept"] + contributions.sum(axis=1)
    words = np.array([features.reason(name) for name in names], dtype=np.object_)
    return Scores(_probability(log_odds), _strongest(contributions, words, LEAST_CONTRIBUTION))


def score_by_rules(figures: pd.DataFrame, policy: FraudPolicy | None = None) -> Scores:
    """Score orders as `rules.assess` does each."""
    policy = policy or FraudPolicy()
    rules = policy.rules
    points = np.array([rule.points for rule in rules])
    held = np.column_stack([figures[rule.feature].to_numpy() >= rule.at_least for rule in rules])
    log_odds = policy.base_log_odds + (held * points).sum(axis=1)
    words = np.array([rule.reason for rule in rules], dtype=np.object_)
    # Rules run from strong to weak, and the sort is stable: rank stands for strength.
    ranks = held * np.arange(len(rules), 0, -1, dtype=np.float64)
    probability = np.minimum(policy.most, _probability(log_odds))
    return Scores(probability, _strongest(ranks, words, 0.0, len(rules)))


def _probability(log_odds: Floats) -> Floats:
    rounded: Floats = np.round(1.0 / (1.0 + np.exp(-log_odds)), 6)
    return rounded


def _strongest(strength: Floats, words: Words, above: float, most: int = MOST_REASONS) -> Words:
    order = np.argsort(-strength, axis=1, kind="stable")[:, :most]
    named: Words = words[order]
    # An order with fewer reasons than places: what adds nothing is not named.
    named[np.take_along_axis(strength, order, axis=1) <= above] = None
    return named
