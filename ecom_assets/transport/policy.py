"""What a late, damaged or weightless parcel means to the shop when a carrier is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ecom_assets.shared.policy_forms import Figure

KIND = "carrier"
"""Kind of the rules as data."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the shop makes of lateness and damage.

    Attributes:
        version: recorded with every choice.
        late_cost_minor: cost of a late parcel (contact, refund, lost goodwill) in minor units.
        damage_share: part of the goods' value that a damaged or lost parcel costs.
        keeps_promise_from: on-time probability from which a service is said to keep the promise.
        default_unit_weight_g: weight of a unit whose product has none, in grams.
    """

    version: str = "carrier-1"
    late_cost_minor: Annotated[int, Figure("minor units", least=0)] = 1_000
    damage_share: Annotated[float, Figure("share", least=0, most=1)] = 1.0
    keeps_promise_from: Annotated[float, Figure("probability", least=0, most=1)] = 0.9
    default_unit_weight_g: Annotated[int, Figure("grams", least=1)] = 500

    def __post_init__(self) -> None:
        """Refuse figures that no shop can mean.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        if self.late_cost_minor < 0:
            raise ValueError("late_cost_minor is an amount and must be 0 or more")
        for name in ("damage_share", "keeps_promise_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share and must be from 0 to 1")
        if self.default_unit_weight_g < 1:
            raise ValueError("default_unit_weight_g must be at least 1")


POLICY = Policy()
"""What the first version says."""
