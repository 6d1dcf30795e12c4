"""Assets of the risk area."""

from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.risk import store
from ecom_assets.risk.rules import Outcome
from ecom_assets.risk.tables import DECISIONS
from ecom_assets.shared import metadata
from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import Stage
from resources.database import DatabaseResource

# Unpaid orders are left out: they wait for money, not for a person.
_STOPPED = (
    sa.select(
        *(DECISIONS.c[name] for name in ("order_id", "outcome", "reasons", "probability")),
        *(DECISIONS.c[name] for name in ("expected_loss_minor", "decided_as_of")),
    )
    .where(DECISIONS.c.outcome.in_([Outcome.REVIEW.value, Outcome.REJECTED.value]))
    .order_by(DECISIONS.c.decided_as_of.desc(), DECISIONS.c.order_id.desc())
)


@dg.asset(
    key=["risk", "decisions"],
    deps=[["fraud", "order_scores"], ["payments", "order_payments"]],
    kinds={"postgres"},
    description="Accept, review or reject each order, or wait for its payment, with reasons.",
)
def decisions(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Decide every order that waits for it; orders under review are held."""
    step = partial(store.decide_orders, run=context.run.run_id)
    totals = drain_abreast(
        database.begin, Stage.RISK, step, context.log.info, run=context.run.run_id
    )
    with database.begin() as conn:
        counts = store.outcome_counts(conn)
        worth = {
            f"worth_{outcome.value}": metadata.money(conn, store.at_stake(outcome))
            for outcome in Outcome
        }
        shown = {
            **metadata.advanced(conn, DECISIONS, totals),
            **worth,
            "outcomes": metadata.bar_plot(
                list(counts), list(counts.values()), "Orders per outcome", "orders"
            ),
            "reasons": metadata.preview(conn, store.reason_counts(), most=20),
            "newest_stopped": metadata.preview(conn, _STOPPED),
        }
    return dg.MaterializeResult(metadata=shown)


ASSETS = [decisions]
