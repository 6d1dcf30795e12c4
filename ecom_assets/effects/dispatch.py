"""The dispatch: finds out about doubts, then sends what is planned, one effect after the other.

Every step is a transaction of its own, and an effect is committed as sending before it leaves. So
the process may be killed at any line: what it had in hand is in doubt and is looked up before
anybody sends it again. Any number of dispatches may run at once.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping

from ecom_assets.effects import store
from ecom_assets.effects.model import Channel, Doubt, Effect, Outcome
from ecom_assets.effects.rules import POLICY, Policy, happened, pause_s

Say = Callable[[str], object]

_DRAWS = secrets.SystemRandom()

_MOST_ANSWER = 500
"""Characters of an answer that are kept."""


def dispatch(
    begin: store.Begin,
    channels: Mapping[str, Channel],
    worker: int,
    run: str,
    policy: Policy = POLICY,
    say: Say = lambda _: None,
) -> Counter[str]:
    """Settle doubts and send what is planned and due, until nothing is left or time is over.

    Args:
        begin: opens a transaction that commits on success.
        channels: who sends effects, by kind; other kinds are left alone.
        worker: number of the worker, see `store.present`.
        run: Dagster run id.
        policy: times and limits.
        say: told what a person should know.

    Returns:
        Counts: attempts by outcome, and `abandoned`, `found`, `not_found`, `undecided`, `late`.
    """
    totals: Counter[str] = Counter()
    with begin() as conn:
        totals["abandoned"] = store.abandon(conn, run)
    for kind, channel in channels.items():
        totals.update(reconcile(begin, kind, channel, run, policy))
    totals.update(_send_all(begin, channels, worker, run, policy, say))
    return totals


def reconcile(
    begin: store.Begin, kind: str, channel: Channel, run: str, policy: Policy = POLICY
) -> Counter[str]:
    """Ask the outside world about the doubts of a kind, all at once.

    Returns:
        Counts: `found` (it happened), `not_found` (planned again), `undecided`.
    """
    with begin() as conn:
        found = store.doubts(conn, kind)
    if not found:
        return Counter()
    # Asked outside a transaction: the other side may be slow.
    sent = channel.find_sent(
        [doubt.reference for doubt in found], min(doubt.claimed_at for doubt in found)
    )
    answers: dict[bool | None, list[Doubt]] = {True: [], False: [], None: []}
    for doubt in found:
        known = None if sent is None else happened(doubt, doubt.reference in sent, channel.settle_s)
        answers[known].append(doubt)
    with begin() as conn:
        totals = Counter(
            found=store.answer(conn, answers[True], True, run),
            not_found=store.answer(conn, answers[False], False, run),
            undecided=len(answers[None]),
        )
        store.postpone(conn, answers[None], policy.look_up_least_s, policy.look_up_most_s)
    return totals


def _send_all(
    begin: store.Begin, channels: Mapping[str, Channel], worker: int, run: str, policy: Policy,
    say: Say,
) -> Counter[str]:  # fmt: skip
    totals: Counter[str] = Counter()
    usable = {kind for kind, channel in channels.items() if channel.problem is None}
    ends = time.monotonic() + policy.budget_s
    while usable and time.monotonic() < ends:
        # Read before the claim, so that this clock's end comes before the database's.
        leaves_until = time.monotonic() + policy.lease_s
        with begin() as conn:
            effect = store.claim(conn, sorted(usable), worker, policy.lease_s, run)
        if effect is None:
            break
        outcome, answer = _send(channels[effect.kind], effect, leaves_until)
        pause = _pause_s(effect, outcome, policy)
        with begin() as conn:
            state = store.settle(conn, effect, outcome, answer, policy, pause, run)
        totals[outcome.value if state else "late"] += 1
        if outcome is not Outcome.CONFIRMED or state is None:
            say(f"effect {effect.effect_id} ({effect.kind}): {outcome.value}: {answer}")
        if outcome is Outcome.UNREACHABLE:
            usable.discard(effect.kind)
    return totals


def _send(channel: Channel, effect: Effect, leaves_until: float) -> tuple[Outcome, str]:
    try:
        outcome, answer = channel.send(effect, lambda: time.monotonic() < leaves_until)
    except Exception as error:
        # A defect, and nobody knows how far it came: in doubt, like every attempt without an end.
        outcome, answer = Outcome.UNANSWERED, f"{type(error).__name__}: {error}"
    # The database's texts hold no NUL, and a server may say anything.
    return outcome, answer.replace("\0", "")[:_MOST_ANSWER]


def _pause_s(effect: Effect, outcome: Outcome, policy: Policy) -> float:
    if outcome is Outcome.REFUSED:
        return pause_s(effect.refusals, _DRAWS.random(), policy)
    return policy.outage_pause_s if outcome is Outcome.UNREACHABLE else 0.0
