"""What the transport part of the API takes and tells about the rate card."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, Field

from ecom_assets.shared.money import CURRENCIES
from ecom_assets.transport.model import LARGEST_WEIGHT_G
from gateway.api.values import MOST_BIGINT, MOST_INTEGER, Given, Moment, Name, Told

NEW_CODE = r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}$"


def _stored(text: str) -> str:
    # No code holds it, and the database could not even be asked for one that does.
    return text.replace("\x00", "\ufffd")


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("must be an ISO 4217 code such as EUR")
    return code


Code = Annotated[str, Path(min_length=1, max_length=200), AfterValidator(_stored)]
"""Code in a path; it may hold slashes, as codes of imported shops do."""

NewCode = Annotated[
    str,
    Field(pattern=NEW_CODE, examples=["NLN-STD"],
          description="Letters, digits and . _ : + - (up to 64), since it stands in addresses."),
]  # fmt: skip
Currency = Annotated[
    str,
    Field(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["EUR"]),
    AfterValidator(_currency),
]
Archived = Annotated[
    datetime | None, Field(description="From when no new choice takes it; null while in use.")
]
Grams = Annotated[int, Field(ge=1, le=LARGEST_WEIGHT_G)]
Kilometres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Minor = Annotated[int, Field(ge=0, le=10**12, description="In minor units, such as cents.")]
Days = Annotated[float, Field(ge=0, le=365, allow_inf_nan=False)]
DimDivisor = Annotated[int, Field(
    ge=0, le=MOST_INTEGER,
    description="Cubic centimetres per kilogram of dimensional weight; 0: it is not measured.",
)]  # fmt: skip
Quality = Annotated[
    float, Field(ge=0, le=1, description="Share of parcels without damage or loss, 0 to 1.")
]


class CarrierGiven(Given):
    """A carrier to add."""

    carrier_code: NewCode
    name: Name


class CarrierChangeGiven(Given):
    """What changes of a carrier."""

    name: Name


class CarrierTold(Told):
    """A carrier."""

    carrier_code: str
    name: str
    archived_at: Archived


class ServiceGiven(Given):
    """A service to add."""

    service_code: NewCode
    carrier_code: Name
    name: Name
    max_weight_g: Grams = Field(description="Heaviest parcel, in grams.", examples=[31_500])
    dim_divisor: DimDivisor = Field(default=0, examples=[5_000])
    quality: Quality = Field(examples=[0.99])


class ServiceChangeGiven(Given):
    """What changes of a service; what is left out stays."""

    carrier_code: Name = "unchanged"
    name: Name = "unchanged"
    max_weight_g: Grams = 1
    dim_divisor: DimDivisor = 0
    quality: Quality = 1.0


class ServiceTold(Told):
    """A service of a carrier."""

    service_code: str
    carrier_code: str
    name: str
    max_weight_g: int
    dim_divisor: int
    quality: float
    archived_at: Archived


class ZoneGiven(Given):
    """A zone to add."""

    zone_code: NewCode
    from_km: Kilometres = Field(description="Shortest distance, included.", examples=[0])
    to_km: Kilometres | None = Field(
        default=None, description="Longest distance, excluded; null: no end.", examples=[100]
    )
    may_overlap: bool = Field(
        default=False, description="Whether it may share distances with another zone in use."
    )


class ZoneChangeGiven(Given):
    """What changes of a zone; what is left out stays."""

    from_km: Kilometres = 0
    to_km: Kilometres | None = Field(default=None, description="Excluded; null: no end.")
    may_overlap: bool = False


class ZoneTold(Told):
    """A zone by the distance from site to customer."""

    zone_code: str
    from_km: float
    to_km: float | None = Field(description="Excluded; null: no end.")
    archived_at: Archived


class RateGiven(Given):
    """A rate to add."""

    service_code: Name
    zone_code: Name
    from_g: int = Field(
        ge=0, le=LARGEST_WEIGHT_G, description="Lightest billable weight in grams, excluded."
    )
    to_g: Grams = Field(description="Heaviest billable weight in grams, included.")
    price_minor: Minor
    currency: Currency
    transit_days: Days = Field(description="Mean days from hand-over to delivery.")
    transit_spread_days: Days = Field(description="Standard deviation of that, in days.")
    valid_from_at: Moment
    valid_to_at: Moment | None = Field(default=None, description="Excluded; open without it.")


class RateEndGiven(Given):
    """When a rate ends."""

    valid_to_at: Moment = Field(description="From then on it does not hold.")


class RateTold(Told):
    """A price for a service, zone and weight band over a period."""

    rate_id: int
    service_code: str
    zone_code: str
    from_g: int = Field(description="Grams, excluded.")
    to_g: int = Field(description="Grams, included.")
    price_minor: int
    currency: str
    transit_days: float
    transit_spread_days: float
    valid_from_at: datetime
    valid_to_at: datetime | None


ListState = Literal["previewed", "applied", "discarded"]
RowOutcome = Literal["create", "change", "unchanged", "error"]


class RateListTold(Told):
    """An uploaded price list."""

    rate_list_id: int
    file_name: str
    content_hash: str = Field(description="SHA-256 of the file.")
    plan_hash: str = Field(description="SHA-256 of what it would do; applying it asks for this.")
    state: ListState
    created: int = Field(description="Rows that add a rate.")
    changed: int = Field(description="Rows that end a rate and begin another.")
    unchanged: int = Field(description="Rows the rate card says already.")
    failed: int = Field(description="Rows that cannot be used; with one, nothing is applied.")
    previewed_by: str
    previewed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class RateListRowTold(Told):
    """A row of a price list, and what it does."""

    row_number: int = Field(description="Line of the file; its header is 1.")
    outcome: RowOutcome
    field: str = Field(description="What is wrong; empty unless the outcome is error.")
    problem: str
    message: str
    service_code: str | None
    zone_code: str | None
    from_g: int | None
    to_g: int | None
    price_minor: int | None
    currency: str | None
    transit_days: float | None
    transit_spread_days: float | None
    valid_from_at: datetime | None
    valid_to_at: datetime | None
    replaces: list[dict[str, Any]] = Field(
        description="Rates that end where this one begins, with what they were."
    )


class TextGiven(Given):
    """A price list as text."""

    text: str = Field(
        min_length=1, max_length=1_000_000, description="CSV, or columns aligned by blanks or tabs."
    )


class ApplyGiven(Given):
    """Which preview is meant."""

    plan_hash: str = Field(
        pattern="^[0-9a-f]{64}$", description="As the preview told it, so that nothing else is."
    )


RateKey = Annotated[int, Path(ge=1, le=MOST_BIGINT)]
