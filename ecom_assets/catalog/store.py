"""SQL of the catalog area: takes suppliers and products from the feeds, fills shipping weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.model import FALLBACK_G
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert

# Held until the import ends: what another import fills in meanwhile would not be seen by the
# statement that waited for it, and its gap would empty the value after all.
_ONE_TAKER = sa.text("SELECT pg_advisory_xact_lock(CAST(CAST(:taken AS regclass) AS bigint))")


def take_suppliers(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.suppliers` up to date with the feed; returns rows inserted or changed.

    Suppliers do not say which import changed them, so `import_id` is not kept.
    """
    return _take(conn, feeds.SUPPLIERS, SUPPLIERS, "supplier_key", {})


def take_products(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.products` up to date with the feed; returns rows inserted or changed.

    A gap in the feed never empties what is known. The shipping weight is not the feed's to say:
    `fill_shipping_weights` follows.
    """
    return _take(conn, feeds.PRODUCTS, PRODUCTS, "sku", {"import_id": import_id})


def _take(
    conn: sa.Connection, feed: sa.Table, table: sa.Table, key: str, stamps: dict[str, int | None]
) -> int:
    conn.execute(_ONE_TAKER, {"taken": table.fullname})
    return upsert(conn, table, _filled(feed, table, key), [key], stamps)


def _filled(feed: sa.Table, table: sa.Table, key: str) -> sa.Select[Any]:
    """The newest rows of the feed, their gaps filled with what the table knows."""
    given = newest(feed, [key]).subquery("said")

    def filled(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        said, known = given.c[column.name], table.c[column.name]
        if not column.nullable:
            return said
        value: sa.ColumnElement[Any] = sa.func.coalesce(said, known)
        if column.name.endswith("_minor") and "currency" in feed.c:
            # An amount of another currency is not this product's price any more.
            value = sa.case((given.c.currency == table.c.currency, value), else_=said)
        return value.label(column.name)

    columns = [filled(column) for column in feed.c]
    return sa.select(*columns).select_from(given.outerjoin(table, table.c[key] == given.c[key]))


# All products are judged anew, because one stated weight moves the median of its whole category;
# only rows whose weight differs are written. `percentile_disc` leaves out nulls and yields a weight
# that some product has. A category always has a row here, so no product is lost in the join.
_FILL = sa.text("""
    WITH of_category AS (
        SELECT category, percentile_disc(0.5) WITHIN GROUP (ORDER BY weight_g) AS weight_g
        FROM catalog.products
        GROUP BY category
    ), of_shop AS (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY weight_g) AS weight_g
        FROM catalog.products
    ), used AS (
        SELECT p.sku, coalesce(p.weight_g, c.weight_g, s.weight_g, :fallback_g) AS weight_g
        FROM catalog.products AS p JOIN of_category AS c USING (category) CROSS JOIN of_shop AS s
    )
    UPDATE catalog.products AS p SET shipping_weight_g = used.weight_g
    FROM used
    WHERE p.sku = used.sku AND p.shipping_weight_g IS DISTINCT FROM used.weight_g
""")
_WEIGHTS = sa.text("""
    SELECT count(*) AS products, count(*) FILTER (WHERE weight_g IS NULL) AS without_weight
    FROM catalog.products
""")


@dataclass(frozen=True, slots=True)
class WeightFigures:
    """How many products there are and how many state no weight."""

    products: int
    without_weight: int

    @property
    def missing_share(self) -> float:
        """Share of products without a stated weight, 0 for an empty catalog."""
        return self.without_weight / self.products if self.products else 0.0


def fill_shipping_weights(conn: sa.Connection) -> int:
    """Set the shipping weight wherever it is not what `rules.shipping_weights` says.

    Returns:
        How many products changed.
    """
    return conn.execute(_FILL, {"fallback_g": FALLBACK_G}).rowcount


def weight_figures(conn: sa.Connection) -> WeightFigures:
    """What operators look at: how much of the catalog has a stated weight."""
    row = conn.execute(_WEIGHTS).one()
    return WeightFigures(row.products, row.without_weight)


def categories_by_size(conn: sa.Connection, most: int) -> list[tuple[str, int]]:
    """The largest categories with the number of their products."""
    count = sa.func.count()
    rows = sa.select(PRODUCTS.c.category, count).group_by(PRODUCTS.c.category)
    ordered = rows.order_by(count.desc(), PRODUCTS.c.category).limit(most)
    return [(category, products) for category, products in conn.execute(ordered).tuples()]
