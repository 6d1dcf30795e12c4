"""Checks that every dispatch runs: cheap looks at what a person must settle.

What must hold of whole tables is in `expectations` and runs with the daily checks.
"""

from typing import Any

import dagster as dg

from ecom_assets.effects import store
from ecom_assets.shared import metadata
from ecom_assets.shared.outbox import EffectState, open_effects
from resources.database import DatabaseResource

_OUTBOX = dg.AssetKey(["effects", "outbox"])


def _none_in(database: DatabaseResource, state: EffectState) -> dg.AssetCheckResult:
    with database.begin() as conn:
        count = open_effects(conn).get(state.value, 0)
        found: dict[str, Any] = {"effects": count}
        if count:
            found["oldest"] = metadata.preview(conn, store.listed(state))
    return dg.AssetCheckResult(
        passed=not count, severity=dg.AssetCheckSeverity.WARN, metadata=found
    )


@dg.asset_check(
    asset=_OUTBOX,
    name="outbox_unknown_none_open",
    description="No effect is unknown. One that stays so is settled by a person who looks whether"
    " it happened: `ecom effects list`, `ecom effects resolve`.",
)
def unknown_none_open(database: DatabaseResource) -> dg.AssetCheckResult:
    """Warn of effects nobody knows the end of."""
    return _none_in(database, EffectState.UNKNOWN)


@dg.asset_check(
    asset=_OUTBOX,
    name="outbox_failed_none",
    description="No effect has failed: the other side refused it for good or too often.",
)
def failed_none(database: DatabaseResource) -> dg.AssetCheckResult:
    """Warn of effects that will not happen."""
    return _none_in(database, EffectState.FAILED)


CHECKS = [unknown_none_open, failed_none]
