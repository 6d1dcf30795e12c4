"""When a site works, and when a parcel that is ready leaves it.

The order path does not ask this yet: parcels leave the moment they are ready (`transport`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MOST_DAYS = 400
"""Days looked ahead; a site that is closed for longer has no next departure."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a working day, in the site's own time.

    Attributes:
        opens: when work begins.
        cut_off: until when a parcel that is ready leaves the same day.
    """

    opens: time
    cut_off: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a site works.

    Attributes:
        time_zone: IANA name.
        week: hours by ISO weekday; a day that is missing is none; always open where it is empty.
        closed: days without work whatever the weekday.
    """

    time_zone: str
    week: Mapping[int, Hours] = field(default_factory=dict)
    closed: Collection[date] = ()


def leaves_at(calendar: Calendar, ready_at: datetime) -> datetime | None:
    """When a parcel leaves: at once within working hours, else when work next begins.

    Args:
        calendar: of the site.
        ready_at: when all its units are there.

    Returns:
        The moment in UTC; None where the site does not work within the next 400 days.
    """
    zone = ZoneInfo(calendar.time_zone)
    today = ready_at.astimezone(zone).date()
    for day in (today + timedelta(days=ahead) for ahead in range(_MOST_DAYS)):
        hours = calendar.week.get(day.isoweekday())
        if day in calendar.closed or (calendar.week and hours is None):
            continue
        # Without a week every day is whole: it begins at midnight and has no cut-off.
        opens = _moment(day, hours.opens if hours else time.min, zone)
        if ready_at <= opens or hours is None or ready_at <= _moment(day, hours.cut_off, zone):
            return max(ready_at.astimezone(UTC), opens)
    return None


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
