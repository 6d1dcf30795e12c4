"""What was observed of prices and units, as a panel of products by weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg import sql

from ecom_assets.pricing.store.copying import copy_out

if TYPE_CHECKING:
    from ecom_assets.pricing.elasticity import Panel

WEEK = timedelta(days=7)

# What buyers paid, discounts of lines included; orders that were cancelled showed demand as well.
_SOLD = sql.SQL("""
    COPY (
        SELECT line.sku, coalesce(min(p.category), 'uncategorised') AS category,
            floor(extract(epoch FROM o.placed_at - %(start)s) / 604800)::bigint AS week,
            sum(line.quantity) AS units, sum(line.line_total_minor) AS paid_minor,
            coalesce(sum(line.quantity) FILTER (WHERE line.discount_minor > 0), 0) AS promoted
        FROM orders.orders AS o JOIN orders.order_lines AS line USING (order_id)
            LEFT JOIN catalog.products AS p ON p.sku = line.sku
        WHERE o.channel = %(channel)s AND o.currency = %(currency)s
            AND o.placed_at >= %(start)s AND o.placed_at < %(end)s
        GROUP BY line.sku, week
        ORDER BY line.sku, week
    ) TO STDOUT (FORMAT csv, HEADER)
""")
_COSTS = sa.text("""
    SELECT sku, cost_minor, valid_from_at, valid_to_at FROM pricing.costs
    WHERE currency = :currency AND valid_from_at < :end ORDER BY sku, valid_from_at
""")
_TESTS = sa.text("""
    SELECT t.sku, t.arm_bps, t.starts_at, t.ends_at
    FROM pricing.price_tests AS t JOIN pricing.price_lists AS l USING (price_list_id)
    WHERE l.channel = :channel AND l.currency = :currency AND t.starts_at < :end
""")


@dataclass(frozen=True, slots=True)
class Observed:
    """A panel with the names of its products and categories."""

    panel: Panel
    skus: list[str]
    categories: list[str]


def observe(
    conn: sa.Connection, channel: str, currency: str, end: datetime, weeks: int
) -> Observed:
    """What a channel sold in the weeks before a moment.

    A product counts as on sale from its first to its last sale; a week without a sale has the
    price of the sale before it.
    """
    import numpy as np

    from ecom_assets.pricing.elasticity import Panel
    from ecom_assets.pricing.elasticity.estimating import categories_of

    start = end - weeks * WEEK
    values = {"channel": channel, "currency": currency, "start": start, "end": end}
    table = copy_out(conn, _SOLD, values, ("sku", "category"),
                     ("week", "units", "paid_minor", "promoted"))  # fmt: skip
    skus, row = np.unique(np.array(table.column("sku").to_pylist(), dtype=str), return_inverse=True)
    week = table.column("week").to_numpy()
    units, paid, promoted = np.zeros((3, len(skus), weeks))
    for name, into in (("units", units), ("paid_minor", paid), ("promoted", promoted)):
        into[row, week] = table.column(name).to_numpy()
    names = np.empty(len(skus), dtype=object)
    names[row] = table.column("category").to_pylist()
    codes, categories = categories_of(list(names))
    seen = _between(units > 0)
    price = _carried(np.divide(paid, units, out=np.zeros_like(paid), where=paid > 0))
    place = {str(sku): at for at, sku in enumerate(skus)}
    cost, test = np.ones_like(price), np.zeros_like(price)
    for found in conn.execute(_COSTS, {"currency": currency, "end": end}):
        _fill(cost, place, found.sku, found.valid_from_at, found.valid_to_at, start,
              max(found.cost_minor, 1))  # fmt: skip
    for found in conn.execute(_TESTS, {"channel": channel, "currency": currency, "end": end}):
        _fill(test, place, found.sku, found.starts_at, found.ends_at, start,
              found.arm_bps / 10_000)  # fmt: skip
    share = np.divide(promoted, units, out=np.zeros_like(units), where=units > 0)
    panel = Panel(price, units, cost, test, share, seen & (price > 0), codes)
    return Observed(panel, [str(sku) for sku in skus], categories)


def _fill(
    into: Any, place: dict[str, int], sku: str, first: datetime, last: datetime | None,
    start: datetime, value: float,
) -> None:  # fmt: skip
    """Write a value into the weeks whose middle lies in a range."""
    at = place.get(sku)
    if at is not None:
        low = max(round((first - start) / WEEK), 0)
        high = into.shape[1] if last is None else max(round((last - start) / WEEK), 0)
        into[at, low:high] = value


def _between(sold: Any) -> Any:
    """From the first to the last week with a sale."""
    import numpy as np

    began = np.maximum.accumulate(sold, axis=1)
    goes_on = np.maximum.accumulate(sold[:, ::-1], axis=1)[:, ::-1]
    return began & goes_on


def _carried(price: Any) -> Any:
    """Prices with gaps filled by the price before."""
    import numpy as np

    place = np.where(price > 0, np.arange(price.shape[1]), 0)
    last = np.maximum.accumulate(place, axis=1)
    return np.take_along_axis(price, last, axis=1)
