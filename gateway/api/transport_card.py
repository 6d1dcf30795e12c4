"""Carriers, services and zones: list, show, add, change, archive, restore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.transport.model import CardRefused
from ecom_assets.transport.store import card
from ecom_assets.transport.store.card import Part
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.transport_models import (
    CarrierChangeGiven,
    CarrierGiven,
    CarrierTold,
    Code,
    ServiceChangeGiven,
    ServiceGiven,
    ServiceTold,
    ZoneChangeGiven,
    ZoneGiven,
    ZoneTold,
)
from gateway.api.values import Told, Wanted

ROUTER = APIRouter(prefix="/transport", tags=["transport"])

Reader = Annotated[Call, needs(Right.READ, "transport")]
Keeper = Annotated[Call, needs(Right.CONFIGURE, "transport")]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A part of the rate card as the API shows it.

    Attributes:
        part: its table.
        noun: what a row is called; the address has its plural.
        told: what is told of a row.
    """

    part: Part
    noun: str
    told: Callable[[Mapping[Any, Any]], Told]


def _zone(row: Mapping[Any, Any]) -> ZoneTold:
    end = None if row["to_km"] == inf else row["to_km"]
    return ZoneTold(**{**row, "to_km": end})


CARRIERS = Shelf(card.CARRIERS, "carrier", lambda row: CarrierTold(**row))
SERVICES = Shelf(card.SERVICES, "service", lambda row: ServiceTold(**row))
ZONES = Shelf(card.ZONES, "zone", _zone)


def refusal(refused: CardRefused) -> Fault:
    """A refusal of the store: what is taken or goes on conflicts, the rest does not fit."""
    status = 409 if refused.code in _CONFLICTS else 422
    return unfit(refused.field, refused.code, str(refused), status)


_CONFLICTS = {
    "taken", "still_rated", "overlapping_rate", "known_rate", "later_rate", "overlapping_band",
    "overlapping_zone", "ends_too_early", "part_of_band", "decided", "has_errors",
    "other_preview", "rates_changed", "later_end",
}  # fmt: skip


def _list(
    call: Call, shelf: Shelf, wanted: Mapping[str, str | None], is_archived: bool | None,
    limit: int, cursor: str | None,
) -> Any:  # fmt: skip
    asked = paging(limit, cursor, BY_NAME, shelf.noun, dict(wanted), is_archived)
    after = asked.after[0] if asked.after else None
    rows = call.read(
        lambda conn: card.listed(conn, shelf.part, wanted, is_archived, after, limit + 1)
    )
    return asked.page(rows, shelf.told, (shelf.part.key,))


def _show(call: Call, shelf: Shelf, code: str) -> Response:
    row = call.read(lambda conn: card.find(conn, shelf.part, code))
    if row is None:
        raise missing(f"{shelf.noun} {code[:100]}")
    answer = _answer(shelf, row)
    return sent(200, answer.headers, answer.body())


def _answer(shelf: Shelf, row: Mapping[Any, Any], status: int = 200) -> Answer:
    return Answer(shelf.told(row), status, {"ETag": _tag(shelf, row)})


def _tag(shelf: Shelf, row: Mapping[Any, Any]) -> str:
    return tag_of(shelf.noun, dict(row))


def _values(given: BaseModel) -> tuple[dict[str, Any], bool]:
    values = given.model_dump(exclude_unset=True)
    may_overlap = bool(values.pop("may_overlap", False))
    if "to_km" in values and values["to_km"] is None:
        values["to_km"] = inf
    return values, may_overlap


def _add(call: Call, shelf: Shelf, given: BaseModel, key: str | None) -> Response:
    values, may_overlap = _values(given)
    defaults: dict[str, Any] = {}
    if shelf is not CARRIERS:
        defaults = {"dim_divisor": 0} if shelf is SERVICES else {"to_km": inf}

    def work(conn: sa.Connection) -> Answer:
        try:
            row = card.add(conn, shelf.part, {**defaults, **values}, may_overlap)
        except CardRefused as refused:
            raise refusal(refused) from refused
        answer = _answer(shelf, row, 201)
        location = f"/api/v1/transport/{shelf.noun}s/{row[shelf.part.key]}"
        return Answer(answer.model, 201, {**answer.headers, "Location": location})

    return call.write_once(key, work)


def _locked(conn: sa.Connection, shelf: Shelf, code: str) -> Mapping[Any, Any]:
    row = card.find(conn, shelf.part, code, is_locked=True)
    if row is None:
        raise missing(f"{shelf.noun} {code[:100]}")
    return row


def _change(
    call: Call, shelf: Shelf, code: str, given: BaseModel, if_match: str | None
) -> Response:
    values, may_overlap = _values(given)

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(shelf, _locked(conn, shelf, code)))
        try:
            return _answer(shelf, card.change(conn, shelf.part, code, values, may_overlap))
        except CardRefused as refused:
            raise refusal(refused) from refused

    return call.write(work)


def _archive(call: Call, shelf: Shelf, code: str, key: str | None) -> Response:
    def work(conn: sa.Connection) -> Answer:
        _locked(conn, shelf, code)
        try:
            return _answer(shelf, card.archive(conn, shelf.part, code, call.at))
        except CardRefused as refused:
            raise refusal(refused) from refused

    return call.write_once(key, work)


def _restore(call: Call, shelf: Shelf, code: str, key: str | None) -> Response:
    def work(conn: sa.Connection) -> Answer:
        _locked(conn, shelf, code)
        return _answer(shelf, card.restore(conn, shelf.part, code))

    return call.write_once(key, work)


