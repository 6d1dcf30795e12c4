"""Sending what the outbox holds, apart from the order path."""

import dagster as dg

_OUTBOX = dg.AssetKey(["effects", "outbox"])
# The checks of whole tables belong to the daily run; these two tell at once what a person must do.
_CHECKS = ("outbox_unknown_none_open", "outbox_failed_none")

EFFECTS_DISPATCH = dg.define_asset_job(
    "effects_dispatch",
    selection=dg.AssetSelection.assets(_OUTBOX).without_checks()
    | dg.AssetSelection.checks(*(dg.AssetCheckKey(_OUTBOX, name) for name in _CHECKS)),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Sends what is planned and due, looks up what is in doubt. No order waits for it.",
)

JOBS = [EFFECTS_DISPATCH]
