"""What the warehouse part of the API takes and tells."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.api.transport_models import Currency, Minor, NewCode
from gateway.api.values import MOST_INTEGER, Given, Name, Reason, Told


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("time_zone", "must be an IANA time zone such as Europe/Berlin")
    return name


TimeZone = Annotated[str, Field(max_length=100, examples=["Europe/Berlin"]), AfterValidator(_zone)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")]
Longitude = Annotated[
    float, Field(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")
]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.",
                               examples=["DE"])]  # fmt: skip
Capacity = Annotated[int, Field(ge=1, le=MOST_INTEGER, description="Parcels per day.")]
Clock = Annotated[
    str,
    Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Local time of the site.",
          examples=["16:30"]),
]  # fmt: skip


class SiteGiven(Given):
    """A site to add."""

    site_code: NewCode
    name: Name
    country: Country
    region: Name | None = None
    city: Name | None = None
    postal_code: Name | None = None
    latitude: Latitude
    longitude: Longitude
    daily_capacity: Capacity | None = Field(default=None, description="Null: not limited.")
    handling_minor: Minor = Field(description="Cost of handling a parcel, in minor units.")
    currency: Currency
    time_zone: TimeZone = "UTC"


class SiteChangeGiven(Given):
    """What changes of a site; what is left out stays, null empties what may be empty."""

    name: Name = "unchanged"
    country: Country = "ZZ"
    region: Name | None = None
    city: Name | None = None
    postal_code: Name | None = None
    latitude: Latitude = 0.0
    longitude: Longitude = 0.0
    daily_capacity: Capacity | None = None
    handling_minor: Minor = 0
    currency: Currency = "EUR"
    time_zone: TimeZone = "UTC"


class SiteTold(Told):
    """A site that holds stock and ships it."""

    site_code: str
    name: str
    country: str
    region: str | None
    city: str | None
    postal_code: str | None
    latitude: float
    longitude: float
    daily_capacity: int | None = Field(description="Parcels per day; null: not limited.")
    handling_minor: int
    currency: str
    time_zone: str
    archived_at: datetime | None = Field(
        description="From when nothing new is allocated to it; null while in use."
    )


class HoursGiven(Given):
    """Hours of a working day."""

    weekday: int = Field(ge=1, le=7, description="1 is Monday, 7 is Sunday.")
    opens: Clock
    cut_off: Clock = Field(description="Until when a parcel that is ready leaves the same day.")

    @model_validator(mode="after")
    def _open_before_cut_off(self) -> HoursGiven:
        if self.opens >= self.cut_off:
            raise PydanticCustomError("empty_day", "opens must be before cut_off")
        return self


class WeekGiven(Given):
    """The working week of a site."""

    days: list[HoursGiven] = Field(
        max_length=7, description="Weekdays left out are not worked; none at all: always open."
    )

    @field_validator("days")
    @classmethod
    def _once_a_day(cls, days: list[HoursGiven]) -> list[HoursGiven]:
        if len({day.weekday for day in days}) < len(days):
            raise PydanticCustomError("said_twice", "a weekday may be given once")
        return days


class HoursTold(Told):
    """Hours of a working day, in the site's own time."""

    weekday: int
    opens: time
    cut_off: time


class WeekTold(Told):
    """The working week of a site."""

    site_code: str
    time_zone: str
    days: list[HoursTold]


class ClosureGiven(Given):
    """A day without work."""

    closed_date: Annotated[date, Field(strict=False, examples=["2026-12-25"])]
    reason: Reason


class ClosureTold(Told):
    """A day on which a site does not work."""

    site_code: str
    closed_date: date
    reason: str


class LoadTold(Told):
    """What leaves a site on a day, against its capacity."""

    day: date = Field(description="In the site's own time.")
    is_working_day: bool
    closed_because: str | None
    shipped_parcels: int
    shipped_units: int
    promised_parcels: int = Field(description="Allocated for that day, and not shipped yet.")
    promised_units: int
    daily_capacity: int | None
    load: float | None = Field(description="Parcels over capacity; null where it is not limited.")


class LoadsTold(Told):
    """Load per day."""

    site_code: str
    is_capacity_enforced: bool = Field(
        description="Whether allocation keeps within the capacity; it does not yet."
    )
    days: list[LoadTold]


class DepartureTold(Told):
    """When a parcel leaves by the working calendar."""

    site_code: str
    ready_at: datetime
    leaves_at: datetime | None = Field(description="Null: not within 400 days.")
    is_calendar_enforced: bool = Field(
        description="Whether shipping waits for it; parcels are still handed over when ready."
    )
