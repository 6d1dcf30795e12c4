"""The demand history as a panel: what forecasts are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from ecom_assets.inventory.forecasting.panel import Panel

MOST_WEEKS = 120
"""Newest weeks that are read: two years and what the levels need before them."""

_ROWS = sa.text("""
    SELECT d.sku, d.site_code, (d.week_date - CAST(:begin AS date)) / 7 AS week, d.sold_units,
        d.order_lines, d.revenue_minor,
        CASE WHEN d.is_censored THEN d.stockout_share ELSE 0 END AS out
    FROM inventory.demand_history AS d
    JOIN catalog.products AS p USING (sku)
    WHERE d.week_date >= :begin AND d.week_date < :end AND p.is_active
""")
# The first week with demand, not with a stock-out: a SKU that was never sold has no demand to fill.
_SERIES = sa.text("""
    SELECT d.sku, d.site_code, min(d.week_date) AS first, min(p.category || ' ' || p.name) AS name
    FROM inventory.demand_history AS d
    JOIN catalog.products AS p USING (sku)
    WHERE d.sold_units > 0 AND d.week_date < :end AND p.is_active
    GROUP BY 1, 2
    ORDER BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Series:
    """A panel and what its rows and columns stand for.

    Attributes:
        panel: the figures.
        skus: SKU per row.
        sites: site per row.
        begin: Monday of the first column's week.
        end: Monday after the last column's.
    """

    panel: Panel
    skus: list[str]
    sites: list[str]
    begin: date
    end: date


def read_panel(conn: sa.Connection, end: date, most_weeks: int = MOST_WEEKS) -> Series | None:
    """Read the history before a Monday; None where nothing was sold before it.

    Args:
        conn: connection to read with.
        end: Monday after the last week.
        most_weeks: weeks read at most.
    """
    found = conn.execute(_SERIES, {"end": end}).all()
    if not found:
        return None
    begin = max(min(row.first for row in found), end - timedelta(weeks=most_weeks))
    panel = _panel(conn, found, begin, end)
    return Series(panel, [row.sku for row in found], [row.site_code for row in found], begin, end)


def _panel(conn: sa.Connection, found: Any, begin: date, end: date) -> Panel:
    import numpy as np
    import pandas as pd

    from ecom_assets.inventory.forecasting.panel import Panel, kin_of

    rows = conn.execute(_ROWS, {"begin": begin, "end": end})
    frame = pd.DataFrame(rows.all(), columns=list(rows.keys()))
    keys = pd.MultiIndex.from_tuples([(row.sku, row.site_code) for row in found])
    places = keys.get_indexer(pd.MultiIndex.from_frame(frame[["sku", "site_code"]]))
    # Rows of SKUs that were out of stock and never sold belong to no series.
    frame, places = frame[places >= 0], places[places >= 0]
    weeks = frame["week"].to_numpy(dtype=np.int64)

    def matrix(column: str) -> Any:
        filled = np.zeros((len(found), (end - begin).days // 7))
        filled[places, weeks] = frame[column].to_numpy(dtype=np.float64)
        return filled

    first = np.array([max((row.first - begin).days // 7, 0) for row in found], dtype=np.int64)
    return Panel(
        sold=matrix("sold_units"),
        out=matrix("out"),
        orders=matrix("order_lines"),
        revenue=matrix("revenue_minor"),
        first=first,
        kin=kin_of([row.name for row in found]),
    )
