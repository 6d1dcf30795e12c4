"""The platform's own upkeep."""

import dagster as dg

BACKOFFICE_PURGE = dg.define_asset_job(
    "backoffice_purge",
    selection=dg.AssetSelection.assets(["backoffice", "purges"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Removes old runs, events and logs from Dagster's own database, so that it stays as"
    " large as the time for which they are kept.",
)


@dg.schedule(
    name="backoffice_purge_hourly",
    job=BACKOFFICE_PURGE,
    # Often, since a busy shop makes thousands of runs in an hour and cost follows what is removed.
    cron_schedule="40 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes old run history every hour.",
)
def purge_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Count the days back from the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_config={"ops": {"backoffice__purges": {"config": {"as_of": as_of}}}})


BACKOFFICE_RULE_TRIAL = dg.define_asset_job(
    "backoffice_rule_trial",
    selection=dg.AssetSelection.assets(["backoffice", "rule_trials"]),
    executor_def=dg.in_process_executor,
    tags={"path": "replay"},
    description="Decides the last 90 days anew by a draft of a rule, given as label, and keeps the"
    " diff with its money; without a label, decides new orders beside by all rules in shadow.",
)
BACKOFFICE_RULES = dg.define_asset_job(
    "backoffice_rules",
    selection=dg.AssetSelection.assets(["backoffice", "business_rules"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Shows which versions of rules are in force and which decide the newest orders.",
)
BACKOFFICE_TAXES = dg.define_asset_job(
    "backoffice_taxes",
    selection=dg.AssetSelection.assets(
        ["backoffice", "tax_rates"], ["backoffice", "order_taxes"], ["backoffice", "oss_turnover"]
    ),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Holds the tax of new orders against the rates, and sales to other countries of the"
    " EU against the threshold of the one-stop shop.",
)
BACKOFFICE_VAT_CHECKS = dg.define_asset_job(
    "backoffice_vat_checks",
    selection=dg.AssetSelection.assets(["backoffice", "vat_checks"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Asks the EU's register about VAT ids that are pending.",
)
BACKOFFICE_AUDIT = dg.define_asset_job(
    "backoffice_audit",
    selection=dg.AssetSelection.assets(["backoffice", "audit_entries"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Shows who came in, what was refused and what of the configuration was changed.",
)


BACKOFFICE_DAILY = dg.define_asset_job(
    "backoffice_daily",
    selection=dg.AssetSelection.assets(
        ["backoffice", "business_rules"],
        ["backoffice", "tax_rates"],
        ["backoffice", "order_taxes"],
        ["backoffice", "oss_turnover"],
        ["backoffice", "audit_entries"],
    ),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="What the jobs for rules, taxes and the audit log show, at once.",
)


@dg.schedule(
    name="backoffice_daily_at_night",
    job=BACKOFFICE_DAILY,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rules in force, taxes of new orders, the OSS threshold and the audit log, daily.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Look at the day that ended."""
    as_of = context.scheduled_execution_time.isoformat()
    named = ("backoffice__oss_turnover", "backoffice__audit_entries")
    return dg.RunRequest(run_config={"ops": {name: {"config": {"as_of": as_of}} for name in named}})


@dg.schedule(
    name="backoffice_vat_checks_often",
    job=BACKOFFICE_VAT_CHECKS,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Asks the EU's register again about VAT ids that are pending. Start it where"
    " businesses in other countries buy.",
)
def vat_checks_often(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask as of the schedule's own moment."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(
        run_config={"ops": {"backoffice__vat_checks": {"config": {"as_of": as_of}}}}
    )


@dg.schedule(
    name="backoffice_rule_shadow_hourly",
    job=BACKOFFICE_RULE_TRIAL,
    cron_schedule="20 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Lets rules in shadow decide the orders of the last hour beside those in force."
    " Start it while a rule is in shadow.",
)
def shadow_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Cover the orders until the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    config = {"ops": {"backoffice__rule_trials": {"config": {"as_of": as_of}}}}
    return dg.RunRequest(run_config=config)


JOBS = [
    BACKOFFICE_AUDIT,
    BACKOFFICE_DAILY, BACKOFFICE_PURGE, BACKOFFICE_RULES, BACKOFFICE_RULE_TRIAL, BACKOFFICE_TAXES,
    BACKOFFICE_VAT_CHECKS,
]  # fmt: skip
SCHEDULES = [daily, purge_hourly, shadow_hourly, vat_checks_often]
