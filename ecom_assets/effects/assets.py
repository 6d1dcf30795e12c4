"""Sending as an asset: what waits in the outbox leaves, what is in doubt is looked up."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ecom_assets.effects import store
from ecom_assets.effects.dispatch import dispatch
from ecom_assets.effects.mailing import KIND, EmailChannel
from ecom_assets.shared import metadata
from ecom_assets.shared.outbox import OUTBOX, EffectState, open_effects
from resources.database import DatabaseResource
from resources.mail import MailResource

OUTAGE_TAG = "ecom/outage"
"""Tag of a run that found another system out of reach; the sensor waits longer after it."""


@dg.asset(
    key=["effects", "outbox"],
    deps=[dg.AssetKey(["customers", "notifications"])],
    kinds={"postgres"},
    metadata={"dagster/table_name": OUTBOX.fullname},
    description="Sends what is planned, once each. An effect whose end nobody saw is unknown: it is"
    " looked up by its reference and never sent again on a guess; `ecom effects list` shows what"
    " only a person can settle.",
)
def outbox(
    context: dg.AssetExecutionContext, database: DatabaseResource, mail: MailResource
) -> dg.MaterializeResult[Any]:
    """Look up what is in doubt, then send what is due."""
    with mail.session() as session, store.present(database.engine) as worker:
        # The wall clock is right here: it dates letters, it decides nothing about an order.
        channel = EmailChannel(session, lambda: datetime.now(UTC))
        totals = dispatch(
            database.begin,
            {KIND: channel},
            worker,
            context.run.run_id,
            say=context.log.warning,
        )
    shown: dict[str, Any] = dict(totals)
    if mail.problem:
        shown["degraded"] = f"{mail.problem}; what is planned waits"
        context.log.warning(shown["degraded"])
    elif totals["unreachable"]:
        shown["degraded"] = "the mail server takes nothing at present; what is planned waits"
        context.instance.add_run_tags(context.run.run_id, {OUTAGE_TAG: KIND})
    with database.begin() as conn:
        shown |= {f"effects_{state}": count for state, count in open_effects(conn).items()}
        shown["unknown_effects"] = metadata.preview(conn, store.listed(EffectState.UNKNOWN))
        shown["failed_effects"] = metadata.preview(conn, store.listed(EffectState.FAILED))
    return dg.MaterializeResult(metadata=shown)


ASSETS = [outbox]
