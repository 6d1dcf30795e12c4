"""How a parcel gets its carrier service: the plain reference of what `store` does in SQL.

Every service is a candidate. Its weight is the larger of the scale's and the dimensional one; its
zone follows from the distance, among the zones in which it has a rate in force when the parcel is
ready; that rate prices it. The score of a candidate is what it is expected to cost the shop:

    cost + (1 - on-time probability) * late cost + (1 - quality) * damage share * goods value

Money stays in the rate card's currency. Candidates of one parcel are compared in one currency: the
order's where the rate card has it, else the alphabetically first one. Where that differs from the
order's, the goods' value is left out, since no exchange rate is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ecom_assets.shared.money import exponent
from ecom_assets.transport.model import (
    LARGEST_WEIGHT_G,
    Candidate,
    Parcel,
    Rate,
    RateCard,
    Service,
    Zone,
)
from ecom_assets.transport.policy import POLICY, Policy

SECONDS_PER_DAY = 86_400


REASONS = {
    "only_eligible": "no other service could carry the parcel",
    "cheapest": "no eligible service costs less",
    "keeps_promise": "arrives by the promise with at least the policy's probability",
    "without_promise": "the order has no promised date",
    "distance_unknown": "the farthest zone was assumed",
    "weight_estimated": "a product does not state its own weight",
    "no_eligible_carrier": "no service can carry the parcel",
}
"""Codes in the ledger's `carrier_choice` decisions, and what each means."""

PROBLEMS = {
    "duplicate_key": "another row has the same natural key; the first by its values was kept",
    "unknown_carrier": "carrier_code is not among the carriers",
    "unknown_service": "service_code is not among the services",
    "unknown_zone": "zone_code is not among the zones",
    "bad_figures": "max_weight_g, dim_divisor or quality is out of range",
    "bad_range": "from_km must be at least 0 and less than to_km",
    "empty_band": "from_g must be at least 0 and less than to_g",
    "empty_period": "valid_to_at must be after valid_from_at",
    "negative_price": "price_minor is negative",
    "bad_currency": "currency is not an ISO 4217 code",
    "bad_transit_time": "transit_days and transit_spread_days must be from 0 to 365",
    "overlapping_band": "from_g to to_g overlaps another rate of the service, zone and start",
}
"""Why a row of a rate card is parked: code and words."""


def keep_first_bands(rates: Sequence[Rate]) -> list[Rate]:
    """Rates without those that overlap an earlier band of the same service, zone and start.

    Earlier is the band that starts at the lower weight, then the cheaper one. Rates that start at
    different moments never conflict: the later start is the newer price.
    """
    kept: list[Rate] = []
    ends: dict[tuple[str, str, datetime], int] = {}
    for rate in sorted(rates, key=lambda rate: (rate.from_g, rate.price_minor, rate.to_g)):
        group = (rate.service_code, rate.zone_code, rate.valid_from_at)
        if rate.from_g >= ends.get(group, 0):
            kept.append(rate)
            ends[group] = rate.to_g
    return kept


