"""Who orders, when, through which channel, from which device, and where the parcel goes.

Two in five orders bring a new customer; the others come from known ones, a twentieth of whom buy
far more often than the rest. Honest orders, too, go to other people's homes or come from shared
devices now and then, so that no single sign gives a fraud away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from simulator.draws import Draws, Flags, Floats, Ints, Texts, scramble
from simulator.people import BUSINESS_EVERY, RING_GROUP, SLOTS, THEFT_GROUP, joined
from simulator.places import COUNTRIES
from simulator.rings import TAKEOVER
from simulator.world import World


class Channel(IntEnum):
    """Sales channels; the name in lower case is what files call them."""

    WEBSHOP = 0
    BAZAAR = 1
    NORDMARKT = 2
    PHONE = 3


CHANNELS: Texts = np.array([each.name.lower() for each in Channel], dtype=object)

_MIX = {"SE": (0.42, 0.10, 0.48), "DE": (0.56, 0.26, 0.18), "NL": (0.60, 0.22, 0.18)}
_MIX_ELSEWHERE = (0.66, 0.31, 0.03)
"""Shares of the web shop and of the two marketplaces, by country."""

_EXTERNAL = ("W-{:08d}", "BZ{:011d}", "{:012d}NM", "T{:07d}")


@dataclass(frozen=True, slots=True)
class Heads:
    """Orders without their lines, as arrays of one element per order.

    Attributes:
        order: number of the order, from 0, in the order of time.
        placed: seconds since 1970.
        channel: see `Channel`.
        customer: number of the customer.
        country: where the parcel goes, as a position in `COUNTRIES`.
        address: number of the delivery address.
        device: number of the device.
        card: number of the card, should one be used.
        network: number of the network the order came from.
        ring: ring number for orders of fraud rings, else -1.
        is_fraud: placed by a ring or from a stolen account.
        is_first: the first order of a new honest customer.
    """

    order: Ints
    placed: Ints
    channel: Ints
    customer: Ints
    country: Ints
    address: Ints
    device: Ints
    card: Ints
    network: Ints
    ring: Ints
    is_fraud: Flags
    is_first: Flags


def external_ids(order: Ints, channel: Ints) -> Texts:
    """What the channels call these orders."""
    shown = np.where(channel == Channel.WEBSHOP, order + 1, scramble(order, 9))
    pairs = zip(channel.tolist(), shown.tolist(), strict=True)
    return np.array([_EXTERNAL[kind].format(number) for kind, number in pairs], dtype=object)


def build_heads(world: World, order: Ints) -> Heads:
    """Make the orders with these numbers, which may be any."""
    draws, rings, people = world.draws, world.rings, world.people
    placed = world.season.placed(order)
    place = rings.at(order)
    is_ring = place >= 0
    ring = np.where(is_ring, rings.ring[place], -1)
    buyer, channel, is_first = _buyers(world, order, placed)
    is_theft = ~is_ring & (channel != Channel.PHONE) & draws.chance("order/theft", order, TAKEOVER)
    account = people.honest + rings.first_account[ring] + rings.member[place]
    customer = np.where(is_ring, account, buyer)
    address = _addresses(world, order, customer, ring, is_theft)
    return Heads(
        order=order,
        placed=placed,
        channel=np.where(is_ring & (channel == Channel.PHONE), Channel.WEBSHOP, channel),
        customer=customer,
        country=people.country(address // SLOTS),
        address=address,
        device=_devices(world, order, customer, ring, is_theft),
        card=_owned(draws, "card", order, customer, ring, is_theft, 4),
        network=_owned(draws, "network", order, people.group(customer), ring, is_theft, 2),
        ring=ring,
        is_fraud=is_ring | is_theft,
        is_first=is_first & ~is_ring,
    )


def _buyers(world: World, order: Ints, placed: Ints) -> tuple[Ints, Ints, Flags]:
    """Honest customers, the channels they use, and whether the order is their first."""
    draws, spec = world.draws, world.spec
    known = joined(spec, order)
    is_new = known > joined(spec, order - 1)
    back = draws.below("order/buyer", order, known)
    loyal = draws.chance("order/loyal", order, 0.35)
    # Every twentieth customer is a loyal one; rounding down picks the loyal one of the twenty.
    back = np.where(loyal, np.maximum(back - back % 20 + 2, 2), back)
    calls = draws.chance("order/calls", order, _office_share(placed))
    is_firm = back % BUSINESS_EVERY == 0
    back = np.where(calls, back - back % BUSINESS_EVERY, np.where(is_firm, back + 1, back))
    # The neighbour of the newest customer may not have joined yet.
    customer = np.where(is_new, known - 1, np.where(back < known, back, 1))
    channel = _web_channels(world, order, customer)
    firm = customer % BUSINESS_EVERY == 0
    return customer, np.where(firm, Channel.PHONE, channel), is_new


def _office_share(placed: Ints) -> Floats:
    """Share of firms among returning customers: they call in office hours."""
    hour, day = placed // 3600 % 24, (placed // 86_400 + 3) % 7
    return np.where((day < 5) & (hour >= 7) & (hour < 17), 0.16, 0.004)


def _web_channels(world: World, order: Ints, customer: Ints) -> Ints:
    country = world.people.country(world.people.group(customer))
    edges = np.cumsum([_MIX.get(each.code, _MIX_ELSEWHERE) for each in COUNTRIES], axis=1)
    chance = world.draws.uniform("order/channel", order)
    channel: Ints = (chance[:, None] >= edges[country, :2]).sum(axis=1)
    return channel


def _addresses(world: World, order: Ints, customer: Ints, ring: Ints, is_theft: Flags) -> Ints:
    """Home, a second or third address of the customer's, or somebody else's as a gift."""
    draws, people = world.draws, world.people
    kept = 1 + draws.below("person/addresses", customer, 3)
    # The fourth power keeps nearly all parcels at the first address, as people do.
    slot = (draws.uniform("order/slot", order) ** 4 * kept).astype(np.int64)
    other = draws.below("order/friend", order, joined(world.spec, order))
    is_gift = draws.chance("order/gift", order, 0.02) & (ring < 0)
    group = people.group(np.where(is_gift, other, customer))
    drop = (RING_GROUP + ring) * SLOTS + draws.below("ring/drop", order, 2)
    honest = group * SLOTS + np.where(is_gift, 0, slot)
    return np.where(is_theft, (THEFT_GROUP + order) * SLOTS, np.where(ring >= 0, drop, honest))


def _devices(world: World, order: Ints, customer: Ints, ring: Ints, is_theft: Flags) -> Ints:
    """Some homes share a tablet, so that a shared device alone proves nothing."""
    draws = world.draws
    group = world.people.group(customer)
    shares = draws.chance("group/tablet", group, 0.35)
    return _owned(draws, "device", order, np.where(shares, group, customer), ring, is_theft, 2)


def _owned(
    draws: Draws, what: str, order: Ints, owner: Ints, ring: Ints, is_theft: Flags, ring_has: int
) -> Ints:
    """Number of a thing the owner mostly uses the first of; rings and thieves bring their own."""
    slot = (draws.uniform(f"order/{what}", order) ** 5 * 3).astype(np.int64)
    shared = (RING_GROUP + ring) * SLOTS + draws.below(f"ring/{what}", order, ring_has)
    own = owner * SLOTS + slot
    stolen = (THEFT_GROUP + order) * SLOTS
    return np.where(is_theft, stolen, np.where(ring >= 0, shared, own))
