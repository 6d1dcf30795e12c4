"""Carriers, their services, and a rate card by distance zone and weight band with one price change.

All prices are in euro cents. A rate grows with the zone and the upper weight of its band; services
that carry less weight have fewer bands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.spec import ShopSpec

CARRIERS = (
    ("PST", "Postilion"),
    ("NLN", "Nordlinie"),
    ("RPD", "Rapide Express"),
    ("CGX", "Cargo Axis"),
)

ZONES = (
    ("Z1", 0, 150), ("Z2", 150, 400), ("Z3", 400, 800), ("Z4", 800, 1500), ("Z5", 1500, None),
)  # fmt: skip
"""Code, from and to kilometres; the last zone has no end."""

BANDS_G = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 31_500, 70_000, 200_000, 2_000_000)
"""Upper ends of the weight bands in grams."""

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a carrier.

    Attributes:
        code: natural key.
        carrier: code of the carrier.
        name: name shown to people.
        max_g: heaviest parcel in grams.
        divisor: cubic centimetres per kilogram of dimensional weight, 0 = not used.
        quality: share of parcels without damage or loss.
        base: price of the lightest parcel in zone 1, in cents.
        per_kg: further cents per kilogram.
        per_zone: growth of the price per zone.
        days: mean days in zone 1.
        days_per_zone: further days per zone.
        spread: standard deviation as a share of the mean.
        rise: growth of the price in the middle of the span.
    """

    code: str
    carrier: str
    name: str
    max_g: int
    divisor: int
    quality: float
    base: int
    per_kg: float
    per_zone: float
    days: float
    days_per_zone: float
    spread: float
    rise: float


SERVICES = (
    Service("PST-MAIL", "PST", "Maxi letter", 2_000, 0, 0.972, 215, 60, 0.16, 2.2, 1.0, .45, .06),
    Service("PST-PARCEL", "PST", "Parcel", 31_500, 0, 0.985, 389, 38, 0.17, 1.6, 0.8, .35, .05),
    Service("NLN-STD", "NLN", "Standard", 31_500, 5_000, 0.988, 369, 44, 0.14, 1.5, 0.7, .30, .04),
    Service("NLN-SHOP", "NLN", "Parcel shop", 20_000, 5_000, .983, 329, 40, .14, 1.9, .8, .35, .03),
    Service("NLN-NEXT", "NLN", "Next day", 31_500, 5_000, 0.990, 749, 62, 0.21, 1.0, .25, .18, .05),
    Service("RPD-12", "RPD", "Express 12:00", 31_500, 5_000, .994, 1290, 95, .24, .9, .1, .10, .07),
    Service("RPD-DAY", "RPD", "Express day", 70_000, 5_000, .993, 890, 80, .22, 1.0, .2, .14, .07),
    Service("CGX-HEAVY", "CGX", "Two-man", 200_000, 4_000, 0.980, 2900, 30, .2, 2.5, .7, .3, -.03),
    Service("CGX-PALLET", "CGX", "Pallet", 2_000_000, 0, .990, 5200, 14, .28, 2.8, .6, .28, .02),
)  # fmt: skip


def rates(
    spec: ShopSpec,
) -> Iterator[tuple[str, str, int, int, int, float, float, int, int | None]]:
    """The rate card: the old prices and those from the middle of the span on.

    Yields:
        Service, zone, grams above, grams up to, cents, mean days, spread in days, and the seconds
        since 1970 from which and before which the rate holds (None: without an end).
    """
    opening = spec.start_s - 365 * DAY_S
    change = spec.start_s + spec.days // 2 * DAY_S
    for begins, ends, is_new in ((opening, change, False), (change, None, True)):
        for service in SERVICES:
            bands = [band for band in BANDS_G if band <= service.max_g]
            for zone, (code, _, _) in enumerate(ZONES):
                days = service.days + service.days_per_zone * zone
                spread = round(days * service.spread, 3)
                for above, up_to in zip([0, *bands], bands, strict=False):
                    cents = _price(service, zone, up_to, is_new)
                    yield (service.code, code, above, up_to, cents, round(days, 2), spread,
                           begins, ends)  # fmt: skip


def _price(service: Service, zone: int, up_to_g: int, is_new: bool) -> int:
    plain = service.base + service.per_kg * max(0.0, up_to_g / 1000 - 0.5)
    return round(plain * (1 + service.per_zone) ** zone * (1 + service.rise * is_new))
