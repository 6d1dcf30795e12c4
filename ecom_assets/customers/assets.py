"""Assets of the customers area."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.customers import store
from ecom_assets.customers.notices import POLICY, NoticePolicy
from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared import metadata
from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import Stage, drain
from ecom_assets.shared.outbox import OUTBOX, open_effects
from resources.database import DatabaseResource
from resources.mail import MailResource

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
    counts = drain(
        database.begin, Stage.CUSTOMER, store.fold_orders, context.log.info, run=context.run.run_id
    )
    # Orders folded and customers changed differ where several orders are of one customer.
    with database.begin() as conn:
        changed = {"orders": counts["orders"], "changed": counts["customers"]}
        of_customers = metadata.advanced(conn, CUSTOMERS, changed)
        of_customers["most_orders"] = metadata.preview(conn, _MOST_LOYAL)
        of_addresses = metadata.advanced(conn, ADDRESSES, {"changed": counts["addresses"]})
    yield dg.MaterializeResult(asset_key=_CUSTOMERS, metadata=of_customers)
    yield dg.MaterializeResult(asset_key=_ADDRESSES, metadata=of_addresses)


class NotificationsConfig(dg.Config):
    """Who is written to.

    Attributes:
        tells_imported: whether customers of imported orders are, see `NoticePolicy`.
    """

    tells_imported: bool = POLICY.tells_imported


_STAGES = {Stage.NOTIFY_CONFIRMED: store.plan_confirmed, Stage.NOTIFY_SHIPPED: store.plan_shipped}


@dg.asset(
    key=["customers", "notifications"],
    deps=[
        *(dg.AssetKey(["orders", name]) for name in ("orders", "order_lines")),
        dg.AssetKey(["catalog", "products"]),
        dg.AssetKey(["risk", "decisions"]),
        dg.AssetKey(["transport", "shipments"]),
    ],
    kinds={"postgres"},
    metadata={"dagster/table_name": OUTBOX.fullname},
    description="Letters to customers, planned once each: order confirmed, parcel on its way."
    " Nothing is sent here, so no order waits for a mail server; customers of imported orders get"
    " none unless a run is told to write to them.",
)
def notifications(
    context: dg.AssetExecutionContext,
    config: NotificationsConfig,
    database: DatabaseResource,
    mail: MailResource,
) -> dg.MaterializeResult[Any]:
    """Plan the letters of every order that waits for one."""
    policy = NoticePolicy(tells_imported=config.tells_imported)
    shown: dict[str, Any] = {}
    for stage, planning in _STAGES.items():
        step = partial(planning, domain=mail.domain, run=context.run.run_id, policy=policy)
        totals = drain_abreast(
            database.begin, stage, step, context.log.info, run=context.run.run_id
        )
        shown |= {f"{stage.value}_{name}": count for name, count in totals.items()}
    with database.begin() as conn:
        shown |= {f"effects_{state}": count for state, count in open_effects(conn).items()}
    shown["tells_imported"] = policy.tells_imported
    return dg.MaterializeResult(metadata=shown)


ASSETS = [customers, notifications]
