"""Units as an exponential function of the price, estimated by instruments, many products at once.

With units u, regressors x and instruments z the moments are z (u exp(-x b) - 1) = 0, which holds
for shocks that multiply demand (J. Mullahy, Instrumental-variable estimation of count data models,
Review of Economics and Statistics 79, 1997). Weeks without a sale count as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.elasticity.panel import Marks, Reals

_ROUNDS = 25
_LAGS = 6
"""Weeks over which shocks may be related (Newey and West, Econometrica 55, 1987)."""

_LONGEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Solved:
    """Coefficients of n products, k each, their errors, and where the solution was found."""

    coefficients: Reals
    errors: Reals
    is_found: Marks


def solve(units: Reals, x: Reals, z: Reals, offset: Reals, seen: Marks) -> Solved:
    """Solve the moments of every product by Newton's method.

    Args:
        units: n by t.
        x: regressors, n by t by k, the first of them 1.
        z: instruments, n by t by k.
        offset: known part of the logarithm of expected units, n by t.
        seen: weeks that count, n by t.
    """
    n, _, k = x.shape
    weight = seen.astype(float)
    total = np.maximum((units * weight).sum(axis=1), 0.5)
    level = np.maximum((np.exp(offset) * weight).sum(axis=1), 1e-9)
    beta = np.zeros((n, k))
    beta[:, 0] = np.log(total / level)
    ridge = 1e-9 * np.eye(k)
    for _ in range(_ROUNDS):
        ratio = _ratio(units, x, beta, offset, weight)
        moment = np.einsum("ntk,nt->nk", z, ratio - weight)
        slope = np.einsum("ntk,nt,ntl->nkl", z, ratio, x) + ridge
        step = np.linalg.solve(slope, moment[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        beta = beta + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-12))
    ratio = _ratio(units, x, beta, offset, weight)
    slope = np.einsum("ntk,nt,ntl->nkl", z, ratio, x) + ridge
    moment = np.einsum("ntk,nt->nk", z, ratio - weight)
    size = np.sqrt(np.einsum("ntk,ntk->nk", z, z * weight[..., None])) + 1e-9
    is_found = np.isfinite(beta).all(axis=1) & (np.abs(moment) / size < 1e-3).all(axis=1)
    return Solved(beta, _errors(z, ratio - weight, slope), is_found)


def _ratio(units: Reals, x: Reals, beta: Reals, offset: Reals, weight: Reals) -> Reals:
    index = np.clip(np.einsum("ntk,nk->nt", x, beta) + offset, -30.0, 30.0)
    ratio: Reals = units * np.exp(-index) * weight
    return ratio


def _errors(z: Reals, residual: Reals, slope: Reals) -> Reals:
    """Standard errors that allow for shocks that last some weeks and differ in size."""
    score = z * residual[..., None]
    weeks, k = score.shape[1], score.shape[2]
    middle = np.einsum("ntk,ntl->nkl", score, score)
    for lag in range(1, min(_LAGS, weeks - 1) + 1):
        cross = np.einsum("ntk,ntl->nkl", score[:, lag:], score[:, :-lag])
        middle += (1 - lag / (_LAGS + 1)) * (cross + cross.transpose(0, 2, 1))
    bread = np.linalg.inv(slope)
    # Few weeks and several coefficients make the plain formula too small.
    seen = np.maximum((residual != 0).sum(axis=1), k + 1)
    factor = seen / np.maximum(seen - k, 1)
    variance = np.einsum("nij,njk,nlk->nil", bread, middle, bread) * factor[:, None, None]
    errors: Reals = np.sqrt(np.maximum(np.diagonal(variance, axis1=1, axis2=2), 0.0))
    return errors
