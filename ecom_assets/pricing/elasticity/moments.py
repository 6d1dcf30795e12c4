"""Units as an exponential function of the price, by instruments, many products at once.

With units u, logarithm of the price x and instrument z the moment is z (u exp(-a - e x) - 1) = 0,
which holds for shocks that multiply demand (J. Mullahy, Review of Economics and Statistics 79,
1997). Weeks without a sale count as what they are. The level a, and what promotions do, are solved
for at a given elasticity; what is left says how far that elasticity is off, and how surely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.elasticity.panel import Reals

_ROUNDS = 12
_LAGS = 8
"""Weeks over which shocks may be related (W. Newey and K. West, Econometrica 55, 1987)."""

_LONGEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """What the weeks of n products say of their elasticities e.

    `target` is normal around `slope` times e with the given variance; nothing is divided, so that
    a product of which little is known does no harm.
    """

    target: Reals
    slope: Reals
    variance: Reals


def ask(
    units: Reals, log_price: Reals, instrument: Reals, filler: Reals, offset: Reals,
    elasticity: Reals, weight: Reals,
) -> Said:  # fmt: skip
    """What is said of the elasticities, looked at from given ones.

    Args:
        units: n by t.
        log_price: deviations of the logarithm of the price, n by t.
        instrument: what moves it for reasons buyers do not share, n by t.
        filler: share of the units on promotion, n by t.
        offset: known part of the logarithm of expected units, n by t.
        elasticity: where to look from, n.
        weight: 1 for weeks that count, 0 for others, n by t.
    """
    nuisance = np.stack([weight, filler * weight], axis=2)
    ratio = _settled(units, nuisance, offset + elasticity[:, None] * log_price, weight)
    # What of the instrument level and promotions cannot take on themselves.
    inner = _square(nuisance, ratio)
    shared = np.einsum("ntk,nt,nt->nk", nuisance, ratio, instrument)
    part = np.linalg.solve(inner, shared[..., None])[..., 0]
    own = (instrument - np.einsum("ntk,nk->nt", nuisance, part)) * weight
    score = own * (ratio - weight)
    slope = (own * ratio * log_price).sum(axis=1)
    return Said(score.sum(axis=1) + slope * elasticity, slope, _lasting(score, weight))


def _settled(units: Reals, nuisance: Reals, offset: Reals, weight: Reals) -> Reals:
    """Units over what is expected of them, with level and promotions solved for."""
    beta = np.zeros((len(units), nuisance.shape[2]))
    level = np.maximum((np.exp(np.clip(offset, -20, 20)) * weight).sum(axis=1), 1e-9)
    beta[:, 0] = np.log(np.maximum((units * weight).sum(axis=1), 0.5) / level)
    for _ in range(_ROUNDS):
        ratio = _ratio(units, nuisance, beta, offset, weight)
        moment = np.einsum("ntk,nt->nk", nuisance, ratio - weight)
        step = np.linalg.solve(_square(nuisance, ratio), moment[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        beta = beta + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-12))
    return _ratio(units, nuisance, beta, offset, weight)


def _square(nuisance: Reals, ratio: Reals) -> Reals:
    inner: Reals = np.einsum("ntk,nt,ntl->nkl", nuisance, ratio, nuisance)
    # A product that never had a promotion has no figure for it; the ridge says zero.
    return inner + 1e-3 * np.eye(nuisance.shape[2])


def _ratio(units: Reals, nuisance: Reals, beta: Reals, offset: Reals, weight: Reals) -> Reals:
    index = np.clip(np.einsum("ntk,nk->nt", nuisance, beta) + offset, -30.0, 30.0)
    ratio: Reals = units * np.exp(-index) * weight
    return ratio


def _lasting(score: Reals, weight: Reals) -> Reals:
    """The variance of sums of scores that may be related over some weeks."""
    variance = (score**2).sum(axis=1)
    least = 0.25 * variance
    for lag in range(1, min(_LAGS, score.shape[1] - 1) + 1):
        cross = (score[:, lag:] * score[:, :-lag]).sum(axis=1)
        variance = variance + 2 * (1 - lag / (_LAGS + 1)) * cross
    # Few weeks and some coefficients make the plain formula too small.
    seen = weight.sum(axis=1)
    factor = seen / np.maximum(seen - 3, 1)
    lasting: Reals = np.maximum(variance, least) * factor
    return lasting
