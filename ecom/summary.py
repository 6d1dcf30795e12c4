"""What the shop's database holds and how the last runs went, as one object."""

from __future__ import annotations

from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom.work import MARTS_JOB, ORDER_JOB
from ecom_assets.shared.flow import waiting

_COUNTS = sa.text("""
    SELECT
        (SELECT count(*) FROM orders.inbox) AS received,
        (SELECT count(*) FROM orders.inbox WHERE state = 'accepted') AS accepted,
        (SELECT count(*) FROM orders.inbox WHERE state = 'applied') AS cancellations_applied,
        (SELECT count(*) FROM orders.inbox WHERE state = 'waiting') AS cancellations_waiting,
        (SELECT count(*) FROM orders.inbox WHERE state = 'parked') AS parked,
        (SELECT count(*) FROM orders.inbox WHERE state = 'superseded') AS superseded,
        (SELECT count(*) FROM orders.inbox WHERE state = 'pending') AS pending,
        (SELECT count(*) FROM risk.decisions) AS decided,
        (SELECT count(DISTINCT order_id) FROM warehouse.allocations) AS allocated,
        (SELECT count(DISTINCT order_id) FROM transport.shipments) AS shipped,
        (SELECT count(*) FROM documents.invoices)
            + (SELECT count(*) FROM documents.packing_slips) AS documents
""")
_REASONS = sa.text("""
    SELECT reason, count(*) FROM flow.quarantine
    WHERE state = 'parked' GROUP BY reason ORDER BY count(*) DESC, reason
""")
_IMPORTS = sa.text("""
    SELECT i.format, sum(a.rows_read)::bigint AS rows_read,
           sum(a.rows_accepted)::bigint AS accepted, sum(a.rows_parked)::bigint AS parked,
           sum(a.rows_superseded)::bigint AS superseded
    FROM flow.imports AS i JOIN flow.import_accounts AS a USING (import_id)
    GROUP BY i.import_id, i.format ORDER BY i.import_id
""")


def orders_summary(conn: sa.Connection) -> dict[str, Any]:
    """Counts of orders along the path, what waits where, and what was parked why."""
    return {
        **conn.execute(_COUNTS).mappings().one(),
        "waiting": waiting(conn),
        "quarantine": dict(conn.execute(_REASONS).tuples().all()),
        "imports": [dict(row) for row in conn.execute(_IMPORTS).mappings()],
    }


def checks_summary(instance: dg.DagsterInstance) -> dict[str, Any]:
    """Asset checks of the last run of each job: how many ran, which failed."""
    evaluations = [
        evaluation
        for job in (ORDER_JOB, MARTS_JOB)
        for record in instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
        for evaluation in _evaluations(instance, record.dagster_run.run_id)
    ]
    not_passed = [evaluation for evaluation in evaluations if not evaluation.passed]
    names: dict[dg.AssetCheckSeverity, list[str]] = {
        severity: [] for severity in dg.AssetCheckSeverity
    }
    for evaluation in not_passed:
        names[evaluation.severity].append(evaluation.check_name)
    return {
        "run": len(evaluations),
        "failed": len(names[dg.AssetCheckSeverity.ERROR]),
        "failed_names": sorted(names[dg.AssetCheckSeverity.ERROR]),
        "warned_names": sorted(names[dg.AssetCheckSeverity.WARN]),
    }


def _evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    events = (entry.dagster_event for entry in entries)
    return [event.asset_check_evaluation_data for event in events if event]


def runs_summary(instance: dg.DagsterInstance) -> dict[str, Any]:
    """Status of the last run of each job, and how many runs go on now."""
    last = {}
    for job in (ORDER_JOB, MARTS_JOB):
        records = instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
        last[job] = records[0].dagster_run.status.value if records else "never run"
    running = instance.get_runs_count(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED])
    )
    return {"last": last, "running_or_queued": running}


def lines(summary: dict[str, Any]) -> list[str]:
    """The summary of `ecom up` for people."""
    counts = ("received", "accepted", "parked", "superseded", "pending", "decided", "allocated",
              "shipped")  # fmt: skip
    orders = ", ".join(f"{summary[name]:,} {name}" for name in counts if summary[name])
    text = [f"orders: {orders or 'none'}", f"documents: {summary['documents']:,}"]
    applied, waiting_ = summary["cancellations_applied"], summary["cancellations_waiting"]
    if applied or waiting_:
        text.append(f"cancellations: {applied:,} applied, {waiting_:,} wait for their order")
    if summary["quarantine"]:
        reasons = (f"{count:,} {reason}" for reason, count in summary["quarantine"].items())
        text.append(f"quarantine: {', '.join(reasons)}")
    checks = summary.get("checks")
    if checks:
        names = f" ({', '.join(checks['failed_names'])})" if checks["failed"] else ""
        text.append(f"checks: {checks['run']:,} run, {checks['failed']:,} failed{names}")
    return text
