"""Asking what would carry a parcel and at what price, by the plain rule; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.policies import policy_of, settings_of
from ecom_assets.shared.versions import Version, in_force_between, version_at
from ecom_assets.transport.model import Candidate, Parcel, Rate, RateCard, Service, Zone
from ecom_assets.transport.policy import KIND, Policy
from ecom_assets.transport.rules import choose
from ecom_assets.transport.tables import CARRIERS, RATES, SERVICES, ZONES

_SERVICES = sa.select(
    SERVICES.c.service_code, SERVICES.c.max_weight_g, SERVICES.c.dim_divisor, SERVICES.c.quality,
    sa.func.least(SERVICES.c.archived_at, CARRIERS.c.archived_at),
).join(CARRIERS)  # fmt: skip
_ZONES = sa.select(ZONES.c.zone_code, ZONES.c.from_km, ZONES.c.to_km, ZONES.c.archived_at)
_RATES = sa.select(*(RATES.c[name] for name in Rate.__slots__))
_NAMES = sa.select(
    SERVICES.c.service_code, SERVICES.c.name.label("service_name"), CARRIERS.c.carrier_code,
    CARRIERS.c.name.label("carrier_name"),
).join(CARRIERS)  # fmt: skip


def read_card(conn: sa.Connection, at: datetime) -> RateCard:
    """All services and zones, also archived ones, and the rates in force at a moment."""
    rates = _RATES.where(
        RATES.c.valid_from_at <= at,
        sa.or_(RATES.c.valid_to_at.is_(None), RATES.c.valid_to_at > at),
    )
    return RateCard(
        tuple(Service(*row) for row in conn.execute(_SERVICES).tuples()),
        tuple(Zone(*row) for row in conn.execute(_ZONES).tuples()),
        tuple(Rate(*row) for row in conn.execute(rates).tuples()),
    )


def version_in_force(conn: sa.Connection, at: datetime) -> Version[Policy]:
    """The version of the rule that decides what is due at a moment."""
    moment = timedelta(microseconds=1)
    return version_at(in_force_between(conn, KIND, Policy, at, at + moment), at)


def what_if(version: Version[Policy], settings: Mapping[str, Any]) -> Policy:
    """The policy of a version with some settings changed.

    Raises:
        InvalidPolicy: a setting is unknown or makes no sense; the message names it.
    """
    label = f"{version.label}, changed" if settings else version.label
    merged = {**settings_of(version.policy), **settings}
    return policy_of("settings", Policy, merged, label, False)


def candidates(
    conn: sa.Connection, parcel: Parcel, policy: Policy, as_then: bool = False
) -> list[dict[str, Any]]:
    """Every service for a parcel: the best first, then those that cannot carry it.

    Args:
        conn: connection.
        parcel: what is to be carried.
        policy: what the shop makes of lateness and damage.
        as_then: whether what was archived since the parcel was ready still counts.
    """
    found = choose(parcel, read_card(conn, parcel.ready_at), policy, as_then)
    names = {row["service_code"]: row for row in conn.execute(_NAMES).mappings()}
    ordered = sorted(found, key=lambda one: (not one.is_chosen, one.score is None, one.score or 0,
                                             one.service_code))  # fmt: skip
    return [{**names[one.service_code], **_told(one)} for one in ordered]


def _told(one: Candidate) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Candidate.__slots__}
