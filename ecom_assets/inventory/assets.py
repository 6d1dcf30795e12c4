"""Assets of the inventory area."""

from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.tables import BALANCES, MOVEMENTS, RESERVATIONS
from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource

_SITES_SHOWN = 40
_DIFFERENCES_SHOWN = 20

_SHORT = (
    sa.select(
        *(RESERVATIONS.c[name] for name in ("order_id", "sku", "requested", "reserved")),
        *(RESERVATIONS.c[name] for name in ("backordered", "reserved_as_of")),
    )
    .where(RESERVATIONS.c.backordered > 0)
    .order_by(RESERVATIONS.c.reserved_as_of.desc(), RESERVATIONS.c.order_line_id.desc())
)
_NEWEST_MOVES = sa.select(
    *(MOVEMENTS.c[name] for name in ("sku", "site_code", "kind", "quantity", "moved_at")),
    MOVEMENTS.c.reference,
).order_by(MOVEMENTS.c.movement_id.desc())


@dg.asset(
    key=["inventory", "reservations"],
    deps=[dg.AssetKey(["risk", "decisions"])],
    kinds={"postgres"},
    description="Units promised to order lines, from stock that was there at the order's moment.",
)
def reservations(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Reserve stock for every order that waits for it."""
    step = partial(store.reserve, run=context.run.run_id)
    totals = drain(database.begin, Stage.RESERVE, step, context.log.info)
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, RESERVATIONS, totals),
                "newest_short_lines": metadata.preview(conn, _SHORT),
            }
        )


@dg.asset(
    key=["inventory", "movements"],
    deps=[dg.AssetKey(["transport", "shipments"])],
    kinds={"postgres"},
    description="Every change of physical stock; posts the sales of what was shipped.",
)
def movements(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Post the sales of every shipped order that waits for it."""
    totals = drain(database.begin, Stage.POST_SALE, store.post_sales, context.log.info)
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, MOVEMENTS, totals),
                "newest": metadata.preview(conn, _NEWEST_MOVES),
            }
        )


@dg.asset(
    key=["inventory", "balances"],
    deps=[dg.AssetKey(["inventory", "movements"])],
    kinds={"postgres"},
    description="Stock on hand per SKU and site, proven equal to the fold of its movements.",
)
def balances(database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Prove that balances and positions equal what they are made of.

    Raises:
        dg.Failure: some do not; the metadata names them.
    """
    with database.begin() as conn:
        # One snapshot for all tables: a sale posted between two reads would look like a difference.
        conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        _prove(conn)
        return dg.MaterializeResult(metadata=_stock(conn))


def _prove(conn: sa.Connection) -> None:
    count = sa.select(sa.func.count()).select_from(store.DIFFERENCES.subquery())
    if found := conn.execute(count).scalar_one():
        shown = metadata.preview(conn, store.DIFFERENCES, _DIFFERENCES_SHOWN)
        raise dg.Failure(
            f"{found} balances or positions do not equal their movements and reservations",
            metadata={"differences": found, "first_differences": shown},
            allow_retries=False,
        )


def _stock(conn: sa.Connection) -> dict[str, Any]:
    per_site = store.units_per_site(conn, _SITES_SHOWN)
    sites, units = [site for site, _ in per_site], [units for _, units in per_site]
    return {
        **metadata.advanced(conn, BALANCES, {"differences": 0, **store.summary(conn)}),
        "stock_value_at_cost": metadata.money(conn, store.STOCK_VALUE),
        "lowest_cover": metadata.preview(conn, store.LOWEST_COVER),
        "units_per_site": metadata.bar_plot(sites, units, "Units on hand per site", "units"),
    }


ASSETS = [reservations, movements, balances]
