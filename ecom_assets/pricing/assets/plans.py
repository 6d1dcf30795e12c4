"""Assets of repricing: plans with their lines, and the prices they make effective."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.pricing import store
from ecom_assets.pricing.store.reports import lines_select
from ecom_assets.pricing.tables import PLAN_LINES, PRICE_LISTS, PRICE_PLANS, PRICES
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

_LINES_SHOWN = 25


class RepriceConfig(dg.Config):
    """What a run reprices.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; the newest moment of a feed or price where
            it is not given, so that a run by hand needs none.
        channel: one channel only; every list of the shop, if empty.
    """

    as_of: str | None = None
    channel: str = ""


_LATEST = sa.text("""
    SELECT greatest((SELECT max(taken_as_of) FROM pricing.feeds),
        (SELECT max(planned_as_of) FROM pricing.price_plans))
""")


def _moment(conn: sa.Connection, as_of: str | None) -> datetime | None:
    if as_of is not None:
        return datetime.fromisoformat(as_of)
    latest: datetime | None = conn.execute(_LATEST).scalar_one()
    return latest


@dg.multi_asset(
    name="price_plans",
    specs=[
        dg.AssetSpec(
            ["pricing", "price_plans"],
            deps=[["pricing", name] for name in (
                "price_lists", "costs", "competitor_offers", "rules", "constraints", "promotions",
                "elasticities", "price_tests")],
            kinds={"postgres"},
            description="Proposed prices of every list, checked before anything is live. Nothing"
            " moves by this alone.",
        ),
        dg.AssetSpec(
            ["pricing", "plan_lines"],
            deps=[["pricing", "price_plans"]],
            kinds={"postgres"},
            description="Old and new price of every product, by which rule, which limit bound and"
            " why.",
        ),
    ],
)  # fmt: skip
def price_plans(
    context: dg.AssetExecutionContext, config: RepriceConfig, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Reprice every list that has rules, one transaction per list, and check the plans."""
    with database.begin() as conn:
        at = _moment(conn, config.as_of)
    plans = [] if at is None else _plan_all(context, database, config.channel, at)
    with database.begin() as conn:
        yield from _shown(conn, plans)


def _plan_all(
    context: dg.AssetExecutionContext, database: DatabaseResource, channel: str, at: datetime
) -> list[int]:
    run, plans = context.run.run_id, []
    with database.begin() as conn:
        lists = [
            row["price_list_id"] for row in store.listed(conn, at)
            if channel in ("", row["channel"]) and store.rules_at(conn, row["price_list_id"], at)
        ]  # fmt: skip
    for price_list in lists:
        with database.begin() as conn:
            plans.append(store.plan_list(conn, price_list, at, run, f"run {run}"))
        context.log.info("price list %d is planned", price_list)
    # Last: a run that dies before leaves the feeds to the next one.
    with database.begin() as conn:
        context.log.info("%d feeds were seen", len(store.see_feeds(conn, at)))
    return plans


def _shown(conn: sa.Connection, plans: list[int]) -> Iterator[dg.MaterializeResult[Any]]:
    counts = store.counts(conn, plans)
    newest = sa.select(
        *(PRICE_PLANS.c[name] for name in ("plan_id", "kind", "state", "effective_at", "lines",
                                           "moved", "held", "is_approval_needed", "findings"))
    ).order_by(PRICE_PLANS.c.plan_id.desc())  # fmt: skip
    outcomes = {f"lines_{name}": number for name, number in counts["outcome"].items()}
    yield dg.MaterializeResult(
        asset_key=["pricing", "price_plans"],
        metadata={
            **metadata.advanced(conn, PRICE_PLANS, {"plans_made": len(plans), **outcomes}),
            "newest": metadata.preview(conn, newest),
            "limits_that_bound": _bars(counts["limit"], "Lines by limit that bound"),
        },
    )
    yield dg.MaterializeResult(
        asset_key=["pricing", "plan_lines"],
        metadata={
            "dagster/row_count": dg.MetadataValue.int(_size(conn)),
            "moves": metadata.preview(conn, lines_select(plans), _LINES_SHOWN),
            "held": metadata.preview(conn, lines_select(plans, ("hold",))),
            "lines_by_rule": _bars(counts["rule"], "Lines by rule"),
            "lines_by_reason": _bars(counts["reason"], "Lines by reason"),
        },
    )


def _size(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(PLAN_LINES)).scalar_one()


def _bars(counts: dict[str, int], title: str) -> dg.MarkdownMetadataValue:
    shown = list(counts.items())[:30]
    return metadata.bar_plot([n for n, _ in shown], [c for _, c in shown], title, "lines")


_READY = (
    sa.select(PRICE_PLANS.c.plan_id)
    .join(PRICE_LISTS, PRICE_LISTS.c.price_list_id == PRICE_PLANS.c.price_list_id)
    .where(PRICE_PLANS.c.state == "ready", PRICE_LISTS.c.is_automatic)
    .order_by(PRICE_PLANS.c.plan_id)
)


@dg.asset(
    key=["pricing", "prices"],
    deps=[dg.AssetKey(["pricing", "price_plans"]), dg.AssetKey(["pricing", "plan_lines"])],
    kinds={"postgres"},
    description="Prices in force and all that ever were. Plans of automatic lists that passed their"
    " checks and need no approval are made effective here, then read back.",
)
def prices(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Apply what may be applied without a person, each plan in a transaction of its own."""
    with database.begin() as conn:
        ready = list(conn.execute(_READY).scalars())
    states: dict[str, int] = {}
    for plan in ready:
        with database.begin() as conn:
            done = store.apply(conn, plan, context.run.run_id)
        if done.state == "applied":
            with database.begin() as conn:
                done = store.verify(conn, plan)
        states[f"plans_{done.state}"] = states.get(f"plans_{done.state}", 0) + 1
        if done.moved_since:
            context.log.warning("plan %d is %s: %s", plan, done.state, ", ".join(done.moved_since))
    newest = sa.select(
        *(PRICES.c[name] for name in ("price_list_id", "sku", "min_quantity", "price_minor",
                                      "reference_minor", "valid_from_at", "rule", "plan_id"))
    ).order_by(PRICES.c.price_id.desc())  # fmt: skip
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, PRICES, states),
                "newest": metadata.preview(conn, newest),
            }
        )
