"""Types of arrays, and two operations over segments that every part of an allocation needs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]


def ranges(starts: Ints, counts: Ints) -> Ints:
    """The integers `start .. start + count - 1` of each pair, one pair after the other."""
    ends = np.cumsum(counts)
    numbers: Ints = np.arange(counts.sum()) + np.repeat(starts - (ends - counts), counts)
    return numbers


def running(values: Ints, segment: Ints) -> Ints:
    """Running sum of `values` within each segment; `segment` is sorted."""
    total = np.cumsum(values)
    first = np.searchsorted(segment, segment)
    sums: Ints = total - (total - values)[first]
    return sums
