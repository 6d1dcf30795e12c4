"""Assets of stock: promises to orders and baskets, movements, balances."""

from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.tables import (
    BALANCES,
    MOVEMENTS,
    RELEASES,
    RESERVATIONS,
    STOCK_HOLDS,
)
from ecom_assets.shared import metadata
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource
from resources.retry import retried

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
    """Reserve stock for every order that waits for it, then for those whose stock came since."""
    step = partial(store.reserve, run=context.run.run_id)
    retried(partial(_assemble, database))
    totals = drain(database.begin, Stage.RESERVE, step, context.log.info, run=context.run.run_id)
    # Not before nobody waits: so it does not matter in which chunks the orders came.
    while called := retried(partial(_call, database)):
        context.log.info("%d backordered orders called", called)
        totals.update(
            drain(database.begin, Stage.RESERVE, step, context.log.info, run=context.run.run_id)
        )
        totals["called"] += called
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
    totals = drain(
        database.begin, Stage.POST_SALE, store.post_sales, context.log.info, run=context.run.run_id
    )
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


def _assemble(database: DatabaseResource) -> int:
    with database.begin() as conn:
        return store.assemble_kits(conn)


def _call(database: DatabaseResource) -> int:
    _assemble(database)
    with database.begin() as conn:
        return store.call_backorders(conn)


class ExpiryConfig(dg.Config):
    """Which promises and holds a run ends.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; what ran out by then ends. Nothing ends
            where it is not given.
    """

    as_of: str | None = None


@dg.asset(
    key=["inventory", "stock_holds"],
    deps=[dg.AssetKey(["warehouse", "allocations"])],
    kinds={"postgres"},
    description="Stock kept for baskets before there is an order. Given a moment, a run ends the"
    " holds, and the promises to orders without a site, that ran out by then.",
)
def stock_holds(
    context: dg.AssetExecutionContext, config: ExpiryConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """End what ran out by the moment of the run's configuration."""
    totals: Counter[str] = Counter()
    if config.as_of is not None:
        totals.update(retried(partial(_expire, database, config.as_of, context.run.run_id)))
    with database.begin() as conn:
        newest = sa.select(
            *(STOCK_HOLDS.c[name] for name in ("holder", "sku", "units", "expires_at"))
        ).order_by(STOCK_HOLDS.c.stock_hold_id.desc())
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, STOCK_HOLDS, totals),
                "newest": metadata.preview(conn, newest),
            }
        )


def _expire(database: DatabaseResource, as_of: str, run: str) -> dict[str, int]:
    with database.begin() as conn:
        return store.expire(conn, datetime.fromisoformat(as_of), run)


@dg.asset(
    key=["inventory", "releases"],
    deps=[dg.AssetKey(["warehouse", "withdrawals"])],
    kinds={"postgres"},
    description="Promises given back: by orders that were changed, and by those that ran out.",
)
def releases(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Release what changed orders were promised and did not get."""
    step = partial(store.release, run=context.run.run_id)
    totals = drain(database.begin, Stage.RELEASE, step, context.log.info, run=context.run.run_id)
    with database.begin() as conn:
        newest = sa.select(
            *(RELEASES.c[name] for name in ("order_id", "sku", "units", "cause", "released_as_of"))
        ).order_by(RELEASES.c.release_id.desc())
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, RELEASES, totals),
                "newest": metadata.preview(conn, newest),
            }
        )


ASSETS = [reservations, stock_holds, releases, movements, balances]
