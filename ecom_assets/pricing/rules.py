"""The pipeline of rules and limits for one product: the plain reference of `pricing.repricing`.

Rules are asked in their order. The first of a regular kind that can say a price says the regular
one; of the markdowns the largest counts; promotions come on top. Then the limits, strongest last:
see `pricing.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ecom_assets.pricing.limits import Bounds, bounds_of, charmed, clamp
from ecom_assets.pricing.model import (
    BPS,
    MOST_FLIPS,
    MOST_MINOR,
    REGULAR,
    Item,
    Limit,
    Line,
    Outcome,
    Policy,
    Reason,
    Rule,
    RuleKind,
)


def is_in_scope(rule: Rule, item: Item) -> bool:
    """Whether a rule is for a product."""
    return rule.category in ("", item.category) and rule.sku in ("", item.sku)


def with_tax(net: int, tax_bps: int) -> int:
    """A net amount with tax, rounded half up."""
    return (2 * net * (BPS + tax_bps) + BPS) // (2 * BPS)


def scaled(amount: int, bps: int) -> int:
    """An amount times a share in basis points, rounded half up."""
    return (2 * amount * bps + BPS) // (2 * BPS)


def regular_price(rule: Rule, item: Item, policy: Policy) -> int | Reason | None:
    """The regular price a rule says.

    Returns:
        The price, why there is none, or None where the rule has nothing to go by.
    """
    settings = rule.parameters
    if rule.kind is RuleKind.COST_PLUS and item.cost is not None:
        return scaled(with_tax(item.cost, policy.tax_bps), BPS + settings["markup_bps"])
    if rule.kind is RuleKind.FOLLOW_COMPETITOR:
        offers = {"lowest": item.offer_lowest, "second": item.offer_second,
                  "mean": item.offer_mean}  # fmt: skip
        offer = offers[settings["position"]]
        return Reason.NO_OFFER if offer is None else _moved(offer, settings)
    if rule.kind is RuleKind.FOLLOW_LIST and item.followed is not None:
        return _moved(item.followed, settings)
    if rule.kind is RuleKind.MARGIN_OPTIMAL:
        return _optimal(rule.parameters, item, policy)
    return None


def _moved(amount: int, settings: Mapping[str, Any]) -> int:
    offset_bps, offset = int(settings.get("offset_bps", 0)), int(settings.get("offset_minor", 0))
    return scaled(amount, BPS + offset_bps) + offset


def _optimal(settings: Mapping[str, Any], item: Item, policy: Policy) -> int | Reason | None:
    """The price of most margin where each minor unit more costs the same share of the units.

    With units falling as exp(-b p), the margin (p - c) units is largest at c + 1/b, and
    b = elasticity / price at the present price (Phillips, Pricing and Revenue Optimization, ch. 3).
    """
    if item.elasticity_milli is None or item.width_milli is None or item.cost is None:
        return None
    if item.width_milli > settings["most_width_milli"]:
        return Reason.UNCERTAIN
    if item.regular is None or item.elasticity_milli <= 0:
        return None
    reach = scaled(item.regular, settings["reach_bps"])
    best = with_tax(item.cost, policy.tax_bps) + item.regular * 1000 // item.elasticity_milli
    # Not further than prices were seen: beyond it the elasticity says nothing.
    return min(max(best, item.regular - reach), item.regular + reach)


def markdown_bps(rule: Rule, item: Item) -> int:
    """The discount of a markdown rule: that of the highest tier that is reached."""
    value = item.cover_days if rule.kind is RuleKind.COVER_MARKDOWN else item.age_days
    if value is None:
        return 0
    tiers: list[tuple[int, int]] = rule.parameters["tiers"]
    return max((bps for days, bps in tiers if value >= days), default=0)


def reprice(item: Item, rules: Sequence[Rule], policy: Policy) -> Line:
    """What the rules and limits make of one product.

    Args:
        item: what is known of it.
        rules: rules in the order they are asked.
        policy: what the price list says.
    """
    if stop := _stop(item):
        return _held(item, (stop,))
    chosen = [rule for rule in rules if is_in_scope(rule, item)]
    regular, labels, reasons, by_hand = _regular(item, chosen, policy)
    if regular is None:
        return _held(item, (*reasons, Reason.NO_RULE))
    proposed = regular = min(max(regular, 1), MOST_MINOR)
    for rule, bps, reason in _reductions(chosen, item):
        proposed, labels = scaled(proposed, BPS - bps), (*labels, rule.label)
        reasons, by_hand = (*reasons, reason), by_hand or rule.is_approved_by_hand
    if item.test_bps:
        proposed, reasons = scaled(proposed, BPS + item.test_bps), (*reasons, Reason.TESTED)
    line = Line(Outcome.HOLD, max(proposed, 1), item.old, regular, None,
                "+".join(labels), (), reasons, by_hand)  # fmt: skip
    return _ordered(_limited(line, item, bounds_of(item, policy), policy))


def _reductions(rules: Sequence[Rule], item: Item) -> Iterator[tuple[Rule, int, Reason]]:
    """The largest markdown, of equal ones the first, then the promotions that run."""
    markdowns = [
        (markdown_bps(rule, item), rule) for rule in rules
        if rule.kind in (RuleKind.COVER_MARKDOWN, RuleKind.AGEING_MARKDOWN)
    ]  # fmt: skip
    best = max((bps for bps, _ in markdowns), default=0)
    if best > 0:
        yield next(rule for bps, rule in markdowns if bps == best), best, Reason.MARKED_DOWN
    promoting = next((rule for rule in rules if rule.kind is RuleKind.PROMOTION), None)
    if promoting and item.promotion_bps:
        yield promoting, item.promotion_bps, Reason.PROMOTED


def _ordered(line: Line) -> Line:
    """Limits and reasons in the order of their declaration, so that equal lines look equal."""
    return replace(
        line,
        bound=tuple(limit for limit in Limit if limit in line.bound),
        reasons=tuple(reason for reason in Reason if reason in line.reasons),
    )


def _stop(item: Item) -> Reason | None:
    """Why a product is not repriced at all."""
    if item.minimum is None and item.margin_bps is None:
        return Reason.NO_MINIMUM
    if item.cost is None:
        return Reason.NO_COST
    return Reason.LOOP if item.flips >= MOST_FLIPS else None


def _regular(
    item: Item, rules: Sequence[Rule], policy: Policy
) -> tuple[int | None, tuple[str, ...], tuple[Reason, ...], bool]:
    reasons: tuple[Reason, ...] = ()
    for rule in rules:
        if rule.kind in REGULAR:
            said = regular_price(rule, item, policy)
            if isinstance(said, int):
                return said, (rule.label,), reasons, rule.is_approved_by_hand
            reasons = (*reasons, said) if said and said not in reasons else reasons
    if item.regular is not None and any(rule.kind not in REGULAR for rule in rules):
        # Nobody says another regular price: markdowns start from the one in force.
        return item.regular, (), reasons, False
    return None, (), reasons, False


def _held(item: Item, reasons: tuple[Reason, ...]) -> Line:
    line = Line(Outcome.HOLD, None, item.old, item.regular, None, "", (), reasons, False)
    return _ordered(line)


def _limited(line: Line, item: Item, limits: Bounds, policy: Policy) -> Line:
    if limits.floor > limits.ceiling:
        return replace(line, reasons=(*line.reasons, Reason.LIMITS_CONFLICT),
                       bound=(limits.floor_name, Limit.CEILING), new=item.old,
                       regular=item.regular, is_approval_needed=False)  # fmt: skip
    price, bound = clamp(line.proposed or 1, limits)
    reasons = list(line.reasons)
    if not limits.step_low <= price <= limits.step_high:
        reasons.append(Reason.STEP_EXCEEDED)
    elif item.charm_modulus is not None and item.charm_ending is not None:
        found = charmed(price, item.charm_modulus, item.charm_ending, limits)
        if found is None:
            reasons.append(Reason.NO_CHARM)
        elif found != price:
            price, bound = found, (*bound, Limit.CHARM)
    line = replace(line, new=price, bound=bound, reasons=tuple(reasons))
    return _concluded(_announced(line, price, item), price, item.old, policy)


def _announced(line: Line, price: int, item: Item) -> Line:
    """With the price to be shown beside a reduction, which must lie above the new one."""
    line = replace(line, regular=max(line.regular or 1, price))
    if item.prior is None or not {Reason.MARKED_DOWN, Reason.PROMOTED} & set(line.reasons):
        return line
    if price < item.prior:
        return replace(line, reference=item.prior)
    return replace(line, reasons=(*line.reasons, Reason.NOT_ANNOUNCED),
                   bound=(*line.bound, Limit.PRIOR_PRICE))  # fmt: skip


def _concluded(line: Line, price: int, old: int | None, policy: Policy) -> Line:
    """With the outcome, and whether a person must look."""
    if old is None:
        return replace(line, outcome=Outcome.NEW, is_approval_needed=line.is_approval_needed)
    if price == old:
        return replace(line, outcome=Outcome.KEEP, is_approval_needed=False)
    is_large = abs(price - old) * BPS > policy.approve_above_bps * old
    reasons = (*line.reasons, Reason.LARGE) if is_large else line.reasons
    asks = line.is_approval_needed or is_large or Reason.STEP_EXCEEDED in reasons
    return replace(line, outcome=Outcome.CHANGE, reasons=reasons, is_approval_needed=asks)
