"""Variants of Shopify's product export: one row a variant, or one more picture of a product.

The rows of a product follow each other and share its handle; only the first says what holds for
all of them (title, vendor, description).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from ecom_assets.catalog.reading.layout import is_attribute, plain
from ecom_assets.catalog.reading.markup import text_of
from ecom_assets.catalog.reading.staged import Item, finding

MARKS = frozenset(["Handle", "Title", "Option1 Name", "Variant Price"])
"""Columns by which the export is known."""

_OF_PRODUCT = {"name": "Title", "brand": "Vendor", "category": "Type", "group_name": "Title"}
_OF_VARIANT = {
    "gtin": "Variant Barcode", "list_price": "Variant Price", "unit_cost": "Cost per item",
}  # fmt: skip
_TAXONOMY = ("Product Category", "Google Shopping / Google Product Category")
_NO_OPTION = "Default Title"
_STATES = {"active": "active", "draft": "archived", "archived": "archived"}
_LEFT = frozenset([
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Published", "Status", "Gift Card",
    "Image Src", "Image Position", "Image Alt Text", "Variant Image", "Variant SKU",
    "Variant Grams", "Variant Weight Unit", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Fulfillment Service", "Variant Requires Shipping",
    "Variant Taxable", *_OF_VARIANT.values(), *_TAXONOMY,
    *(f"Option{n} {part}" for n in (1, 2, 3) for part in ("Name", "Value", "Linked To")),
])  # fmt: skip
"""Columns that are no attributes: they are read otherwise, or say nothing about the product."""

Record = Mapping[str, str]


def variants(records: Iterable[tuple[int, Record]]) -> Iterator[Item]:
    """The variants of an export; rows that only add a picture are kept as rows that skip."""
    for handle, group in groupby(records, key=lambda pair: pair[1]["Handle"].strip()):
        yield from _product(handle, list(group))


def _product(handle: str, rows: list[tuple[int, Record]]) -> Iterator[Item]:
    first = rows[0][1]
    pictures = [(_place(row), row["Image Src"]) for _, row in rows if row.get("Image Src")]
    shared = [url for _, url in sorted(pictures, key=lambda pair: pair[0])]
    names = [first.get(f"Option{n} Name", "").strip() for n in (1, 2, 3)]
    sku = ""
    for row_no, row in rows:
        if row is not first and _is_picture(row):
            note = finding("picture_of_product", row.get("Image Src", ""), "media", is_skip=True,
                           is_error=False)  # fmt: skip
            yield Item(row_no, {"sku": sku}, problem=note)
            continue
        item = _variant(row_no, handle, first, row, names, shared)
        sku = item.values["sku"]
        yield item


def _place(row: Record) -> int:
    position = row.get("Image Position", "")
    return int(position) if position.isdigit() else 0


def _is_picture(row: Record) -> bool:
    return not (row.get("Variant SKU") or row.get("Option1 Value") or row.get("Variant Price"))


def _variant(
    row_no: int, handle: str, first: Record, row: Record, names: list[str], shared: list[str]
) -> Item:
    given = [row.get(f"Option{n} Value", "").strip() for n in (1, 2, 3)]
    options = {
        name: value
        for name, value in zip(names, given, strict=True)
        if name and value and value != _NO_OPTION
    }
    # The export marks a SKU that is kept as text with an apostrophe.
    sku = row.get("Variant SKU", "").strip().removeprefix("'")
    problem = None
    if not sku:
        sku = _slug(handle, *options.values())
        problem = finding("sku_derived", sku, "sku", is_error=False)
    values = {name: first.get(column, "") for name, column in _OF_PRODUCT.items()}
    values |= {name: row.get(column, "") for name, column in _OF_VARIANT.items()}
    values |= {"sku": sku, "group_key": handle, "weight": _weight(row)}
    values["gtin"] = values["gtin"].removeprefix("'")
    values["description"] = text_of(first.get("Body (HTML)", ""))
    values["taxonomy"] = next((first[c] for c in _TAXONOMY if first.get(c)), "")
    values["status"] = _STATES.get(first.get("Status", "").lower(), "")
    own = row.get("Variant Image", "")
    media = list(dict.fromkeys([*([own] if own else []), *shared]))
    return Item(row_no, values, options, media, _attributes(first, row), problem)


def _weight(row: Record) -> str:
    grams = row.get("Variant Grams", "").strip()
    # The export writes 0 where the shop does not know the weight.
    return "" if grams in {"", "0", "0.0"} else f"{grams} g"


def _attributes(first: Record, row: Record) -> dict[str, str]:
    found = {}
    for column in first:
        value = row.get(column) or first[column]
        key = plain(column.removeprefix("Google Shopping / ").partition(" (product.")[0])
        if value and column not in _LEFT and is_attribute(key):
            found[key] = value
    return found


def _slug(*parts: str) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
