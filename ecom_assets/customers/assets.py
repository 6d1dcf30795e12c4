"""Assets of the customers area."""

from collections.abc import Iterator

import dagster as dg
import sqlalchemy as sa

from ecom_assets.customers import store
from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource

_ORDERS = dg.AssetKey(["orders", "orders"])
_CUSTOMERS, _ADDRESSES = (dg.AssetKey(["customers", each]) for each in ("customers", "addresses"))

# A preview is for everybody who sees the UI, so it leaves out what tells who a customer is.
_MOST_LOYAL = sa.select(
    CUSTOMERS.c.customer_key,
    CUSTOMERS.c.country,
    CUSTOMERS.c.orders_count,
    CUSTOMERS.c.first_order_at,
    CUSTOMERS.c.last_order_at,
).order_by(CUSTOMERS.c.orders_count.desc(), CUSTOMERS.c.customer_key)


@dg.multi_asset(
    name="customers",
    specs=[
        dg.AssetSpec(
            _CUSTOMERS,
            deps=[_ORDERS],
            kinds={"postgres"},
            description="Customers by natural key, with what they gave with their latest orders.",
        ),
        dg.AssetSpec(
            _ADDRESSES,
            deps=[_ORDERS],
            kinds={"postgres"},
            description="Delivery addresses each customer used, and when first and last.",
        ),
    ],
)
def customers(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Fold accepted orders into their customers and addresses."""
    counts = drain(database.begin, Stage.CUSTOMER, store.fold_orders, context.log.info)
    # Orders folded and customers changed differ where several orders are of one customer.
    with database.begin() as conn:
        changed = {"orders": counts["orders"], "changed": counts["customers"]}
        of_customers = metadata.advanced(conn, CUSTOMERS, changed)
        of_customers["most_orders"] = metadata.preview(conn, _MOST_LOYAL)
        of_addresses = metadata.advanced(conn, ADDRESSES, {"changed": counts["addresses"]})
    yield dg.MaterializeResult(asset_key=_CUSTOMERS, metadata=of_customers)
    yield dg.MaterializeResult(asset_key=_ADDRESSES, metadata=of_addresses)


ASSETS = [customers]
