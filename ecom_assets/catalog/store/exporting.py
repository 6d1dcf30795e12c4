"""The catalogue as a table that can be imported again."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from ecom_assets.catalog.cells import escaped
from ecom_assets.shared.money import exponent

_ROWS = sa.text("""
    SELECT p.sku, p.name, p.category, p.brand, p.gtin, p.weight_g, p.length_mm, p.width_mm,
        p.height_mm, p.unit_cost_minor, p.list_price_minor, p.currency, p.supplier_key,
        p.description, p.group_key, p.family, p.category_id, p.status, (
            SELECT string_agg(url, '|' ORDER BY position) FROM catalog.media AS m
            WHERE m.sku = p.sku
        ) AS images, (
            SELECT string_agg(component_sku || ':' || quantity, '|' ORDER BY component_sku)
            FROM catalog.kits AS k WHERE k.kit_sku = p.sku
        ) AS components
    FROM catalog.products AS p ORDER BY p.sku
""")
HEADER = (
    "sku", "name", "category", "brand", "gtin", "weight_g", "length_mm", "width_mm", "height_mm",
    "unit_cost", "list_price", "currency", "supplier_key", "description", "group_key", "family",
    "taxonomy", "status", "images", "components",
)  # fmt: skip
"""Columns of the export, under names the import knows."""

_MONEY = {"unit_cost_minor", "list_price_minor"}


def export_rows(conn: sa.Connection) -> Iterator[list[str]]:
    """The products, a row each, behind the header; no cell is one a spreadsheet would run."""
    yield list(HEADER)
    # Of this statement alone: an option of the connection would outlive it.
    for row in conn.execute(_ROWS, execution_options={"yield_per": 5_000}).mappings():
        places = exponent(row["currency"])
        yield [_cell(name, value, places) for name, value in row.items()]


def _cell(name: str, value: object, places: int) -> str:
    if value is None:
        return ""
    if name in _MONEY and isinstance(value, int):
        whole, rest = divmod(value, 10**places)
        return f"{whole}.{rest:0{places}}" if places else str(whole)
    return escaped(str(value)) if isinstance(value, str) else str(value)
