"""Weekly demand of a real wholesaler as a panel, from the files of UCI "Online Retail"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ecom.settings import ROOT
from ecom_assets.inventory.forecasting.panel import Floats, Panel, kin_of

if TYPE_CHECKING:
    import pandas as pd

FOLDER = ROOT.parent / "shared" / "data" / "uci_online_retail"


def load(folder: Path, skus: int, held_out: int) -> Panel:
    """The SKUs that brought most before the last weeks, by whole weeks from Monday.

    A cancellation in the week of its order takes back demand; a later one is a return. Codes
    without five digits are postage, fees and the like.

    Args:
        folder: holds the Parquet file.
        skus: how many.
        held_out: weeks at the end that must not choose the SKUs.
    """
    lines = _lines(folder)
    weeks = sorted(lines["week"].unique())[:-1]
    lines = lines[lines["week"].isin(weeks)]
    early = lines[lines["week"] < weeks[-held_out]]
    best = early.groupby("sku")["revenue"].sum().nlargest(skus).index
    table = lines[lines["sku"].isin(best)]
    sold = _matrix(table, "quantity", "sum", best, weeks)
    revenue = _matrix(table, "revenue", "sum", best, weeks)
    orders = _matrix(table, "invoice", "nunique", best, weeks)
    names = table.groupby("sku")["name"].last().reindex(best)
    sold, revenue = np.maximum(sold, 0), np.maximum(revenue, 0)
    first = np.argmax(sold > 0, axis=1).astype(np.int64)
    return Panel(sold, np.zeros_like(sold), orders, revenue, first, kin_of(names.tolist()))


def _lines(folder: Path) -> pd.DataFrame:
    import pandas as pd

    raw = pd.concat(map(pd.read_parquet, sorted(folder.glob("online_retail*.parquet"))))
    raw = raw.drop_duplicates()
    lines = pd.DataFrame(
        {
            "sku": raw["StockCode"].astype(str).str.strip().str.upper(),
            "name": raw["Description"].fillna("").astype(str),
            "invoice": raw["InvoiceNo"].astype(str),
            "quantity": pd.to_numeric(raw["Quantity"]),
            "price": pd.to_numeric(raw["UnitPrice"]),
            "at": pd.to_datetime(raw["InvoiceDate"]),
            "customer": raw["CustomerID"].astype(str),
        }
    )
    lines = lines[lines["sku"].str.match(r"^\d{5}[A-Z]*$") & (lines["price"] > 0)]
    lines["week"] = lines["at"].dt.to_period("W-SUN").dt.start_time
    lines["revenue"] = lines["quantity"] * lines["price"]
    is_cancellation = lines["invoice"].str.startswith("C")
    return pd.concat([lines[~is_cancellation & (lines["quantity"] > 0)], _matched(lines)])


def _matched(lines: pd.DataFrame) -> pd.DataFrame:
    """Cancellations of what the same customer ordered in the same week."""
    key = ["sku", "customer", "week"]
    cancelled = lines[lines["invoice"].str.startswith("C")]
    bought = lines[~lines["invoice"].str.startswith("C")].groupby(key)["quantity"].sum()
    joined = cancelled.merge(bought.rename("bought").reset_index(), on=key)
    return joined[joined["bought"] >= -joined["quantity"]][list(lines.columns)]


def _matrix(
    table: pd.DataFrame,
    column: str,
    how: Literal["sum", "nunique"],
    skus: pd.Index,
    weeks: list[object],
) -> Floats:
    wide = table.pivot_table(index="sku", columns="week", values=column, aggfunc=how)
    found: Floats = wide.reindex(index=skus, columns=weeks).fillna(0).to_numpy(dtype=np.float64)
    return found
