"""Assets of what may be promised, what stock is worth and how it sells."""

from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.tables import ATP, SKU_CLASSES, VALUATIONS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource
from resources.retry import retried

_SHOWN = 20


class AsOfConfig(dg.Config):
    """The moment a run looks at.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; that of the last move, if not given.
    """

    as_of: str | None = None

    def moment(self, conn: sa.Connection) -> datetime | None:
        """The moment; `None` where nothing has moved yet."""
        if self.as_of is not None:
            return datetime.fromisoformat(self.as_of)
        return store.last_move_at(conn)


@dg.asset(
    key=["inventory", "atp"],
    deps=[
        dg.AssetKey(["inventory", "balances"]),
        dg.AssetKey(["inventory", "lots"]),
        dg.AssetKey(["inventory", "expected_receipts"]),
        dg.AssetKey(["inventory", "safety_stocks"]),
    ],
    kinds={"postgres"},
    description="Units available to promise per SKU, at once and by date: free stock less safety"
    " stock and what expires, receipts less what orders wait for, kits by their components.",
)
def atp(
    context: dg.AssetExecutionContext, config: AsOfConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Bring the available units up to date."""
    totals = retried(partial(_refresh, database, config, context.run.run_id))
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, ATP, totals),
                "next_to_come": metadata.preview(conn, _NEXT, _SHOWN),
            }
        )


_NEXT = (
    sa.select(*(ATP.c[name] for name in ("sku", "available_at", "units", "cause")))
    .where(ATP.c.step > 0)
    .order_by(ATP.c.available_at, ATP.c.sku)
)


def _refresh(database: DatabaseResource, config: AsOfConfig, run: str) -> dict[str, int]:
    with database.begin() as conn:
        as_of = config.moment(conn)
        return store.refresh_atp(conn, as_of, run) if as_of else {}


@dg.asset(
    key=["inventory", "valuations"],
    deps=[
        dg.AssetKey(["inventory", "balances"]),
        dg.AssetKey(["inventory", "receipt_costs"]),
        dg.AssetKey(["inventory", "transfers"]),
        dg.AssetKey(["catalog", "products"]),
    ],
    kinds={"postgres"},
    description="Stock at cost by first-in-first-out and by moving average; both fold the whole"
    " ledger, and must own the units that are there.",
)
def valuations(
    context: dg.AssetExecutionContext, config: AsOfConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Value the stock, and prove that what is valued is what is there.

    Raises:
        dg.Failure: as of the last move, other units are valued than are on hand and in transit.
    """
    shown = retried(partial(_value, database, config, context.run.run_id))
    return dg.MaterializeResult(metadata=shown)


def _value(database: DatabaseResource, config: AsOfConfig, run: str) -> dict[str, Any]:
    with database.begin() as conn:
        # One snapshot: a sale posted between two reads would look like a difference.
        conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        as_of = config.moment(conn)
        changed = store.value_stock(conn, as_of, run) if as_of else 0
        if as_of == store.last_move_at(conn):
            _prove(conn)
        return _worth(conn, changed)


def _worth(conn: sa.Connection, changed: int) -> dict[str, Any]:
    uncosted = sa.select(sa.func.coalesce(sa.func.sum(VALUATIONS.c.units_uncosted), 0))
    return {
        **metadata.advanced(conn, VALUATIONS, {"changed": changed}),
        "value_fifo": metadata.money(conn, _total("fifo")),
        "value_average": metadata.money(conn, _total("average")),
        "units_without_cost": int(
            conn.execute(uncosted.where(VALUATIONS.c.method == "fifo")).scalar_one()
        ),
        "dearest": metadata.preview(conn, _DEAREST, _SHOWN),
    }


_DEAREST = (
    sa.select(*(VALUATIONS.c[name] for name in ("sku", "units", "value_minor", "currency")))
    .where(VALUATIONS.c.method == "fifo")
    .order_by(VALUATIONS.c.value_minor.desc(), VALUATIONS.c.sku)
)


def _total(method: str) -> sa.TextualSelect:
    return store.TOTAL_WORTH.bindparams(method=method)


def _prove(conn: sa.Connection) -> None:
    if found := conn.execute(store.DISAGREEMENTS).all():
        shown = metadata.preview(conn, store.DISAGREEMENTS, _SHOWN)
        raise dg.Failure(
            f"{len(found)} valuations are of other units than are there",
            metadata={"differences": len(found), "first_differences": shown},
            allow_retries=False,
        )


@dg.asset(
    key=["inventory", "sku_classes"],
    deps=[dg.AssetKey(["inventory", "balances"]), dg.AssetKey(["catalog", "products"])],
    kinds={"postgres"},
    description="ABC by value, XYZ by steadiness, days of cover, dead stock and turnover per SKU.",
)
def sku_classes(
    context: dg.AssetExecutionContext, config: AsOfConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Classify every SKU that ever moved."""
    changed = retried(partial(_classify, database, config, context.run.run_id))
    with database.begin() as conn:
        names, days = store.cover_per_class(conn)
        plot = metadata.bar_plot(names, days, "Median days of cover per class", "days")
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, SKU_CLASSES, {"changed": changed}),
                "classes": metadata.preview(conn, store.CLASS_TABLE),
                "cover_per_class": plot,
                "runs_out_first": metadata.preview(conn, store.SHORTEST_COVER, _SHOWN),
                "dead_stock": metadata.preview(conn, store.DEAD_STOCK, _SHOWN),
            }
        )


def _classify(database: DatabaseResource, config: AsOfConfig, run: str) -> int:
    with database.begin() as conn:
        as_of = config.moment(conn)
        return store.classify_skus(conn, as_of, run) if as_of else 0


ASSETS = [atp, valuations, sku_classes]
