"""Shipments as lists show them, and why each went with its service; what other settings would do.

What the screen of carrier selection needs: shipments, the candidates of one with scores and
reasons, the version and settings that decided, and the same parcel under other settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.tables import RULES
from ecom_assets.shared.journal import LEDGER
from ecom_assets.shared.versions import Version
from ecom_assets.transport.model import Parcel
from ecom_assets.transport.policy import KIND, Policy
from ecom_assets.transport.store import shopping
from ecom_assets.transport.tables import CARRIER_CHOICES, CARRIERS, SERVICES, SHIPMENTS

Row = sa.RowMapping

_S = SHIPMENTS.c
_IS_LATE = sa.func.coalesce(_S.eta_at > _S.promised_at, sa.false())
_SHIPMENTS = (
    sa.select(
        _S.shipment_id, _S.order_id, _S.site_code, CARRIERS.c.carrier_code,
        CARRIERS.c.name.label("carrier_name"), _S.service_code,
        SERVICES.c.name.label("service_name"), _S.units, _S.weight_g, _S.is_weight_estimated,
        _S.cost_minor, _S.currency, _S.shipped_at, _S.eta_at, _S.promised_at,
        _IS_LATE.label("is_expected_late"),
    )
    .join(SERVICES, SERVICES.c.service_code == _S.service_code)
    .join(CARRIERS, CARRIERS.c.carrier_code == SERVICES.c.carrier_code)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShipmentFilter:
    """Which shipments are wanted; None for any.

    Attributes:
        order_id: order.
        carrier_code: carrier.
        service_code: service.
        site_code: site that shipped it.
        shipped_from: first moment of departure.
        shipped_before: end of departures, excluded.
        is_expected_late: whether its mean arrival is after the promise.
    """

    order_id: int | None = None
    carrier_code: str | None = None
    service_code: str | None = None
    site_code: str | None = None
    shipped_from: datetime | None = None
    shipped_before: datetime | None = None
    is_expected_late: bool | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same for a statement."""
        said: dict[Any, Any] = {
            _S.order_id: self.order_id, CARRIERS.c.carrier_code: self.carrier_code,
            _S.service_code: self.service_code, _S.site_code: self.site_code,
        }  # fmt: skip
        found = [column == value for column, value in said.items() if value is not None]
        if self.shipped_from is not None:
            found.append(_S.shipped_at >= self.shipped_from)
        if self.shipped_before is not None:
            found.append(_S.shipped_at < self.shipped_before)
        if self.is_expected_late is not None:
            found.append(_IS_LATE.is_(self.is_expected_late))
        return found


class NoDecision(LookupError):
    """The ledger has no decision about a parcel."""


def shipments(
    conn: sa.Connection, wanted: ShipmentFilter, before: int | None, most: int
) -> list[Row]:
    """Shipments, the newest first."""
    rows = _SHIPMENTS.where(*wanted.conditions()).order_by(_S.shipment_id.desc()).limit(most)
    if before is not None:
        rows = rows.where(_S.shipment_id < before)
    return list(conn.execute(rows).mappings())


def shipment(conn: sa.Connection, shipment_id: int) -> Row | None:
    """A shipment by its key."""
    return conn.execute(_SHIPMENTS.where(_S.shipment_id == shipment_id)).mappings().first()


