"""Training of the fraud model: logistic regression on standardised features.

Classes are not reweighted: the probabilities then match the observed rate of fraud, which the
expected-cost decision of the risk area relies on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecom_assets.fraud import features
from ecom_assets.fraud.scoring import Floats, score_by_model, score_by_rules, standardise

LEAST_ROWS, LEAST_FRAUDS = 200, 20
"""Labelled orders, and frauds among them, below which no model is trained."""

HELD_OUT = 0.25
"""Share of the training range, its last part in time, that the metrics are measured on."""

_INVERSE_PENALTY = 0.3
_DIGITS = 8
"""Digits that coefficients keep: more than the solver's own accuracy would not be repeatable."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model as it is stored, with its metrics."""

    rows_used: int
    positives: int
    coefficients: dict[str, Any]
    metrics: dict[str, Any]


def is_enough(rows: int, frauds: int) -> bool:
    """Whether a model can be trained on so many labelled orders with so many frauds."""
    return rows >= LEAST_ROWS and LEAST_FRAUDS <= frauds < rows


def train(figures: pd.DataFrame) -> Trained:
    """Train on labelled orders and measure on the last part of their time.

    Args:
        figures: one row per labelled order, oldest first, with the features and `is_fraud`.
    """
    is_fraud = figures["is_fraud"].to_numpy(dtype=np.bool_)
    return Trained(
        rows_used=len(figures),
        positives=int(is_fraud.sum()),
        coefficients=fit(figures, is_fraud, features.NAMES),
        metrics=evaluate(figures, is_fraud),
    )


def fit(figures: pd.DataFrame, is_fraud: Flags, names: tuple[str, ...]) -> dict[str, Any]:
    """Coefficients as plain numbers: the intercept, and per feature weight, mean and scale."""
    from sklearn.linear_model import LogisticRegression

    columns = features.design(figures, names)
    mean, scale = columns.mean(axis=0), columns.std(axis=0)
    # A feature that never varied would divide by zero; with scale 1 it stays 0 and weighs nothing.
    scale = np.where(scale > 1e-9, scale, 1.0)
    # Many rows and few columns: exact Newton steps beat the default solver many times over.
    model = LogisticRegression(C=_INVERSE_PENALTY, solver="newton-cholesky")
    model.fit(standardise(columns, mean, scale), is_fraud)
    parts = zip(names, model.coef_[0], mean, scale, strict=True)
    return {
        "intercept": round(float(model.intercept_[0]), _DIGITS),
        "features": {
            name: {
                "weight": round(float(weight), _DIGITS),
                "mean": round(float(middle), _DIGITS),
                "scale": round(float(width), _DIGITS),
            }
            for name, weight, middle, width in parts
        },
    }


def evaluate(figures: pd.DataFrame, is_fraud: Flags) -> dict[str, Any]:
    """Train on the first part of the range and measure on the last; the rules beside the model.

    Returns:
        Figures of `measure`, with the ROC AUC of the rules and of a model without account age; only
        the sizes where one of the parts has one kind of label alone.
    """
    # Split by time, never at random: a model must prove itself on orders later than it learnt from.
    split = int(len(figures) * (1 - HELD_OUT))
    earlier, later, truth = figures.iloc[:split], figures.iloc[split:], is_fraud[split:]
    sizes: dict[str, Any] = {"held_out_rows": len(later), "held_out_frauds": int(truth.sum())}
    if not (_has_both(is_fraud[:split]) and _has_both(truth)):
        return sizes
    names = features.NAMES
    ageless = tuple(name for name in names if name not in features.ACCOUNT_AGE)
    full, without_age = (
        score_by_model(later, fit(earlier, is_fraud[:split], columns)).probability
        for columns in (names, ageless)
    )
    return {
        **sizes,
        **measure(truth, full),
        "roc_auc_rules": roc_auc(truth, score_by_rules(later).probability),
        "roc_auc_without_account_age": roc_auc(truth, without_age),
    }


def _has_both(is_fraud: Flags) -> bool:
    return bool(is_fraud.any() and not is_fraud.all())


def roc_auc(truth: Flags, probability: Floats) -> float:
    """Chance that a fraud scores above a legitimate order; 0.5 is a guess."""
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score(truth, probability)), 4)


def measure(truth: Flags, probability: Floats) -> dict[str, Any]:
    """How well probabilities rank and how well they match what happened.

    Returns:
        ROC AUC, average precision, Brier score, share of frauds among the highest-scored 1 %, and
        the mean probability beside the observed rate for fifths of the orders, lowest first.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss

    order = np.argsort(probability, kind="stable")
    # What a team that can look at one order in a hundred would get to see.
    top = order[-max(1, len(order) // 100) :]
    return {
        "roc_auc": roc_auc(truth, probability),
        "average_precision": round(float(average_precision_score(truth, probability)), 4),
        "brier": round(float(brier_score_loss(truth, probability)), 5),
        "precision_at_1_percent": round(float(truth[top].mean()), 4),
        "calibration": [
            {
                "predicted": round(float(probability[part].mean()), 5),
                "observed": round(float(truth[part].mean()), 5),
            }
            for part in np.array_split(order, 5)
        ],
    }
