"""Assets of the fraud area."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.fraud import store
from ecom_assets.fraud.tables import MODELS, ORDER_SCORES, SIGHTINGS
from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource

_NEWEST = sa.select(
    *(ORDER_SCORES.c[name] for name in ("order_id", "probability", "reasons", "version")),
    ORDER_SCORES.c.scored_as_of,
).order_by(ORDER_SCORES.c.order_id.desc())

labels = dg.AssetSpec(
    ["fraud", "labels"],
    kinds={"postgres"},
    description="What orders turned out to be and when that became known; filled by imports.",
)


@dg.multi_asset(
    name="fraud",
    specs=[
        dg.AssetSpec(
            ["fraud", "sightings"],
            deps=[["payments", "transactions"], ["orders", "orders"]],
            kinds={"postgres"},
            description="Which order showed which card, device, e-mail, IP or address, hashed.",
        ),
        dg.AssetSpec(
            ["fraud", "models"],
            deps=[["fraud", "labels"], ["orders", "orders"]],
            kinds={"postgres", "scikitlearn"},
            description="One model per month, trained on labels known when the month began.",
        ),
        dg.AssetSpec(
            ["fraud", "order_scores"],
            deps=[
                ["payments", "transactions"],
                ["orders", "orders"],
                ["fraud", "labels"],
                ["fraud", "sightings"],
                ["fraud", "models"],
            ],
            kinds={"postgres"},
            description="Fraud probability of each order, with its features and reasons.",
        ),
    ],
)
def fraud(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Score every order that waits for it, on what was known when it was placed."""
    sightings = store.record_waiting(database.begin)
    step = partial(store.score_orders, run=context.run.run_id)
    begin = partial(store.one_at_a_time, database.begin)
    totals = drain(begin, Stage.SCORE, step, context.log.info, run=context.run.run_id)
    with database.begin() as conn:
        yield dg.MaterializeResult(
            asset_key=["fraud", "sightings"],
            metadata=metadata.advanced(conn, SIGHTINGS, {"recorded": sightings}),
        )
        yield dg.MaterializeResult(
            asset_key=["fraud", "models"],
            metadata={
                **metadata.advanced(conn, MODELS, {}),
                "newest": metadata.preview(conn, store.model_figures()),
            },
        )
        yield dg.MaterializeResult(
            asset_key=["fraud", "order_scores"], metadata=_scores_shown(conn, totals)
        )


def _scores_shown(conn: sa.Connection, totals: dict[str, int]) -> dict[str, Any]:
    histogram = store.histogram(conn)
    return {
        **metadata.advanced(conn, ORDER_SCORES, totals),
        "probabilities": metadata.bar_plot(
            list(histogram), list(histogram.values()), "Orders per fraud probability", "orders"
        ),
        "newest": metadata.preview(conn, _NEWEST),
    }


ASSETS = [labels, fraud]
