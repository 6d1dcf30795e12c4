"""Assets of accepted orders: the inbox, the orders and their lines."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.orders import store
from ecom_assets.orders.store import figures
from ecom_assets.orders.tables import INBOX, ORDER_LINES, ORDERS
from ecom_assets.shared import metadata, setting_aside
from resources.database import DatabaseResource

_INBOX, _ORDERS, _LINES = (
    dg.AssetKey(["orders", name]) for name in ("inbox", "orders", "order_lines")
)


class InboxConfig(dg.Config):
    """What a run does with the inbox.

    Attributes:
        replay_parked: whether parked messages whose cause is gone are put back to pending first,
            and orders that a stage could not take get another chance.
    """

    replay_parked: bool = False


@dg.asset(
    key=_INBOX,
    kinds={"postgres"},
    description="Order messages of all channels. Of several messages about an order only the"
    " newest stays pending; a message about an order accepted before becomes a change of it, and a"
    " cancellation waits for its order where that has not come.",
)
def inbox(
    context: dg.AssetExecutionContext, config: InboxConfig, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Settle which messages the acceptance will read."""
    # One transaction: a message put back to pending is at once subject to the rule of revisions.
    with database.begin() as conn:
        replayed = _replay(conn) if config.replay_parked else 0
        store.claim_revised(conn)
        counts = store.settle_revisions(conn, context.run.run_id)
    context.log.info("replayed %d, %s", replayed, counts)
    with database.begin() as conn:
        pending = figures.pending_messages(conn)
        shown = metadata.advanced(conn, INBOX, {**counts, "replayed": replayed, "pending": pending})
        shown["parked_by_reason"] = metadata.preview(conn, figures.parked_by_reason())
        shown["waiting_cancellations"] = dg.MetadataValue.int(figures.waiting_cancellations(conn))
        shown["oldest_waiting"] = metadata.preview(conn, figures.oldest_waiting())
    return dg.MaterializeResult(metadata=shown)


def _replay(conn: sa.Connection) -> int:
    return store.replay_parked(conn) + setting_aside.give_another_chance(conn)


@dg.multi_asset(
    name="orders",
    specs=[
        dg.AssetSpec(
            _ORDERS,
            deps=[_INBOX, dg.AssetKey(["catalog", "products"])],
            kinds={"postgres"},
            description="Accepted orders, one row each. A message that cannot be used is in the"
            " quarantine with the line and the field that are wrong.",
        ),
        dg.AssetSpec(
            _LINES,
            deps=[_INBOX, dg.AssetKey(["catalog", "products"])],
            kinds={"postgres"},
            description="Lines of accepted orders; an order's total is their sum plus shipping.",
        ),
    ],
)
def orders(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Accept every pending message or park it, and hand accepted orders on."""
    run = context.run.run_id
    counts = store.accept_pending(database.begin, run, context.log.info)
    with database.begin() as conn:
        of_orders = _orders_metadata(conn, counts)
        of_lines = metadata.advanced(conn, ORDER_LINES, {"lines": counts["lines"]})
        of_lines["preview"] = metadata.preview(conn, _latest_lines())
    yield dg.MaterializeResult(asset_key=_ORDERS, metadata=of_orders)
    yield dg.MaterializeResult(asset_key=_LINES, metadata=of_lines)


def _orders_metadata(conn: sa.Connection, counts: Mapping[str, int]) -> dict[str, Any]:
    shown = metadata.advanced(conn, ORDERS, counts)
    shown["total_last_60_days"] = metadata.money(conn, figures.totals_per_currency())
    shown["channels_last_60_days"] = metadata.preview(conn, figures.orders_per_channel())
    shown["parked_by_reason"] = metadata.preview(conn, figures.parked_by_reason())
    shown["preview"] = metadata.preview(conn, _latest_orders())
    # Drawing costs more than a small run does; the plot stays on the last run that had orders.
    if counts["accepted"]:
        days = figures.orders_per_day(conn)
        shown["orders_per_day"] = metadata.bar_plot(
            [day for day, _ in days], [count for _, count in days], "Orders per day", "orders"
        )
    return shown


def _latest_orders() -> sa.Select[Any]:
    names = ("order_id", "channel", "external_id", "placed_at", "currency", "total_minor")
    return sa.select(*(ORDERS.c[name] for name in names)).order_by(ORDERS.c.order_id.desc())


def _latest_lines() -> sa.Select[Any]:
    names = ("order_id", "line_no", "sku", "quantity", "unit_price_minor", "line_total_minor")
    rows = sa.select(*(ORDER_LINES.c[name] for name in names))
    return rows.order_by(ORDER_LINES.c.order_line_id.desc())
