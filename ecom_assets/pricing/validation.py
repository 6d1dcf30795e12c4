"""Whether a rule's settings make sense; nothing that fails here is ever stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecom_assets.pricing.model import BPS, MOST_MINOR, InvalidRule, RuleKind

_Check = Callable[[str, Any], None]


def _whole(low: int, high: int) -> _Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidRule(f"{name} must be a whole number from {low:,} to {high:,}")

    return check


def _one_of(*words: str) -> _Check:
    def check(name: str, value: Any) -> None:
        if value not in words:
            raise InvalidRule(f"{name} must be one of {', '.join(words)}")

    return check


def _tiers(name: str, value: Any) -> None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise InvalidRule(f"{name} must be a list of [days, discount in basis points]")
    for tier in value:
        if not isinstance(tier, Sequence) or isinstance(tier, str) or len(tier) != 2:
            raise InvalidRule(f"{name} must be a list of [days, discount in basis points]")
        _whole(0, 100_000)(f"days of {name}", tier[0])
        _whole(1, 9_500)(f"discount of {name}", tier[1])


_OFFSETS: dict[str, _Check] = {
    "offset_minor": _whole(-MOST_MINOR, MOST_MINOR),
    "offset_bps": _whole(-9_999, BPS * 10),
}

_REQUIRED: Mapping[RuleKind, Mapping[str, _Check]] = {
    RuleKind.COST_PLUS: {"markup_bps": _whole(0, 1_000_000)},
    RuleKind.FOLLOW_COMPETITOR: {"position": _one_of("lowest", "second", "mean")},
    RuleKind.FOLLOW_LIST: {"price_list_id": _whole(1, 2**63 - 1)},
    RuleKind.MARGIN_OPTIMAL: {
        "most_width_milli": _whole(1, 1_000_000), "reach_bps": _whole(1, BPS - 1),
    },
    RuleKind.COVER_MARKDOWN: {"tiers": _tiers},
    RuleKind.AGEING_MARKDOWN: {"tiers": _tiers},
    RuleKind.PROMOTION: {},
}  # fmt: skip

_OPTIONAL: Mapping[RuleKind, Mapping[str, _Check]] = {
    RuleKind.FOLLOW_COMPETITOR: _OFFSETS,
    RuleKind.FOLLOW_LIST: _OFFSETS,
}


def check_settings(kind: str, parameters: Mapping[str, Any]) -> RuleKind:
    """The kind of a rule whose settings are right.

    Raises:
        InvalidRule: the kind is unknown, or a setting is missing, unknown or out of range.
    """
    try:
        known = RuleKind(kind)
    except ValueError:
        raise InvalidRule(f"kind must be one of {', '.join(RuleKind)}") from None
    required, optional = _REQUIRED[known], _OPTIONAL.get(known, {})
    if missing := sorted(set(required) - set(parameters)):
        raise InvalidRule(f"{known} needs {', '.join(missing)}")
    if strange := sorted(set(parameters) - set(required) - set(optional)):
        raise InvalidRule(f"{known} knows no {', '.join(strange)}")
    for name, value in parameters.items():
        (required.get(name) or optional[name])(name, value)
    return known


def loop_of(follows: Mapping[int, frozenset[int]], start: int) -> tuple[int, ...]:
    """The way by which a price list follows itself, empty if it does not.

    Args:
        follows: by list, the lists whose prices its rules follow.
        start: list to look from.
    """
    ways: list[tuple[int, ...]] = [(start,)]
    seen: set[int] = set()
    while ways:
        way = ways.pop()
        for other in sorted(follows.get(way[-1], frozenset())):
            if other == start:
                return (*way, other)
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()


def flips(prices: Sequence[tuple[int, str]]) -> int:
    """How often a price turned round, each turn by another rule than the move before it.

    Args:
        prices: price and rule, in the order they held.
    """
    turns = 0
    for (first, _), (second, rule), (third, other) in zip(
        prices, prices[1:], prices[2:], strict=False
    ):
        turns += (second - first) * (third - second) < 0 and rule != other
    return turns
