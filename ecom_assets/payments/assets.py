"""Assets of the payments area."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.payments import store
from ecom_assets.payments.tables import ORDER_PAYMENTS, RELEASES, TRANSACTIONS
from ecom_assets.shared import metadata
from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import Stage, drain
from resources.database import DatabaseResource

# Those decided last stand first: an operator looks for what went wrong today.
_UNSETTLED = (
    sa.select(ORDER_PAYMENTS)
    .where(ORDER_PAYMENTS.c.payment_state != "authorised")
    .order_by(ORDER_PAYMENTS.c.decided_as_of.desc(), ORDER_PAYMENTS.c.order_id.desc())
)
# References and fingerprints are left out: a preview is for everybody who sees the UI.
_NEWEST = sa.select(
    *(TRANSACTIONS.c[name] for name in ("order_id", "sequence", "method", "installments")),
    *(TRANSACTIONS.c[name] for name in ("amount_minor", "currency", "state", "anomaly")),
).order_by(TRANSACTIONS.c.transaction_id.desc())


@dg.multi_asset(
    name="payments",
    specs=[
        dg.AssetSpec(
            ["payments", "transactions"],
            deps=[["orders", "orders"]],
            kinds={"postgres"},
            description="Tenders given with each order; odd values are kept with their anomaly.",
        ),
        dg.AssetSpec(
            ["payments", "order_payments"],
            deps=[["orders", "orders"], ["orders", "order_lines"]],
            kinds={"postgres"},
            description="What each order owes against what was authorised, and the payment state.",
        ),
    ],
)
def payments(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Match the payments of every order that waits for it."""
    step = partial(store.match_payments, run=context.run.run_id)
    totals = drain_abreast(
        database.begin, Stage.PAYMENT, step, context.log.info, run=context.run.run_id
    )
    # After the last chunk has committed: the figures show what a reader of the tables would see.
    with database.begin() as conn:
        yield dg.MaterializeResult(
            asset_key=["payments", "transactions"],
            metadata={
                **metadata.advanced(conn, TRANSACTIONS, {"tenders": totals["tenders"]}),
                "tendered": metadata.money(
                    conn, store.sums(TRANSACTIONS, TRANSACTIONS.c.amount_minor)
                ),
                "methods": _plot(store.method_counts(conn), "Tenders per method", "tenders"),
                "newest": metadata.preview(conn, _NEWEST),
            },
        )
        yield dg.MaterializeResult(
            asset_key=["payments", "order_payments"],
            metadata={
                **metadata.advanced(conn, ORDER_PAYMENTS, totals),
                "due": _sum(conn, ORDER_PAYMENTS.c.due_minor),
                "authorised_money": _sum(conn, ORDER_PAYMENTS.c.authorised_minor),
                "states": _plot(store.state_counts(conn), "Orders per payment state", "orders"),
                "not_settled": metadata.preview(conn, _UNSETTLED),
            },
        )


def _sum(conn: sa.Connection, amount: sa.Column[int]) -> dg.MarkdownMetadataValue:
    return metadata.money(conn, store.sums(ORDER_PAYMENTS, amount))


def _plot(counts: dict[str, int], title: str, unit: str) -> dg.MarkdownMetadataValue:
    return metadata.bar_plot(list(counts), list(counts.values()), title, unit)


_PLANNED = (
    sa.select(*(RELEASES.c[name] for name in ("order_id", "kind", "amount_minor", "currency")))
    .where(RELEASES.c.state == "planned")
    .order_by(RELEASES.c.release_id.desc())
)


@dg.asset(
    key=["payments", "planned_releases"],
    deps=[["orders", "settlements"], ["payments", "order_payments"]],
    kinds={"postgres"},
    description="What cancelled and edited orders get back: all that was authorised, or what they"
    " paid too much.",
)
def planned_releases(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Plan what every order gets back that waits for it."""
    step = partial(store.plan_releases, run=context.run.run_id)
    totals = drain(
        database.begin, Stage.RETURN_MONEY, step, context.log.info, run=context.run.run_id
    )
    with database.begin() as conn:
        shown = metadata.advanced(conn, RELEASES, totals)
        planned = store.sums(RELEASES, RELEASES.c.amount_minor).where(RELEASES.c.state == "planned")
        shown["to_return"] = metadata.money(conn, planned)
        shown["planned_now"] = metadata.preview(conn, _PLANNED)
    return dg.MaterializeResult(metadata=shown)


ASSETS = [payments, planned_releases]
