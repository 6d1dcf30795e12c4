"""Clearing stocks by a plan against the fixed ladder of 20, 40 and 50 percent.

    python -m bench.markdown                 300 products, elasticities of several errors and biases

Demand is Poisson with the true elasticity; the plan knows an estimate with its error. The same
customers come to both.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ecom_assets.pricing.markdown import Clearance, Policy, is_automated, plan_clearance
from ecom_assets.pricing.markdown.planning import STEPS, ladder_step


@dataclass(frozen=True, slots=True)
class Trial:
    """A stock to be cleared, and the true elasticity."""

    task: Clearance
    elasticity: float

    @classmethod
    def drawn(cls, rng: Generator, error: float, bias: float) -> Trial:
        """A stock of a few months; the estimate misses by the bias and by chance."""
        elasticity = float(np.clip(rng.normal(-2.2, 0.6), -4.0, -1.0))
        weeks, units = int(rng.integers(6, 13)), float(np.exp(rng.normal(1.2, 0.7)))
        stock = max(int(units * weeks * rng.uniform(0.8, 4.0)), 2)
        said = elasticity + bias + float(rng.normal(0, error))
        return cls(Clearance(stock, weeks, 2_000, units, said, error), elasticity)


def _sold(trial: Trial, share: float, left: int, rng: Generator) -> int:
    mean = trial.task.weekly_units * share**trial.elasticity
    return min(int(rng.poisson(mean)), left)


def takings_by_policy(trial: Trial, policy: Policy, rng: Generator) -> float:
    """What the plan takes, week by week by what is left."""
    left, takings, so_far = trial.task.stock, 0.0, 0
    for week in range(trial.task.weeks):
        so_far = policy.step(week, left, so_far)
        sold = _sold(trial, float(STEPS[so_far]), left, rng)
        takings, left = takings + sold * float(STEPS[so_far]) * trial.task.full_minor, left - sold
    return takings


def takings_by_ladder(trial: Trial, rng: Generator) -> float:
    """What the ladder takes."""
    left, takings = trial.task.stock, 0.0
    for week in range(trial.task.weeks):
        share = ladder_step(week, trial.task.weeks)
        sold = _sold(trial, share, left, rng)
        takings, left = takings + sold * share * trial.task.full_minor, left - sold
    return takings


def gain(products: int, error: float, bias: float, seed: int) -> tuple[float, float]:
    """How much more the plans take than the ladder, and the share that would be automated."""
    rng = np.random.default_rng(seed)
    trials = [Trial.drawn(rng, error, bias) for _ in range(products)]
    ours = sum(takings_by_policy(trial, plan_clearance(trial.task), np.random.default_rng(i))
               for i, trial in enumerate(trials))  # fmt: skip
    ladder = sum(takings_by_ladder(trial, np.random.default_rng(i))
                 for i, trial in enumerate(trials))  # fmt: skip
    # What is biased rests on association: nothing moved its prices by itself.
    automated = float(np.mean([is_automated(trial.task, bias == 0)[0] for trial in trials]))
    return ours / ladder - 1, automated


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--products", type=int, default=300)
    given = parser.parse_args()
    print(f"{'error':>6}{'bias':>6}{'against the ladder':>20}{'automated':>11}")
    for error, bias in ((0.0, 0.0), (0.3, 0.0), (0.5, 0.0), (0.3, 1.0), (0.6, 1.0), (0.6, -1.0)):
        more, automated = gain(given.products, error, bias, seed=3)
        print(f"{error:6.1f}{bias:6.1f}{more:20.1%}{automated:11.0%}")


if __name__ == "__main__":
    main()
