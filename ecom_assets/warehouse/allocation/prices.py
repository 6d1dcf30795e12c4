"""What carriage from a site to a customer costs at least, for the ranking of sites.

An estimate, made before any parcel exists: the whole order as one parcel, its weight on the scale,
the cheapest service with a rate in force for the distance. The choice of the carrier follows later
and knows dimensions, promises and quality.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.warehouse.allocation.arrays import Floats, Ints


@dataclass(frozen=True)
class Rates:
    """Rates, one element each.

    Attributes:
        from_km: shortest distance, included.
        to_km: longest distance, excluded; infinite for the last zone.
        from_g: lightest weight, excluded.
        to_g: heaviest weight the band and the service carry, included.
        price: minor units of the currency.
        currency: number of the currency.
        from_at: first moment the rate holds, microseconds.
        to_at: moment it ends, excluded.
    """

    from_km: Floats
    to_km: Floats
    from_g: Ints
    to_g: Ints
    price: Ints
    currency: Ints
    from_at: Ints
    to_at: Ints


@dataclass(frozen=True)
class Prices:
    """Cheapest carriage of each order, by distance.

    Attributes:
        edges_km: where the price may change, ascending.
        minor: minor units by currency, order and distance: the first price is for distances below
            the first edge; infinite where nothing carries the order.
        currency: number of each site's currency.
    """

    edges_km: Floats
    minor: Floats
    currency: Ints

    def carriage(self, order: Ints, site: Ints, distance: Floats) -> Floats:
        """Cheapest carriage of orders from sites; 0 where the distance, in km, is unknown."""
        is_known = ~np.isnan(distance)
        place = np.searchsorted(self.edges_km, np.where(is_known, distance, 0.0), side="right")
        found = self.minor[self.currency[site], order, place]
        return np.where(is_known, found, 0.0)


def cheapest(rates: Rates, weight: Ints, due: Ints, currency: Ints) -> Prices:
    """Find the cheapest carriage of every order over every distance.

    Args:
        rates: all rates that may hold.
        weight: grams of each order.
        due: moment of each order, microseconds.
        currency: number of each site's currency; prices are not compared across currencies.
    """
    edges_at = np.unique(np.append(rates.from_at, rates.to_at))
    edges_g = np.unique(np.append(rates.from_g, rates.to_g))
    edges_km = np.unique(np.append(rates.from_km, rates.to_km))
    count = int(max(rates.currency.max(initial=0), currency.max(initial=0))) + 1
    shape = count, len(edges_at) + 1, len(edges_g) + 1, len(edges_km) + 1
    table = np.full(shape, np.inf)
    spans = [
        (np.searchsorted(edges, first) + 1, np.searchsorted(edges, last) + 1)
        for edges, first, last in (
            (edges_at, rates.from_at, rates.to_at),
            (edges_g, rates.from_g, rates.to_g),
            (edges_km, rates.from_km, rates.to_km),
        )
    ]
    # A loop over the rate card, whose size has nothing to do with the number of orders.
    for row, (price, money) in enumerate(zip(rates.price, rates.currency, strict=True)):
        block = table[(money, *(slice(first[row], last[row]) for first, last in spans))]
        np.minimum(block, price, out=block)
    # A moment belongs to what starts with it, a weight to the band that ends with it.
    at = np.searchsorted(edges_at, due, side="right")
    band = np.searchsorted(edges_g, weight, side="left")
    return Prices(edges_km, table[:, at, band, :], currency)
