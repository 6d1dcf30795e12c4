"""The order path, its fast first half, changes of orders, ends of holds, replays of parked ones."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol

import dagster as dg

from jobs.inventory import STOCK_KEEPING
from jobs.replenishment import PLANNING
from resources.database import DatabaseResource
from resources.listening import listening

PATH = (
    "orders", "catalog", "customers", "payments", "fraud", "risk", "inventory", "warehouse",
    "transport", "documents", "quality",
)  # fmt: skip
"""Areas an order passes through, and the one that reconciles them."""

CHANGE_STEPS = (
    "orders/changes", "warehouse/withdrawals", "inventory/releases", "orders/settlements",
    "payments/planned_releases",
)  # fmt: skip
"""Assets that carry out cancellations and edits, in order."""

_CHANGING = dg.AssetSelection.assets(*(step.split("/") for step in CHANGE_STEPS))
_HOLDS = dg.AssetSelection.assets(["orders", "holds"])
# Of the catalogue an order needs the products; files, judgements and copy have jobs of their own.
_CATALOGUE = dg.AssetSelection.groups("catalog") - dg.AssetSelection.assets(
    ["catalog", "suppliers"], ["catalog", "products"]
)

ORDERS_FLOW = dg.define_asset_job(
    "orders_flow",
    # Changes have a job of their own: few orders are changed, and the path should not be longer.
    selection=dg.AssetSelection.groups(*PATH)
    - (_CHANGING | _HOLDS | _CATALOGUE | STOCK_KEEPING | PLANNING),
    # A process per step would cost more than most steps of a small run take.
    executor_def=dg.in_process_executor,
    tags={"path": "orders", "ecom/lane": "chores"},
    description="Takes every pending order from the inbox to its documents, with all checks of the"
    " areas it passes. Advances what waits and leaves everything else alone.",
)

ARRIVALS = "ecom_orders"
"""Channel on which the database says that messages arrived; the inbox's trigger speaks on it."""


class Decide(Protocol):
    """Takes what waits to its decision; returns counts per `area/table` that was advanced."""

    def __call__(
        self,
        begin: Callable[[], AbstractContextManager[Any]],
        run: str,
        warn: Callable[[str], object],
    ) -> Mapping[str, Mapping[str, int]]:
        """Decide what waits; an empty mapping if nothing did."""


class Patience(dg.Config):
    """How long a run stays for orders that arrive while it works.

    Attributes:
        stays_s: seconds after its start until which it takes further orders.
        idles_s: seconds without any after which it ends before that.
    """

    stays_s: float = 10.0
    idles_s: float = 2.0


@dg.op(
    name="decide",
    out=dg.Out(dg.Nothing),
    description="Decides what waits, then waits for more. One run takes the orders of some seconds,"
    " so that neither an order waits for a run to start nor each order has a run of its own.",
)
def decide_orders(
    context: dg.OpExecutionContext,
    config: Patience,
    database: DatabaseResource,
    decide: dg.ResourceParam[Decide],
) -> Iterator[dg.AssetMaterialization]:
    """Decide in small batches until nothing comes or it is time to end.

    What one batch advanced is recorded while the next is decided: orders wait for neither.
    """
    ends_at = time.monotonic() + config.stays_s
    # Heard from before the first look, so that no arrival falls between a look and a wait.
    with listening(database.url, ARRIVALS) as arrivals, ThreadPoolExecutor(1, "decide") as beside:

        def begin() -> Future[Mapping[str, Mapping[str, int]]]:
            return beside.submit(decide, database.begin, context.run_id, context.log.warning)

        deciding: Future[Mapping[str, Mapping[str, int]]] | None = begin()
        while deciding:
            advanced = deciding.result()
            is_over = time.monotonic() > ends_at
            deciding = begin() if not is_over and arrivals.wait(0) else None
            for table, counts in advanced.items():
                yield dg.AssetMaterialization(table.split("/"), metadata=dict(counts))
            if not deciding and not is_over and arrivals.wait(config.idles_s):
                deciding = begin()


@dg.job(
    name="orders_decisions",
    executor_def=dg.in_process_executor,
    tags={"path": "decisions", "ecom/lane": "decisions"},
    description="Takes new orders from the inbox to the choice of their carriers, and carries out"
    " cancellations and edits, fast: all stages of a few orders in one transaction, without checks,"
    " previews and plots. What follows, and all of those, is the order path's.",
)
def orders_decisions() -> None:
    """Decide new orders."""
    decide_orders()


ORDERS_REPLAY_PARKED = dg.define_asset_job(
    "orders_replay_parked",
    selection=dg.AssetSelection.assets(["orders", "inbox"]),
    executor_def=dg.in_process_executor,
    config={"ops": {"orders__inbox": {"config": {"replay_parked": True}}}},
    tags={"path": "orders", "ecom/lane": "chores"},
    description="Puts parked messages whose cause is gone, such as a SKU the catalog has learned,"
    " back to pending, and gives orders that a stage could not take another chance; the sensor then"
    " starts the order path.",
)

ORDERS_CHANGES = dg.define_asset_job(
    "orders_changes",
    selection=_CHANGING,
    executor_def=dg.in_process_executor,
    tags={"path": "changes", "ecom/lane": "chores"},
    description="Carries out the cancellations and edits of accepted orders that the decisions have"
    " left, and shows and checks all of them.",
)

ORDERS_RELEASE_HOLDS = dg.define_asset_job(
    "orders_release_holds",
    selection=_HOLDS,
    executor_def=dg.in_process_executor,
    tags={"path": "changes", "ecom/lane": "chores"},
    description="Ends the holds that expired by the given moment; the sensor then starts the order"
    " path.",
)


@dg.schedule(
    name="orders_release_holds_often",
    job=ORDERS_RELEASE_HOLDS,
    cron_schedule="*/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Ends expired holds every ten minutes.",
)
def release_holds(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """End what expired by the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_config={"ops": {"orders__holds": {"config": {"as_of": as_of}}}})


JOBS = [ORDERS_FLOW, orders_decisions, ORDERS_REPLAY_PARKED, ORDERS_CHANGES, ORDERS_RELEASE_HOLDS]
SCHEDULES = [
    release_holds,
    dg.ScheduleDefinition(
        name="orders_changes_hourly",
        job=ORDERS_CHANGES,
        cron_schedule="50 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Shows and checks changes every hour.",
    ),
    dg.ScheduleDefinition(
        name="orders_replay_parked_nightly",
        job=ORDERS_REPLAY_PARKED,
        # Before the marts and the daily run, so that what is accepted after all is in both.
        cron_schedule="15 2 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Gives parked messages another chance every night at 02:15 UTC.",
    ),
]
