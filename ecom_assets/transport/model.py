"""Parcels, the rate card and the candidates of a carrier choice, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LARGEST_WEIGHT_G = 2_147_483_647
"""Weights are capped at what the database's `integer` holds: no service carries 2,147 tonnes."""


class CardRefused(Exception):
    """A change of the rate card that makes no sense.

    Attributes:
        field: what is wrong.
        code: why, for programs.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        """Refuse a field, with words for people."""
        super().__init__(message)
        self.field, self.code = field, code


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one site ships for one order.

    Attributes:
        weight_g: weight of all units in grams.
        volume_mm3: volume of all units whose sides are known, in cubic millimetres.
        goods_minor: value of the goods after discount, in minor units of `currency`.
        currency: ISO 4217 code of the order.
        distance_km: great-circle distance to the customer; None if unknown.
        ready_at: when all units are at the site.
        promised_at: latest delivery promised; None without a promise.
    """

    weight_g: int
    volume_mm3: int
    goods_minor: int
    currency: str
    distance_km: float | None
    ready_at: datetime
    promised_at: datetime | None


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a carrier; see `transport.services` for the units.

    Attributes:
        archived_at: when it or its carrier was archived, whichever came first.
    """

    service_code: str
    max_weight_g: int
    dim_divisor: int
    quality: float
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A distance zone: from `from_km` (included) to `to_km` (excluded)."""

    zone_code: str
    from_km: float
    to_km: float
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A price for a service, zone and weight band over a period; see `transport.rates`."""

    service_code: str
    zone_code: str
    from_g: int
    to_g: int
    price_minor: int
    currency: str
    transit_days: float
    transit_spread_days: float
    valid_from_at: datetime
    valid_to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """All services, zones and rates of the shop."""

    services: tuple[Service, ...]
    zones: tuple[Zone, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One service considered for a parcel; one row of `transport.carrier_choices`.

    Attributes:
        score: lower is better, in minor units of `currency`; None where not eligible.
        reason: why it was chosen or not, in words.
    """

    service_code: str
    zone_code: str
    billable_weight_g: int
    cost_minor: int | None
    currency: str | None
    eta_at: datetime | None
    on_time_probability: float | None
    score: float | None
    is_eligible: bool
    is_chosen: bool
    reason: str
