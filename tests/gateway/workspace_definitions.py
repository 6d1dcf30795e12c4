"""A small workspace behind the entrance: an asset with a check, a job, a schedule, a sensor."""

import dagster as dg


@dg.asset
def cheese() -> int:
    """An asset that is made at once."""
    return 1


@dg.asset_check(asset=cheese)
def cheese_is_there() -> dg.AssetCheckResult:
    """A check that passes."""
    return dg.AssetCheckResult(passed=True)


@dg.op
def fail() -> None:
    """An operation that fails with a trace."""
    raise RuntimeError("the secret of the cellar")


@dg.job
def broken() -> None:
    """A job that fails."""
    fail()


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="shelves"))
def shelves() -> None:
    """An asset with partitions that people add."""


made = dg.define_asset_job("made", selection=[cheese])


class TrialConfig(dg.Config):
    """What the platform's own job takes."""

    label: str = ""
    days: int = 90
    as_of: str = ""


@dg.asset(key=["backoffice", "rule_trials"])
def rule_trials(config: TrialConfig) -> None:
    """Stands in the place of the platform's backtests."""


rule_trial = dg.define_asset_job("backoffice_rule_trial", selection=[rule_trials])


@dg.schedule(job=made, cron_schedule="0 0 1 1 *")
def yearly() -> dg.RunRequest:
    """Once a year."""
    return dg.RunRequest()


@dg.sensor(job=made, minimum_interval_seconds=3600)
def hungry() -> dg.SkipReason:
    """Never finds anything."""
    return dg.SkipReason("not hungry")


defs = dg.Definitions(
    assets=[cheese, shelves, rule_trials],
    asset_checks=[cheese_is_there],
    jobs=[made, broken, rule_trial],
    schedules=[yearly],
    sensors=[hungry],
)
