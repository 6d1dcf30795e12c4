"""What a storm was like, for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from chaos.storm import Outcome
from chaos.timing import Decided, percentile, undisturbed

MB = 1024**2


def lines(outcome: Outcome) -> list[str]:
    """The whole report."""
    return [
        *_counts(outcome),
        "",
        *_recoveries(outcome),
        "",
        *_latencies(outcome),
        "",
        *_memory(outcome),
        "",
        *_verdict(outcome),
    ]


def _counts(outcome: Outcome) -> list[str]:
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(outcome.counts.items()))
    runs = ", ".join(f"{count:,} {status.lower()}" for status, count in outcome.runs.items())
    return [f"load: {counts}", f"runs: {runs}"]


def _recoveries(outcome: Outcome) -> list[str]:
    found = [
        "fault              lasted s   first decided s   backlog gone s   what was done",
        *(
            f"{fault.name:18} {fault.ended_at - fault.begun_at:8.1f}   "
            f"{_seconds(back.first_s):>15}   {_seconds(back.backlog_s):>14}   {fault.note}"
            for fault, back in zip(outcome.faults, outcome.recovered, strict=True)
        ),
    ]
    return found + [f"SKIPPED {name}: {reason}" for name, reason in outcome.skipped.items()]


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"


def _latencies(outcome: Outcome) -> list[str]:
    calm = undisturbed(outcome.orders, outcome.faults, outcome.recovered)
    head = "received to decided    orders      p50 s      p95 s      p99 s      max s"
    proxy = f"(the proxy adds {outcome.proxy_s * 1000:.2f} ms to each round trip to the database)"
    return [head, _latency("all", outcome.orders), _latency("undisturbed", calm), proxy]


def _latency(name: str, orders: Sequence[Decided]) -> str:
    values = [each.latency_s for each in orders]
    figures = "".join(f"{percentile(values, share):11.3f}" for share in (0.5, 0.95, 0.99, 1.0))
    return f"{name:20}{len(orders):9,}{figures}"


def _memory(outcome: Outcome) -> list[str]:
    head = "memory MB             1st quarter   2nd quarter   3rd quarter   4th quarter       most"
    return [head, *(_memory_of(kind, taken) for kind, taken in sorted(outcome.memory.items()))]


def _memory_of(kind: str, taken: Sequence[tuple[float, int]]) -> str:
    """Medians, because a process that has just been killed and started anew is small."""
    begun, ended = taken[0][0], taken[-1][0]
    quarters: list[list[int]] = [[], [], [], []]
    for at, size in taken:
        share = (at - begun) / (ended - begun) if ended > begun else 0.0
        quarters[min(3, int(share * 4))].append(size)
    medians = "".join(
        f"{statistics.median(part) / MB:14.0f}" if part else f"{'-':>14}" for part in quarters
    )
    return f"{kind:19}{medians}{max(size for _, size in taken) / MB:11.0f}"


def _verdict(outcome: Outcome) -> list[str]:
    settled = "never" if outcome.settled_s is None else f"after {outcome.settled_s:.1f} s"
    text = [f"nothing waited any more: {settled}"]
    for name, subjects in outcome.wrong.items():
        text.append(f"WRONG {name}: {len(subjects)}, such as {'; '.join(subjects[:3])}")
    return text if outcome.wrong else [*text, "everything holds: nothing lost, nothing done twice"]
