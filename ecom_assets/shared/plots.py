"""Plots of several lines for an asset's metadata; imported by `assets` and `checks` only.

Matplotlib is imported inside the functions that draw.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ecom_assets.shared.metadata import image

_COLOURS = ("#4f6bed", "#d1495b", "#2e933c", "#edae49", "#7d5ba6", "#5b5b5b")
_INK = "#4f6bed"


@dataclass(frozen=True, slots=True)
class Fan:
    """A history and what is expected to follow, for one small plot.

    Attributes:
        title: shown above it.
        past: values, oldest first.
        mean: values expected after them.
        bands: low and high values of each interval, widest first, as long as `mean`.
    """

    title: str
    past: Sequence[float]
    mean: Sequence[float]
    bands: Sequence[tuple[Sequence[float], Sequence[float]]]


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]], title: str, across: str, up: str
) -> dg.MarkdownMetadataValue:
    """A line with marks per name.

    Args:
        lines: points of each line by its name, in the order in which they are joined.
        title: shown above the plot.
        across: meaning of the first number of a point.
        up: meaning of the second.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    for place, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        axes.plot(
            [point[0] for point in points], [point[1] for point in points],
            marker="o", markersize=3, linewidth=1.2, color=colour, label=name,
        )  # fmt: skip
    axes.set_xlabel(across, fontsize=8)
    axes.set_ylabel(up, fontsize=8)
    if lines:
        axes.legend(fontsize=7, frameon=False)
    _quiet(axes, title)
    return _shown(figure, title)


def fans(found: Sequence[Fan], title: str, columns: int = 2) -> dg.MarkdownMetadataValue:
    """Small plots of histories with forecasts and their intervals, side by side."""
    from matplotlib.figure import Figure

    rows = max(1, -(-len(found) // columns))
    figure = Figure(figsize=(7.5, 1.9 * rows), layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, fan in zip(places, found, strict=False):
        _draw(axes, fan)
    for axes in places[len(found) :]:
        axes.set_visible(False)
    return _shown(figure, title)


def _draw(axes: Any, fan: Fan) -> None:
    begin = len(fan.past)
    ahead = range(begin, begin + len(fan.mean))
    for place, (low, high) in enumerate(fan.bands):
        axes.fill_between(ahead, low, high, color=_INK, alpha=0.15 + 0.15 * place, linewidth=0)
    axes.plot(range(begin), fan.past, color="#5b5b5b", linewidth=1)
    axes.plot(ahead, fan.mean, color=_INK, linewidth=1.4)
    _quiet(axes, fan.title)


def _quiet(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _shown(figure: Any, title: str) -> dg.MarkdownMetadataValue:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return image(buffer.getvalue(), title)
