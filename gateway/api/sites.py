"""Sites: list, show, add, change, archive; load against capacity; working calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.warehouse.calendar import leaves_at
from ecom_assets.warehouse.store import calendars, sites
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.site_models import (
    ClosureGiven,
    ClosureTold,
    DepartureTold,
    HoursTold,
    LoadsTold,
    LoadTold,
    SiteChangeGiven,
    SiteGiven,
    SiteTold,
    WeekGiven,
    WeekTold,
)
from gateway.api.transport_models import Code
from gateway.api.values import Wanted, WantedMoment

ROUTER = APIRouter(prefix="/sites", tags=["sites"])

Reader = Annotated[Call, needs(Right.READ, "warehouse")]
Keeper = Annotated[Call, needs(Right.CONFIGURE, "warehouse")]

_BY_DAY: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Annotated[date, Field(strict=False)]])
_MOST_DAYS = 366
_WEEK = timedelta(days=7)


@ROUTER.get("", summary="List sites", response_model=Page[SiteTold])
def list_sites(
    call: Reader, country: Wanted = None, is_archived: bool | None = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By code; both archived ones and those in use, unless asked otherwise."""
    asked = paging(limit, cursor, BY_NAME, "sites", country, is_archived)
    after = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: sites.list_sites(conn, country, is_archived, after, limit + 1))
    return asked.page(rows, lambda row: SiteTold(**row), ("site_code",))


@ROUTER.post("", summary="Add a site", status_code=201, response_model=SiteTold)
def add_site(call: Keeper, given: SiteGiven, key: OnceKey = None) -> Response:
    """Orders are allocated to it as soon as it holds stock."""

    def work(conn: sa.Connection) -> Answer:
        row = sites.add_site(conn, given.model_dump())
        if row is None:
            raise unfit("site_code", "taken", f"{given.site_code} is there already", 409)
        return _answer(row, 201, {"Location": f"/api/v1/sites/{given.site_code}"})

    return call.write_once(key, work)


@ROUTER.get("/{site_code:path}/load", summary="Show the load of a site per day",
            response_model=LoadsTold)  # fmt: skip
def show_load(
    call: Reader, site_code: Code,
    from_date: Annotated[date | None, Query(description="A week ago, without it.")] = None,
    to_date: Annotated[date | None, Query(description="Included; a week on, without it.")] = None,
) -> Any:  # fmt: skip
    """Parcels that left and those allocated for the day, against the site's capacity.

    The capacity is shown, not enforced: allocation does not move parcels to other days or sites.
    """
    first = from_date or min(call.at.date() - _WEEK, to_date or date.max)
    last = to_date or min(max(first, call.at.date()), date.max - _WEEK) + _WEEK
    if not timedelta(0) <= last - first < timedelta(days=_MOST_DAYS):
        raise unfit("to_date", "bad_range", f"must be from_date to {_MOST_DAYS} days on")

    def work(conn: sa.Connection) -> Any:
        _found(conn, site_code)
        return calendars.loads_per_day(conn, site_code, first, last)

    days = [LoadTold(**row) for row in call.read(work)]
    return LoadsTold(site_code=site_code, is_capacity_enforced=False, days=days)


@ROUTER.get("/{site_code:path}/departure", summary="Ask when a parcel would leave",
            response_model=DepartureTold)  # fmt: skip
def show_departure(call: Reader, site_code: Code, ready_at: WantedMoment = None) -> Any:
    """By working hours, cut-off and closures, for a parcel that is ready at a moment, or now.

    Told for planning: shipping itself still hands parcels over the moment they are ready.
    """
    ready = ready_at or call.at
    if not date.min + _WEEK < ready.date() < date.max - timedelta(days=500):
        raise unfit("ready_at", "out_of_range", "is too far from now")

    def work(conn: sa.Connection) -> datetime | None:
        _found(conn, site_code)
        return leaves_at(calendars.calendar_of(conn, site_code, ready.date() - _WEEK), ready)

    return DepartureTold(site_code=site_code, ready_at=ready, leaves_at=call.read(work),
                         is_calendar_enforced=False)  # fmt: skip


@ROUTER.get("/{site_code:path}/hours", summary="Show working hours", response_model=WeekTold)
def show_hours(call: Reader, site_code: Code) -> Response:
    """Weekdays with opening and cut-off; its ETag is what a change needs."""
    answer = call.read(lambda conn: _week(conn, site_code))
    return sent(200, answer.headers, answer.body())


@ROUTER.put("/{site_code:path}/hours", summary="Set working hours", response_model=WeekTold)
def set_hours(
    call: Keeper, site_code: Code, given: WeekGiven, if_match: IfMatch = None
) -> Response:
    """The whole week at once; the time zone is the site's."""
    week = [{"weekday": day.weekday, "opens": time.fromisoformat(day.opens),
             "cut_off": time.fromisoformat(day.cut_off)} for day in given.days]  # fmt: skip

    def work(conn: sa.Connection) -> Answer:
        _found(conn, site_code, is_locked=True)
        require_match(if_match, _week(conn, site_code).headers["ETag"])
        calendars.keep_hours(conn, site_code, week)
        return _week(conn, site_code)

    return call.write(work)


