"""Catalogue files planned and applied, completeness judged, copy written on request."""

import dagster as dg

_TAGS = {"ecom/lane": "chores"}

CATALOG_PLAN = dg.define_asset_job(
    "catalog_plan",
    selection=dg.AssetSelection.assets(["catalog", "import_plans"]),
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Reads a catalogue file and keeps what it would change as a plan; the catalogue"
    " stays as it is.",
)

CATALOG_APPLY = dg.define_asset_job(
    "catalog_apply",
    selection=dg.AssetSelection.assets(["catalog", "plan_applications"]),
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Applies a plan by its hash, or reverts it, and judges the products it touched.",
)

CATALOG_COMPLETENESS = dg.define_asset_job(
    "catalog_completeness",
    selection=dg.AssetSelection.assets(["catalog", "completeness"], ["catalog", "product_scores"]),
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Judges every product for every channel and locale, and how well it is described.",
)

CATALOG_COPY = dg.define_asset_job(
    "catalog_copy",
    selection=dg.AssetSelection.assets(["catalog", "copy_drafts"]),
    executor_def=dg.in_process_executor,
    tags=_TAGS,
    description="Writes drafts of product copy for the products asked for.",
)

JOBS = [CATALOG_PLAN, CATALOG_APPLY, CATALOG_COMPLETENESS, CATALOG_COPY]
