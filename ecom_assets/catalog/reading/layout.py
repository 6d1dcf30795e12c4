"""Which column of a table holds which field, by its name or by what a person said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.catalog.reading.staged import PLAIN

_NAMES = {
    "sku": "sku sku_code sku_id item_sku seller_sku variant_sku product_id id",
    "name": "name title product_name item_name product product_title",
    "category": "category product_category product_category_name product_type type",
    "brand": "brand vendor manufacturer",
    "gtin": "gtin ean upc barcode gtin_8 gtin_12 gtin_13 gtin_14 gtin8 gtin12 gtin13 gtin14 ean13",
    "weight": "weight shipping_weight",
    "weight:g": "weight_g product_weight_g grams",
    "weight:kg": "weight_kg",
    "weight:lb": "weight_lb",
    "weight:oz": "weight_oz",
    "length:mm": "length_mm",
    "length:cm": "length_cm product_length_cm",
    "width:mm": "width_mm",
    "width:cm": "width_cm product_width_cm",
    "height:mm": "height_mm",
    "height:cm": "height_cm product_height_cm",
    "length": "length shipping_length",
    "width": "width shipping_width",
    "height": "height shipping_height",
    "unit_cost": "unit_cost cost cost_per_item cost_price",
    "list_price": "list_price price mrp rrp retail_price",
    "currency": "currency currency_code",
    "supplier_key": "supplier_key supplier",
    "description": "description product_description",
    "group_key": "group_key group item_group_id parent_sku style_id",
    "group_name": "group_name",
    "family": "family attribute_family",
    "taxonomy": "taxonomy google_product_category",
    "status": "status",
    "components": "components kit_components",
    "media": "media image images image_url image_link additional_image_link",
}
ALIASES = {alias: target for target, names in _NAMES.items() for alias in names.split()}
"""Which field a column of a known name holds; behind a colon the unit its name states."""

RESERVED = frozenset([
    "import_id", "recorded_at", "shipping_weight_g", "is_active", "is_kit", "options",
    "category_id", "length_mm", "width_mm", "height_mm", "weight_g", "unit_cost_minor",
    "list_price_minor", "media", "components",
])  # fmt: skip
"""Names attributes may not have, since plans use them for something else."""

_UNITS = re.compile(r"^(weight|length|width|height)_(g|kg|lb|oz|mm|cm|m|in)$")
_KEY = re.compile(r"^[a-z0-9_]+(@[a-z0-9_]+)?(#[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")


@dataclass(slots=True)
class Layout:
    """Where the fields of a table stand.

    Attributes:
        fields: position and unit by field.
        options: position by option name.
        media: positions of columns with addresses of pictures.
        attributes: position by attribute.
        ignored: names of columns that are not read.
    """

    fields: dict[str, tuple[int, str]] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    media: list[int] = field(default_factory=list)
    attributes: dict[str, int] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def said(self, header: Sequence[str]) -> dict[str, str]:
        """What is read from which column, for people and for the plan's settings."""
        found = {name: header[at] + (f" ({unit})" if unit else "")
                 for name, (at, unit) in self.fields.items()}  # fmt: skip
        found |= {f"option:{name}": header[at] for name, at in self.options.items()}
        found |= {"media": ", ".join(header[at] for at in self.media)} if self.media else {}
        return found | {f"attribute:{key}": header[at] for key, at in self.attributes.items()}


def plain(name: str) -> str:
    """A column's name in lower case with underscores, its channel and locale left as they are."""
    base, mark, rest = _parted(name.strip())
    return re.sub(r"[^a-z0-9]+", "_", base.lower()).strip("_") + mark + rest


def _parted(name: str) -> tuple[str, str, str]:
    at = min((name.index(mark) for mark in "@#" if mark in name), default=len(name))
    return name[:at], name[at : at + 1], name[at + 1 :]


def is_attribute(key: str) -> bool:
    """Whether an attribute may be called so: `colour`, `colour@amazon`, `name#de`."""
    return bool(_KEY.match(key)) and key not in RESERVED


def layout_of(
    header: Sequence[str], columns: Mapping[str, str], options: Sequence[str] = ()
) -> Layout:
    """Where the fields of a table stand.

    Args:
        header: names of its columns.
        columns: column by field, where the names do not say it: `{"sku": "Article", "weight_kg":
            "Weight", "option:Size": "Size"}`; a column for `ignore` is not read.
        options: names of columns that tell variants from each other.

    Raises:
        BadFile: a named column is not there, or nothing tells the SKU.
    """
    layout = Layout()
    taken: set[int] = set()
    for target, column in columns.items():
        if column not in header:
            raise BadFile(f"no column {column!r}; found {', '.join(header)[:300]}")
        taken.add(at := list(header).index(column))
        _place(layout, target, at, column)
    for at, name in enumerate(header):
        if at not in taken:
            _place_by_name(layout, at, f"option:{name}" if plain(name) in options else name)
    if "sku" not in layout.fields:
        raise BadFile(
            "no column tells the SKU; name it as in --column sku=NAME;"
            f" found {', '.join(header)[:300]}"
        )
    return layout


def _place(layout: Layout, target: str, at: int, column: str) -> None:
    kind, _, rest = target.partition(":")
    with_unit = _UNITS.match(target)
    if target == "ignore":
        layout.ignored.append(column)
    elif kind == "option" and rest:
        layout.options[rest] = at
    elif kind == "attribute" and is_attribute(rest):
        layout.attributes[rest] = at
    elif target == "media":
        layout.media.append(at)
    elif with_unit:
        layout.fields[with_unit[1]] = (at, with_unit[2])
    elif target in PLAIN:
        layout.fields[target] = (at, "")
    else:
        raise BadFile(
            f"no field {target!r}; fields are {', '.join(PLAIN)}, media, option:NAME,"
            " attribute:NAME, ignore, and weight or a side with a unit such as weight_kg"
        )


def _place_by_name(layout: Layout, at: int, name: str) -> None:
    key = plain(name)
    target, _, unit = ALIASES.get(key, "").partition(":")
    if name.lower().startswith("option:") and name[7:].strip():
        layout.options[name[7:].strip()] = at
    elif target == "media":
        layout.media.append(at)
    elif target and target not in layout.fields:
        layout.fields[target] = (at, unit)
    elif is_attribute(key):
        layout.attributes.setdefault(key, at)
    else:
        layout.ignored.append(name)
