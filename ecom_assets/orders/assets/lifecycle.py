"""Assets of what happens to orders after acceptance: changes, their settlement, holds."""

from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.orders import store
from ecom_assets.orders.tables import CHANGES
from ecom_assets.shared import holds as shared_holds
from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource

_SHOWN = ("change_id", "order_id", "kind", "requested_at", "requested_by", "state", "refusal")
_NEWEST = sa.select(*(CHANGES.c[name] for name in _SHOWN)).order_by(CHANGES.c.change_id.desc())
_STATES = (
    sa.select(CHANGES.c.kind, CHANGES.c.state, CHANGES.c.refusal, sa.func.count().label("changes"))
    .group_by(CHANGES.c.kind, CHANGES.c.state, CHANGES.c.refusal)
    .order_by(CHANGES.c.kind, CHANGES.c.state, CHANGES.c.refusal)
)
_OPEN_HOLDS = (
    sa.select(*(shared_holds.HOLDS.c[name] for name in ("order_id", "reason", "placed_by")))
    .add_columns(shared_holds.HOLDS.c.placed_at, shared_holds.HOLDS.c.expires_at)
    .where(shared_holds.HOLDS.c.released_at.is_(None))
    .order_by(shared_holds.HOLDS.c.placed_at.desc(), shared_holds.HOLDS.c.hold_id.desc())
)


@dg.asset(
    key=["orders", "changes"],
    deps=[["orders", "orders"]],
    kinds={"postgres"},
    description="Cancellations and edits of accepted orders. What cannot be is refused with its"
    " reason; of what can be, everything decided is taken back first.",
)
def changes(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Start every change that may be carried out now, one per order."""
    totals = store.start_pending(database.begin, context.run.run_id, context.log.info)
    with database.begin() as conn:
        shown = metadata.advanced(conn, CHANGES, totals)
        shown["states"] = metadata.preview(conn, _STATES, most=30)
        shown["newest"] = metadata.preview(conn, _NEWEST)
    return dg.MaterializeResult(metadata=shown)


@dg.asset(
    key=["orders", "settlements"],
    deps=[["orders", "changes"], ["inventory", "releases"]],
    kinds={"postgres"},
    metadata={"dagster/table_name": CHANGES.fullname},
    description="Orders whose change was carried out: cancelled ones end, edited ones begin anew.",
)
def settlements(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Settle every order from which everything was taken back."""
    step = partial(store.settle_changes, run=context.run.run_id)
    totals = drain(database.begin, Stage.SETTLE, step, context.log.info, run=context.run.run_id)
    with database.begin() as conn:
        shown = metadata.advanced(conn, CHANGES, totals)
        shown["newest"] = metadata.preview(conn, _NEWEST.where(CHANGES.c.state == "applied"))
    return dg.MaterializeResult(metadata=shown)


class HoldsConfig(dg.Config):
    """What a run does with holds.

    Attributes:
        as_of: moment by which expired holds are ended, ISO 8601; none are, if not given.
    """

    as_of: str | None = None


@dg.asset(
    key=["orders", "holds"],
    deps=[["orders", "orders"]],
    kinds={"postgres"},
    metadata={"dagster/table_name": shared_holds.HOLDS.fullname},
    description="Orders that nobody may advance, each with its reason; those that expired are let"
    " go.",
)
def holds(
    context: dg.AssetExecutionContext, config: HoldsConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """End the holds that have expired."""
    released = 0
    with database.begin() as conn:
        if config.as_of:
            moment = datetime.fromisoformat(config.as_of)
            released = shared_holds.release_expired(conn, moment, context.run.run_id)
        shown = metadata.advanced(conn, shared_holds.HOLDS, {"released": released})
        shown["open"] = metadata.preview(conn, _OPEN_HOLDS)
    return dg.MaterializeResult(metadata=shown)
