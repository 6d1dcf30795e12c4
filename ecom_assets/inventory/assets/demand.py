"""Assets of demand: its history, backtests of methods, the methods they decide, trials of policies.

These are made weekly; `assets.replenishment` uses them daily.
"""

from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.tables import (
    DEMAND_HISTORY,
    FORECAST_BACKTESTS,
    FORECAST_METHODS,
    POLICY_SIMULATIONS,
)
from ecom_assets.shared import metadata, plots
from resources.database import DatabaseResource

FIRST_MONTH = "2009-01-01"
"""First month that can be backtested."""

AGAIN_WEEKS = 8
"""Newest weeks that are computed anew at every run: orders are cancelled late."""

MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH)

_WEEK = timedelta(weeks=1)


class AsOf(dg.Config):
    """The moment that a run looks from.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; that of the last order where none is given,
            so that an imported past is looked at from its own end.
    """

    as_of: str | None = None


def moment_of(config: AsOf, conn: sa.Connection) -> datetime | None:
    """The moment of a run's configuration, else of the last order; None in a shop without any."""
    if config.as_of is not None:
        return datetime.fromisoformat(config.as_of)
    return store.span(conn)[1]


def monday(moment: datetime) -> date:
    """Monday of a moment's week: the weeks before it are whole."""
    from ecom_assets.inventory.demand import week_of

    return week_of(moment)


@dg.asset(
    key=["inventory", "demand_history"],
    deps=[
        dg.AssetKey(["orders", "order_lines"]),
        dg.AssetKey(["warehouse", "allocations"]),
        dg.AssetKey(["inventory", "movements"]),
    ],
    kinds={"postgres"},
    description="Units asked for per SKU, site and week, without what was cancelled at once, and"
    " with the share of the week in which stock-outs hid demand.",
)
def demand_history(
    context: dg.AssetExecutionContext, config: AsOf, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Bring the history's newest weeks up to date, at the first run all of them."""
    with database.begin() as conn:
        first, _, known = store.span(conn)
        moment = moment_of(config, conn)
        totals = {"weeks_written": 0, "weeks_removed": 0}
        if first and moment:
            begin = max(first, known - AGAIN_WEEKS * _WEEK) if known else first
            totals = store.refresh_history(conn, begin, monday(moment), context.run.run_id)
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, DEMAND_HISTORY, totals),
                "lowest_cover": metadata.preview(conn, store.COVER),
                "most_hidden_demand": metadata.preview(conn, store.MOST_HIDDEN),
            }
        )


@dg.asset(
    key=["inventory", "forecast_backtests"],
    deps=[dg.AssetKey(["inventory", "demand_history"])],
    partitions_def=MONTHS,
    kinds={"postgres", "scikitlearn"},
    description="What every method would have forecast for the last four whole weeks of a month,"
    " measured per segment. A backfill over months replays a past.",
)
def forecast_backtests(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Backtest the month of the partition; nothing where its weeks are not in the history."""
    from ecom_assets.inventory.forecasting import choosing, judging, planning

    start, end = context.partition_time_window.start, context.partition_time_window.end
    ends = monday(end)
    origin = ends - choosing.HORIZON * _WEEK
    with database.begin() as conn:
        known = store.span(conn)[2]
        series = store.read_panel(conn, ends) if known and known >= ends - _WEEK else None
    # Between two transactions: the server ends one whose process falls silent, and training may.
    judged = []
    if series and series.begin < origin:
        judged = judging.judge(series.panel, series.panel.weeks - choosing.HORIZON)
    else:
        context.log.info("no history of the weeks before %s", ends)
    with database.begin() as conn:
        if judged:
            version, run = planning.VERSION, context.run.run_id
            store.save_backtest(conn, origin, judged, choosing.HORIZON, version, run)
        return dg.MaterializeResult(metadata=_backtest_shown(conn, origin, f"{start:%Y-%m}"))


def _backtest_shown(conn: sa.Connection, origin: date, month: str) -> dict[str, Any]:
    by_method = store.by_method(origin)
    found = conn.execute(by_method).tuples().all()
    names, errors = [row[0] for row in found], [float(row[1]) for row in found]
    size = conn.execute(sa.select(sa.func.count()).select_from(FORECAST_BACKTESTS)).scalar_one()
    best = (
        sa.select(FORECAST_BACKTESTS)
        .where(FORECAST_BACKTESTS.c.origin_date == origin)
        .order_by(FORECAST_BACKTESTS.c.segment, FORECAST_BACKTESTS.c.weighted_rmsse)
        .with_only_columns(
            *(FORECAST_BACKTESTS.c[name] for name in (
                "segment", "method", "series", "weighted_rmsse", "rmsse", "mase", "pinball", "bias",
                "coverage_miss",
            ))
        )
    )  # fmt: skip
    return {
        "dagster/row_count": dg.MetadataValue.int(size),
        "origin": dg.MetadataValue.text(str(origin)),
        "methods": metadata.preview(conn, by_method, 20),
        "methods_by_segment": metadata.preview(conn, best, 120),
        "errors": metadata.bar_plot(names, errors, f"Weighted RMSSE by method, {month}", "RMSSE"),
    }


@dg.asset(
    key=["inventory", "forecast_methods"],
    deps=[dg.AssetKey(["inventory", "forecast_backtests"])],
    kinds={"postgres"},
    description="The method that each segment is forecast with, by its last backtests, and whether"
    " purchases may rely on it.",
)
def forecast_methods(
    context: dg.AssetExecutionContext, config: AsOf, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Decide by the newest backtests that ended before the moment."""
    from ecom_assets.inventory.forecasting import choosing, judging, planning

    with database.begin() as conn:
        moment = moment_of(config, conn)
        decided = 0
        if moment:
            week = monday(moment)
            verdicts = judging.decide(store.newest_results(conn, week, choosing.HORIZON))
            run = context.run.run_id
            decided = store.save_methods(conn, week, verdicts, planning.VERSION, run)
        newest = sa.select(
            *(FORECAST_METHODS.c[name] for name in (
                "decided_date", "segment", "method", "is_passed", "reasons", "weighted_rmsse",
                "naive_rmsse", "bias", "coverage_miss", "origins", "series",
            ))
        ).order_by(FORECAST_METHODS.c.decided_date.desc(), FORECAST_METHODS.c.segment)  # fmt: skip
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, FORECAST_METHODS, {"segments_decided": decided}),
                "newest": metadata.preview(conn, newest, 20),
            }
        )


