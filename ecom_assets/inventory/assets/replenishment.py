"""Assets of replenishment: forecasts with intervals, policies from them, purchase proposals."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.assets.demand import AsOf, moment_of, monday
from ecom_assets.inventory.tables import (
    FORECASTS,
    PURCHASE_PROPOSALS,
    REORDER_POLICIES,
)
from ecom_assets.shared import metadata, plots, shop_settings
from ecom_assets.shared.shop_settings import LEAD_DAYS, SERVICE_LEVEL
from resources.database import DatabaseResource

_SHOWN_SERIES = 6
_SHOWN_WEEKS = 40
_SHOWN_LINES = 20

reorder_terms = dg.AssetSpec(
    ["inventory", "reorder_terms"],
    kinds={"postgres"},
    description="Packs, smallest quantities and service levels of SKUs, as people set them.",
)


class ForecastConfig(AsOf):
    """How forecasts are made.

    Attributes:
        is_anew: whether forecasts that are there already are made again.
    """

    is_anew: bool = False


@dg.multi_asset(
    name="inventory_forecasts",
    specs=[
        dg.AssetSpec(
            ["inventory", "forecasts"],
            deps=[["inventory", "demand_history"], ["inventory", "forecast_methods"]],
            kinds={"postgres", "scikitlearn"},
            description="Units expected per SKU, site and week to come, with quantiles that were"
            " right lately.",
        ),
        dg.AssetSpec(
            ["inventory", "reorder_policies"],
            deps=[["inventory", "forecasts"], ["inventory", "reorder_terms"]],
            kinds={"postgres"},
            description="Safety stock, reorder point and order-up-to level per SKU and site.",
        ),
    ],
)
def forecasts(
    context: dg.AssetExecutionContext, config: ForecastConfig, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Forecast from the last whole week, and set policies by the forecasts."""
    from ecom_assets.inventory.forecasting.planning import VERSION

    with database.begin() as conn:
        moment = moment_of(config, conn)
        # The weeks are the same until Monday: a daily run finds last Monday's forecasts.
        # Unless other methods were decided since.
        is_due = moment and (
            config.is_anew
            or not store.is_forecast(conn, monday(moment), VERSION, _methods(conn, monday(moment)))
        )
    totals: dict[str, int] = {}
    shown: dict[str, Any] = {}
    if moment and is_due:
        totals, shown = _forecast(database, monday(moment), context.run.run_id)
    with database.begin() as conn:
        counts = {name: totals[name] for name in totals if name.startswith("forecast")}
        yield dg.MaterializeResult(
            asset_key=["inventory", "forecasts"],
            metadata={**metadata.advanced(conn, FORECASTS, counts), **shown},
        )
        counts = {name: totals[name] for name in totals if name.startswith("polic")}
        yield dg.MaterializeResult(
            asset_key=["inventory", "reorder_policies"],
            metadata={
                **metadata.advanced(conn, REORDER_POLICIES, counts),
                "largest": metadata.preview(conn, store.LARGEST_POLICIES, 20),
            },
        )


def _methods(conn: sa.Connection, origin: date) -> dict[str, str]:
    return {name: method for name, (method, _) in store.methods_at(conn, origin).items()}


def _forecast(
    database: DatabaseResource, origin: date, run: str
) -> tuple[dict[str, int], dict[str, Any]]:
    from ecom_assets.inventory import reordering
    from ecom_assets.inventory.forecasting import planning

    with database.begin() as conn:
        series = store.read_panel(conn, origin)
        if series is None:
            return {}, {}
        lead_days, level = shop_settings.read(conn, LEAD_DAYS, SERVICE_LEVEL)
        usual = (lead_days, reordering.LEAD_SPREAD_DAYS, level)
        terms = store.terms_of(conn, series.skus, usual)
        methods = _methods(conn, origin)
    # Between two transactions: the server ends one whose process falls silent, and training may.
    days = terms.lead_days + reordering.REVIEW_DAYS
    planned = planning.plan(series.panel, methods, days, terms.level)
    safety = reordering.safety_stock(
        planned.protected, planned.protected_quantile, planned.daily, terms.lead_spread_days,
        terms.level,
    )  # fmt: skip
    policy = reordering.policy(planned.protected, safety, planned.daily)
    with database.begin() as conn:
        written = store.save_forecasts(conn, series, planned, planning.VERSION, run)
        policies = store.save_policies(
            conn, series, planned, terms, reordering.REVIEW_DAYS, policy, run
        )
    return {"forecasts_written": written, **policies}, _forecasts_shown(series, planned)


def _forecasts_shown(series: Any, planned: Any) -> dict[str, Any]:
    import numpy as np

    sold = series.panel.sold
    largest = np.argsort(-series.panel.revenue[:, -26:].sum(axis=1), kind="stable")
    # One of each segment first, so that every kind of demand is seen.
    _, first = np.unique(planned.segment[largest], return_index=True)
    rows = largest[np.sort(first)][:_SHOWN_SERIES]
    found = [
        plots.Fan(
            f"{series.skus[row]} at {series.sites[row]}: {planned.segment[row]},"
            f" {planned.method[row]}",
            sold[row, -_SHOWN_WEEKS:].tolist(),
            planned.mean[row].tolist(),
            [
                (planned.quantiles[row, :, low].tolist(), planned.quantiles[row, :, high].tolist())
                for low, high in ((0, 6), (2, 4))
            ],
        )
        for row in rows
    ]
    names, counts = np.unique(planned.segment, return_counts=True)
    table = [[name, int(count)] for name, count in zip(names, counts, strict=True)]
    return {
        "origin": dg.MetadataValue.text(str(series.end)),
        "segments": dg.MetadataValue.md(metadata.as_table(["segment", "SKUs at sites"], table)),
        "weekly_units": plots.fans(found, "Weekly units with 50 and 90 % intervals"),
    }


@dg.asset(
    key=["inventory", "purchase_proposals"],
    deps=[
        dg.AssetKey(["inventory", "reorder_policies"]),
        dg.AssetKey(["inventory", "forecast_methods"]),
        dg.AssetKey(["inventory", "balances"]),
    ],
    kinds={"postgres"},
    metadata={"lines": "inventory.purchase_proposal_lines"},
    description="What to order from whom, with the figures and reasons of every line. Segments"
    " whose forecast failed its backtests are left out.",
)
def purchase_proposals(
    context: dg.AssetExecutionContext, config: AsOf, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Propose what the stock and the orders under way call for."""
    with database.begin() as conn:
        moment = moment_of(config, conn)
        totals: dict[str, int] = {}
        if moment:
            made = store.propose(conn, monday(moment), moment, context.run.run_id)
            totals = {
                "proposals_written": made.proposals, "held": made.held,
                "lines_written": made.lines, "unchanged": made.unchanged, **made.counts,
            }  # fmt: skip
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, PURCHASE_PROPOSALS, totals),
                "open": metadata.preview(conn, store.OPEN_PROPOSALS, 20),
                "dearest_lines": _lines_shown(conn),
            }
        )


def _lines_shown(conn: sa.Connection) -> dg.MarkdownMetadataValue:
    """The dearest lines with their whole explanation, which a table would cut."""
    rows = conn.execute(store.OPEN_LINES, {"most": _SHOWN_LINES}).all()
    told = [
        f"- **{row.quantity} of {row.sku}** (proposal {row.proposal_id}): {row.explanation}"
        for row in rows
    ]
    return dg.MetadataValue.md("\n".join(told) or "*no lines*")


ASSETS = [reorder_terms, forecasts, purchase_proposals]
