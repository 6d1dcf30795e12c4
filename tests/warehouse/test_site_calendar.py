"""When a parcel leaves by hours, cut-off, closures and the site's own time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.warehouse.calendar import Calendar, Hours, leaves_at

DAY = Hours(time(8), time(16, 30))
WEEK = dict.fromkeys(range(1, 6), DAY)
BERLIN = Calendar("Europe/Berlin", WEEK, {date(2026, 12, 25)})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("ready", "leaves"),
    [
        ("2026-12-23T10:00", "2026-12-23T10:00"),  # within the day
        ("2026-12-23T03:00", "2026-12-23T07:00"),  # before it opens
        ("2026-12-23T15:30", "2026-12-23T15:30"),  # at the cut-off
        ("2026-12-23T15:31", "2026-12-24T07:00"),  # a minute late
        ("2026-12-24T16:00", "2026-12-28T07:00"),  # closed, then the weekend
        ("2026-07-01T15:00", "2026-07-02T06:00"),  # summer time: the cut-off is 14:30 UTC
        ("2026-03-27T17:00", "2026-03-30T06:00"),  # over the change of the clock
    ],
)
def test_a_parcel_leaves_within_working_hours(ready: str, leaves: str) -> None:
    assert leaves_at(BERLIN, utc(ready)) == utc(leaves)


def test_a_site_without_hours_works_always_but_on_closed_days() -> None:
    free = Calendar("UTC", {}, {date(2026, 12, 25)})
    assert leaves_at(free, utc("2026-12-24T23:59")) == utc("2026-12-24T23:59")
    assert leaves_at(free, utc("2026-12-25T00:01")) == utc("2026-12-26T00:00")


def test_a_site_that_is_closed_for_good_lets_nothing_leave() -> None:
    start = date(2026, 1, 1)
    closed = {start + timedelta(days=day) for day in range(500)}
    assert leaves_at(Calendar("UTC", WEEK, closed), utc("2026-01-01T00:00")) is None


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sets(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=30),
)
def test_waiting_ends_in_working_time_and_is_never_repeated(
    ready: datetime, closed: set[date]
) -> None:
    calendar = Calendar("Europe/Berlin", WEEK, closed)
    leaves = leaves_at(calendar, ready)
    assert leaves is not None
    assert leaves >= ready
    assert leaves_at(calendar, leaves) == leaves
