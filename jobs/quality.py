"""Jobs of the quality area: the shop's daily run, and every check by itself."""

import dagster as dg

from jobs.replenishment import PLANNING

SHOP_DAILY = dg.define_asset_job(
    "shop_daily",
    # What leaves the platform has a job of its own, so nothing waits for a mail server; a replay,
    # a plan and copy answer a person's question and have nothing to do every night; upkeep and
    # prices go on by themselves.
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups("effects", "decisions", "backoffice", "pricing")
    - dg.AssetSelection.assets(
        ["catalog", "import_plans"], ["catalog", "plan_applications"], ["catalog", "copy_drafts"]
    )
    - PLANNING
    | dg.AssetSelection.all_asset_checks(),
    description="Everything but sending: advances all waiting orders, rebuilds the marts, runs"
    " every check.",
)

QUALITY_CHECKS = dg.define_asset_job(
    "quality_checks",
    # The marts' tests belong to the run that builds the marts: before it there is nothing to test.
    selection=dg.AssetSelection.all_asset_checks() - dg.AssetSelection.groups("marts")
    | dg.AssetSelection.assets(["quality", "reconciliations"]),
    description="Every check of the areas over the data as it is; the areas are compared anew, no"
    " order moves.",
)

JOBS = [SHOP_DAILY, QUALITY_CHECKS]

SCHEDULES = [
    dg.ScheduleDefinition(
        name="quality_shop_daily",
        job=SHOP_DAILY,
        # Last of the night: it checks what the others have made.
        cron_schedule="15 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Runs `shop_daily` every night at 04:15 UTC.",
    )
]
