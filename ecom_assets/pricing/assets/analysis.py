"""Assets of what is learned and tried: elasticities, markdown plans, backtests."""

import io
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.pricing.store import analysis, reports
from ecom_assets.pricing.store import backtests as backtesting
from ecom_assets.pricing.store.rules import of_documents
from ecom_assets.pricing.tables import BACKTESTS, ELASTICITIES, MARKDOWN_PLANS, PRICE_LISTS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

_PRODUCTS_SHOWN = 60


class EstimateConfig(dg.Config):
    """Until when a run looks.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; orders until then are used. Nothing is
            estimated where it is not given.
        weeks: how far back.
    """

    as_of: str | None = None
    weeks: int = 104


_CHANNELS = sa.text("SELECT DISTINCT channel, currency FROM pricing.price_lists ORDER BY 1, 2")


@dg.asset(
    key=["pricing", "elasticities"],
    deps=[dg.AssetKey(["orders", "order_lines"]), dg.AssetKey(["pricing", "costs"]),
          dg.AssetKey(["pricing", "price_tests"])],
    kinds={"postgres"},
    description="How demand answers to price, per product, drawn towards its category as far as it"
    " is uncertain, with 95% intervals. What rests on mere association is marked and never priced"
    " by.",
)  # fmt: skip
def elasticities(
    context: dg.AssetExecutionContext, config: EstimateConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Estimate every channel that has a price list."""
    counts: dict[str, int] = {}
    if config.as_of is not None:
        at = datetime.fromisoformat(config.as_of)
        with database.begin() as conn:
            channels = conn.execute(_CHANNELS).tuples().all()
        for channel, currency in channels:
            with database.begin() as conn:
                done = analysis.estimate_channel(conn, channel, currency, at, context.run.run_id,
                                                 config.weeks)  # fmt: skip
            counts[f"products_{channel}_{currency}"] = done
    with database.begin() as conn:
        return dg.MaterializeResult(metadata=_elasticities_shown(conn, counts))


def _elasticities_shown(conn: sa.Connection, counts: dict[str, int]) -> dict[str, Any]:
    column = ELASTICITIES.c
    names = ("channel", "sku", "category", "raw", "weight", "elasticity", "low", "high", "weeks",
             "units", "method", "is_usable")  # fmt: skip
    newest = sa.select(*(column[name] for name in names)).order_by(
        column.estimated_as_of.desc(), column.units.desc(), column.sku
    )
    rows = conn.execute(newest.limit(_PRODUCTS_SHOWN)).all()
    shown: dict[str, Any] = {
        **metadata.advanced(conn, ELASTICITIES, counts),
        "best_sellers": metadata.preview(conn, newest),
    }
    if rows:
        shown["best_sellers_with_intervals"] = metadata.image(_interval_plot(rows), "Elasticities")
    return shown


def _interval_plot(rows: Any) -> bytes:
    """Elasticities of products with their 95% intervals, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    ordered = sorted(rows, key=lambda row: row.elasticity)
    middle = [row.elasticity for row in ordered]
    below = [row.elasticity - row.low for row in ordered]
    above = [row.high - row.elasticity for row in ordered]
    axes.errorbar(range(len(ordered)), middle, yerr=[below, above], fmt="o", markersize=3,
                  linewidth=0.8, color="#4f6bed")  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set_title("Elasticities with 95% intervals, products that sell most", fontsize=10)
    axes.set_ylabel("% units per % price", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


class MarkdownConfig(dg.Config):
    """Which stocks are to be cleared.

    Attributes:
        price_list_id: list whose prices fall.
        skus: products; nothing is planned without any.
        weeks: weeks until the end of the season.
        as_of: business moment, ISO 8601 with an offset.
    """

    price_list_id: int = 0
    skus: list[str] = []
    weeks: int = 8
    as_of: str = ""


@dg.asset(
    key=["pricing", "markdown_plans"],
    deps=[dg.AssetKey(["pricing", "elasticities"]), dg.AssetKey(["pricing", "prices"]),
          dg.AssetKey(["inventory", "movements"])],
    kinds={"postgres"},
    description="Prices by week that clear a stock by its end of season, against a fixed ladder of"
    " 20, 40 and 50 percent; carried out by itself only where the elasticity is known well enough.",
)  # fmt: skip
def markdown_plans(
    context: dg.AssetExecutionContext, config: MarkdownConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Plan the markdowns the run's configuration asks for."""
    made = 0
    if config.skus and config.as_of:
        with database.begin() as conn:
            made = analysis.plan_markdowns(
                conn, config.price_list_id, config.skus, config.weeks,
                datetime.fromisoformat(config.as_of), context.run.run_id,
            )  # fmt: skip
    names = ("sku", "weeks", "stock", "elasticity", "interval_width", "prices", "expected_minor",
             "ladder_minor", "is_automated", "reasons")  # fmt: skip
    newest = sa.select(*(MARKDOWN_PLANS.c[name] for name in names)).order_by(
        MARKDOWN_PLANS.c.markdown_plan_id.desc()
    )
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, MARKDOWN_PLANS, {"plans_made": made}),
                "newest": metadata.preview(conn, newest),
            }
        )


CHANNELS = dg.DynamicPartitionsDefinition(name="pricing_channels")
"""Channels whose past can be replayed by itself; the sensor adds those that have a price list."""


class BacktestConfig(dg.Config):
    """Rules to try, and on which past.

    Attributes:
        rules: documents of rules as in `pricing.rules`: name, kind, parameters, priority.
        from_date: first day or moment, ISO 8601 with an offset.
        to_date: end, excluded.
    """

    rules: list[dict[str, Any]] = []
    from_date: str = ""
    to_date: str = ""


@dg.asset(
    key=["pricing", "backtests"],
    partitions_def=CHANNELS,
    deps=[dg.AssetKey(["pricing", "prices"]), dg.AssetKey(["pricing", "elasticities"]),
          dg.AssetKey(["orders", "order_lines"])],
    kinds={"postgres"},
    description="Rules tried on the past of a channel: prices they would have moved and the money"
    " that makes, before they go live.",
)  # fmt: skip
def backtests(
    context: dg.AssetExecutionContext, config: BacktestConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Try the rules of the run's configuration on every list of the channel."""
    start, end = (datetime.fromisoformat(day) for day in (config.from_date, config.to_date))
    rules = of_documents(config.rules)
    of_channel = sa.select(PRICE_LISTS.c.price_list_id).where(
        PRICE_LISTS.c.channel == context.partition_key
    )
    with database.begin() as conn:
        lists = list(conn.execute(of_channel.order_by(PRICE_LISTS.c.price_list_id)).scalars())
    for price_list in lists:
        with database.begin() as conn:
            backtesting.backtest(conn, price_list, rules, start, end, context.run.run_id)
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, BACKTESTS, {"lists": len(lists)}),
                "newest": metadata.preview(conn, reports.BACKTESTED),
            }
        )
