"""Assets of the warehouse area."""

from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from ecom_assets.warehouse import store
from ecom_assets.warehouse.tables import ALLOCATIONS, WITHDRAWALS
from resources.database import DatabaseResource

_SITES_SHOWN = 40

_NEWEST = sa.select(
    *(ALLOCATIONS.c[name] for name in ("order_id", "sku", "site_code", "quantity")),
    *(ALLOCATIONS.c[name] for name in ("distance_km", "policy", "available_at")),
).order_by(ALLOCATIONS.c.allocation_id.desc())

_NEWEST_WITHDRAWALS = sa.select(
    *(WITHDRAWALS.c[name] for name in ("order_id", "sku", "site_code", "quantity")),
    WITHDRAWALS.c.withdrawn_as_of,
).order_by(WITHDRAWALS.c.withdrawal_id.desc())

SITES = dg.AssetSpec(
    ["warehouse", "sites"],
    kinds={"postgres"},
    description="Sites that hold stock and ship it; importers fill them.",
)


SITE_HOURS = dg.AssetSpec(
    ["warehouse", "site_hours"],
    deps=[dg.AssetKey(["warehouse", "sites"])],
    kinds={"postgres"},
    description="When each site works, by weekday, with its cut-off; the entrance fills it.",
)
SITE_CLOSURES = dg.AssetSpec(
    ["warehouse", "site_closures"],
    deps=[dg.AssetKey(["warehouse", "sites"])],
    kinds={"postgres"},
    description="Days on which a site does not work, such as holidays; the entrance fills it.",
)


@dg.asset(
    key=["warehouse", "allocations"],
    deps=[dg.AssetKey(["inventory", "reservations"]), dg.AssetKey(["warehouse", "sites"])],
    kinds={"postgres", "numpy"},
    description="Which site ships how many units of which line, by ranked rules.",
)
def allocations(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Allocate every order that waits for it."""
    step = partial(store.allocate, run=context.run.run_id)
    totals = drain(database.begin, Stage.ALLOCATE, step, context.log.info, run=context.run.run_id)
    with database.begin() as conn:
        per_site = store.parcels_per_site(conn, _SITES_SHOWN)
        sites, parcels = [site for site, _ in per_site], [count for _, count in per_site]
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, ALLOCATIONS, totals),
                **store.division(conn),
                "parcels_per_site": metadata.bar_plot(
                    sites, parcels, "Parcels per site", "parcels"
                ),
                "most_backordered": metadata.preview(conn, store.BACKORDERED),
                "newest": metadata.preview(conn, _NEWEST),
            }
        )


@dg.asset(
    key=["warehouse", "withdrawals"],
    deps=[dg.AssetKey(["orders", "changes"]), dg.AssetKey(["warehouse", "sites"])],
    kinds={"postgres"},
    description="Allocations taken back from orders that were changed before their parcel left.",
)
def withdrawals(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Take back what was allocated to every changed order that waits for it."""
    step = partial(store.withdraw, run=context.run.run_id)
    totals = drain(database.begin, Stage.UNALLOCATE, step, context.log.info, run=context.run.run_id)
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, WITHDRAWALS, totals),
                "newest": metadata.preview(conn, _NEWEST_WITHDRAWALS),
            }
        )


ASSETS = [SITES, SITE_HOURS, SITE_CLOSURES, allocations, withdrawals]
