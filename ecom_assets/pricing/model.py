"""Values of pricing: rules with their settings, limits, what is known of a product, plan lines.

Shares are whole basis points and money whole minor units, so that a price never depends on the
order in which something was rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

BPS = 10_000
"""Basis points of the whole."""

MOST_MINOR = 10**12
"""Largest amount a price, cost or limit may have; products of two shares then fit 64 bits."""

MOST_FLIPS = 3
"""So often may a price have gone to and fro within `FLIP_DAYS` before the rules are stopped."""

FLIP_DAYS = 7
"""Days of a price's history that are searched for rules that undo each other."""

PRIOR_DAYS = 30
"""Days before a reduction whose lowest price must be shown with it (Directive 98/6/EC, art. 6a)."""


class InvalidRule(ValueError):
    """A rule whose settings make no sense; the message names the setting."""


class RuleKind(StrEnum):
    """What a rule does. The first four say the regular price, the rest lower it."""

    COST_PLUS = "cost_plus"
    FOLLOW_COMPETITOR = "follow_competitor"
    FOLLOW_LIST = "follow_list"
    MARGIN_OPTIMAL = "margin_optimal"
    COVER_MARKDOWN = "cover_markdown"
    AGEING_MARKDOWN = "ageing_markdown"
    PROMOTION = "promotion"


REGULAR = frozenset({
    RuleKind.COST_PLUS, RuleKind.FOLLOW_COMPETITOR, RuleKind.FOLLOW_LIST, RuleKind.MARGIN_OPTIMAL,
})  # fmt: skip
"""Kinds that say the regular price; the first that can say one is used."""


class Limit(StrEnum):
    """Limits by strength: where two exclude each other the earlier one holds."""

    COST = "cost"
    MINIMUM = "minimum"
    MARGIN = "margin"
    MAP = "map"
    CEILING = "ceiling"
    STEP = "step"
    CHARM = "charm"
    PRIOR_PRICE = "prior_price"


class Reason(StrEnum):
    """Why a line is as it is, beside the rule and the limits it names."""

    NO_COST = "cost_unknown"
    NO_MINIMUM = "minimum_blank"
    NO_RULE = "no_rule_applies"
    LIMITS_CONFLICT = "floor_above_ceiling"
    LOOP = "rules_undo_each_other"
    STEP_EXCEEDED = "limit_needs_more_than_a_step"
    NO_CHARM = "no_charm_price_within_limits"
    NOT_ANNOUNCED = "reduction_not_below_prior_price"
    LARGE = "moves_more_than_allowed_without_approval"
    UNCERTAIN = "elasticity_too_uncertain"
    NO_OFFER = "no_fresh_offer"
    MARKED_DOWN = "marked_down"
    PROMOTED = "promoted"
    TESTED = "price_test_runs"
    BASE_MOVED = "moved_since"


class Outcome(StrEnum):
    """What a plan does to a price."""

    CHANGE = "change"
    NEW = "new"
    KEEP = "keep"
    HOLD = "hold"
    END = "end"


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule.

    Attributes:
        name: name of the rule.
        version: its version.
        kind: what it does.
        parameters: settings of the kind, whole numbers, texts or lists of pairs.
        category: category it is for, '' for any.
        sku: product it is for, '' for any.
        priority: place in the order in which rules are asked.
        is_approved_by_hand: whether its lines ask for approval.
    """

    name: str
    version: int
    kind: RuleKind
    parameters: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    sku: str = ""
    priority: int = 100
    is_approved_by_hand: bool = False

    @property
    def label(self) -> str:
        """Name and version, as plan lines and prices name it."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a price list says of all its lines.

    Attributes:
        tax_bps: tax contained in its prices, basis points of the net price.
        approve_above_bps: a line that moves more asks for approval.
    """

    tax_bps: int = 0
    approve_above_bps: int = BPS


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of one product in one list; money in minor units, None where unknown.

    Attributes:
        sku: product.
        category: its category.
        old: price in force.
        regular: the same before markdowns and promotions.
        anchor: price a day before, from which the step of the day is measured.
        prior: lowest price of the last 30 days.
        flips: how often the price went to and fro within the last days by different rules.
        cost: net cost of one unit.
        minimum: lowest price allowed.
        margin_bps: least margin on the net price.
        ceiling: highest price allowed.
        map_price: lowest price the maker allows.
        step_bps: most change within a day.
        charm_modulus: prices end alike within so many minor units.
        charm_ending: what they end with.
        offer_lowest: lowest fresh offer of a competitor.
        offer_second: second lowest.
        offer_mean: mean of the fresh offers, rounded down.
        followed: price of the list that `follow_list` follows.
        cover_days: days the stock lasts at the pace of the last weeks.
        age_days: days since the last receipt.
        promotion_bps: discount of the promotions that run.
        test_bps: deviation that a price test asks for, 0 without one.
        elasticity_milli: thousandths of percent more units for one percent less price, positive.
        width_milli: width of the elasticity's 95% interval in thousandths.
    """

    sku: str = ""
    category: str = ""
    old: int | None = None
    regular: int | None = None
    anchor: int | None = None
    prior: int | None = None
    flips: int = 0
    cost: int | None = None
    minimum: int | None = None
    margin_bps: int | None = None
    ceiling: int | None = None
    map_price: int | None = None
    step_bps: int | None = None
    charm_modulus: int | None = None
    charm_ending: int | None = None
    offer_lowest: int | None = None
    offer_second: int | None = None
    offer_mean: int | None = None
    followed: int | None = None
    cover_days: int | None = None
    age_days: int | None = None
    promotion_bps: int | None = None
    test_bps: int = 0
    elasticity_milli: int | None = None
    width_milli: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What a plan says of one price; see `pricing.plan_lines`."""

    outcome: Outcome
    proposed: int | None
    new: int | None
    regular: int | None
    reference: int | None
    rule: str
    bound: tuple[str, ...]
    reasons: tuple[str, ...]
    is_approval_needed: bool
