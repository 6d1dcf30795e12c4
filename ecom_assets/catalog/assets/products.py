"""Assets of the catalog area: products made ready to ship, and suppliers as imported."""

from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.catalog import store
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

_CATEGORIES_SHOWN = 12


@dg.asset(
    key=["catalog", "products"],
    deps=[dg.AssetKey(["catalog", "suppliers"])],
    kinds={"postgres"},
    description="Products by SKU. Imports bring them; a weight to ship with is filled in where the"
    " source states none.",
)
def products(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Fill the shipping weights that are missing or no longer right."""
    with database.begin() as conn:
        changed = store.fill_shipping_weights(conn)
    context.log.info("shipping weight changed for %d products", changed)
    with database.begin() as conn:
        return dg.MaterializeResult(metadata=_metadata(conn, changed))


def _metadata(conn: sa.Connection, changed: int) -> dict[str, Any]:
    shown = metadata.advanced(conn, PRODUCTS, {"shipping_weights_changed": changed})
    figures = store.weight_figures(conn)
    shown["without_stated_weight_percent"] = round(100 * figures.missing_share, 2)
    names = ("sku", "name", "category", "weight_g", "shipping_weight_g", "list_price_minor")
    newest = sa.select(*(PRODUCTS.c[name] for name in (*names, "currency")))
    shown["preview"] = metadata.preview(conn, newest.order_by(PRODUCTS.c.recorded_at.desc()))
    largest = store.categories_by_size(conn, _CATEGORIES_SHOWN)
    shown["products_per_category"] = metadata.bar_plot(
        [name for name, _ in largest], [count for _, count in largest],
        "Products per category, largest first", "products",
    )  # fmt: skip
    return shown


SUPPLIED_BY = dg.AssetSpec(
    ["catalog", "suppliers"],
    kinds={"postgres"},
    description=f"{SUPPLIERS.comment} Filled by imports.",
)

ASSETS = [products, SUPPLIED_BY]
