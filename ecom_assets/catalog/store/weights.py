"""The weight products ship with, and what operators see of it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ecom_assets.catalog.model import FALLBACK_G
from ecom_assets.catalog.tables import PRODUCTS

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