def tracked(parcel: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Where a shipment is, as far as anybody told the platform by a moment."""
    told = {"happened_at": parcel["shipped_at"], "event": "handed_over", "is_expected": False}
    awaited = {"happened_at": parcel["eta_at"], "event": "delivered", "is_expected": True}
    told["is_expected"] = parcel["shipped_at"] > at
    return {
        "state": "not_handed_over" if told["is_expected"] else "handed_over",
        "is_overdue": parcel["eta_at"] < at,
        "events": [told, awaited],
    }


def selection(conn: sa.Connection, parcel: Row) -> dict[str, Any]:
    """Why a shipment went with its service: decision, version, settings, candidates.

    Raises:
        NoDecision: the ledger has none.
    """
    decided = _decision(conn, parcel)
    columns = [each for each in CARRIER_CHOICES.c if each.name not in ("order_id", "site_code")]
    chosen = CARRIER_CHOICES.c
    rows = (
        sa.select(*columns, SERVICES.c.name.label("service_name"), CARRIERS.c.carrier_code,
                  CARRIERS.c.name.label("carrier_name"))
        .join(SERVICES, SERVICES.c.service_code == chosen.service_code)
        .join(CARRIERS, CARRIERS.c.carrier_code == SERVICES.c.carrier_code)
        .where(chosen.order_id == parcel["order_id"], chosen.site_code == parcel["site_code"])
        .order_by(chosen.is_chosen.desc(), chosen.score.nulls_last(), chosen.service_code)
    )  # fmt: skip
    return {
        "decided_as_of": decided["decided_as_of"], "outcome": decided["outcome"],
        "reasons": decided["reasons"], "version": decided["version"],
        "settings": decided["parameters"], "inputs": decided["inputs"],
        "promised_at": parcel["promised_at"],
        "candidates": [dict(row) for row in conn.execute(rows).mappings()],
    }  # fmt: skip


def selection_if(conn: sa.Connection, parcel: Row, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What would carry a shipment's parcel under other settings, on the rate card of its moment.

    Args:
        conn: connection; nothing is written.
        parcel: the shipment.
        settings: those that differ from the version that decided.

    Raises:
        NoDecision: the ledger has none.
        InvalidPolicy: a setting is unknown or makes no sense.
    """
    decided = _decision(conn, parcel)
    given = _parcel(decided["inputs"])
    version = _version(conn, decided, given)
    policy = shopping.what_if(version, settings)
    found = shopping.candidates(conn, given, policy, as_then=True)
    would = next((one for one in found if one["is_chosen"]), None)
    return {
        "settings": {name: value for name, value in asdict(policy).items() if name != "version"},
        "service_code": would["service_code"] if would else None,
        "was_service_code": parcel["service_code"],
        "is_changed": would is None or would["service_code"] != parcel["service_code"],
        "difference_minor": _difference(parcel, would), "currency": parcel["currency"],
        "candidates": found,
    }  # fmt: skip


def _difference(parcel: Row, would: Mapping[str, Any] | None) -> int | None:
    # Two currencies have no difference: no rate of exchange is known.
    if would is None or would["currency"] != parcel["currency"]:
        return None
    return int(would["cost_minor"]) - int(parcel["cost_minor"])


def _decision(conn: sa.Connection, parcel: Row) -> Row:
    rows = (
        sa.select(
            LEDGER.c.decided_as_of, LEDGER.c.outcome, LEDGER.c.reasons, LEDGER.c.version,
            LEDGER.c.inputs, RULES.c.parameters,
        )
        .outerjoin(RULES, sa.and_(RULES.c.label == LEDGER.c.version, RULES.c.kind == KIND))
        .where(
            LEDGER.c.kind == "carrier_choice", LEDGER.c.order_id == parcel["order_id"],
            LEDGER.c.subject == parcel["site_code"],
        )
        .order_by(LEDGER.c.attempt.desc()).limit(1)
    )  # fmt: skip
    found = conn.execute(rows).mappings().first()
    if found is None:
        raise NoDecision(f"the ledger has no choice for shipment {parcel['shipment_id']}")
    return found


def _version(conn: sa.Connection, decided: Row, parcel: Parcel) -> Version[Policy]:
    # A label of no version: the parcel was decided before settings were kept as data.
    if decided["parameters"] is None:
        return shopping.version_in_force(conn, parcel.ready_at)
    policy = shopping.what_if(Version(decided["version"], Policy()), decided["parameters"])
    return Version(decided["version"], policy)


def _parcel(inputs: Mapping[str, Any]) -> Parcel:
    promised_at = inputs["promised_at"]
    return Parcel(
        inputs["weight_g"], int(inputs["volume_mm3"]), inputs["goods_minor"], inputs["currency"],
        inputs["distance_km"], datetime.fromisoformat(inputs["ready_at"]),
        promised_at and datetime.fromisoformat(promised_at),
    )  # fmt: skip
