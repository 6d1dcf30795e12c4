"""How ready products are for each channel, and how well they are described."""

import dagster as dg

from ecom_assets.catalog.store import completeness as store
from ecom_assets.catalog.tables import COMPLETENESS, PRODUCT_SCORES
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

_DESCRIBED = [
    dg.AssetKey(["catalog", name])
    for name in ("products", "attribute_values", "media", "family_attributes")
]


@dg.asset(
    key=["catalog", "completeness"],
    deps=[*_DESCRIBED, dg.AssetKey(["catalog", "channel_requirements"])],
    kinds={"postgres"},
    description=f"{COMPLETENESS.comment} `catalog.channel_products` says per channel which product"
    " is held back and by what; it is held back only where something is missing.",
)
def completeness(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Judge every product for every channel and locale; only what differs is written."""
    with database.begin() as conn:
        changed = store.judge_completeness(conn, context.run.run_id)
    with database.begin() as conn:
        shown = metadata.advanced(conn, COMPLETENESS, {"rows_changed": changed})
        shown["by_channel"] = metadata.preview(conn, store.BY_CHANNEL, 50)
        shown["missing_most"] = metadata.preview(conn, store.MISSING_MOST, 20)
    return dg.MaterializeResult(metadata=shown)


@dg.asset(
    key=["catalog", "product_scores"],
    deps=_DESCRIBED,
    kinds={"postgres"},
    description=str(PRODUCT_SCORES.comment),
)
def product_scores(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[None]:
    """Score every product; only what differs is written."""
    with database.begin() as conn:
        changed = store.judge_scores(conn, context.run.run_id)
    with database.begin() as conn:
        shown = metadata.advanced(conn, PRODUCT_SCORES, {"rows_changed": changed})
        bands = store.score_bands(conn)
        shown["lowest"] = metadata.preview(conn, store.LOWEST_SCORES)
    shown["scores"] = metadata.bar_plot(
        [f"{first}+" for first, _ in bands], [count for _, count in bands],
        "Products by quality score", "products",
    )  # fmt: skip
    return dg.MaterializeResult(metadata=shown)


ASSETS = [completeness, product_scores]
