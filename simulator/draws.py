"""Random numbers as a pure function of (seed, what, index).

Nothing is drawn in sequence, so any order, customer or product can be made at any time, alone or
in a block of any size, and is always the same. That is what lets a shop of millions of orders be
written as a stream: what an order needs of its customer is made again instead of remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Draws:
    """Draws for one seed; the methods take a name for the draw and an array of indices."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def word(self, what: str, index: Ints) -> Words:
        """64 random bits per index: SplitMix64 (Steele, Lea, Flood 2014) from a keyed start."""
        # A keyed hash, not `hash()`, which differs from process to process.
        digest = blake2b(f"{self._seed}/{what}".encode(), digest_size=8).digest()
        start = np.uint64(int.from_bytes(digest, "little"))
        mixed = np.asarray(index).astype(np.uint64) * _STEP + start
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        return mixed ^ (mixed >> np.uint64(31))

    def uniform(self, what: str, index: Ints) -> Floats:
        """Uniform in [0, 1), with the 53 bits a double holds."""
        return (self.word(what, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, what: str, index: Ints, bound: Ints | int) -> Ints:
        """Uniform whole numbers from 0 to `bound` - 1."""
        limit = np.asarray(bound, dtype=np.float64)
        return (self.uniform(what, index) * limit).astype(np.int64)

    def chance(self, what: str, index: Ints, probability: Floats | float) -> Flags:
        """True with the given probability."""
        return self.uniform(what, index) < probability

    def normal(self, what: str, index: Ints) -> Floats:
        """Standard normal, by Box and Muller (1958)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(f"{what}/radius", index)))
        return radius * np.cos(2.0 * np.pi * self.uniform(f"{what}/angle", index))

    def around(self, what: str, index: Ints, median: Floats | float, sigma: float) -> Floats:
        """Lognormal with the given median; `sigma` is the deviation of the logarithm."""
        return median * np.exp(sigma * self.normal(what, index))

    def choice(self, what: str, index: Ints, weights: Sequence[float] | Floats) -> Ints:
        """Positions in `weights`, each as often as its weight says."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = self.uniform(what, index) * edges[-1]
        found: Ints = np.searchsorted(edges, drawn, side="right")
        # The product of a draw just below one and the last edge may round up to that edge.
        last: Ints = np.minimum(found, len(edges) - 1)
        return last


def scramble(number: Ints, digits: int) -> Ints:
    """Map 0..10^digits - 1 onto itself so that codes do not tell age or rank.

    The multiplier is coprime to ten, so no two numbers meet.
    """
    code: Ints = (number * 7_654_321 + 1_234_567) % 10**digits
    return code
