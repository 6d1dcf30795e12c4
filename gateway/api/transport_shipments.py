"""Rate shopping; shipments, where they are, and why each went with its service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query

from ecom_assets.backoffice.roles import Right
from ecom_assets.shared.policies import InvalidPolicy
from ecom_assets.shopping import Wish, shop_rates
from ecom_assets.transport.model import CardRefused
from ecom_assets.transport.store import selection
from ecom_assets.transport.store.selection import NoDecision, ShipmentFilter
from gateway.api.calls import Call, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.parcel_models import (
    OffersTold,
    ParcelGiven,
    PlaceGiven,
    SelectionIfTold,
    SelectionTold,
    ShipmentTold,
    TrackingTold,
    WhatIfGiven,
)
from gateway.api.transport_card import refusal
from gateway.api.values import MOST_BIGINT, Key, Wanted, WantedMoment

ROUTER = APIRouter(prefix="/transport", tags=["transport"])

Reader = Annotated[Call, needs(Right.READ, "transport")]
WantedOrder = Annotated[int | None, Query(ge=1, le=MOST_BIGINT)]


@ROUTER.post("/rate-shopping", summary="Ask what would carry a parcel", response_model=OffersTold)
def shop_for_rates(call: Reader, given: ParcelGiven) -> Any:
    """Every service in use, the best first, with the reason why it is chosen or not.

    `settings` compares another policy. Nothing is written.

    The score is the price, plus what lateness costs times its probability, plus what damage costs
    times its probability; the lowest is chosen. See `version` for the settings in force.
    """
    wish = _wish(given, call)
    try:
        found = call.read(lambda conn: shop_rates(conn, wish))
    except CardRefused as refused:
        raise refusal(refused) from refused
    return OffersTold(**found)


def _wish(given: ParcelGiven, call: Call) -> Wish:
    sides = given.dimensions
    volume = given.volume_mm3
    if sides is not None:
        volume = sides.length_mm * sides.width_mm * sides.height_mm
    return Wish(
        ready_at=given.ready_at or call.at, weight_g=given.weight_g, volume_mm3=volume or 0,
        goods_minor=given.goods_minor, currency=given.currency, site_code=given.site_code,
        origin=_place(given.origin), destination=_place(given.destination),
        postal_code=given.postal_code, country=given.country, distance_km=given.distance_km,
        promised_at=given.promised_at,
        settings=given.settings.model_dump(exclude_none=True) if given.settings else {},
    )  # fmt: skip


def _place(given: PlaceGiven | None) -> tuple[float, float] | None:
    return None if given is None else (given.latitude, given.longitude)


@ROUTER.get("/shipments", summary="List shipments", response_model=Page[ShipmentTold])
def list_shipments(
    call: Reader,
    order_id: WantedOrder = None,
    carrier_code: Wanted = None,
    service_code: Wanted = None,
    site_code: Wanted = None,
    shipped_from: WantedMoment = None,
    shipped_before: WantedMoment = None,
    is_expected_late: Annotated[
        bool | None, Query(description="Whether the mean arrival is after the promise.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """Parcels handed to carriers, the newest first."""
    wanted = ShipmentFilter(order_id, carrier_code, service_code, site_code, shipped_from,
                            shipped_before, is_expected_late)  # fmt: skip
    asked = paging(limit, cursor, BY_KEY, "shipments", wanted)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: selection.shipments(conn, wanted, before, limit + 1))
    return asked.page(rows, lambda row: ShipmentTold(**row), ("shipment_id",))


@ROUTER.get("/shipments/{shipment_id}", summary="Show a shipment", response_model=ShipmentTold)
def show_shipment(call: Reader, shipment_id: Key) -> Any:
    """A parcel: what one site shipped for one order."""
    return ShipmentTold(**call.read(lambda conn: _found(conn, shipment_id)))


def _found(conn: sa.Connection, shipment_id: int) -> Any:
    row = selection.shipment(conn, shipment_id)
    if row is None:
        raise missing(f"shipment {shipment_id}")
    return row


@ROUTER.get("/shipments/{shipment_id}/tracking", summary="Track a shipment",
            response_model=TrackingTold)  # fmt: skip
def track_shipment(call: Reader, shipment_id: Key) -> Any:
    """What is known: the hand-over, and the arrival that its rate lets expect.

    Carriers tell the platform nothing yet, so whether a parcel is on its way, delivered, lost or
    sent back is not known: `is_carrier_heard` is false, and no such state is claimed.
    """
    found = call.read(lambda conn: _found(conn, shipment_id))
    return TrackingTold(shipment_id=shipment_id, as_of=call.at, is_carrier_heard=False,
                        **selection.tracked(found, call.at))  # fmt: skip


@ROUTER.get("/shipments/{shipment_id}/selection", summary="Explain why a service was chosen",
            response_model=SelectionTold)  # fmt: skip
def explain_selection(call: Reader, shipment_id: Key) -> Any:
    """All candidates as they were kept, and the version and settings of the rule that decided."""

    def work(conn: sa.Connection) -> Mapping[str, Any]:
        found = _found(conn, shipment_id)
        try:
            return selection.selection(conn, found)
        except NoDecision as error:
            raise missing(f"decision about shipment {shipment_id}") from error

    return SelectionTold(shipment_id=shipment_id, **call.read(work))


@ROUTER.post("/shipments/{shipment_id}/selection/what-if",
             summary="Choose under other settings", response_model=SelectionIfTold)  # fmt: skip
def choose_again(call: Reader, shipment_id: Key, given: WhatIfGiven) -> Any:
    """The same parcel on the rate card of its moment, under settings of yours.

    Those you leave out stay as they were. Nothing is written.
    """

    def work(conn: sa.Connection) -> Mapping[str, Any]:
        found = _found(conn, shipment_id)
        try:
            return selection.selection_if(conn, found, given.settings.model_dump(exclude_none=True))
        except NoDecision as error:
            raise missing(f"decision about shipment {shipment_id}") from error
        except InvalidPolicy as error:
            raise unfit("settings", "bad_setting", str(error)) from error

    return SelectionIfTold(shipment_id=shipment_id, **call.read(work))
