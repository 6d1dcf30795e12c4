"""What an asset shows of its result: row counts, money, a table preview, a small plot.

Imported by `assets` and `checks` only. Matplotlib is imported inside the functions that draw.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.shared.columns import Rows
from ecom_assets.shared.money import to_text

PREVIEW_ROWS = 10
_CELL_CHARACTERS = 80


def preview(conn: sa.Connection, rows: Rows, most: int = PREVIEW_ROWS) -> dg.MarkdownMetadataValue:
    """The first rows of a select as a Markdown table; says so where there are none."""
    result = conn.execute(sa.select(rows.subquery()).limit(most))
    names = list(result.keys())
    found = result.all()
    return dg.MetadataValue.md(as_table(names, found))


def as_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a Markdown table that no value can break; says so where there are none."""
    if not rows:
        return "*no rows*"
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        # Plus 0: what rounds to minus nothing is nothing.
        return f"{round(value, 3) + 0:.3f}".rstrip("0").rstrip(".")
    text = "" if value is None else " ".join(str(value).splitlines())
    # Cut before escaping, so that the cut never parts a backslash from its bar.
    short = text if len(text) <= _CELL_CHARACTERS else text[: _CELL_CHARACTERS - 1] + "…"
    return short.replace("|", "\\|")


def money(conn: sa.Connection, totals: Rows) -> dg.MarkdownMetadataValue:
    """Sums of money, from a select of `(currency, amount_minor)`, as text per currency."""
    sums = conn.execute(totals).tuples().all()
    # A sum over no rows is NULL in SQL, and no money to show.
    texts = [to_text(int(amount), currency) for currency, amount in sums if amount is not None]
    return dg.MetadataValue.md(", ".join(texts) or "none")


def bar_plot(
    labels: Sequence[Any], values: Sequence[float], title: str, unit: str
) -> dg.MarkdownMetadataValue:
    """A bar per label as an embedded PNG; up to 60 bars stay readable.

    Args:
        labels: what each bar stands for.
        values: heights, in `unit`.
        title: shown above the plot.
        unit: shown at the vertical axis.
    """
    # Figure itself, not pyplot: no window system, no global state that threads would share.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    names = [str(label) for label in labels]
    axes.bar(range(len(names)), list(values), color="#4f6bed", width=0.85)
    axes.set_title(title, fontsize=10)
    axes.set_ylabel(unit, fontsize=8)
    # About a dozen labels can be read; the bars between them go without.
    step = max(1, len(names) // 12)
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=30, ha="right", fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return image(buffer.getvalue(), title)


def image(png: bytes, title: str) -> dg.MarkdownMetadataValue:
    """A PNG as Markdown that the Dagster UI shows."""
    return dg.MetadataValue.md(
        f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"
    )


def advanced(conn: sa.Connection, table: sa.Table, totals: Mapping[str, int]) -> dict[str, Any]:
    """Metadata every step of the order path shows: what it advanced, and the table's size.

    Args:
        conn: a connection to read the size with.
        table: the table the step writes.
        totals: counts the step returned (`flow.drain`).
    """
    size = conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    counts = {name: dg.MetadataValue.int(value) for name, value in totals.items()}
    return {"dagster/row_count": dg.MetadataValue.int(size), **counts}
