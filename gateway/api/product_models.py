"""What the part of the API about products takes and tells."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ecom_assets.catalog.wishes import EMPTIABLE, Wish, key_of
from gateway.api.values import MOST_INTEGER, Given, Name, Note, Told

MOST_MONEY = 10**15
RESERVED = frozenset({
    "sku", "name", "category", "brand", "gtin", "weight_g", "length_mm", "width_mm", "height_mm",
    "shipping_weight_g", "currency", "unit_cost_minor", "list_price_minor", "supplier_key",
    "description", "group_key", "group_name", "options", "family", "category_id", "status",
    "is_active", "is_kit", "media", "components", "import_id", "recorded_at",
})  # fmt: skip
"""What is no attribute without a channel or a locale: it is a member of the product."""


def _printable(text: str) -> str:
    if "\x00" in text or not text.strip() or any("\ud800" <= mark <= "\udfff" for mark in text):
        raise PydanticCustomError("not_storable", "must not be blank or hold NUL")
    return text


def _trimmed(text: str) -> str:
    if text != text.strip():
        raise PydanticCustomError("blanks_around", "must not begin or end with blanks")
    return text


Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Long = Annotated[str, Field(min_length=1, max_length=100_000), AfterValidator(_printable)]
Sku = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\s:|;'=+@\-#\x00-\x1f][^|;\x00-\x1f]*$"),
    AfterValidator(_printable), AfterValidator(_trimmed),
]  # fmt: skip
Gtin = Annotated[str, Field(
    pattern=r"^(\d{8}|\d{12,14})$", examples=["4006381333931"],
    description="Digits in quotes, zeros in front and all; the check digit is looked at.",
)]  # fmt: skip
Size = Annotated[int, Field(ge=1, le=MOST_INTEGER)]
Money = Annotated[int, Field(ge=0, le=MOST_MONEY)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["EUR"])]
Url = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]
AttributeName = Annotated[str, Field(
    min_length=1, max_length=100, pattern="^[a-z0-9_]+$", examples=["colour"],
    description="In lower case with underscores.",
)]  # fmt: skip
ChannelName = Annotated[str, Field(
    max_length=100, pattern="^[a-z0-9_]*$", description="Channel it is for; empty for all."
)]  # fmt: skip
Locale = Annotated[str, Field(
    max_length=50, pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", examples=["de"],
    description="Locale it is in, such as de or pt-BR; empty for all.",
)]  # fmt: skip
Status = Literal["active", "archived"]


class ValueGiven(Given):
    """A value of an attribute."""

    attribute: AttributeName
    channel: ChannelName = ""
    locale: Locale = ""
    value: Long | None = Field(description="Null takes the value away.")

    @property
    def key(self) -> str:
        """As plans call it."""
        return key_of(self.attribute, self.channel, self.locale)

    @model_validator(mode="after")
    def _is_no_member(self) -> ValueGiven:
        if self.key in RESERVED:
            raise PydanticCustomError("reserved", "is a member of the product, set it there")
        return self


class ChangeGiven(Given):
    """What is to change of a product; what is not named stays. Null empties a member."""

    name: Text | None = None
    category: Text | None = Field(None, description="Path or name, as the shop sorts products.")
    category_id: Annotated[int, Field(ge=1, le=10**18)] | None = Field(
        None, description="Category of the taxonomy, see /catalogue/categories."
    )
    brand: Text | None = None
    gtin: Gtin | None = None
    description: Long | None = None
    weight_g: Size | None = Field(None, description="Grams.")
    length_mm: Size | None = Field(None, description="Longest side in millimetres.")
    width_mm: Size | None = Field(None, description="Millimetres.")
    height_mm: Size | None = Field(None, description="Millimetres.")
    currency: Currency | None = Field(None, description="Of the two prices, ISO 4217.")
    unit_cost_minor: Money | None = Field(None, description="Cost of a unit, in minor units.")
    list_price_minor: Money | None = Field(None, description="List price, in minor units.")
    supplier_key: Name | None = Field(None, description="A supplier there is.")
    family: Name | None = Field(None, description="A family there is, see /catalogue/families.")
    group_key: Name | None = Field(None, description="Group of variants; made where not there.")
    group_name: Text | None = Field(None, description="Name of a group that is made.")
    options: Annotated[dict[Name, Text], Field(max_length=20)] | None = Field(
        None, description="What tells the variant from others of its group.",
        examples=[{"Size": "M"}],
    )  # fmt: skip
    status: Status | None = Field(None, description="What is archived may not be sold.")
    media: Annotated[list[Url], Field(max_length=100)] | None = Field(
        None, description="Addresses of pictures, in order; all of them. They are never fetched."
    )
    components: Annotated[dict[Sku, Annotated[int, Field(ge=1, le=999_999)]], Field(
        max_length=200)] | None = Field(
        None, description="Units by SKU of what a kit is made of; {} for no kit.",
        examples=[{"SKU-1": 2}],
    )  # fmt: skip
    attributes: Annotated[list[ValueGiven], Field(max_length=500)] | None = Field(
        None, description="Values that are set or taken away; others stay."
    )

    def wish(self, sku: str) -> Wish:
        """What is wanted of the product.

        Raises:
            ValueError: a member that a product needs is to be empty; the message is its name.
        """
        said = {name: getattr(self, name) for name in self.model_fields_set}
        empty = [name for name, value in said.items() if value is None]
        if needed := [name for name in empty if name not in EMPTIABLE]:
            raise ValueError(needed[0])
        given = said.pop("attributes", None) or []
        options, media = said.pop("options", None), said.pop("media", None)
        components = said.pop("components", None)
        return Wish(
            sku, {name: value for name, value in said.items() if value is not None}, options or {},
            media or None, components,
            {value.key: value.value for value in given if value.value is not None},
            (*empty, *(["media"] if media == [] else []),
             *(value.key for value in given if value.value is None)),
        )  # fmt: skip


class ProductGiven(ChangeGiven):
    """A product: new, or as `bulk` is to make or change it."""

    sku: Sku = Field(description="Stock keeping unit; a text that never changes.")


class ValuesRowGiven(ValueGiven):
    """A value of an attribute of a product."""

    sku: Sku


class ValuesGiven(Given):
    """Values of attributes of many products."""

    rows: list[ValuesRowGiven] = Field(min_length=1, max_length=10_000)


class SkusGiven(Given):
    """Products by name."""

    skus: list[Sku] = Field(min_length=1, max_length=10_000)
    note: Note = ""


class ProductTold(Told):
    """A product."""

    sku: str
    name: str
    category: str
    category_id: int | None
    brand: str | None
    gtin: str | None = Field(description="As GTIN-14, zeros in front.")
    description: str | None
    weight_g: int | None
    shipping_weight_g: int | None = Field(description="What it ships with where none is stated.")
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    currency: str
    unit_cost_minor: int | None
    list_price_minor: int | None
    supplier_key: str | None
    family: str | None
    group_key: str | None
    options: dict[str, Any]
    status: Status
    is_active: bool = Field(description="Whether it may be sold.")
    is_kit: bool


class ValueTold(Told):
    """A value of an attribute, and where it came from."""

    attribute: str
    channel: str = Field(description="Empty for all.")
    locale: str = Field(description="Empty for all.")
    value: str
    source: str
    plan_id: int


class CompletenessTold(Told):
    """What a product lacks for a channel."""

    channel: str
    locale: str
    required: int
    present: int
    missing: list[str]
    blocking: list[str] = Field(description="Those of the missing that hold it back.")
    is_ready: bool


class WholeProductTold(ProductTold):
    """A product with all that belongs to it."""

    group_name: str | None
    category_path: str | None
    attributes: list[ValueTold]
    media: list[str]
    components: dict[str, int] = Field(description="Units by SKU; empty for no kit.")
    completeness: list[CompletenessTold]
    score: int | None = Field(description="How well it is described, of 100; null if not judged.")


class RowErrorTold(Told):
    """What is wrong with a row."""

    row: int = Field(description="From 1.")
    sku: str | None
    field: str
    code: str = Field(description="See docs/catalogue.md.")
    value: str | None = Field(description="What was seen.")


class ChangedTold(Told):
    """What became of a change."""

    plan: str | None = Field(
        description="Hash of the plan that was applied and can be reverted; null for no change."
    )
    created: int
    updated: int
    unchanged: int
    rejected: int = Field(description="Rows that were left out.")
    errors: list[RowErrorTold] = Field(description="The first thousand.")


class LineageTold(Told):
    """Where a value of a product came from."""

    field: str
    value: str | None
    source: str
    plan_id: int | None
    row_no: int | None
    run_id: str | None
    applied_at: Any


class LineagesTold(Told):
    """Where the values of a product came from."""

    items: list[LineageTold]
