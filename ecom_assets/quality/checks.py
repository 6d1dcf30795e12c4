"""Each reconciliation as a named check: it reads what the asset stored a moment before."""

# No postponed annotations here: Dagster reads those of the check functions.
from collections.abc import Iterator

import dagster as dg
import sqlalchemy as sa

from ecom_assets.quality.comparisons import COMPARISONS, Comparison
from ecom_assets.quality.store import Reconciled, reconciled
from resources.database import DatabaseResource

_ASSET = dg.AssetKey(["quality", "reconciliations"])


def _name(item: Comparison) -> str:
    return f"reconciliations_{item.name}"


@dg.multi_asset_check(
    name="quality_reconciliations_agreement",
    specs=[
        dg.AssetCheckSpec(
            name=_name(item), asset=_ASSET, description=item.description, blocking=item.is_blocking
        )
        for item in COMPARISONS
    ],
    description="Whether the areas agree, one check per comparison.",
    can_subset=True,
)
def reconciliation_checks(
    context: dg.AssetCheckExecutionContext, database: DatabaseResource
) -> Iterator[dg.AssetCheckResult]:
    """Report every chosen comparison from its stored result."""
    selected = {key.name for key in context.selected_asset_check_keys}
    chosen = [item for item in COMPARISONS if _name(item) in selected]
    try:
        with database.begin() as conn:
            stored = reconciled(conn)
    except sa.exc.SQLAlchemyError as error:  # a check that could not run is not a pass
        yield from (_not_run(item, f"{type(error).__name__}: {error}") for item in chosen)
        return
    for item in chosen:
        result = stored.get(item.name)
        yield _result(item, result) if result else _not_run(item, "it has not been compared yet")


def _result(item: Comparison, result: Reconciled) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue] = {
        "compared": dg.MetadataValue.int(result.compared),
        "differences": dg.MetadataValue.int(result.differences),
    }
    if result.sample:
        metadata["sample"] = dg.MetadataValue.json(result.sample)
    return dg.AssetCheckResult(
        passed=result.differences == 0, asset_key=_ASSET, check_name=_name(item), metadata=metadata
    )


def _not_run(item: Comparison, error: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False, asset_key=_ASSET, check_name=_name(item), metadata={"error": error}
    )


CHECKS = [reconciliation_checks]
