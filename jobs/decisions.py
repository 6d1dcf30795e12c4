"""The replay of a past range under other rules, started by people with its run config."""

import dagster as dg

DECISIONS_REPLAY = dg.define_asset_job(
    "decisions_replay",
    selection=dg.AssetSelection.groups("decisions"),
    executor_def=dg.in_process_executor,
    tags={"path": "replay"},
    description="Decides the orders of a past range anew, by other rules or another fraud model,"
    " without any effect, and compares. Give from_date, to_date and rules or model_version.",
)

JOBS = [DECISIONS_REPLAY]
