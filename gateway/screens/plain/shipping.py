"""Carriers, services, zones, rates and sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from starlette_admin.fields import BooleanField, StringField

from ecom_assets.transport.tables import CARRIERS, RATES, SERVICES, ZONES
from ecom_assets.warehouse.tables import SITES
from gateway.screens.fields import Figure, Moment, Money, Text, Whole
from gateway.screens.listing import Listing
from gateway.screens.plain.archived import Archived
from gateway.screens.view import ApiView

_ARCHIVED = Moment("archived_at", label="Archived", read_only=True, exclude_from_create=True,
                   exclude_from_edit=True)  # fmt: skip


class Carriers(Archived):
    """Carriers the shop has a contract with."""

    key = "carriers"
    display_name = "carrier"
    menu_label = "Carriers"
    resource = "/transport/carriers"
    area = "transport"
    fixed = ("carrier_code",)
    listing = Listing(
        sa.select(CARRIERS.c.carrier_code, CARRIERS.c.name, CARRIERS.c.archived_at),
        "carrier_code", ("carrier_code", "name"),
    )  # fmt: skip
    fields = (
        StringField("carrier_code", label="Code", required=True, maxlength=64,
                    help_text="Letters, digits and . _ : + -"),
        StringField("name", label="Name", required=True, maxlength=200),
        _ARCHIVED,
    )  # fmt: skip


class Services(Archived):
    """Services of the carriers."""

    key = "services"
    display_name = "service"
    menu_label = "Services"
    resource = "/transport/services"
    area = "transport"
    fixed = ("service_code",)
    listing = Listing(
        sa.select(SERVICES.c.service_code, SERVICES.c.carrier_code, SERVICES.c.name,
                  SERVICES.c.max_weight_g, SERVICES.c.dim_divisor, SERVICES.c.quality,
                  SERVICES.c.archived_at),
        "service_code", ("service_code", "carrier_code", "name"),
    )  # fmt: skip
    fields = (
        StringField("service_code", label="Code", required=True, maxlength=64,
                    help_text="Letters, digits and . _ : + -"),
        StringField("carrier_code", label="Carrier (its code)", required=True),
        StringField("name", label="Name", required=True, maxlength=200),
        Whole("max_weight_g", label="Heaviest parcel (g)", required=True),
        Whole("dim_divisor", label="Dimensional divisor (cm³/kg)", default=0, required=True,
              help_text="0: dimensional weight is not measured"),
        Figure("quality", label="Undamaged share", required=True, default="0.99",
               help_text="Share of parcels without damage or loss, 0 to 1"),
        _ARCHIVED,
    )  # fmt: skip


class Zones(Archived):
    """Zones by the distance from site to customer."""

    key = "zones"
    display_name = "zone"
    menu_label = "Zones"
    resource = "/transport/zones"
    area = "transport"
    fixed = ("zone_code",)
    listing = Listing(
        sa.select(ZONES.c.zone_code, ZONES.c.from_km,
                  sa.func.nullif(ZONES.c.to_km, sa.cast("Infinity", sa.Float)).label("to_km"),
                  ZONES.c.archived_at),
        "zone_code", ("zone_code",), ("from_km",),
    )  # fmt: skip
    fields = (
        StringField("zone_code", label="Code", required=True, maxlength=64),
        Figure("from_km", label="From (km, included)", required=True),
        Figure("to_km", label="To (km, excluded)", help_text="Empty: no end"),
        BooleanField("may_overlap", label="May share distances with another zone",
                     exclude_from_list=True, exclude_from_detail=True),
        _ARCHIVED,
    )  # fmt: skip


class Rates(ApiView):
    """Prices by service, zone and weight; a rate is ended, never changed."""

    key = "rates"
    display_name = "rate"
    menu_label = "Rates"
    resource = "/transport/rates"
    area = "transport"
    fixed = ("service_code", "zone_code", "from_g", "to_g", "price_minor", "currency",
             "transit_days", "transit_spread_days", "valid_from_at")  # fmt: skip
    row_actions = ("view", "edit")
    listing = Listing(
        sa.select(RATES.c.rate_id, RATES.c.service_code, RATES.c.zone_code, RATES.c.from_g,
                  RATES.c.to_g, RATES.c.price_minor, RATES.c.currency, RATES.c.transit_days,
                  RATES.c.transit_spread_days, RATES.c.valid_from_at, RATES.c.valid_to_at),
        "rate_id", ("service_code", "zone_code"), ("service_code", "zone_code", "from_g"),
    )  # fmt: skip
    fields = (
        StringField("rate_id", label="Number", exclude_from_list=True, exclude_from_create=True,
                    exclude_from_edit=True),
        StringField("service_code", label="Service", required=True),
        StringField("zone_code", label="Zone", required=True),
        Whole("from_g", label="From (g, excluded)", required=True),
        Whole("to_g", label="To (g, included)", required=True),
        Money("price_minor", label="Price", required=True, placeholder="such as 4.90"),
        StringField("currency", label="Currency", required=True, maxlength=3,
                    placeholder="such as EUR", exclude_from_list=True),
        Figure("transit_days", label="Days to delivery", required=True),
        Figure("transit_spread_days", label="Spread of that (days)", required=True,
               help_text="Standard deviation", exclude_from_list=True),
        Moment("valid_from_at", label="From (UTC)", required=True),
        Moment("valid_to_at", label="Until (UTC)", help_text="Excluded; open, if empty"),
    )  # fmt: skip

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """Codes of currencies are written in capitals."""
        sent = super().body(data, is_new=is_new)
        return sent | ({"currency": str(sent["currency"]).upper()} if is_new else {})


class Sites(Archived):
    """Warehouses and shops that hold stock and ship it."""

    key = "sites"
    display_name = "site"
    menu_label = "Sites"
    resource = "/sites"
    area = "warehouse"
    fixed = ("site_code",)
    listing = Listing(
        sa.select(SITES.c.site_code, SITES.c.name, SITES.c.country, SITES.c.city,
                  SITES.c.daily_capacity, SITES.c.handling_minor, SITES.c.currency,
                  SITES.c.time_zone, SITES.c.archived_at),
        "site_code", ("site_code", "name", "country", "city"),
    )  # fmt: skip
    fields = (
        StringField("site_code", label="Code", required=True, maxlength=64),
        StringField("name", label="Name", required=True, maxlength=200),
        StringField("country", label="Country", required=True, maxlength=2,
                    placeholder="such as DE"),
        Text("region", label="Region", exclude_from_list=True),
        Text("city", label="City"),
        Text("postal_code", label="Postal code", exclude_from_list=True),
        Figure("latitude", label="Degrees north", required=True, exclude_from_list=True),
        Figure("longitude", label="Degrees east", required=True, exclude_from_list=True),
        Whole("daily_capacity", label="Parcels a day", help_text="Not limited, if empty"),
        Money("handling_minor", label="Handling of a parcel", required=True,
              placeholder="such as 1.20"),
        StringField("currency", label="Currency", required=True, maxlength=3,
                    placeholder="such as EUR", exclude_from_list=True),
        StringField("time_zone", label="Time zone", required=True, default="UTC",
                    placeholder="such as Europe/Berlin"),
        _ARCHIVED,
    )  # fmt: skip

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """Codes of countries and currencies are written in capitals."""
        sent = super().body(data, is_new=is_new)
        return sent | {name: str(sent[name]).upper() for name in ("country", "currency")}
