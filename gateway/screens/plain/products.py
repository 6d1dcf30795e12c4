"""Products, categories and families of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette_admin.actions import row_action
from starlette_admin.exceptions import ActionFailed, FormValidationError
from starlette_admin.fields import BooleanField, StringField, TextAreaField

from ecom_assets.catalog.tables import CATEGORIES, FAMILIES, PRODUCTS
from gateway.screens.fields import Document, Money, Text, Whole
from gateway.screens.listing import Listing
from gateway.screens.view import SEEN, ApiView


class LongText(TextAreaField):
    """A text of several lines that may be left empty."""

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """None where nothing was entered."""
        return value or None


class Products(ApiView):
    """Products; a change is a plan of one row, judged as a file's rows are."""

    key = "products"
    display_name = "product"
    menu_label = "Products"
    resource = "/products"
    one = "/item/{}"
    area = "catalog"
    fixed = ("sku",)
    row_actions = ("view", "edit", "archive", "unarchive")
    exclude_fields_from_create = ("status",)
    exclude_fields_from_list = (
        "gtin", "description", "weight_g", "length_mm", "width_mm", "height_mm", "currency",
        "unit_cost_minor", "supplier_key", "group_key", "attributes", "media", "components",
        "options", "completeness", "score",
    )  # fmt: skip
    exclude_fields_from_edit = ("status", "completeness", "score")
    listing = Listing(
        sa.select(PRODUCTS.c.sku, PRODUCTS.c.name, PRODUCTS.c.category, PRODUCTS.c.brand,
                  PRODUCTS.c.family, PRODUCTS.c.list_price_minor, PRODUCTS.c.currency,
                  PRODUCTS.c.status, PRODUCTS.c.gtin),
        "sku", ("sku", "name", "brand", "category", "gtin"),
    )  # fmt: skip
    fields = (
        StringField("sku", label="SKU", required=True, maxlength=200),
        StringField("name", label="Name", required=True, maxlength=1000),
        Text("category", label="Category"),
        Text("brand", label="Brand"),
        Text("gtin", label="GTIN", help_text="8, 12, 13 or 14 digits, zeros in front and all"),
        LongText("description", label="Description", rows=4),
        Text("family", label="Family"),
        Money("list_price_minor", label="List price", placeholder="such as 19.90"),
        Money("unit_cost_minor", label="Cost of a unit", placeholder="such as 7.35"),
        StringField("currency", label="Currency", required=True, maxlength=3,
                    placeholder="such as EUR"),
        Whole("weight_g", label="Weight (g)"),
        Whole("length_mm", label="Longest side (mm)"),
        Whole("width_mm", label="Width (mm)"),
        Whole("height_mm", label="Height (mm)"),
        Text("supplier_key", label="Supplier"),
        Text("group_key", label="Group of variants"),
        Document("options", label="Options", rows=3, help_text='Such as {"Size": "M"}'),
        Document("attributes", label="Attributes", rows=6,
                 help_text='Such as [{"attribute": "colour", "locale": "de", "value": "rot"}];'
                 " those that are not here stay, null takes one away"),
        Document("media", label="Pictures", rows=3, help_text="Addresses, in order"),
        Document("components", label="Made of (units by SKU)", rows=3,
                 help_text='Such as {"SKU-1": 2}; empty for no kit'),
        StringField("status", label="Status"),
        Document("completeness", label="Ready for channels", exclude_from_create=True),
        StringField("score", label="How well described, of 100", exclude_from_create=True),
    )  # fmt: skip

    def shown(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes as they are entered, without where they came from."""
        told = super().shown(body)
        names = ("attribute", "channel", "locale", "value")
        kept = [{name: each[name] for name in names} for each in body.get("attributes", ())]
        return told | {"attributes": kept}

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """A new product says only what was entered."""
        sent = super().body(data, is_new=is_new)
        sent["currency"] = str(sent.get("currency") or "").upper() or None
        return {name: value for name, value in sent.items() if not is_new or value is not None}

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Send what differs from what is there, if it is still what the user saw."""
        etag = data.get(SEEN) or ""
        now = await self.inner.ask(request, "GET", self._at(pk))
        self.require(request, now)
        was = self.shown(now.body)
        sent = self.body(data, is_new=False)
        body = {name: value for name, value in sent.items() if _differs(value, was.get(name))}
        if not body:
            return SimpleNamespace(**was, **{SEEN: etag})
        reply = await self.inner.ask(request, "PATCH", self._at(pk), body=body, etag=etag)
        self.require(request, reply)
        return SimpleNamespace(**self.shown(reply.body), **{SEEN: reply.etag})

    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        """Whether the API would let the user do it."""
        if name in ("archive", "unarchive"):
            return self.inner.may(request, "POST", f"{self.resource}/{name}")
        return await super().is_row_action_allowed(request, name)

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """Only what is not so already."""
        if name in ("archive", "unarchive"):
            return (getattr(obj, "status", "") == "archived") == (name == "unarchive")
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_action(name="archive", text="Archive", icon_class="fa-solid fa-box-archive",
                confirmation="It may not be sold from now on.",
                submit_btn_text="Archive")  # fmt: skip
    async def archive(self, request: Request, pk: Any) -> str:
        """Take it out of the range."""
        return await self._status(request, pk, "archive", "It was archived.")

    @row_action(name="unarchive", text="Take back into the range", submit_btn_text="Take back",
                icon_class="fa-solid fa-rotate-left",
                confirmation="It may be sold again.")  # fmt: skip
    async def unarchive(self, request: Request, pk: Any) -> str:
        """Take it back into the range."""
        return await self._status(request, pk, "unarchive", "It may be sold again.")

    async def _status(self, request: Request, pk: Any, way: str, said: str) -> str:
        path = f"{self.resource}/{way}"
        reply = await self.inner.ask(request, "POST", path, body={"skus": [pk]})
        if not reply.is_good:
            raise ActionFailed("; ".join([reply.detail, *reply.faults.values()]))
        return said


def _differs(value: Any, was: Any) -> bool:
    return value != was and not (value in (None, [], {}) and was in (None, [], {}))


class Families(ApiView):
    """Families of products that are described by the same attributes."""

    key = "families"
    display_name = "family"
    menu_label = "Families"
    resource = "/catalogue/families"
    area = "catalog"
    change = "PUT"
    fixed = ("family",)
    row_actions = ("view", "edit", "remove")
    listing = Listing(
        sa.select(FAMILIES.c.family, FAMILIES.c.name), "family", ("family", "name"),
    )  # fmt: skip
    exclude_fields_from_list = ("attributes",)
    fields = (
        StringField("family", label="Key", required=True, maxlength=200),
        StringField("name", label="Name", required=True, maxlength=200),
        Document("attributes", label="Attributes",
                 help_text='Such as [{"attribute": "colour", "is_required": true}]'),
    )  # fmt: skip

    def can_create(self, request: Request) -> bool:
        """Whether the API would let the user set one."""
        return self.inner.may(request, "PUT", self._at("0"))

    def shown(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes as they are entered."""
        told = super().shown(body)
        kept = [{name: each[name] for name in ("attribute", "is_required")}
                for each in body.get("attributes", ())]  # fmt: skip
        return told | {"attributes": kept}

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """A family may be without attributes."""
        sent = super().body(data, is_new=is_new)
        return sent | {"attributes": sent.get("attributes") or []}

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Set a family that is not there yet."""
        family = str(data.pop("family", "") or "")
        if (await self.inner.ask(request, "GET", self._at(family))).is_good:
            raise FormValidationError({"family": "is there already; change it there"})
        return await self.edit(request, family, {**data, SEEN: "*"})

    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        """Whether the API would let the user do it."""
        if name == "remove":
            return self.inner.may(request, "DELETE", self._at("0"))
        return await super().is_row_action_allowed(request, name)

    @row_action(name="remove", text="Remove", icon_class="fa-solid fa-trash",
                confirmation="Only a family that nothing is of can be removed.",
                submit_btn_text="Remove")  # fmt: skip
    async def remove(self, request: Request, pk: Any) -> str:
        """Remove a family that nothing is of."""
        await self.act(request, pk, "/{}", method="DELETE")
        return "It was removed."


class Categories(ApiView):
    """The taxonomy, and categories of the shop's own."""

    key = "categories"
    display_name = "category"
    menu_label = "Categories"
    resource = "/catalogue/categories"
    area = "catalog"
    named = "path"
    fixed = ("category_id", "parent_id", "path", "is_own")
    row_actions = ("view", "edit", "remove")
    exclude_fields_from_create = ("category_id", "path", "is_own")
    listing = Listing(
        sa.select(CATEGORIES.c.category_id, CATEGORIES.c.path, CATEGORIES.c.name,
                  CATEGORIES.c.parent_id), "category_id", ("path",), ("path",),
    )  # fmt: skip
    exclude_fields_from_list = ("name", "is_own")
    fields = (
        StringField("category_id", label="Number"),
        StringField("path", label="Path"),
        StringField("name", label="Name", required=True, maxlength=200),
        Whole("parent_id", label="Below (number)", help_text="A root, if empty"),
        BooleanField("is_own", label="The shop's own"),
    )  # fmt: skip

    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        """Whether the API would let the user do it."""
        if name == "remove":
            return self.inner.may(request, "DELETE", self._at("0"))
        return await super().is_row_action_allowed(request, name)

    @row_action(name="remove", text="Remove", icon_class="fa-solid fa-trash",
                confirmation="Only a category of the shop's own that nothing is in.",
                submit_btn_text="Remove")  # fmt: skip
    async def remove(self, request: Request, pk: Any) -> str:
        """Remove a category that nothing is in."""
        await self.act(request, pk, "/{}", method="DELETE")
        return "It was removed."
