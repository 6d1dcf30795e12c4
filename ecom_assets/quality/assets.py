"""Assets of the quality area: the reconciliation, and the shared tables people look into."""

# No postponed annotations here: Dagster reads those of the asset functions.
import dagster as dg
import sqlalchemy as sa

from ecom_assets.quality.comparisons import COMPARISONS
from ecom_assets.quality.expectations import END_OF_PATH
from ecom_assets.quality.store import reconcile
from ecom_assets.quality.tables import RECONCILIATIONS
from ecom_assets.shared.imports import IMPORT_ACCOUNTS, IMPORTS
from ecom_assets.shared.journal import LEDGER, TIMELINE
from ecom_assets.shared.metadata import advanced, preview
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.shared.states import ORDER_STATES
from resources.database import DatabaseResource

_END = [dg.AssetKey(key) for key in END_OF_PATH]


@dg.asset(
    key=["quality", "reconciliations"],
    deps=_END,
    kinds={"postgres"},
    description="What the areas must agree on, compared row by row, with the first differences.",
)
def reconciliations(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Run every comparison over the whole shop and store what each found."""
    # Results and what is shown of them in one transaction: they cannot tell different stories.
    with database.begin() as conn:
        changed = reconcile(conn, COMPARISONS, context.run.run_id)
        table = RECONCILIATIONS.c
        found = sa.select(table.name, table.compared, table.differences).order_by(
            table.differences.desc(), table.name
        )
        totals = conn.execute(
            sa.select(sa.func.sum(table.compared), sa.func.sum(table.differences))
        ).one()
        metadata = advanced(conn, RECONCILIATIONS, {"changed": changed})
        metadata["compared"], metadata["differences"] = map(int, totals)
        metadata["comparisons"] = preview(conn, found, most=len(COMPARISONS))
    return dg.MaterializeResult(metadata=metadata)


def _shared(name: str, table: sa.Table, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    """A table that all areas write through functions of `shared`: shown, not materialised."""
    return dg.AssetSpec(
        ["quality", name],
        deps=deps,
        kinds={"postgres"},
        description=table.comment,
        metadata={"dagster/table_name": table.fullname},
    )


ASSETS = [
    reconciliations,
    _shared("quarantine", QUARANTINE, [dg.AssetKey(["orders", "orders"])]),
    _shared("imports", IMPORTS, []),
    _shared("import_accounts", IMPORT_ACCOUNTS, []),
    _shared("ledger", LEDGER, _END),
    _shared("timeline", TIMELINE, _END),
    _shared("order_states", ORDER_STATES, _END),
]
