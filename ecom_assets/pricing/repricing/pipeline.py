"""Rules over many products at once; see `pricing.rules`, its plain reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.model import (
    BPS,
    MOST_FLIPS,
    MOST_MINOR,
    REGULAR,
    Limit,
    Outcome,
    Policy,
    Reason,
    Rule,
    RuleKind,
)
from ecom_assets.pricing.repricing.columns import (
    LIMIT_BIT,
    NONE,
    OUTCOMES,
    REASON_BIT,
    Columns,
    Flags,
    Ints,
    Lines,
)
from ecom_assets.pricing.repricing.limiting import Bounds, bounds_of, charmed, clamp

MARKDOWNS = (RuleKind.COVER_MARKDOWN, RuleKind.AGEING_MARKDOWN)
_SOURCES = {"lowest": "offer_lowest", "second": "offer_second", "mean": "offer_mean"}


def reprice_all(items: Columns, rules: Sequence[Rule], policy: Policy) -> Lines:
    """What the rules and limits make of all products, in whole-number vectors.

    Args:
        items: n products.
        rules: rules in the order they are asked.
        policy: what the price list says.
    """
    state = _State.of(items, len(rules))
    scopes = [_in_scope(rule, items) for rule in rules]
    _say_regular(state, items, rules, scopes, policy)
    state.proposed = state.regular.copy()
    _mark_down(state, items, rules, scopes)
    _promote(state, items, rules, scopes)
    tested = ~state.stopped & (items["test_bps"] != 0)
    deviating = _scaled(state.proposed, BPS + items["test_bps"])
    state.proposed = np.maximum(np.where(tested, deviating, state.proposed), 1)
    state.reasons |= np.where(tested, REASON_BIT[Reason.TESTED], 0)
    return _lines(state, items, rules, policy)


@dataclass
class _State:
    """What the rules made of the products so far; rule columns hold places + 1, 0 is none."""

    stopped: Flags
    reasons: Ints
    regular: Ints
    proposed: Ints
    by: dict[str, Ints]
    by_hand: Flags

    @classmethod
    def of(cls, items: Columns, rules: int) -> _State:
        size = len(items)
        blank = (items["minimum"] == NONE) & (items["margin_bps"] == NONE)
        unknown, looping = items["cost"] == NONE, items["flips"] >= MOST_FLIPS
        reasons = np.where(
            blank, REASON_BIT[Reason.NO_MINIMUM],
            np.where(unknown, REASON_BIT[Reason.NO_COST],
                     np.where(looping, REASON_BIT[Reason.LOOP], 0)),
        ).astype(np.int64)  # fmt: skip
        nothing = np.full(size, NONE, dtype=np.int64)
        by = {name: np.zeros(size, dtype=np.int64) for name in ("regular", "markdown", "promotion")}
        return cls(reasons != 0, reasons, nothing, nothing.copy(), by, np.zeros(size, dtype=bool))


def _in_scope(rule: Rule, items: Columns) -> Flags:
    scope = np.ones(len(items), dtype=bool)
    if rule.category:
        names = list(items.categories)
        place = names.index(rule.category) if rule.category in names else -1
        scope &= items.category == place
    if rule.sku:
        scope &= items.sku == rule.sku
    return scope


def _scaled(amount: Ints, bps: Ints | int) -> Ints:
    scaled: Ints = (2 * amount * bps + BPS) // (2 * BPS)
    return scaled


def _say_regular(
    state: _State, items: Columns, rules: Sequence[Rule], scopes: list[Flags], policy: Policy
) -> None:
    is_open = ~state.stopped
    has_others = np.zeros(len(items), dtype=bool)
    for place, (rule, scope) in enumerate(zip(rules, scopes, strict=True)):
        if rule.kind not in REGULAR:
            has_others |= scope
            continue
        said, refusal = _said(rule, items, policy)
        asked = is_open & scope
        state.reasons |= np.where(asked, refusal, 0)
        takes = asked & (said != NONE)
        state.regular = np.where(takes, np.clip(said, 1, MOST_MINOR), state.regular)
        state.by["regular"][takes] = place + 1
        state.by_hand |= takes & rule.is_approved_by_hand
        is_open &= ~takes
    stays = is_open & has_others & (items["regular"] != NONE)
    state.regular = np.where(stays, items["regular"], state.regular)
    nobody = is_open & ~stays
    state.reasons |= np.where(nobody, REASON_BIT[Reason.NO_RULE], 0)
    state.stopped = state.stopped | nobody


def _said(rule: Rule, items: Columns, policy: Policy) -> tuple[Ints, Ints]:
    """What a rule says, `NONE` where nothing, and the bits of why not."""
    settings, nothing = rule.parameters, np.zeros(len(items), dtype=np.int64)
    if rule.kind is RuleKind.COST_PLUS:
        said = _scaled(_scaled(items["cost"], BPS + policy.tax_bps), BPS + settings["markup_bps"])
        return np.where(items["cost"] == NONE, NONE, np.maximum(said, 0)), nothing
    if rule.kind is RuleKind.MARGIN_OPTIMAL:
        return _optimal(rule, items, policy)
    follows = rule.kind is RuleKind.FOLLOW_COMPETITOR
    source = items[_SOURCES[settings["position"]] if follows else "followed"]
    offset = settings.get("offset_minor", 0)
    # At least 0, so that a low price is not taken for none; the pipeline makes it at least 1.
    moved = np.maximum(_scaled(source, BPS + settings.get("offset_bps", 0)) + offset, 0)
    missing = source == NONE
    refusal = np.where(missing & follows, REASON_BIT[Reason.NO_OFFER], 0)
    return np.where(missing, NONE, moved), refusal


def _optimal(rule: Rule, items: Columns, policy: Policy) -> tuple[Ints, Ints]:
    settings, size, regular = rule.parameters, items["elasticity_milli"], items["regular"]
    known = (size != NONE) & (items["width_milli"] != NONE) & (items["cost"] != NONE)
    wide = known & (items["width_milli"] > settings["most_width_milli"])
    usable = known & ~wide & (regular != NONE) & (size > 0)
    reach = _scaled(regular, settings["reach_bps"])
    best = _scaled(items["cost"], BPS + policy.tax_bps) + regular * 1000 // np.maximum(size, 1)
    near = np.minimum(np.maximum(best, regular - reach), regular + reach)
    return np.where(usable, near, NONE), np.where(wide, REASON_BIT[Reason.UNCERTAIN], 0)


def _mark_down(state: _State, items: Columns, rules: Sequence[Rule], scopes: list[Flags]) -> None:
    best, by = np.zeros(len(items), dtype=np.int64), state.by["markdown"]
    for place, (rule, scope) in enumerate(zip(rules, scopes, strict=True)):
        if rule.kind not in MARKDOWNS:
            continue
        days = items["cover_days" if rule.kind is RuleKind.COVER_MARKDOWN else "age_days"]
        discount = np.zeros(len(items), dtype=np.int64)
        for least, bps in rule.parameters["tiers"]:
            discount = np.where((days != NONE) & (days >= least), np.maximum(discount, bps),
                                discount)  # fmt: skip
        takes = scope & ~state.stopped & (discount > best)
        best[takes], by[takes] = discount[takes], place + 1
    hands = np.array([False, *(rule.is_approved_by_hand for rule in rules)])
    state.by_hand |= hands[by]
    state.reasons |= np.where(by > 0, REASON_BIT[Reason.MARKED_DOWN], 0)
    state.proposed = np.where(by > 0, _scaled(state.proposed, BPS - best), state.proposed)


def _promote(state: _State, items: Columns, rules: Sequence[Rule], scopes: list[Flags]) -> None:
    by, discount = state.by["promotion"], items["promotion_bps"]
    for place, (rule, scope) in enumerate(zip(rules, scopes, strict=True)):
        if rule.kind is RuleKind.PROMOTION:
            takes = scope & ~state.stopped & (discount > 0) & (by == 0)
            by[takes] = place + 1
            state.by_hand |= takes & rule.is_approved_by_hand
    state.reasons |= np.where(by > 0, REASON_BIT[Reason.PROMOTED], 0)
    state.proposed = np.where(by > 0, _scaled(state.proposed, BPS - discount), state.proposed)


def _lines(state: _State, items: Columns, rules: Sequence[Rule], policy: Policy) -> Lines:
    limits, old = bounds_of(items, policy), items["old"]
    conflict = ~state.stopped & (limits.floor > limits.ceiling)
    held = state.stopped | conflict
    price, bound = _priced(state, items, limits, held)
    bound = np.where(conflict, limits.floor_bit | LIMIT_BIT[Limit.CEILING], bound)
    state.reasons |= np.where(conflict, REASON_BIT[Reason.LIMITS_CONFLICT], 0)
    new = np.where(held, old, price)
    reference, bound = _announced(state, items, new, bound, held)
    outcome, asks = _concluded(state, old, new, held, policy)
    rule, labels = _labels(state.by, rules)
    regular = np.where(held, items["regular"], np.maximum(state.regular, new))
    proposed = np.where(state.stopped, NONE, state.proposed)
    codes = np.where(state.stopped, 0, rule).astype(np.int32)
    return Lines(outcome, proposed, new, regular, reference, codes, labels, bound, state.reasons,
                 asks)  # fmt: skip


def _priced(state: _State, items: Columns, limits: Bounds, held: Flags) -> tuple[Ints, Ints]:
    price, bound = clamp(state.proposed, limits)
    too_far = ~held & ((price < limits.step_low) | (price > limits.step_high))
    wants = ~held & ~too_far & (items["charm_modulus"] != NONE)
    found, is_there = charmed(price, items["charm_modulus"], items["charm_ending"], limits)
    moves = wants & is_there & (found != price)
    bound |= np.where(moves, LIMIT_BIT[Limit.CHARM], 0)
    state.reasons |= np.where(too_far, REASON_BIT[Reason.STEP_EXCEEDED], 0)
    state.reasons |= np.where(wants & ~is_there, REASON_BIT[Reason.NO_CHARM], 0)
    return np.where(moves, found, price), np.where(held, 0, bound)


def _announced(
    state: _State, items: Columns, new: Ints, bound: Ints, held: Flags
) -> tuple[Ints, Ints]:
    reduced = REASON_BIT[Reason.MARKED_DOWN] | REASON_BIT[Reason.PROMOTED]
    prior = items["prior"]
    asked = ~held & ((state.reasons & reduced) != 0) & (prior != NONE)
    told, untold = asked & (new < prior), asked & (new >= prior)
    state.reasons |= np.where(untold, REASON_BIT[Reason.NOT_ANNOUNCED], 0)
    bound = bound | np.where(untold, LIMIT_BIT[Limit.PRIOR_PRICE], 0)
    return np.where(told, prior, NONE), bound


def _concluded(
    state: _State, old: Ints, new: Ints, held: Flags, policy: Policy
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int8]], Flags]:
    is_new, moves = ~held & (old == NONE), ~held & (old != NONE) & (new != old)
    codes = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    outcome = np.where(
        held, codes[Outcome.HOLD],
        np.where(is_new, codes[Outcome.NEW],
                 np.where(moves, codes[Outcome.CHANGE], codes[Outcome.KEEP])),
    ).astype(np.int8)  # fmt: skip
    large = moves & (np.abs(new - old) * BPS > policy.approve_above_bps * old)
    state.reasons |= np.where(large, REASON_BIT[Reason.LARGE], 0)
    exceeded = (state.reasons & REASON_BIT[Reason.STEP_EXCEEDED]) != 0
    asks = (is_new & state.by_hand) | (moves & (state.by_hand | large | exceeded))
    return outcome, asks


def _labels(by: dict[str, Ints], rules: Sequence[Rule]) -> tuple[Ints, list[str]]:
    """Codes of the rules that made each line, with one text per combination that occurs."""
    base, names = len(rules) + 1, ["", *(rule.label for rule in rules)]
    code = (by["regular"] * base + by["markdown"]) * base + by["promotion"]
    found, place = np.unique(code, return_inverse=True)
    labels = [
        "+".join(names[part] for part in (one // base**2, one // base % base, one % base) if part)
        for one in found.tolist()
    ]
    # Place 0 is the line that no rule made.
    return place.reshape(-1) + 1, ["", *labels]
