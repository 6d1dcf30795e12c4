"""A past range decided anew: orders per second, and the ratio to moving the same rows by plain SQL.

    python -m bench.replay                      a simulated shop of 5,000 orders, all of it
    python -m bench.replay --orders 100000
    python -m bench.replay --home DIR           keeps the shop there and uses it again

The floor is measured in the same run: the ledger's decisions, allocations and chosen services of
the range are read, and as many outcomes as the replay wrote are written, by one statement each.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ecom.platform import Platform, opened
from ecom.progress import Progress
from ecom.settings import Settings
from ecom.work import ORDER_JOB, is_empty, run_job, take_in
from ecom_assets.decisions.model import Request
from ecom_assets.decisions.report import lines
from ecom_assets.replaying import replay
from simulator.shop import generate

RULES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "routing": {"routing": {"ranking": ["nearest", "fewest_splits"]}},
    "carrier": {"carrier": {"late_cost_minor": 100}},
    "risk": {"risk": {"review_cost_eur": 50.0}},
}
"""What is changed, one replay each."""

_FLOOR = (
    "CREATE TEMPORARY TABLE floor_ledger AS SELECT order_id, inputs, outcome, reasons"
    " FROM decisions.ledger WHERE kind = 'risk_decision'",
    "CREATE TEMPORARY TABLE floor_sites AS SELECT * FROM warehouse.allocations",
    "CREATE TEMPORARY TABLE floor_services AS SELECT x.* FROM transport.carrier_choices AS x",
    "CREATE TEMPORARY TABLE floor_outcomes AS SELECT * FROM decisions.replay_outcomes"
    " WHERE replay_id = (SELECT max(replay_id) FROM decisions.replays)",
)


def floor_seconds(platform: Platform) -> float:
    """Seconds that reading the same inputs and writing the same result take by themselves."""
    with platform.database.engine.connect() as conn, conn.begin() as trial:
        begun = time.perf_counter()
        for statement in _FLOOR:
            conn.execute(sa.text(statement))
        seconds = time.perf_counter() - begun
        trial.rollback()
    return seconds


def measure(platform: Platform, name: str) -> None:
    """Replay the whole shop once and print a line about it."""
    request = Request(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC),
                      RULES[name])  # fmt: skip
    progress = Progress()
    begun = time.perf_counter()
    replay_id = replay(platform.database, request, f"bench-{uuid.uuid4()}", progress.say)
    seconds = time.perf_counter() - begun
    floor = floor_seconds(platform)
    with platform.database.begin() as conn:
        row = conn.execute(
            sa.text("SELECT * FROM decisions.replays WHERE replay_id = :id"), {"id": replay_id}
        )
        found = dict(row.mappings().one())
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:10}{found['orders']:>10,} orders{seconds:9.1f} s{found['orders'] / seconds:9,.0f}/s"
        f"{seconds / floor:8.1f} x floor{memory_mb:8,} MB"
    )
    print("\n".join(f"    {line}" for line in lines(found)))


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--only", choices=list(RULES), action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder) / "home"
        progress = Progress()
        with opened(Settings(home, None)) as platform, platform.instance() as instance:
            with platform.database.begin() as conn:
                is_new = is_empty(conn)
            if is_new:
                generate(Path(folder) / "shop", given.orders, 7)
                take_in(platform, "sample", Path(folder) / "shop", progress)
                run_job(instance, ORDER_JOB, progress)
            for name in given.only or RULES:
                measure(platform, name)


if __name__ == "__main__":
    main()
