"""Tax rates, and how channels state tax."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette_admin.actions import row_action
from starlette_admin.exceptions import FormValidationError
from starlette_admin.fields import BooleanField, StringField

from ecom_assets.backoffice.tables import TAX_RATES, TAX_SETTINGS
from gateway.screens.fields import Choice, Day, NotFit, Text, Whole
from gateway.screens.listing import Listing
from gateway.screens.view import SEEN, ApiView


class Percent(StringField):
    """A rate: entered in percent, kept in basis points."""

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """In percent."""
        text = f"{Decimal(value) / 100:f}" if isinstance(value, int) else str(value)
        return text if request.state.action.is_form() else f"{text} %"

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """In basis points.

        Raises:
            NotFit: this is no percentage of at most two decimals.
        """
        try:
            points = Decimal(str(value).strip().rstrip("% ").replace(",", ".")) * 100
            if points == int(points):
                return int(points)
        except (InvalidOperation, ValueError, OverflowError):
            pass
        raise NotFit("this is no percentage; write it like 19 or 5.5")


class TaxRates(ApiView):
    """Rates by country, region, category and date; a rate is ended, never changed."""

    key = "tax_rates"
    display_name = "tax rate"
    menu_label = "Tax rates"
    resource = "/taxes/rates"
    area = "backoffice"
    fixed = ("country", "region", "tax_category", "rate_bps", "valid_from_date", "source")
    row_actions = ("view", "edit", "take_back")
    listing = Listing(
        sa.select(TAX_RATES.c.tax_rate_id, TAX_RATES.c.country, TAX_RATES.c.region,
                  TAX_RATES.c.tax_category, TAX_RATES.c.rate_bps, TAX_RATES.c.valid_from_date,
                  TAX_RATES.c.valid_to_date, TAX_RATES.c.source),
        "tax_rate_id", ("country", "region", "tax_category", "source"),
        ("country", "region", "tax_category", "-valid_from_date"),
    )  # fmt: skip
    fields = (
        StringField("tax_rate_id", label="Number", exclude_from_list=True,
                    exclude_from_create=True, exclude_from_edit=True),
        StringField("country", label="Country", required=True, maxlength=2,
                    placeholder="such as DE"),
        Text("region", label="Region", help_text="All of the country, if empty"),
        StringField("tax_category", label="Category", required=True, default="standard"),
        Percent("rate_bps", label="Rate", required=True, placeholder="such as 19"),
        Day("valid_from_date", label="First day", required=True,
            help_text="A rate that goes on ends then"),
        Day("valid_to_date", label="Until", help_text="Excluded; open, if empty"),
        StringField("source", label="Where it is from", required=True, default="screen"),
    )  # fmt: skip

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """The whole country, where no region was entered."""
        sent = super().body(data, is_new=is_new)
        if not is_new:
            return sent
        return sent | {"region": sent["region"] or "", "country": str(sent["country"]).upper()}

    @row_action(name="take_back", text="Take back", icon_class="fa-solid fa-trash",
                confirmation="Only a rate that does not hold yet can be taken back.",
                submit_btn_text="Take back")  # fmt: skip
    async def take_back(self, request: Request, pk: Any) -> str:
        """Forget a rate that does not hold yet."""
        await self.act(request, pk, "/{}", method="DELETE")
        return "The rate was taken back."

    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        """Whether the API would let the user do it."""
        if name == "take_back":
            return self.inner.may(request, "DELETE", self._at("0"))
        return await super().is_row_action_allowed(request, name)


class TaxChannels(ApiView):
    """How each channel states tax."""

    key = "tax_channels"
    display_name = "channel's tax"
    menu_label = "Tax of channels"
    resource = "/taxes/channels"
    area = "backoffice"
    change = "PUT"
    fixed = ("channel",)
    row_actions = ("view", "edit")
    listing = Listing(
        sa.select(TAX_SETTINGS.c.channel, TAX_SETTINGS.c.seller_country,
                  TAX_SETTINGS.c.is_tax_in_prices, TAX_SETTINGS.c.rounding,
                  TAX_SETTINGS.c.rounding_mode, TAX_SETTINGS.c.tax_point,
                  TAX_SETTINGS.c.is_in_oss, TAX_SETTINGS.c.tolerance_minor),
        "channel", ("channel", "seller_country"),
    )  # fmt: skip
    fields = (
        StringField("channel", label="Channel", required=True),
        StringField("seller_country", label="Seller's country", required=True, maxlength=2),
        BooleanField("is_tax_in_prices", label="Prices contain tax", default=True),
        Choice("rounding", label="What is rounded", required=True, choices=("line", "document")),
        Choice("rounding_mode", label="Halves go", required=True,
               choices=(("half_up", "up"), ("half_even", "to even"), ("down", "down, all of it"))),
        Choice("tax_point", label="Whose day finds the rate", required=True,
               choices=(("invoice", "the invoice's"), ("order", "the order's"))),
        BooleanField("is_in_oss", label="In the one-stop shop",
                     help_text="Sales to other countries of the EU are taxed there"),
        Whole("tolerance_minor", label="Difference per line (minor units)", default=1,
              required=True, exclude_from_list=True),
    )  # fmt: skip

    def can_create(self, request: Request) -> bool:
        """Whether the API would let the user say it of a channel."""
        return self.inner.may(request, "PUT", self._at("0"))

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Say it of a channel that says nothing yet."""
        channel = str(data.pop("channel", "") or "")
        known = await self.inner.ask(request, "GET", self._at(channel))
        if known.is_good:
            raise FormValidationError({"channel": "is listed already; change it there"})
        return await self.edit(request, channel, {**data, SEEN: "*"})
