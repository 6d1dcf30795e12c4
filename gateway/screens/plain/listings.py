"""What is on each channel, and whose SKU it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette_admin.fields import BooleanField, StringField

from ecom_assets.marketplace.tables import CONNECTIONS, LISTINGS
from gateway.screens.fields import Money, Text
from gateway.screens.listing import Listing
from gateway.screens.view import SEEN, ApiView


class Listings(ApiView):
    """Listings beside our price and stock; a person may say whose SKU one is."""

    key = "listings"
    display_name = "listing"
    menu_label = "Listings"
    resource = "/marketplace/listings"
    area = "marketplace"
    change = "PUT"
    row_actions = ("view", "edit")
    exclude_fields_from_list = ("listing_id", "channel_listing_id", "is_mapped_by_hand")
    fixed = ("listing_id", "channel", "title", "state", "channel_listing_id", "channel_sku",
             "live_price_minor", "our_price_minor", "live_units", "our_units",
             "is_mapped_by_hand")  # fmt: skip
    listing = Listing(
        sa.select(LISTINGS.c.listing_id, CONNECTIONS.c.channel, LISTINGS.c.channel_listing_id,
                  LISTINGS.c.channel_sku, LISTINGS.c.title, LISTINGS.c.state, LISTINGS.c.sku,
                  LISTINGS.c.currency, LISTINGS.c.live_price_minor, LISTINGS.c.our_price_minor,
                  LISTINGS.c.live_units, LISTINGS.c.our_units)
        .join_from(LISTINGS, CONNECTIONS),
        "listing_id", ("channel", "channel_sku", "title", "sku", "state"),
    )  # fmt: skip
    fields = (
        StringField("listing_id", label="Number"),
        StringField("channel", label="Channel"),
        StringField("title", label="Title"),
        StringField("state", label="State"),
        StringField("channel_listing_id", label="Its id there"),
        StringField("channel_sku", label="SKU there"),
        Text("sku", label="Our SKU", help_text="None of ours, if empty; syncs leave it so"),
        Money("live_price_minor", label="Price there"),
        Money("our_price_minor", label="Our price"),
        StringField("live_units", label="Stock there"),
        StringField("our_units", label="Our stock"),
        BooleanField("is_mapped_by_hand", label="Mapped by hand"),
    )

    def can_edit(self, request: Request) -> bool:
        """Whether the API would let the user map one."""
        return self.inner.may(request, "PUT", f"{self.resource}/0/sku")

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Map the listing, or say that it is none of ours."""
        etag, sku = data.get(SEEN) or "", (data.get("sku") or "").strip()
        path = f"{self._at(pk)}/sku"
        if sku:
            reply = await self.inner.ask(request, "PUT", path, body={"sku": sku}, etag=etag)
        else:
            reply = await self.inner.ask(request, "DELETE", path, etag=etag)
        self.require(request, reply)
        return await self.find_by_pk(request, pk)
