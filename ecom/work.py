"""The work of `ecom up`: take data in, run the jobs that are due, recover what a kill left.

A job is due when something waits for it or when no successful run of it began after what it depends
on ended. So a second call finds nothing to do, and a call after a kill does what was left.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import sqlalchemy as sa

from ecom.platform import Platform
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.settings import load
from ecom_assets.orders.store import figures
from ecom_assets.shared.imports import IMPORTS

if TYPE_CHECKING:
    from importers.engine import ImportReport

SAMPLE_ORDERS = 3_000
"""Orders of the sample shop that an empty database is filled with."""

SAMPLE_SEED = 7

ORDER_JOB = "orders_flow"
CHANGES_JOB = "orders_changes"
MARTS_JOB = "marts_refresh"

CHANGE_ROUNDS = 10
"""How often one call runs the changes at most: of several changes of an order each takes a round,
and so does the money to give back. What then waits is left to the sensor, or to the next call."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
REPOSITORY_TAG = {".dagster/repository": "__repository__@ecom"}
"""Lets the UI show the run under its code location."""


def take_in(platform: Platform, form: str, folder: Path, progress: Progress) -> ImportReport:
    """Import a folder in one of the known formats.

    Raises:
        Problem: the folder or a file in it cannot be used.
    """
    from importers.engine import run_import

    progress.say(f"importing {folder.name} as {form}")
    with progress.stage("import"):
        report = run_import(
            platform.database.begin, form, folder, f"import-{uuid.uuid4()}", progress.say
        )
    if report.is_repeat:
        progress.say("these files were imported before; nothing changed")
    return report


def take_sample_if_empty(platform: Platform, progress: Progress) -> ImportReport | None:
    """Generate the sample shop and import it if the database has seen no import and no order."""
    with platform.database.begin() as conn:
        if not is_empty(conn):
            return None
    from simulator.shop import generate

    progress.say(f"generating a sample shop of {SAMPLE_ORDERS:,} orders")
    with progress.stage("simulate"):
        generate(platform.settings.sample, SAMPLE_ORDERS, SAMPLE_SEED, progress.say)
    return take_in(platform, "sample", platform.settings.sample, progress)


def is_empty(conn: sa.Connection) -> bool:
    """Whether the database has seen neither an import nor an order message."""
    imports = conn.execute(sa.select(IMPORTS.c.import_id).limit(1)).first()
    messages = conn.execute(sa.text("SELECT 1 FROM orders.inbox LIMIT 1")).first()
    return imports is None and messages is None


def close_dead_runs(instance: dg.DagsterInstance, progress: Progress) -> int:
    """Mark runs as failed whose process is gone; call it only when no worker can be alive.

    Returns:
        How many runs were closed. Queued runs are left to the daemon.
    """
    statuses = [
        dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
        dg.DagsterRunStatus.NOT_STARTED,
    ]  # fmt: skip
    dead = instance.get_runs(dg.RunsFilter(statuses=statuses))
    for run in dead:
        instance.report_run_failed(run, "The process that ran it ended before the run did.")
    if dead:
        progress.say(f"closed {len(dead)} run(s) that a stopped process left open")
    return len(dead)


def waiting_orders(conn: sa.Connection) -> int:
    """Messages and orders that some stage of the order path must still advance."""
    found = figures.waiting(conn)
    return found.messages + found.deciding + found.following


def run_due_jobs(
    platform: Platform,
    instance: dg.DagsterInstance,
    progress: Progress,
    run_marts: Callable[[], bool] | None = None,
) -> None:
    """Run the order job if orders wait or its last run failed, then changes, then older marts.

    Args:
        platform: the open platform.
        instance: its Dagster instance.
        progress: told what is done.
        run_marts: runs the marts elsewhere and says whether it could; by default they run here.

    Raises:
        Problem: a step failed; the message names it.
    """
    is_due = False
    with platform.database.begin() as conn:
        orders = waiting_orders(conn)
    if orders or _last_success(instance, ORDER_JOB) is None or _last_failed(instance, ORDER_JOB):
        progress.say(f"{orders:,} orders wait; running {ORDER_JOB}")
        run_job(instance, ORDER_JOB, progress)
        is_due = True
    for _ in range(CHANGE_ROUNDS):
        with platform.database.begin() as conn:
            changes = figures.waiting(conn).changes
        if not changes:
            break
        progress.say(f"{changes:,} changes wait; running {CHANGES_JOB}")
        run_job(instance, CHANGES_JOB, progress)
        # Edited orders begin anew, and are decided in the same call.
        run_job(instance, ORDER_JOB, progress)
        is_due = True
    flow, marts = _last_success(instance, ORDER_JOB), _last_success(instance, MARTS_JOB)
    if flow and (marts is None or (marts.start_time or 0) < (flow.end_time or 0)):
        progress.say(f"running {MARTS_JOB}")
        is_due = True
        if run_marts is None or not run_marts():
            run_job(instance, MARTS_JOB, progress)
    if not is_due:
        progress.say("nothing waits; everything is up to date")


def run_job(
    instance: dg.DagsterInstance,
    name: str,
    progress: Progress,
    config: Mapping[str, Any] | None = None,
    run_id: str | None = None,
) -> None:
    """Run a job in this process, recorded in the instance, with a line per finished step.

    Args:
        instance: records the run.
        name: of the job.
        progress: told of each step.
        config: run config of the job.
        run_id: id of the run, a new one by default.

    Raises:
        Problem: a step failed; the message names it.
    """
    from ecom_assets.definitions import defs

    run_id = run_id or str(uuid.uuid4())
    watcher = _StepWatcher(progress)
    instance.add_event_listener(run_id, watcher)
    # what libraries say of a failure is for a file; the person gets one line
    log = load().logs / f"{name}.log"
    with progress.stage(name), log.open("a") as file, redirect_stderr(file):
        defs.resolve_job_def(name).execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config={**QUIET, **(config or {})},
            tags=REPOSITORY_TAG,
        )
    if watcher.failed:
        step, reason = next(iter(watcher.failed.items()))
        raise Problem(f"{name}: step {step} failed: {reason}")


class _StepWatcher:
    """Turns Dagster's events into progress lines."""

    def __init__(self, progress: Progress) -> None:
        self.failed: dict[str, str] = {}
        self._progress = progress

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        if event.is_step_success:
            seconds = event.step_success_data.duration_ms / 1000
            self._progress.note(event.step_key, seconds)
            self._progress.say(f"  {event.step_key}  {seconds:.2f} s")
        elif event.is_step_failure:
            self.failed[event.step_key] = _reason(event)
            self._progress.say(f"  {event.step_key}  failed")


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    lines = (error.message if error else event.message or "").strip().splitlines()
    return lines[0] if lines else "no reason was given"


def _last(
    instance: dg.DagsterInstance, job: str, statuses: list[dg.DagsterRunStatus]
) -> dg.RunRecord | None:
    records = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=statuses), limit=1)
    return records[0] if records else None


def _last_success(instance: dg.DagsterInstance, job: str) -> dg.RunRecord | None:
    return _last(instance, job, [dg.DagsterRunStatus.SUCCESS])


def _last_failed(instance: dg.DagsterInstance, job: str) -> bool:
    ended = [
        dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED,
    ]  # fmt: skip
    last = _last(instance, job, ended)
    return last is not None and last.dagster_run.status != dg.DagsterRunStatus.SUCCESS
