"""By which names the columns of a price file are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ecom.problems import Problem

_NAMES: Mapping[str, tuple[str, ...]] = {
    "sku": ("sku", "sku code", "seller sku", "seller-sku", "item sku", "article", "product id"),
    "price": ("price", "selling price", "list price", "unit price", "mrp"),
    "channel": ("channel", "marketplace", "sales channel"),
    "currency": ("currency", "currency code"),
    "customer_group": ("customer group", "group", "price group"),
    "min_quantity": ("min quantity", "minimum quantity", "quantity from", "from quantity"),
    "minimum": ("minimum", "minimum price", "min price", "floor"),
    "ceiling": ("ceiling", "maximum price", "max price"),
    "map": ("map", "minimum advertised price"),
    "valid_from": ("valid from", "effective from", "start date", "date"),
    "cost": ("cost", "unit cost", "cost price", "purchase price", "tp", "tp 1"),
    "competitor": ("competitor", "seller", "shop"),
    "observed_at": ("observed at", "seen at", "timestamp", "date"),
}
"""Names of columns in lower case, underscores as blanks."""

_WIDE = re.compile(r"(?P<channel>.+?) (mrp|price)", re.IGNORECASE)
"""A column that is the price of one channel, such as `Amazon MRP`."""


def columns_of(file: str, header: Sequence[str]) -> dict[str, str]:
    """The columns of a file by what they mean.

    Raises:
        Problem: none of them holds SKUs.
    """
    plain = {name.lower().replace("_", " ").strip(): name for name in reversed(header)}
    found = {
        key: plain[known]
        for key, names in _NAMES.items()
        if (known := next((name for name in names if name in plain), None)) is not None
    }
    if "sku" not in found:
        raise Problem(f"{file}: no column of SKUs; found {', '.join(header)[:200]}")
    return found


def wide_columns(header: Sequence[str]) -> dict[str, str]:
    """Columns that hold the prices of one channel each, by channel."""
    found = ((name, _WIDE.fullmatch(name.strip())) for name in header)
    return {
        match["channel"].strip().lower().replace(" ", "_"): name for name, match in found if match
    }
