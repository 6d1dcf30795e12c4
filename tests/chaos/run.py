"""`make chaos`: a long storm, with a report at its end.

    python -m chaos.run --minutes 30 --rate 25        a fault each minute
    python -m chaos.run --minutes 5 --faults workers,database

Ends with status 1 if anything was lost, done twice or left half-done.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from chaos.faults import FAULTS
from chaos.report import lines
from chaos.storm import Outcome, Plan, run


def plan_of(minutes: float, rate: float, every_s: float, names: list[str], seed: int) -> Plan:
    """A plan with a fault at each interval, every kind about equally often.

    Raises:
        ValueError: there is no such fault.
    """
    if unknown := set(names) - set(FAULTS):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(FAULTS)}")
    count = max(1, int(minutes * 60 / every_s))
    draw = Random(seed)
    faults: list[str] = []
    while len(faults) < count:
        faults += draw.sample(names, len(names))
    return Plan(
        faults[:count], rate, every_s, lasting_s=min(10.0, every_s / 4), before_s=every_s / 2,
        after_s=every_s / 2, settle_s=300, seed=seed,
    )  # fmt: skip


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


def _storm(plan: Plan, keep: Path | None) -> Outcome:
    if keep:
        keep.mkdir(parents=True)
        return run(plan, keep, _say)
    with tempfile.TemporaryDirectory() as folder:
        return run(plan, Path(folder), _say)


def main() -> None:
    """Run the storm the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rate", type=float, default=10, help="orders per second")
    parser.add_argument("--every", type=float, default=60, help="seconds between faults")
    parser.add_argument("--faults", default=",".join(FAULTS), help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="new folder in which the platform's files stay")
    given = parser.parse_args()
    plan = plan_of(given.minutes, given.rate, given.every, given.faults.split(","), given.seed)
    # As an exception, so that nothing of the platform is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    outcome = _storm(plan, given.keep)
    print("\n".join(lines(outcome)))
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
