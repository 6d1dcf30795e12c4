"""Import plans as assets: a file becomes a plan, a plan is applied or reverted by its hash."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.catalog import store
from ecom_assets.catalog.model import Applied, Plan, PlanRefused
from ecom_assets.catalog.reading import BadFile
from ecom_assets.catalog.store import completeness, plans
from ecom_assets.catalog.store.files import plan_file
from ecom_assets.catalog.tables import IMPORT_PLANS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

SHOWN_ROWS = 50
"""Differences and findings shown with a run; the tables hold all of them."""


class PlanConfig(dg.Config):
    """Which file to plan.

    Attributes:
        path: the file.
        format: csv, xlsx, shopify or merchant; recognised without it.
        currency: ISO 4217 code of prices that state none.
        columns: column by field, where the names of the columns do not say it.
        digest: SHA-256 the file must have, as the one who asks saw it.
    """

    path: str
    format: str = ""
    currency: str = ""
    columns: dict[str, str] = {}
    digest: str = ""


class ApplyConfig(dg.Config):
    """Which plan to apply.

    Attributes:
        hash: the plan's hash, or the beginning of it.
        revert: take it back instead.
    """

    hash: str
    revert: bool = False


@dg.asset(
    key=["catalog", "import_plans"],
    kinds={"postgres"},
    description=f"{IMPORT_PLANS.comment} The run reads one file; the catalogue stays as it is"
    " until the plan is applied.",
)
def import_plans(
    context: dg.AssetExecutionContext, config: PlanConfig, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Plan a file and show what it would change."""
    # The wall clock dates the plan; no rule reads it.
    now = datetime.now(UTC)
    try:
        with database.begin() as conn:
            plan = plan_file(
                conn, Path(config.path), now, context.run.run_id, config.format or None,
                config.columns, config.currency or None, config.digest or None,
            )  # fmt: skip
    except BadFile as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.log.info("plan %s of %s", plan.hash, plan.source)
    with database.begin() as conn:
        return dg.MaterializeResult(metadata=described(conn, plan))


@dg.asset(
    key=["catalog", "plan_applications"],
    deps=[dg.AssetKey(["catalog", "import_plans"])],
    kinds={"postgres"},
    metadata={"dagster/table_name": IMPORT_PLANS.fullname},
    description="Writes what a plan says, or takes it back; refused, naming the rows, where the"
    " catalogue is no longer what the plan was made for.",
)
def plan_applications(
    context: dg.AssetExecutionContext, config: ApplyConfig, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Apply or revert one plan, then judge the products it touched."""
    now, run = datetime.now(UTC), context.run.run_id
    work = store.revert_plan if config.revert else store.apply_plan
    try:
        with database.begin() as conn:
            done = work(conn, config.hash, now, run)
            store.fill_shipping_weights(conn)
    except PlanRefused as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    with database.begin() as conn:
        completeness.judge_completeness(conn, run, done.plan.plan_id)
        completeness.judge_scores(conn, run, done.plan.plan_id)
        shown = described(conn, done.plan) | _outcome(conn, done)
        return dg.MaterializeResult(metadata=shown)


def described(conn: sa.Connection, plan: Plan) -> dict[str, Any]:
    """What people see of a plan: counts, fields, findings and differences."""
    errors = plans.findings(conn, plan, SHOWN_ROWS, only_errors=False)
    changes = plans.differences(conn, plan, SHOWN_ROWS)
    return {
        "hash": plan.hash,
        "source": plan.source,
        "format": plan.format,
        "state": plan.state,
        **{name: getattr(plan, name) for name in (
            "rows_read", "rows_create", "rows_update", "rows_skip", "rows_error",
        )},
        "fields": _table(plans.field_counts(conn, plan)),
        "found": _table(plans.finding_counts(conn, plan)),
        "findings": _table(errors),
        "differences": _table(changes),
        "apply_with": f"ecom catalog plan apply {plan.hash[:12]}",
    }  # fmt: skip


def _outcome(conn: sa.Connection, done: Applied) -> dict[str, Any]:
    verb = "removed" if done.plan.state == "reverted" else "created"
    return {
        f"products_{verb}": done.created,
        "products_updated": done.updated,
        "rows_kept": done.kept,
        "kept_because": _table(plans.kept(conn, done.plan, SHOWN_ROWS)),
    }


def _table(rows: plans.Rows) -> dg.MarkdownMetadataValue:
    names = list(rows[0]) if rows else []
    return dg.MetadataValue.md(metadata.as_table(names, [list(row.values()) for row in rows]))


ASSETS = [import_plans, plan_applications]
