"""From COMMIT of a new order to its committed decision, with a warm worker and the run on record.

Prints percentiles at several rates: until the decision was committed, and until the run had told
what it materialised. The floor is measured in the same run: the same orders decided by the same
steps in this process, one transaction each, without Dagster.

    python -m bench.reaction --rates 5 25 --seconds 30
"""

from __future__ import annotations

import argparse
import bisect
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import sqlalchemy as sa

from ecom.platform import Platform, opened
from ecom.progress import Progress
from ecom.settings import ROOT, Settings
from ecom.work import run_due_jobs, take_sample_if_empty
from ecom_assets.deciding import decide
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from ecom_assets.shared import workers

CHANNEL = "bench"
_WARM_UP = 20

_TEMPLATES = sa.text("""
    SELECT payload FROM orders.inbox WHERE state = 'accepted' AND channel <> :channel
    ORDER BY inbox_id LIMIT 500
""")
# An order's last decision; those that need a person or money end before the carrier.
_DECIDED = sa.text("""
    SELECT o.external_id, max(pg_xact_commit_timestamp(l.xmin)) AS decided_at,
        max(l.run_id) AS run_id
    FROM orders.orders AS o JOIN decisions.ledger AS l USING (order_id)
    WHERE o.channel = :channel AND l.kind <> 'order_acceptance'
    GROUP BY o.external_id
""")
_WAITING = sa.text("""
    SELECT EXISTS (SELECT FROM orders.inbox WHERE state = 'pending')
        OR EXISTS (SELECT FROM flow.pending WHERE stage = ANY(:stages) AND NOT is_held)
""")

_RECORDS = sa.text("""
    SELECT run_id, asset_key, EXTRACT(epoch FROM timestamp) FROM event_logs
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND run_id = ANY(:runs)
    ORDER BY timestamp
""")


def fresh(payload: dict[str, Any]) -> dict[str, Any]:
    """An order like another one, of a new customer, placed now."""
    order, mark, now = copy.deepcopy(payload), uuid.uuid4().hex[:12], datetime.now(UTC)
    order["customer"] |= {"key": f"C{mark}", "email": f"{mark}@relay.example.org"}
    order["context"] = {"device_id": f"dev-{mark}"}
    order["ship_to"]["line1"] = f"Street {mark}"
    order["placed_at"] = now.isoformat()
    order["promised_at"] = (now + timedelta(days=5)).isoformat()
    for payment in order["payments"]:
        payment |= {
            "card_fingerprint": f"card-{mark}",
            "authorised_at": now.isoformat(),
            "provider_reference": f"{mark}-{payment['sequence']}",
        }
    return order


def send(platform: Platform, payload: dict[str, Any]) -> tuple[str, float]:
    """Commit one order; returns its id and the moment its commit was confirmed, in seconds."""
    external_id = uuid.uuid4().hex
    message = Message(CHANNEL, external_id, datetime.now(UTC), fresh(payload))
    with platform.database.begin() as conn:
        receive(conn, [message])
    return external_id, time.time()


def load(
    platform: Platform, templates: list[dict[str, Any]], rate: float, seconds: float
) -> dict[str, float]:
    """Commit orders at a steady rate; returns the moment of each commit by order."""
    sent, starts_at = {}, time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, starts_at + number / rate - time.monotonic()))
        external_id, at = send(platform, templates[number % len(templates)])
        sent[external_id] = at
    return sent


@contextmanager
def worker(platform: Platform) -> Iterator[None]:
    """A warm worker of the lane that decides."""
    with (platform.settings.logs / "bench-worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ecom.worker", workers.Lane.DECISIONS.value],
            cwd=ROOT, env={**os.environ, **platform.environment}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_until(lambda: _is_served(platform))
        yield
    finally:
        process.terminate()
        process.wait()


def _is_served(platform: Platform) -> bool:
    with platform.database.begin() as conn:
        return workers.is_served(conn, workers.Lane.DECISIONS)


