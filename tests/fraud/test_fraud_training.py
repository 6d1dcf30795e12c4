"""Training and scoring over frames."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ecom_assets.fraud.features import ACCOUNT_AGE, FEATURES, NAMES, reason
from ecom_assets.fraud.scoring import LEAST_CONTRIBUTION, score_by_model
from ecom_assets.fraud.training import fit, is_enough, measure, train


def labelled(rows: int = 1_200, seed: int = 3) -> pd.DataFrame:
    """Orders of which every twentieth is fraud, told by a shared device more often than not."""
    draw = np.random.default_rng(seed)
    figures = pd.DataFrame(0.0, index=range(rows), columns=list(NAMES))
    is_fraud = draw.random(rows) < 0.05
    figures["value_eur"] = draw.lognormal(4, 1, rows).round(2)
    figures["device_customers"] = np.where(
        is_fraud, draw.poisson(1.5, rows), draw.poisson(0.1, rows)
    )
    figures["account_age_days"] = 365.0
    return figures.assign(is_fraud=is_fraud)


def test_names_and_reasons_are_unique() -> None:
    assert len(set(NAMES)) == len(FEATURES) == len({reason(name) for name in NAMES})
    assert set(ACCOUNT_AGE) <= set(NAMES)


def test_a_model_is_plain_numbers_and_the_same_every_time() -> None:
    first, second = train(labelled()), train(labelled())
    assert json.loads(json.dumps(first.coefficients)) == second.coefficients
    assert (first.rows_used, first.positives) == (1_200, int(labelled()["is_fraud"].sum()))


def test_the_model_finds_what_tells_frauds() -> None:
    trained = train(labelled())
    weights = {name: part["weight"] for name, part in trained.coefficients["features"].items()}
    assert max(weights, key=lambda name: weights[name]) == "device_customers"
    assert weights["ip_customers"] == 0.0
    assert trained.metrics["roc_auc"] > 0.8
    assert trained.metrics["held_out_rows"] == 300
    assert len(trained.metrics["calibration"]) == 5


def test_probabilities_match_the_rate_of_fraud() -> None:
    known, new = labelled(4_000), labelled(4_000, seed=4)
    scores = score_by_model(new, train(known).coefficients)
    assert scores.probability.mean() == pytest.approx(new["is_fraud"].mean(), abs=0.015)


def test_a_score_does_not_depend_on_the_other_orders() -> None:
    figures = labelled()
    coefficients = train(figures).coefficients
    together = score_by_model(figures, coefficients)
    for at in (0, 7, 1_199):
        alone = score_by_model(figures.iloc[[at]], coefficients)
        assert alone.probability[0] == together.probability[at]
        assert alone.reasons[0].tolist() == together.reasons[at].tolist()


def test_reasons_name_what_raised_the_score() -> None:
    figures = labelled()
    coefficients = train(figures).coefficients
    shared = figures.iloc[[0]].assign(device_customers=5.0, value_eur=1.0)
    assert score_by_model(shared, coefficients).reasons[0][0] == "device_shared_by_customers"
    plain = figures.iloc[[0]].assign(device_customers=0.0, value_eur=50.0)
    assert LEAST_CONTRIBUTION > 0
    assert not any(score_by_model(plain, coefficients).reasons[0])


def test_values_never_seen_in_training_stay_within_bounds() -> None:
    figures = labelled()
    far = figures.iloc[[0]].assign(device_customers=1e9, value_eur=1e12)
    scores = score_by_model(far, train(figures).coefficients)
    assert 0.0 <= scores.probability[0] <= 1.0


def test_a_range_without_late_frauds_is_not_measured() -> None:
    figures = labelled()
    figures["is_fraud"] &= figures.index < 800
    assert train(figures).metrics == {"held_out_rows": 300, "held_out_frauds": 0}


@pytest.mark.parametrize(
    ("rows", "frauds", "enough"),
    [(200, 20, True), (199, 20, False), (200, 19, False), (200, 200, False), (0, 0, False)],
)
def test_few_labels_are_not_enough(rows: int, frauds: int, enough: bool) -> None:
    assert is_enough(rows, frauds) is enough


def test_measures_of_a_perfect_and_a_useless_score() -> None:
    truth = np.arange(1_000) >= 900
    perfect = measure(truth, truth.astype(float))
    assert (perfect["roc_auc"], perfect["brier"]) == (1.0, 0.0)
    assert perfect["precision_at_1_percent"] == 1.0
    useless = measure(truth, np.full(1_000, 0.1))
    assert (useless["roc_auc"], useless["average_precision"]) == (0.5, 0.1)


def test_a_model_may_leave_features_out() -> None:
    figures = labelled()
    names = ("value_eur", "device_customers")
    coefficients = fit(figures, figures["is_fraud"].to_numpy(dtype=bool), names)
    assert tuple(coefficients["features"]) == names
    assert len(score_by_model(figures, coefficients).probability) == 1_200
