"""What the transport part of the API takes and tells about parcels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.api.transport_models import Currency, Grams, Kilometres, Minor, Share
from gateway.api.values import Given, Moment, Name, Told

Side = Annotated[int, Field(ge=1, le=100_000, description="Millimetres.")]


class PlaceGiven(Given):
    """A place on the earth."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")


class DimensionsGiven(Given):
    """The sides of a parcel."""

    length_mm: Side
    width_mm: Side
    height_mm: Side


class SettingsGiven(Given):
    """Settings of the rule `carrier` to try; what is left out stays as it is in force."""

    late_cost_minor: Minor | None = Field(
        default=None, description="Cost of a late parcel, in minor units of the rate's currency."
    )
    damage_share: Share | None = Field(
        default=None, description="Part of the goods' value that a lost parcel costs, 0 to 1."
    )
    keeps_promise_from: Share | None = Field(
        default=None, description="Probability from which a service is said to keep the promise."
    )
    default_unit_weight_g: Grams | None = Field(
        default=None, description="Weight of what states none, in grams."
    )


class ParcelGiven(Given):
    """A parcel to be carried.

    The way is told by `distance_km`, or from `site_code` or `origin` to `destination`, or to
    `postal_code` with `country`.
    """

    weight_g: Grams | None = Field(
        default=None, description="Grams; what the settings assume, without it.", examples=[2_400]
    )
    dimensions: DimensionsGiven | None = None
    volume_mm3: int | None = Field(
        default=None, ge=0, le=10**15, description="Cubic millimetres, instead of dimensions."
    )
    site_code: Name | None = Field(default=None, description="Site it leaves from.")
    origin: PlaceGiven | None = Field(default=None, description="Instead of a site.")
    destination: PlaceGiven | None = None
    postal_code: Name | None = Field(
        default=None, description="Found only where earlier orders went to it."
    )
    country: str | None = Field(
        default=None, pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2 of the postal code."
    )
    distance_km: Kilometres | None = Field(
        default=None, description="Instead of places, in kilometres."
    )
    goods_minor: Minor = 0
    currency: Currency = "EUR"
    ready_at: Moment | None = Field(
        default=None, description="When it can leave; now, without it. Its rates hold."
    )
    promised_at: Moment | None = Field(
        default=None, description="Latest arrival promised; without it lateness costs nothing."
    )
    settings: SettingsGiven | None = None

    @model_validator(mode="after")
    def _say_each_once(self) -> ParcelGiven:
        for one, other in (("dimensions", "volume_mm3"), ("site_code", "origin"),
                           ("destination", "postal_code")):  # fmt: skip
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise PydanticCustomError("said_twice", f"give {one} or {other}, not both")
        if self.postal_code is not None and self.country is None:
            raise PydanticCustomError("missing", "a postal_code needs its country")
        return self


class OfferTold(Told):
    """A service as a candidate for a parcel."""

    service_code: str
    service_name: str
    carrier_code: str
    carrier_name: str
    zone_code: str
    billable_weight_g: int = Field(description="The larger of weight and dimensional weight.")
    cost_minor: int | None = Field(description="Null where the rate card has no price.")
    currency: str | None
    eta_at: datetime | None = Field(description="Mean arrival.")
    on_time_probability: float | None = Field(description="To arrive by the promise, 0 to 1.")
    score: float | None = Field(description="Lower is better; null where it cannot carry it.")
    is_eligible: bool
    is_chosen: bool
    reason: str


class KeptOfferTold(OfferTold):
    """A candidate as it was kept when the parcel was decided."""

    rate_id: int | None = Field(description="The rate that priced it.")


class OffersTold(Told):
    """What would carry a parcel."""

    service_code: str | None = Field(description="What would be chosen; null: nothing carries it.")
    version: str = Field(description="Version of the rule in force when the parcel is ready.")
    settings: dict[str, Any] = Field(description="Settings that were used.")
    weight_g: int
    distance_km: float | None
    ready_at: datetime
    notes: list[str] = Field(description="What was assumed.")
    candidates: list[OfferTold] = Field(description="The best first.")


class ShipmentTold(Told):
    """A parcel handed to a carrier."""

    shipment_id: int
    order_id: int
    site_code: str
    carrier_code: str
    carrier_name: str
    service_code: str
    service_name: str
    units: int
    weight_g: int
    is_weight_estimated: bool
    cost_minor: int
    currency: str
    shipped_at: datetime
    eta_at: datetime = Field(description="Mean arrival.")
    promised_at: datetime | None
    is_expected_late: bool = Field(description="Whether the mean arrival is after the promise.")


class TrackedTold(Told):
    """Something that happened to a parcel, or is expected to."""

    happened_at: datetime
    event: Literal["handed_over", "delivered"]
    is_expected: bool


class TrackingTold(Told):
    """What is known of where a parcel is."""

    shipment_id: int
    as_of: datetime
    state: Literal["not_handed_over", "handed_over"]
    is_overdue: bool = Field(description="Whether its mean arrival has passed.")
    is_carrier_heard: bool = Field(description="Whether the carrier told anything; not yet.")
    events: list[TrackedTold]


class SelectionTold(Told):
    """Why a shipment went with its service."""

    shipment_id: int
    decided_as_of: datetime
    outcome: str = Field(description="Service that was chosen.")
    reasons: list[str] = Field(description="Codes of the ledger.")
    version: str = Field(description="Version of the rule that decided.")
    settings: dict[str, Any] | None = Field(description="What that version says.")
    inputs: dict[str, Any] = Field(description="The parcel as it was judged.")
    promised_at: datetime | None
    candidates: list[KeptOfferTold] = Field(description="The chosen one first, then by score.")


class WhatIfGiven(Given):
    """Settings to choose by."""

    settings: SettingsGiven


class SelectionIfTold(Told):
    """What would have carried a shipment under other settings."""

    shipment_id: int
    settings: dict[str, Any]
    service_code: str | None
    was_service_code: str
    is_changed: bool
    difference_minor: int | None = Field(
        description="Price more than what was paid; null where currencies differ."
    )
    currency: str
    candidates: list[OfferTold]
