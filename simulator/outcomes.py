"""What happened to orders afterwards, and when a fraud became known.

These are the shop's own observations: cancellations, hand-overs, deliveries, reviews and returns,
with the slips real systems make (a hand-over before the order, a delivery without a moment).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.catalog import CATEGORIES
from simulator.draws import Flags, Ints, Texts
from simulator.heads import Heads
from simulator.lines import Lines
from simulator.payments import NEVER
from simulator.world import World

DAY = 86_400
KINDS: Texts = np.array(["cancelled", "handed_over", "delivered", "reviewed", "returned"], "O")
_CANCELLED, _HANDED, _DELIVERED, _REVIEWED, _RETURNED = range(5)

MATURITY_DAYS = 90
"""Age at which an order nobody complained about counts as legitimate."""


@dataclass(frozen=True, slots=True)
class Events:
    """Observed events as arrays of one element each, in the order of the orders.

    Attributes:
        owner: position of the order among the heads.
        kind: position in `KINDS`.
        moment: seconds since 1970, or `NEVER` where the system lost it.
        value: score of a review, 1 to 5; 0 for other kinds.
        reason: why it was cancelled or returned; empty for other kinds.
    """

    owner: Ints
    kind: Ints
    moment: Ints
    value: Ints
    reason: Texts


@dataclass(frozen=True, slots=True)
class Labels:
    """What each order turned out to be, and the second since 1970 at which that was known."""

    is_fraud: Flags
    known: Ints
    source: Texts


def build_labels(world: World, heads: Heads) -> Labels:
    """Chargebacks come two to eight weeks after the order; a few frauds are found by hand."""
    draws, order = world.draws, heads.order
    by_hand = heads.is_fraud & draws.chance("label/by hand", order, 0.05)
    wait = 14 * DAY + (draws.uniform("label/wait", order) * 42 * DAY).astype(np.int64)
    soon = DAY + (draws.uniform("label/soon", order) * 9 * DAY).astype(np.int64)
    wait = np.where(by_hand, soon, np.where(heads.is_fraud, wait, MATURITY_DAYS * DAY))
    source = np.where(heads.is_fraud, "chargeback", "simulation").astype(object)
    source[by_hand] = "investigation"
    return Labels(heads.is_fraud, heads.placed + wait, source)


def build_events(world: World, heads: Heads, lines: Lines, paid: Ints) -> Events:
    """Make what was observed of the given orders."""
    draws, order = world.draws, heads.order
    is_unpaid = paid == NEVER
    dropped = np.where(heads.is_fraud, 0.45, 0.013)
    is_cancelled = is_unpaid | draws.chance("event/cancelled", order, dropped)
    handed = np.where(is_unpaid, heads.placed, paid) + _days(world, "hand over", order, 0.9, 0.6)
    delivered = handed + _days(world, "transit", order, 2.4, 0.5)
    is_delivered = ~is_cancelled & ~draws.chance("event/lost", order, 0.008)
    hour = (3600 * (1 + 20 * draws.uniform("event/regret", order))).astype(np.int64)
    stopped = np.where(is_unpaid, heads.placed + 7 * DAY, np.maximum(paid, heads.placed) + hour)
    reviewed = delivered + _days(world, "review", order, 4.0, 0.7)
    is_reviewed = is_delivered & ~heads.is_fraud & draws.chance("event/reviewed", order, 0.28)
    is_returned = is_delivered & _comes_back(world, heads, lines)
    moments = np.stack([stopped, _slip(world, heads, handed), delivered, reviewed,
                        delivered + _days(world, "return", order, 9.0, 0.5)], axis=1)  # fmt: skip
    happened = np.stack([is_cancelled, ~is_cancelled, is_delivered, is_reviewed, is_returned], 1)
    # Real systems lose the moment of a delivery, not the fact.
    moments[draws.chance("event/undated", order, 0.001), _DELIVERED] = NEVER
    owner, kind = np.nonzero(happened)
    score = _scores(world, heads, delivered - heads.placed)
    return Events(
        owner=owner,
        kind=kind,
        moment=moments[owner, kind],
        value=np.where(kind == _REVIEWED, score[owner], 0),
        reason=_reasons(world, heads, is_unpaid)[owner, kind],
    )


def _days(world: World, what: str, order: Ints, median: float, sigma: float) -> Ints:
    """A lognormal wait, in seconds."""
    return (world.draws.around(f"event/{what}", order, median, sigma) * DAY).astype(np.int64)


def _slip(world: World, heads: Heads, handed: Ints) -> Ints:
    """A scanner with a wrong clock hands some parcels over before they were ordered."""
    is_wrong = world.draws.chance("event/clock", heads.order, 0.001)
    return np.where(is_wrong, heads.placed - 4 * 3600, handed)


def _comes_back(world: World, heads: Heads, lines: Lines) -> Flags:
    """Whether an order is returned, by the category of its first line."""
    # Lines lie in the order of the heads, so there is exactly one first line per order here.
    first = lines.product[lines.line_no == 1]
    chance = np.array([each.returned for each in CATEGORIES])[world.catalog.category[first]]
    return ~heads.is_fraud & world.draws.chance("event/returned", heads.order, chance)


def _scores(world: World, heads: Heads, waited: Ints) -> Ints:
    """Late parcels get worse marks."""
    mood = world.draws.normal("event/mood", heads.order)
    return np.clip(np.rint(4.9 + 0.9 * mood - 0.18 * (waited / DAY - 3.0)), 1, 5).astype(np.int64)


def _reasons(world: World, heads: Heads, is_unpaid: Flags) -> Texts:
    """Reasons by order and kind; empty where the kind has none."""
    draws, order = world.draws, heads.order
    reasons = np.full((len(order), len(KINDS)), "", dtype=object)
    stopped = np.where(heads.is_fraud, "suspected_fraud", "customer_request").astype(object)
    reasons[:, _CANCELLED] = np.where(is_unpaid, "not_paid", stopped)
    kinds: Texts = np.array(["does_not_fit", "not_as_described", "damaged", "changed_mind"], "O")
    reasons[:, _RETURNED] = kinds[draws.choice("event/why", order, [0.4, 0.2, 0.1, 0.3])]
    return reasons
