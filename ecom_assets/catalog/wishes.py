"""What somebody wants of a product, as rows that plans are made of, like those of a file.

Whoever changes a product says its values typed; the plan takes them as a file's row has them, so
that one set of validators judges both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecom_assets.catalog.reading.staged import Item, finding
from ecom_assets.shared.money import exponent

TEXTS = (
    "name", "category", "brand", "gtin", "currency", "supplier_key", "description", "group_key",
    "group_name", "family", "status",
)  # fmt: skip
"""Members that are taken as they are."""

MEASURES = {"weight_g": ("weight", "g"), "length_mm": ("length", "mm"), "width_mm": ("width", "mm"),
            "height_mm": ("height", "mm")}  # fmt: skip
PRICES = {"unit_cost_minor": "unit_cost", "list_price_minor": "list_price"}

EMPTIABLE = (
    "brand", "gtin", "weight_g", "length_mm", "width_mm", "height_mm", "unit_cost_minor",
    "list_price_minor", "supplier_key", "description", "family", "category_id", "media",
)  # fmt: skip
"""Members a product may be without."""

_NAMED = {"weight": "weight_g", "length": "length_mm", "width": "width_mm", "height": "height_mm",
          "unit_cost": "unit_cost_minor", "list_price": "list_price_minor",
          "taxonomy": "category_id"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What a product is to be.

    Attributes:
        sku: the product.
        values: members that are said, by name; money in minor units, weights in g, sides in mm.
        options: what tells a variant from others of its group.
        media: addresses of its media, in order; None where nothing is said.
        components: units by SKU of what a kit is made of; empty for no kit, None where unsaid.
        attributes: values by `attribute@channel#locale`.
        emptied: members and attributes that are to be empty.
    """

    sku: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    media: list[str] | None = None
    components: Mapping[str, int] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()

    def item(self, row_no: int, currency: str | None) -> Item:
        """The wish as a row.

        Args:
            row_no: number of the row.
            currency: ISO 4217 code of the product's prices, where the wish states none.
        """
        texts = {name: str(self.values[name]) for name in TEXTS if name in self.values}
        of = str(self.values.get("currency") or currency or "")
        for name, (target, unit) in MEASURES.items():
            if name in self.values:
                texts[target] = f"{self.values[name]} {unit}"
        for name, target in PRICES.items():
            if name in self.values:
                texts[target] = _amount(int(self.values[name]), of)
        problem = None
        # Prices without their currency would be read in that of the whole catalogue.
        if not PRICES.keys().isdisjoint(self.values):
            texts["currency"] = of
            problem = None if of else finding("currency_missing", self.sku, "currency")
        if "category_id" in self.values:
            texts["taxonomy"] = str(self.values["category_id"])
        if self.components is not None:
            parts = [f"{sku}:{units}" for sku, units in self.components.items()]
            texts["components"] = "|".join(parts) or "none"
        return Item(row_no, {"sku": self.sku, **texts}, dict(self.options), self.media or [],
                    dict(self.attributes), problem)  # fmt: skip


def _amount(minor: int, currency: str) -> str:
    places = exponent(currency)
    whole, rest = divmod(minor, 10**places)
    return f"{whole}.{rest:0{places}}" if places else str(whole)


def member_of(field: str) -> str:
    """The member of a wish that a finding of a plan's field is about."""
    if field.startswith("option:"):
        return f"options.{field[7:]}"
    known = {*TEXTS, "sku", "media", "components", "options", ""}
    if field in known:
        return field
    return _NAMED.get(field) or f"attributes.{field}"


def key_of(attribute: str, channel: str = "", locale: str = "") -> str:
    """The key of an attribute's value, as files name their columns."""
    return attribute + (f"@{channel}" if channel else "") + (f"#{locale}" if locale else "")
