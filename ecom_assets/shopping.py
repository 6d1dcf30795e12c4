"""Rate shopping, composed: where a parcel goes from and to, what would carry it, and why.

Like `trying` it knows several areas, since areas do not import each other. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.policies import InvalidPolicy, settings_of
from ecom_assets.transport.model import CardRefused, Parcel
from ecom_assets.transport.store import shopping
from ecom_assets.warehouse.rules import great_circle_km
from ecom_assets.warehouse.tables import SITES

# Where earlier parcels with this postal code went: there is no gazetteer in the platform.
_POSTAL_CODE = sa.text("""
    SELECT avg(latitude) AS latitude, avg(longitude) AS longitude, count(*) AS parcels FROM (
        SELECT ship_to_latitude AS latitude, ship_to_longitude AS longitude FROM orders.orders
        WHERE ship_to_country = :country AND ship_to_postal_code = :postal_code
            AND ship_to_latitude IS NOT NULL AND ship_to_longitude IS NOT NULL
        LIMIT 100
    ) AS known
""")

Place = tuple[float, float]
"""Degrees north and east."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A parcel somebody asks about.

    Attributes:
        ready_at: when it can leave; the rates of that moment hold.
        weight_g: its weight; None where it is not known.
        volume_mm3: its volume; 0 where it is not known.
        goods_minor: value of the goods in minor units of `currency`.
        currency: ISO 4217 code.
        site_code: site it leaves from.
        origin: where it leaves from, without a site.
        destination: where it goes.
        postal_code: the same, where degrees are not known.
        country: of the postal code, ISO 3166-1 alpha-2.
        distance_km: the way, where no places are known.
        promised_at: latest arrival promised.
        settings: those of the carrier rule that are to differ from what is in force.
    """

    ready_at: datetime
    weight_g: int | None = None
    volume_mm3: int = 0
    goods_minor: int = 0
    currency: str = "EUR"
    site_code: str | None = None
    origin: Place | None = None
    destination: Place | None = None
    postal_code: str | None = None
    country: str | None = None
    distance_km: float | None = None
    promised_at: datetime | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def shop_rates(conn: sa.Connection, wish: Wish) -> dict[str, Any]:
    """Every service in use for a parcel, and what was assumed about it.

    Raises:
        CardRefused: a place is unknown, or a setting makes no sense.
    """
    version = shopping.version_in_force(conn, wish.ready_at)
    try:
        policy = shopping.what_if(version, wish.settings)
    except InvalidPolicy as error:
        name = str(error).split()[0].rstrip(":")
        raise CardRefused(name, "bad_setting", str(error)) from error
    distance_km, notes = _distance(conn, wish)
    if wish.weight_g is None:
        notes.append("weight: not given, the weight of a unit that states none was assumed")
    weight_g = policy.default_unit_weight_g if wish.weight_g is None else wish.weight_g
    parcel = Parcel(weight_g, wish.volume_mm3, wish.goods_minor, wish.currency, distance_km,
                    wish.ready_at, wish.promised_at)  # fmt: skip
    found = shopping.candidates(conn, parcel, policy)
    chosen = next((one["service_code"] for one in found if one["is_chosen"]), None)
    return {
        "service_code": chosen, "version": version.label, "settings": settings_of(policy),
        "weight_g": weight_g, "distance_km": distance_km, "ready_at": wish.ready_at,
        "notes": notes, "candidates": found,
    }  # fmt: skip


def _distance(conn: sa.Connection, wish: Wish) -> tuple[float | None, list[str]]:
    """Kilometres of the way, None where they are unknown, and what was assumed."""
    if wish.distance_km is not None:
        return wish.distance_km, []
    origin = wish.origin or _site(conn, wish.site_code)
    notes: list[str] = []
    destination = wish.destination
    if destination is None and wish.postal_code is not None:
        destination = _known_place(conn, wish, notes)
    if origin is None or destination is None:
        return None, [*notes, "distance: unknown, so the farthest zone is assumed"]
    return great_circle_km(*origin, *destination), notes


def _site(conn: sa.Connection, site_code: str | None) -> Place | None:
    if site_code is None:
        return None
    place = sa.select(SITES.c.latitude, SITES.c.longitude).where(SITES.c.site_code == site_code)
    found = conn.execute(place).tuples().first()
    if found is None:
        raise CardRefused("site_code", "unknown_site", "there is no such site")
    return found[0], found[1]


def _known_place(conn: sa.Connection, wish: Wish, notes: list[str]) -> Place | None:
    given = {"country": wish.country, "postal_code": wish.postal_code}
    found = conn.execute(_POSTAL_CODE, given).one()
    if not found.parcels:
        notes.append("destination: no earlier order went to this postal code")
        return None
    notes.append(f"destination: the middle of {found.parcels} earlier orders to this postal code")
    return found.latitude, found.longitude