def billable_weight_g(parcel: Parcel, service: Service) -> int:
    """The larger of weight and dimensional weight in grams.

    Dimensional weight is volume / divisor: cubic millimetres by cubic centimetres per kilogram are
    grams. Rounded up; a divisor of 0 means that the carrier does not measure.
    """
    if service.dim_divisor <= 0:
        return parcel.weight_g
    # Twice negated, // rounds up: carriers bill the started gram.
    dimensional_g = -(-parcel.volume_mm3 // service.dim_divisor)
    return min(max(parcel.weight_g, dimensional_g), LARGEST_WEIGHT_G)


def zones_of(service: Service, card: RateCard, at: datetime) -> list[Zone]:
    """The zones in which a service has a rate in force, for whatever weight; all if in none.

    Shops may share the tables: a zone of another shop must not keep a service from its own.
    """
    rated = {
        rate.zone_code
        for rate in card.rates
        if rate.service_code == service.service_code and _is_in_force(rate, at)
    }
    return [zone for zone in card.zones if zone.zone_code in rated] or list(card.zones)


def zone_of(distance_km: float | None, zones: Sequence[Zone]) -> tuple[Zone, str]:
    """The narrowest zone of a distance and a note where it had to be assumed.

    An unknown distance, or one that no zone covers, takes the farthest zone: too dear at worst.
    """
    farthest = min(zones, key=lambda zone: (-zone.from_km, zone.zone_code))
    if distance_km is None:
        return farthest, "; distance unknown, farthest zone assumed"
    fitting = [zone for zone in zones if zone.from_km <= distance_km < zone.to_km]
    if not fitting:
        return farthest, "; no zone covers the distance, farthest assumed"
    return min(fitting, key=lambda zone: (zone.to_km - zone.from_km, zone.zone_code)), ""


def _is_in_force(rate: Rate, at: datetime) -> bool:
    return rate.valid_from_at <= at and (rate.valid_to_at is None or at < rate.valid_to_at)


def rate_in_force(
    rates: Sequence[Rate], service: Service, zone: Zone, weight_g: int, at: datetime
) -> Rate | None:
    """The rate for a weight at a moment; of several, the one that started last."""
    fitting = [
        rate
        for rate in rates
        if (rate.service_code, rate.zone_code) == (service.service_code, zone.zone_code)
        and rate.from_g < weight_g <= rate.to_g
        and _is_in_force(rate, at)
    ]
    return max(fitting, key=lambda rate: rate.valid_from_at, default=None)


def on_time_probability(parcel: Parcel, rate: Rate) -> float:
    """Probability to arrive by the promise; 1 without a promise.

    Transit time is taken as normal. The distribution function is the logistic approximation
    1 / (1 + exp(-(1.5976 z + 0.07056 z³))), off by less than 0.00015 (Bowling and others, 2009,
    "A logistic approximation to the cumulative normal distribution"); PostgreSQL 15 has no erf.
    """
    if parcel.promised_at is None:
        return 1.0
    allowed_days = (parcel.promised_at - parcel.ready_at).total_seconds() / SECONDS_PER_DAY
    spare_days = allowed_days - rate.transit_days
    if rate.transit_spread_days == 0:
        return 1.0 if spare_days >= 0 else 0.0
    # Beyond 8 deviations nothing changes, and exp() could overflow.
    z = max(-8.0, min(8.0, spare_days / rate.transit_spread_days))
    return 1 / (1 + math.exp(-(1.5976 * z + 0.07056 * (z * z * z))))


def in_use(card: RateCard, at: datetime | None = None) -> RateCard:
    """A card without what is archived; as it was at a moment, for a replay of it."""

    def is_used(each: Service | Zone) -> bool:
        return each.archived_at is None or (at is not None and at < each.archived_at)

    services, zones = filter(is_used, card.services), filter(is_used, card.zones)
    return RateCard(tuple(services), tuple(zones), card.rates)


def choose(
    parcel: Parcel, card: RateCard, policy: Policy = POLICY, as_then: bool = False
) -> list[Candidate]:
    """Every service in use as a candidate, by service code; at most one is chosen.

    Lower score is better; ties go to the service code that sorts first. Without any zone there is
    nothing to price, and so no candidate. What was archived since is one only `as_then`.
    """
    card = in_use(card, parcel.ready_at if as_then else None)
    if not card.zones:
        return []
    services = sorted(card.services, key=lambda service: service.service_code)
    zoned = [zone_of(parcel.distance_km, zones_of(s, card, parcel.ready_at)) for s in services]
    priced = [
        _price(parcel, service, zone, card.rates)
        for service, (zone, _) in zip(services, zoned, strict=True)
    ]
    currencies = {found.currency for found in priced if found.is_eligible and found.currency}
    # One currency per parcel: without a rate of exchange two prices cannot be compared.
    compared_in = parcel.currency if parcel.currency in currencies else min(currencies, default="")
    judged = [
        _judge(parcel, service, candidate, compared_in, policy)
        for service, candidate in zip(services, priced, strict=True)
    ]
    decided = zip(_decide(parcel, judged, policy), zoned, strict=True)
    return [replace(found, reason=found.reason + note) for found, (_, note) in decided]


def _price(parcel: Parcel, service: Service, zone: Zone, rates: Sequence[Rate]) -> Candidate:
    weight_g = billable_weight_g(parcel, service)
    rate = rate_in_force(rates, service, zone, weight_g, parcel.ready_at)
    return Candidate(
        service_code=service.service_code,
        zone_code=zone.zone_code,
        billable_weight_g=weight_g,
        cost_minor=rate.price_minor if rate else None,
        currency=rate.currency if rate else None,
        # Transit is counted in calendar days of 24 hours: weekends and holidays are in its mean.
        eta_at=parcel.ready_at + timedelta(days=rate.transit_days) if rate else None,
        on_time_probability=on_time_probability(parcel, rate) if rate else None,
        score=None,
        is_eligible=rate is not None and parcel.weight_g <= service.max_weight_g,
        is_chosen=False,
        reason="",
    )


def _judge(
    parcel: Parcel, service: Service, found: Candidate, compared_in: str, policy: Policy
) -> Candidate:
    # The limit is on the scale's weight: a bulky but light parcel is dear, not too heavy.
    if parcel.weight_g > service.max_weight_g:
        return replace(found, reason=f"over max weight {_kg(service.max_weight_g)}")
    if found.cost_minor is None or found.on_time_probability is None:
        weight = _kg(found.billable_weight_g)
        return replace(found, reason=f"no rate for {weight} to zone {found.zone_code}")
    if found.currency != compared_in:
        words = f"rate in {found.currency}, parcel compared in {compared_in}"
        return replace(found, is_eligible=False, reason=words)
    at_risk_minor = parcel.goods_minor if found.currency == parcel.currency else 0
    late = policy.late_cost_minor * (1 - found.on_time_probability)
    damage = (1 - service.quality) * policy.damage_share * at_risk_minor
    return replace(found, score=found.cost_minor + late + damage)


def _decide(parcel: Parcel, judged: list[Candidate], policy: Policy) -> list[Candidate]:
    eligible = [found for found in judged if found.score is not None]
    if not eligible:
        return judged
    chosen = min(eligible, key=lambda found: (_known(found.score), found.service_code))
    words = _why_chosen(parcel, chosen, eligible, policy)
    return [
        replace(found, is_chosen=True, reason=words)
        if found is chosen
        else replace(found, reason=_compared(parcel, found, chosen))
        if found.score is not None
        else found
        for found in judged
    ]


def _why_chosen(
    parcel: Parcel, chosen: Candidate, eligible: list[Candidate], policy: Policy
) -> str:
    on_time = "" if parcel.promised_at is None else f", {_percent(chosen)} on time"
    if len(eligible) == 1:
        return f"only service that can carry it{on_time}"
    if _is_cheapest(chosen, eligible):
        return f"cheapest{on_time}"
    keeping = [
        found
        for found in eligible
        if parcel.promised_at and _known(found.on_time_probability) >= policy.keeps_promise_from
    ]
    if chosen in keeping and _is_cheapest(chosen, keeping):
        return f"cheapest that keeps the promise{on_time}"
    return f"best balance of cost, punctuality and damage{on_time}"


def _is_cheapest(chosen: Candidate, among: list[Candidate]) -> bool:
    return chosen.cost_minor == min(_known(found.cost_minor) for found in among)


def _compared(parcel: Parcel, found: Candidate, chosen: Candidate) -> str:
    on_time = "" if parcel.promised_at is None else f", {_percent(found)} on time"
    difference = int(_known(found.cost_minor) - _known(chosen.cost_minor))
    if difference == 0:
        return f"same price as chosen{on_time}"
    places = exponent(str(found.currency))
    amount = f"{Decimal(abs(difference)).scaleb(-places):.{places}f} {found.currency}"
    return f"{amount} {'dearer' if difference > 0 else 'cheaper'} than chosen{on_time}"


def _known(value: float | None) -> float:
    """A figure that every eligible candidate has."""
    if value is None:
        raise ValueError("an eligible candidate has a cost, a probability and a score")
    return value


def _percent(found: Candidate) -> str:
    return f"{round(_known(found.on_time_probability) * 100)} %"


def _kg(weight_g: int) -> str:
    return f"{(Decimal(weight_g) / 1000).normalize():f} kg"