def _week(conn: sa.Connection, site_code: str) -> Answer:
    site, days = _found(conn, site_code), calendars.hours_of(conn, site_code)
    told = WeekTold(site_code=site_code, time_zone=site["time_zone"],
                    days=[HoursTold(**day) for day in days])  # fmt: skip
    return Answer(told, headers={"ETag": tag_of("hours", told.model_dump_json())})


@ROUTER.get("/{site_code:path}/closures", summary="List closed days",
            response_model=Page[ClosureTold])  # fmt: skip
def list_closures(
    call: Reader, site_code: Code, from_date: Annotated[date | None, Query()] = None,
    limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """Holidays and the like, in their order."""
    asked = paging(limit, cursor, _BY_DAY, "closures", site_code, from_date)
    after = asked.after[0] if asked.after else None

    def work(conn: sa.Connection) -> Any:
        _found(conn, site_code)
        return calendars.closures_of(conn, site_code, from_date, after, limit + 1)

    rows = [{**row, "day": row["closed_date"].isoformat()} for row in call.read(work)]
    return asked.page(rows, _closure, ("day",))


@ROUTER.post("/{site_code:path}/closures", summary="Close a site on a day", status_code=201,
             response_model=ClosureTold)  # fmt: skip
def add_closure(
    call: Keeper, site_code: Code, given: ClosureGiven, key: OnceKey = None
) -> Response:
    """Such as a holiday."""

    def work(conn: sa.Connection) -> Answer:
        _found(conn, site_code, is_locked=True)
        row = calendars.add_closure(conn, site_code, given.closed_date, given.reason)
        if row is None:
            raise unfit("closed_date", "taken", "the site is closed then already", 409)
        return Answer(_closure(row), 201, {"ETag": _closure_tag(row)})

    return call.write_once(key, work)


@ROUTER.get("/{site_code:path}/closures/{closed_date}", summary="Show a closed day",
            response_model=ClosureTold)  # fmt: skip
def show_closure(call: Reader, site_code: Code, closed_date: date) -> Response:
    """Its ETag is what removing it needs."""
    row = call.read(lambda conn: calendars.find_closure(conn, site_code, closed_date))
    if row is None:
        raise missing("closed day")
    return sent(200, {"ETag": _closure_tag(row)}, _closure(row).model_dump_json())


@ROUTER.delete("/{site_code:path}/closures/{closed_date}", summary="Open a site on a day",
               status_code=204, response_class=Response)  # fmt: skip
def remove_closure(
    call: Keeper, site_code: Code, closed_date: date, if_match: IfMatch = None
) -> Response:
    """Work on that day as on others of its weekday."""

    def work(conn: sa.Connection) -> Answer:
        row = calendars.find_closure(conn, site_code, closed_date, is_locked=True)
        if row is None:
            raise missing("closed day")
        require_match(if_match, _closure_tag(row))
        calendars.remove_closure(conn, site_code, closed_date)
        return Answer(None, 204)

    return call.write(work)


def _closure(row: Mapping[Any, Any]) -> ClosureTold:
    return ClosureTold(**{name: row[name] for name in ClosureTold.model_fields})


def _closure_tag(row: Mapping[Any, Any]) -> str:
    return tag_of("closure", dict(row))


@ROUTER.get("/{site_code:path}", summary="Show a site", response_model=SiteTold)
def show_site(call: Reader, site_code: Code) -> Response:
    """Its ETag is what a change needs."""
    answer = call.read(lambda conn: _answer(_found(conn, site_code)))
    return sent(200, answer.headers, answer.body())


@ROUTER.patch("/{site_code:path}", summary="Change a site", response_model=SiteTold)
def change_site(
    call: Keeper, site_code: Code, given: SiteChangeGiven, if_match: IfMatch = None
) -> Response:
    """Orders allocated from now on see it."""

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(_found(conn, site_code, is_locked=True)))
        values = given.model_dump(exclude_unset=True)
        return _answer(sites.change_site(conn, site_code, values))

    return call.write(work)


@ROUTER.post("/{site_code:path}/archive", summary="Archive a site", response_model=SiteTold)
def archive_site(call: Keeper, site_code: Code, key: OnceKey = None) -> Response:
    """From now on nothing is allocated to it; what was allocated before still ships.

    Move its stock away first: what it holds was promised like all stock, so where no other site
    can keep a promise, it still ships.
    """

    def work(conn: sa.Connection) -> Answer:
        _found(conn, site_code, is_locked=True)
        return _answer(sites.archive_site(conn, site_code, call.at))

    return call.write_once(key, work)


@ROUTER.post("/{site_code:path}/restore", summary="Restore a site", response_model=SiteTold)
def restore_site(call: Keeper, site_code: Code, key: OnceKey = None) -> Response:
    """Let orders be allocated to it again."""

    def work(conn: sa.Connection) -> Answer:
        _found(conn, site_code, is_locked=True)
        return _answer(sites.restore_site(conn, site_code))

    return call.write_once(key, work)


def _found(conn: sa.Connection, site_code: str, is_locked: bool = False) -> Mapping[Any, Any]:
    row = sites.find_site(conn, site_code, is_locked)
    if row is None:
        raise missing(f"site {site_code[:100]}")
    return row


def _answer(
    row: Mapping[Any, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(SiteTold(**row), status, {"ETag": _tag(row), **(headers or {})})


def _tag(row: Mapping[Any, Any]) -> str:
    return tag_of("site", dict(row))
