"""`ecom status`: where orders stand, how the last runs went, what is degraded and why."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import dagster as dg

from ecom import database_accounts
from ecom.platform import opened
from ecom.settings import Settings
from ecom.summary import checks_summary, lines, orders_summary, runs_summary
from ecom_assets.shared import workers
from ecom_assets.shared.outbox import open_effects
from resources.database import DatabaseResource


def report(settings: Settings) -> dict[str, Any]:
    """Everything `ecom status` knows, as one object.

    Raises:
        Problem: the database cannot be reached.
    """
    with opened(settings) as platform, platform.instance() as instance:
        found = facts(platform.database, instance)
        found["database"] = "own" if platform.server is None else "embedded"
        found["is_up"] = platform.server is None or not platform.server.is_owner
        entrance = database_accounts.degraded(platform)
    found["degraded"] = degraded(found) + ([entrance] if entrance else [])
    return found


def facts(database: DatabaseResource, instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the shop's database and Dagster's instance say, whoever asks."""
    with database.begin() as conn:
        found = orders_summary(conn)
        found["effects"] = open_effects(conn)
        found["workers"] = [asdict(seen) for seen in workers.listed(conn)]
    found["checks"] = checks_summary(instance)
    found["runs"] = runs_summary(instance)
    return found


def text(found: dict[str, Any]) -> list[str]:
    """The report for people."""
    serving = ", ".join(_worker(seen) for seen in found["workers"])
    state = "running" if found["is_up"] else "not running (looked at it with a server of its own)"
    runs = ", ".join(f"{job} {status.lower()}" for job, status in found["runs"]["last"].items())
    waits = ", ".join(f"{count:,} for {stage}" for stage, count in found["waiting"].items())
    effects = ", ".join(f"{count:,} {state}" for state, count in found["effects"].items())
    return [
        f"platform: {state}, {found['database']} PostgreSQL",
        *lines(found),
        f"waiting: {waits or 'nothing'}",
        f"effects to settle: {effects or 'none'}",
        f"last runs: {runs}",
        f"workers: {serving or 'none'}",
        *(f"degraded: {reason}" for reason in found["degraded"]),
    ]


def degraded(found: dict[str, Any]) -> list[str]:
    """Which parts do not work as they should, and why."""
    reasons = [
        f"the last run of {job} ended as {status}"
        for job, status in found["runs"]["last"].items()
        if status in {"FAILURE", "CANCELED"}
    ]
    if found["checks"]["failed"]:
        reasons.append(f"{found['checks']['failed']} checks failed in the last runs")
    return reasons + _effects_degraded(found["effects"]) + _workers_degraded(found)


def _worker(seen: dict[str, Any]) -> str:
    if not seen["is_alive"]:
        return f"{seen['lane']} silent for {seen['silent_s']:.0f} s"
    return f"{seen['lane']} {'busy' if seen['run_id'] else 'idle'}"


def _workers_degraded(found: dict[str, Any]) -> list[str]:
    """Lanes whose workers are silent while the platform runs; what they did goes slower ways."""
    known = {seen["lane"] for seen in found["workers"]}
    served = {seen["lane"] for seen in found["workers"] if seen["is_alive"]}
    if not found["is_up"]:
        return []
    return [
        f"no worker of {lane} is alive; the daemon starts a process for each of its runs"
        for lane in sorted(known - served)
    ]


def _effects_degraded(counts: dict[str, int]) -> list[str]:
    reasons = []
    if counts.get("planned") and not os.environ.get("ECOM_SMTP_HOST"):
        waiting = counts["planned"]
        reasons.append(f"no mail server is configured (ECOM_SMTP_HOST); {waiting:,} letters wait")
    if counts.get("unknown"):
        reasons.append(f"{counts['unknown']:,} effects are unknown; see `ecom effects list`")
    return reasons
