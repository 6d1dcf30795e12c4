"""Tables of demand: its history, forecasts, and how well methods forecast."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    flag,
    integer,
    minor,
    number,
    recorded_at,
    run_id,
    text,
    texts,
)


def _date(name: str, comment: str, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Date, comment=comment, **options)


DEMAND_HISTORY = area_table(
    "inventory",
    "demand_history",
    "Units asked for per SKU, site and week; a week without a row had no demand and no stock-out.",
    text("sku", "what was asked for", primary_key=True),
    text("site_code", "site that served it, or would have", primary_key=True),
    _date("week_date", "Monday of the week, UTC", primary_key=True),
    integer("sold_units", "units ordered in the week and not taken back within it"),
    integer("order_lines", "order lines behind them"),
    minor("revenue_minor", "what they brought; lines in another currency than the product's: 0"),
    sa.Column("currency", sa.CHAR(3), nullable=False, comment="ISO 4217 code of the product"),
    integer("returned_units", "units that came back to the site in the week"),
    number("stockout_share", "share of the week, 0 to 1, in which the site had none"),
    flag("is_censored", "whether demand was hidden: no stock, and no orders taken without it"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "sold_units >= 0 AND order_lines >= 0 AND returned_units >= 0", name="units_not_negative"
    ),
    sa.CheckConstraint("revenue_minor >= 0", name="revenue_not_negative"),
    sa.CheckConstraint("stockout_share BETWEEN 0 AND 1", name="share_in_range"),
    sa.CheckConstraint("NOT is_censored OR stockout_share > 0", name="censored_by_stockout"),
    sa.CheckConstraint("extract(isodow FROM week_date) = 1", name="week_from_monday"),
    sa.Index(None, "week_date"),
)

FORECAST_BACKTESTS = area_table(
    "inventory",
    "forecast_backtests",
    "How each method would have forecast from a past origin, per segment.",
    _date("origin_date", "Monday the forecasts start at; only weeks before it were known",
          primary_key=True),
    text("segment", "class and value of the series, such as lumpy/core", primary_key=True),
    text("method", "method", primary_key=True),
    integer("series", "SKUs at sites in the segment"),
    integer("horizon_weeks", "weeks forecast"),
    number("rmsse", "root mean squared error over the week-to-week change, mean over series"),
    number("weighted_rmsse", "the same, weighted by revenue"),
    number("mase", "mean absolute error in units of the mean week-to-week change"),
    number("pinball", "mean quantile loss in units of the week-to-week change"),
    number("bias", "forecast less truth, as a share of the truth"),
    document("coverage", "per quantile: share of truths below it and share not above it"),
    number("coverage_miss", "largest distance of a quantile's level from what was covered"),
    text("version", "version of the methods"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("series > 0 AND horizon_weeks > 0", name="counts_positive"),
    sa.CheckConstraint(
        "rmsse >= 0 AND weighted_rmsse >= 0 AND mase >= 0 AND pinball >= 0",
        name="errors_not_negative",
    ),
    sa.CheckConstraint("coverage_miss BETWEEN 0 AND 1", name="miss_in_range"),
)  # fmt: skip

FORECAST_METHODS = area_table(
    "inventory",
    "forecast_methods",
    "The method that each segment is forecast with, decided by backtests; append-only.",
    _date("decided_date", "Monday from which the method is used", primary_key=True),
    text("segment", "class and value of the series", primary_key=True),
    text("method", "method used"),
    flag("is_passed", "whether it did well enough for purchases to rely on it"),
    texts("reasons", "why it passed or failed, each a code"),
    integer("origins", "backtests it was decided on"),
    integer("series", "SKUs at sites in the newest of them"),
    number("weighted_rmsse", "its error in them, in units of the week-to-week change"),
    number("naive_rmsse", "that of the better naive method"),
    number("bias", "its bias in them, as a share of the demand"),
    number("coverage_miss", "largest miss of a quantile's coverage in them"),
    text("version", "version of the methods"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("origins > 0 AND series > 0", name="counts_positive"),
    sa.CheckConstraint("cardinality(reasons) > 0", name="decided_with_reasons"),
)

QUANTILE_COLUMNS = ("p05", "p10", "p25", "p50", "p75", "p90", "p95", "p975", "p99")
"""Columns of the quantiles of a forecast, lowest first."""

FORECASTS = area_table(
    "inventory",
    "forecasts",
    "Units expected per SKU, site and week to come, with quantiles; the newest origins are kept.",
    text("sku", "what", primary_key=True),
    text("site_code", "where", primary_key=True),
    _date("origin_date", "Monday the forecast starts at; only weeks before it were known",
          primary_key=True),
    _date("week_date", "Monday of the week that is forecast", primary_key=True),
    text("segment", "class and value of the series"),
    text("method", "method it was made with"),
    number("mean_units", "units to expect"),
    *(number(name, f"quantile {int(name[1:]) / (10 ** (len(name) - 1)):g} of the units")
      for name in QUANTILE_COLUMNS),
    text("version", "version of the methods"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("mean_units >= 0 AND p05 >= 0", name="units_not_negative"),
    sa.CheckConstraint(
        " AND ".join(f"{low} <= {high}" for low, high in pairwise(QUANTILE_COLUMNS)),
        name="quantiles_never_fall",
    ),
    sa.CheckConstraint("week_date >= origin_date", name="forecasts_the_future"),
    sa.Index(None, "origin_date"),
)  # fmt: skip