def _is_idle(platform: Platform) -> bool:
    from ecom_assets.deciding import is_due

    with platform.database.begin() as conn:
        return not is_due(conn)


def _wait_until(is_so: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


def show(name: str, seconds: list[float]) -> None:
    """Print p50, p95 and the longest, in milliseconds."""
    cuts = quantiles(seconds, n=100)
    print(
        f"  {name:<34} p50 {cuts[49] * 1e3:6.0f} ms   p95 {cuts[94] * 1e3:6.0f} ms"
        f"   max {max(seconds) * 1e3:6.0f} ms   n {len(seconds)}"
    )


def floor(platform: Platform, templates: list[dict[str, Any]], count: int) -> list[float]:
    """Seconds to decide one order by the same steps, without Dagster, `count` times."""
    seconds = []
    for number in range(count):
        send(platform, templates[number % len(templates)])
        begun = time.perf_counter()
        decide(platform.database.begin, "bench", print)
        seconds.append(time.perf_counter() - begun)
    return seconds


def measure(platform: Platform, templates: list[dict[str, Any]], rate: float, s: float) -> None:
    """Load the platform at a rate and print how long decisions took."""
    sent = load(platform, templates, rate, s)
    _wait_until(lambda: _is_idle(platform))
    time.sleep(1)
    with platform.database.begin() as conn:
        rows = conn.execute(_DECIDED, {"channel": CHANNEL}).mappings().all()
    decided = {row["external_id"]: row for row in rows if row["external_id"] in sent}
    show(
        f"{rate:g} orders/s, decided",
        [row["decided_at"].timestamp() - sent[key] for key, row in decided.items()],
    )
    runs = {row["run_id"] for row in decided.values()}
    print(f"  {'':<34} {len(sent)} sent, {len(decided)} decided, in {len(runs)} runs")
    show("recorded", _recorded(platform, sent, decided))


def _recorded(platform: Platform, sent: dict[str, float], decided: dict[str, Any]) -> list[float]:
    """Seconds from an order's commit until all was recorded that its batch advanced."""
    begins: dict[str, list[float]] = defaultdict(list)
    ends: dict[str, list[float]] = defaultdict(list)
    engine = sa.create_engine(platform.dagster_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as conn:
        runs = sorted({row["run_id"] for row in decided.values()})
        for run_id, asset, at in conn.execute(_RECORDS, {"runs": runs}):
            # The inbox is the first that a batch tells of, at once after its commit.
            if json.loads(asset) == ["orders", "inbox"]:
                begins[run_id].append(float(at))
                ends[run_id].append(float(at))
            ends[run_id][-1] = float(at)
    engine.dispose()
    seconds = []
    for key, row in decided.items():
        batch = bisect.bisect_left(begins[row["run_id"]], row["decided_at"].timestamp())
        seconds.append(ends[row["run_id"]][batch] - sent[key])
    return seconds


def _keep_commit_times(platform: Platform) -> None:
    """Let the server remember when each transaction committed, from its next start on."""
    at_once = platform.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with at_once.connect() as conn:
        conn.execute(sa.text("ALTER SYSTEM SET track_commit_timestamp = on"))


def main() -> None:
    """Measure every rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[5, 25])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="reaction-"))
    settings = Settings(home, None)
    with opened(settings) as platform:
        _keep_commit_times(platform)
    with opened(settings) as platform:
        take_sample_if_empty(platform, Progress())
        with platform.instance() as instance:
            run_due_jobs(platform, instance, Progress())
        with platform.database.begin() as conn:
            templates = list(conn.execute(_TEMPLATES, {"channel": CHANNEL}).scalars())
        floor(platform, templates, _WARM_UP)
        show("floor: the steps alone", floor(platform, templates, 50))
        with worker(platform):
            load(platform, templates, 10, 3)
            for rate in given.rates:
                measure(platform, templates, rate, given.seconds)
        show("floor again", floor(platform, templates, 50))


if __name__ == "__main__":
    main()
