"""Hands runs to warm workers; starts a process of its own for a run where no worker lives.

A run keeps its code location and its place in the UI whoever executes it. Jobs say by the tag
`ecom/lane` which workers may run them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
import sqlalchemy as sa
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.launcher.base import LaunchRunContext
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from ecom_assets.shared import workers
from resources.database import engine_for

if TYPE_CHECKING:
    from dagster._grpc.client import DagsterGrpcClient

_ASK_SECONDS = 5
"""How long a code server may take to say whether a run's process lives."""


class WarmLauncher(DefaultRunLauncher):
    """Offers a run to the warm workers of its lane, or starts a process as Dagster does."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Offer the run where a living worker may take it, else start a process for it."""
        run = context.dagster_run
        lane = run.tags.get(workers.LANE_TAG)
        if lane is None or not _is_whole(run):
            super().launch_run(context)
            return
        with _shop() as conn:
            is_served = workers.is_served(conn, lane)
            if is_served:
                workers.offer(conn, run.run_id, lane)
        if is_served:
            self._instance.report_engine_event(f"Offered to the warm workers of {lane}.", run)
        else:
            self._instance.report_engine_event(f"No worker of {lane} lives; starting cold.", run)
            super().launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """Ask for the end of a run; False if it has ended."""
        with _shop() as conn:
            found = workers.holder(conn, run_id)
            is_held = workers.cancel(conn, run_id) if found else None
            if is_held is False:
                workers.end(conn, run_id)
        if found is None:
            cold: Callable[[str], bool] = super().terminate
            return cold(run_id)
        run = self._instance.get_run_by_id(run_id)
        if is_held is None or run is None:
            return False
        self._instance.report_run_canceling(run)
        if not is_held:
            self._instance.report_run_canceled(run, "Ended before a worker took it.")
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's daemon may ask whether a run's process lives."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process that has the run lives."""
        with _shop() as conn:
            found = workers.holder(conn, run.run_id)
        if found is None:
            return self._cold_health(run.run_id)
        if found.is_alive and not found.has_ended:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"worker {found.worker_id or 'none'} was not heard of any more"
        )

    def _cold_health(self, run_id: str) -> CheckRunHealthResult:
        find: Callable[[str], DagsterGrpcClient | None] = self._get_grpc_client_for_termination
        client = find(run_id)
        # A run inside `ecom up` has no server that could be asked; it closes what it left itself.
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        asked = CanCancelExecutionRequest(run_id=run_id)
        try:
            answer = client.can_cancel_execution(asked, timeout=_ASK_SECONDS)
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "its code server cannot be reached")
        is_there = deserialize_value(answer, CanCancelExecutionResult).can_cancel
        status = WorkerStatus.RUNNING if is_there else WorkerStatus.FAILED
        return CheckRunHealthResult(status, None if is_there else "its process has ended")


def _is_whole(run: dg.DagsterRun) -> bool:
    """Whether the run executes its job as it stands; workers know no parts of jobs."""
    return not (
        run.asset_selection or run.asset_check_selection or run.op_selection
        or run.step_keys_to_execute
    )  # fmt: skip


@contextmanager
def _shop() -> Iterator[sa.Connection]:
    with engine_for(os.environ["ECOM_DATABASE_URL"]).begin() as conn:
        yield conn
