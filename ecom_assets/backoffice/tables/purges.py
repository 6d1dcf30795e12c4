"""The removal of old run history."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    run_id,
)

PURGES = area_table(
    "backoffice",
    "purges",
    "Removals of old run history from Dagster's own database, one row each that removed anything.",
    identity("purge_id", "surrogate key"),
    moment("kept_from_at", "runs that ended before this moment were too old"),
    integer("most_runs", "runs kept of each job and ending, however young"),
    integer("runs", "runs removed, with their tags and logs"),
    reference("events", "events removed with them"),
    reference("evaluations", "results of asset checks removed; the last one of each check stays"),
    reference("bytes_before", "size of Dagster's database before, in bytes"),
    reference("bytes_after", "size after; freed pages stay in it and are filled again first"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "runs >= 0 AND events >= 0 AND evaluations >= 0", name="counts_not_negative"
    ),
)
