"""Dagster's own records as a resource: where they are, and how long they are to be kept."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg
import sqlalchemy as sa

from resources.database import engine_for

KEEP_DAYS = 30
"""Days for which ended runs and the ticks of schedules and sensors are kept by default."""

MOST_RUNS = 5_000
"""Runs kept of each job and ending by default: an order path in micro-batches makes thousands in an
hour, and a run with all its checks is two to three megabytes of events."""

VARIABLES = {"keep_days": "ECOM_HISTORY_DAYS", "most_runs": "ECOM_HISTORY_RUNS"}
"""The variable that sets each field."""


class HistoryResource(dg.ConfigurableResource[None]):
    """The history of runs.

    Attributes:
        keep_days: days for which runs that ended are kept.
        most_runs: runs kept of each job and ending (success, failure), however young.
    """

    keep_days: int = KEEP_DAYS
    most_runs: int = MOST_RUNS

    @classmethod
    def of_environment(cls) -> HistoryResource:
        """As `VARIABLES` say; values are read when a run begins."""
        given: dict[str, Any] = {
            field: dg.EnvVar.int(name) for field, name in VARIABLES.items() if os.environ.get(name)
        }
        return cls(**given)

    def engine_of(self, instance: dg.DagsterInstance) -> sa.Engine | None:
        """The pooled engine of an instance's event log; None where that is not in PostgreSQL."""
        from dagster_postgres import PostgresEventLogStorage

        storage = instance.event_log_storage
        if not isinstance(storage, PostgresEventLogStorage):
            return None
        return engine_for(storage.postgres_url)

    def forget_logs(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Remove what a run printed; nothing is done where that is gone already."""
        instance.compute_log_manager.delete_logs(prefix=[run_id])