@ROUTER.get("/carriers", summary="List carriers", response_model=Page[CarrierTold])
def list_carriers(
    call: Reader, is_archived: bool | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """By code; both archived ones and those in use, unless asked otherwise."""
    return _list(call, CARRIERS, {}, is_archived, limit, cursor)


@ROUTER.post("/carriers", summary="Add a carrier", status_code=201, response_model=CarrierTold)
def add_carrier(call: Keeper, given: CarrierGiven, key: OnceKey = None) -> Response:
    """It carries nothing until it has a service with rates."""
    return _add(call, CARRIERS, given, key)


@ROUTER.get("/carriers/{carrier_code:path}", summary="Show a carrier", response_model=CarrierTold)
def show_carrier(call: Reader, carrier_code: Code) -> Response:
    """Its ETag is what a change needs."""
    return _show(call, CARRIERS, carrier_code)


@ROUTER.patch("/carriers/{carrier_code:path}", summary="Change a carrier",
              response_model=CarrierTold)  # fmt: skip
def change_carrier(
    call: Keeper, carrier_code: Code, given: CarrierChangeGiven, if_match: IfMatch = None
) -> Response:
    """How it is called."""
    return _change(call, CARRIERS, carrier_code, given, if_match)


@ROUTER.post("/carriers/{carrier_code:path}/archive", summary="Archive a carrier",
             response_model=CarrierTold)  # fmt: skip
def archive_carrier(call: Keeper, carrier_code: Code, key: OnceKey = None) -> Response:
    """From now on no parcel goes with any of its services; past choices stay as they are."""
    return _archive(call, CARRIERS, carrier_code, key)


@ROUTER.post("/carriers/{carrier_code:path}/restore", summary="Restore a carrier",
             response_model=CarrierTold)  # fmt: skip
def restore_carrier(call: Keeper, carrier_code: Code, key: OnceKey = None) -> Response:
    """Let choices take its services again, but for those archived themselves."""
    return _restore(call, CARRIERS, carrier_code, key)


@ROUTER.get("/services", summary="List services", response_model=Page[ServiceTold])
def list_services(
    call: Reader, carrier_code: Wanted = None, is_archived: bool | None = None,
    limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By code; both archived ones and those in use, unless asked otherwise."""
    return _list(call, SERVICES, {"carrier_code": carrier_code}, is_archived, limit, cursor)


@ROUTER.post("/services", summary="Add a service", status_code=201, response_model=ServiceTold)
def add_service(call: Keeper, given: ServiceGiven, key: OnceKey = None) -> Response:
    """It carries nothing until it has rates."""
    return _add(call, SERVICES, given, key)


@ROUTER.get("/services/{service_code:path}", summary="Show a service", response_model=ServiceTold)
def show_service(call: Reader, service_code: Code) -> Response:
    """Its ETag is what a change needs."""
    return _show(call, SERVICES, service_code)


@ROUTER.patch("/services/{service_code:path}", summary="Change a service",
              response_model=ServiceTold)  # fmt: skip
def change_service(
    call: Keeper, service_code: Code, given: ServiceChangeGiven, if_match: IfMatch = None
) -> Response:
    """Parcels chosen for from now on are judged by it."""
    return _change(call, SERVICES, service_code, given, if_match)


@ROUTER.post("/services/{service_code:path}/archive", summary="Archive a service",
             response_model=ServiceTold)  # fmt: skip
def archive_service(call: Keeper, service_code: Code, key: OnceKey = None) -> Response:
    """From now on no parcel goes with it; past choices stay, and imports do not revive it."""
    return _archive(call, SERVICES, service_code, key)


@ROUTER.post("/services/{service_code:path}/restore", summary="Restore a service",
             response_model=ServiceTold)  # fmt: skip
def restore_service(call: Keeper, service_code: Code, key: OnceKey = None) -> Response:
    """Let choices take it again."""
    return _restore(call, SERVICES, service_code, key)


@ROUTER.get("/zones", summary="List zones", response_model=Page[ZoneTold])
def list_zones(
    call: Reader, is_archived: bool | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """By code; both archived ones and those in use, unless asked otherwise."""
    return _list(call, ZONES, {}, is_archived, limit, cursor)


@ROUTER.post("/zones", summary="Add a zone", status_code=201, response_model=ZoneTold)
def add_zone(call: Keeper, given: ZoneGiven, key: OnceKey = None) -> Response:
    """Zones part the distance between site and customer; a service is rated in some of them."""
    return _add(call, ZONES, given, key)


@ROUTER.get("/zones/{zone_code:path}", summary="Show a zone", response_model=ZoneTold)
def show_zone(call: Reader, zone_code: Code) -> Response:
    """Its ETag is what a change needs."""
    return _show(call, ZONES, zone_code)


@ROUTER.patch("/zones/{zone_code:path}", summary="Change a zone", response_model=ZoneTold)
def change_zone(
    call: Keeper, zone_code: Code, given: ZoneChangeGiven, if_match: IfMatch = None
) -> Response:
    """Parcels chosen for from now on are judged by it; past choices keep their zone."""
    return _change(call, ZONES, zone_code, given, if_match)


@ROUTER.post("/zones/{zone_code:path}/archive", summary="Archive a zone",
             response_model=ZoneTold)  # fmt: skip
def archive_zone(call: Keeper, zone_code: Code, key: OnceKey = None) -> Response:
    """Refused while it has rates in force or to come: its parcels would be priced as farther."""
    return _archive(call, ZONES, zone_code, key)


@ROUTER.post("/zones/{zone_code:path}/restore", summary="Restore a zone",
             response_model=ZoneTold)  # fmt: skip
def restore_zone(call: Keeper, zone_code: Code, key: OnceKey = None) -> Response:
    """Let choices take it again."""
    return _restore(call, ZONES, zone_code, key)
