"""Customers, households and addresses, each a function of its number.

A *group* is who shares a home: a household, or the people of a fraud ring. Numbers of customers
start with those known before the span, then come those who joined with an order, then the accounts
that fraud rings opened. Groups and addresses of rings and of stolen accounts lie far above those of
households, so that they never meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.draws import Draws, Floats, Ints, Texts, scramble
from simulator.names import UNUSUAL, Names
from simulator.places import CITIES, COUNTRIES
from simulator.rings import Rings
from simulator.season import Season
from simulator.spec import ShopSpec

RING_GROUP = 1 << 40
"""Group of fraud ring 0."""

THEFT_GROUP = 1 << 41
"""Group of the address to which the stolen account's order 0 goes."""

BUSINESS_EVERY = 16
"""Every so many customers is a firm that orders by phone."""

SLOTS = 4
"""Addresses a group can have; address = group * SLOTS + slot."""

DEVICE_SLOTS = 4
"""Devices and cards a customer can have."""


def joined(spec: ShopSpec, order: Ints) -> Ints:
    """Customers known when an order has been placed: two of five orders bring a new one."""
    return spec.first_customers + 2 * (order + 1) // 5


def joining_order(spec: ShopSpec, customer: Ints) -> Ints:
    """The order with which a customer joined; negative for those known before the span."""
    return -(-5 * (customer - spec.first_customers + 1) // 2) - 1


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who people are, as columns of a file."""

    key: Texts
    name: Texts
    email: Texts
    phone: Texts


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where parcels go, as columns of a file; `country` is a position in `COUNTRIES`."""

    line1: Texts
    city: Texts
    region: Texts
    postal_code: Texts
    country: Ints
    latitude: Floats
    longitude: Floats


class People:
    """The customers of a shop."""

    def __init__(self, spec: ShopSpec, draws: Draws, season: Season, rings: Rings) -> None:
        self._spec, self._draws, self._season, self._rings = spec, draws, season, rings
        self._names = Names.build(draws)
        self.honest = int(joined(spec, np.array([spec.orders - 1]))[0])
        self.total = self.honest + rings.accounts

    def group(self, customer: Ints) -> Ints:
        """Household of a customer, or the group of the ring that opened the account."""
        shares = (customer % 2 == 1) & self._draws.chance("person/shares", customer, 0.16)
        ring = self._rings.ring_of_account(customer - self.honest)
        return np.where(customer < self.honest, customer - shares, RING_GROUP + ring)

    def signed_up(self, customer: Ints) -> Ints:
        """Seconds since 1970 at which the account was opened."""
        chance = self._draws.uniform("person/signed up", customer)
        before = self._spec.start_s - (chance * 700 * 86_400).astype(np.int64) - 3600
        order = joining_order(self._spec, customer)
        recent = self._season.placed(np.clip(order, 0, self._spec.orders - 1))
        recent -= np.where(chance < 0.7, 60 + chance * 1800, chance * 30 * 86_400).astype(np.int64)
        first = self._rings.first_order(customer - self.honest)
        bad = self._season.placed(first) - 1800 - (chance * 70 * 3600).astype(np.int64)
        honest = np.where(customer < self._spec.first_customers, before, recent)
        return np.where(customer < self.honest, honest, bad)

    def country(self, group: Ints) -> Ints:
        """Country of a group, as a position in `COUNTRIES`."""
        return self._draws.choice("group/country", group, [each.share for each in COUNTRIES])

    def contacts(self, customer: Ints) -> Contacts:
        """Names, e-mail addresses and telephone numbers."""
        draws, names = self._draws, self._names
        given = names.given[draws.below("person/given", customer, len(names.given))]
        # People of one home mostly share the family name.
        family = names.family[draws.below("group/family", self.group(customer), len(names.family))]
        odd = names.unusual[draws.below("person/odd", customer, len(names.unusual))]
        full = np.where(
            draws.chance("person/unusual", customer, UNUSUAL), odd, given + " " + family
        )
        number = scramble(customer, 9).tolist()
        dial = np.array([each.dial for each in COUNTRIES], "O")[self.country(self.group(customer))]
        return Contacts(
            key=np.array([f"C{n:09d}" for n in number], dtype=object),
            name=full,
            email=np.array(
                [f"{g}.{f}{n % 10_000_000}@example.com".lower()
                 for g, f, n in zip(given, family, number, strict=True)], dtype=object,
            ),
            phone=np.array([f"+{d}555{n:09d}" for d, n in zip(dial, number, strict=True)], "O"),
        )  # fmt: skip

    def addresses(self, address: Ints) -> Addresses:
        """The addresses with these numbers; all of a group are in one country."""
        draws = self._draws
        country = self.country(address // SLOTS)
        city = self._city(address, country)
        street = self._names.streets[draws.below("address/street", address, 900)]
        suffix = np.array([each.street for each in COUNTRIES], dtype=object)[country]
        number = (draws.uniform("address/number", address) ** 2 * 180).astype(np.int64) + 1
        prefix = np.array([each.postal_prefix for each in CITIES], dtype=object)[city]
        area = draws.below("address/area", address, 1000)
        place = np.array([(each.latitude, each.longitude) for each in CITIES])[city]
        # A postal area is about ten kilometres from the centre.
        shift = np.stack([draws.normal(f"area/{n}", city * 1000 + area) for n in range(2)], axis=1)
        place = np.round(place + 0.08 * shift, 4)
        houses = zip(street, suffix, number.tolist(), strict=True)
        codes = zip(prefix, area.tolist(), strict=True)
        return Addresses(
            line1=np.array([f"{name}{end} {house}" for name, end, house in houses], dtype=object),
            city=np.array([each.name for each in CITIES], dtype=object)[city],
            region=np.array([each.region for each in CITIES], dtype=object)[city],
            postal_code=np.array([f"{start}{code:03d}" for start, code in codes], dtype=object),
            country=country,
            latitude=place[:, 0],
            longitude=place[:, 1],
        )

    def _city(self, address: Ints, country: Ints) -> Ints:
        chance = self._draws.uniform("address/city", address)
        city = np.zeros_like(country)
        for number, market in enumerate(COUNTRIES):
            here = np.array([n for n, each in enumerate(CITIES) if each.country == market.code])
            edges = np.cumsum([CITIES[n].share for n in here])
            chosen = country == number
            city[chosen] = here[np.searchsorted(edges, chance[chosen] * edges[-1], side="right")]
        return city
