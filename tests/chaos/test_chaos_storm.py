"""Every kind of fault once, under load: nothing is lost, done twice or left half-done.

`make chaos` runs the same for as long as one likes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.report import lines
from chaos.storm import Outcome, Plan, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PLAN = Plan(
    # Those that leave nothing behind of a run come first, so that runs have something to lose.
    [
        "delay", "connections", "cut", "backend", "workers", "disk full", "daemon", "database",
        "daemon+children",
    ],
    rate=5, every_s=3, lasting_s=1, before_s=1, after_s=4, settle_s=300, seed=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    said: list[str] = []
    outcome = run(PLAN, Path(tmp_path_factory.mktemp("storm")), said.append)
    # For people: shown with `-rA`, or when a test of this module fails.
    print("\n".join([*said, *lines(outcome)]))
    return outcome


def test_nothing_is_lost_or_done_twice(outcome: Outcome) -> None:
    assert outcome.wrong == {}
    assert outcome.counts["received"] > 100
    assert outcome.counts["decided"] > 0.8 * outcome.counts["received"]


def test_everything_is_done_in_the_end(outcome: Outcome) -> None:
    assert outcome.settled_s is not None


def test_orders_are_decided_again_after_every_fault(outcome: Outcome) -> None:
    never = [
        fault.name
        for fault, back in zip(outcome.faults, outcome.recovered, strict=True)
        if back.first_s is None or back.backlog_s is None
    ]
    assert never == []
    assert [fault.name for fault in outcome.faults] == [
        name for name in PLAN.faults if name not in outcome.skipped
    ]


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_kind_of_fault_was_done(outcome: Outcome, fault: str) -> None:
    if fault in outcome.skipped:
        pytest.skip(f"{fault}: {outcome.skipped[fault]}")
    assert fault in PLAN.faults


def test_memory_was_taken_of_every_service(outcome: Outcome) -> None:
    assert {"daemon", "entrance", "postgres", "code server"} <= set(outcome.memory)