class TrialConfig(AsOf):
    """What a trial of policies supposes.

    Attributes:
        lead_weeks: weeks from order to arrival.
        most_series: SKUs at sites that are played, those with most revenue.
    """

    lead_weeks: int = 2
    most_series: int = 5_000


@dg.asset(
    key=["inventory", "policy_simulations"],
    deps=[dg.AssetKey(["inventory", "demand_history"])],
    kinds={"postgres", "scikitlearn"},
    description="Replenishment played through on the kept history: stock that each policy needs for"
    " a service level, the platform's beside plain ones.",
)
def policy_simulations(
    context: dg.AssetExecutionContext, config: TrialConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Play the last weeks before the moment."""
    with database.begin() as conn:
        moment = moment_of(config, conn)
    curves = _played(database, monday(moment), config, context.run.run_id) if moment else {}
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, POLICY_SIMULATIONS, {}),
                **_stock_needed(curves),
                "trade_off": plots.curves(
                    curves, "Service against stock", "share of demand served, by value",
                    "mean value of stock",
                ),
            }
        )  # fmt: skip


Curves = dict[str, list[tuple[float, float]]]


def _played(database: DatabaseResource, end: date, config: TrialConfig, run: str) -> Curves:
    import numpy as np

    from ecom_assets.inventory.forecasting import trials

    with database.begin() as conn:
        series = store.read_panel(conn, end)
    if series is None:
        return {}
    revenue, sold = series.panel.revenue.sum(axis=1), series.panel.sold.sum(axis=1)
    chosen = np.sort(np.argsort(-revenue, kind="stable")[: config.most_series])
    panel = series.panel.only(chosen)
    price = (revenue / np.maximum(sold, 1))[chosen]
    with database.begin() as conn:
        cost = store.costs_of(conn, [series.skus[place] for place in chosen], price)
    points = trials.try_policies(panel, price, cost, config.lead_weeks)
    told = {
        "series": panel.series,
        "weeks": len(trials.played_weeks(panel)),
        "lead_weeks": config.lead_weeks,
    }
    with database.begin() as conn:
        store.save_simulation(conn, end, points, told, run)
    curves: Curves = {}
    for point in points:
        curve = curves.setdefault(point.policy, [])
        curve.append((point.played.value_fill_rate, point.played.stock_value))
    return curves


def _stock_needed(curves: Curves) -> dict[str, Any]:
    from ecom_assets.inventory.forecasting.simulating import stock_at

    rates = (0.8, 0.9, 0.95, 0.98)
    rows = [
        [name, *(_whole(stock_at(curve, rate)) for rate in rates)] for name, curve in curves.items()
    ]
    names = ["policy", *(f"stock for {rate:.0%} of demand by value" for rate in rates)]
    return {"stock_needed": dg.MetadataValue.md(metadata.as_table(names, rows))}


def _whole(stock: float | None) -> str:
    return "not reached" if stock is None else f"{stock:,.0f}"


ASSETS = [demand_history, forecast_backtests, forecast_methods, policy_simulations]
