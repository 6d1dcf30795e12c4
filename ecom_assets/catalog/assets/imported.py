"""Tables that plans and commands fill, as assets that show their checks."""

import dagster as dg
import sqlalchemy as sa

from ecom_assets.catalog.tables import (
    ATTRIBUTE_VALUES,
    ATTRIBUTES,
    CATEGORIES,
    CHANNEL_REQUIREMENTS,
    FAMILIES,
    FAMILY_ATTRIBUTES,
    KITS,
    MEDIA,
    PLAN_ROWS,
    PRODUCT_GROUPS,
)

_APPLIED = ["catalog", "plan_applications"]


def _filled(table: sa.Table, by: str, *upstream: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        [str(table.schema), table.name],
        deps=[dg.AssetKey(key) for key in upstream],
        kinds={"postgres"},
        description=f"{table.comment} {by}",
    )


ASSETS = [
    _filled(PLAN_ROWS, "Filled with the plan.", ["catalog", "import_plans"]),
    *(
        _filled(table, "Filled by applied plans.", _APPLIED)
        for table in (PRODUCT_GROUPS, ATTRIBUTE_VALUES, MEDIA, KITS)
    ),
    _filled(ATTRIBUTES, "Said by people."),
    _filled(CATEGORIES, "Filled by `ecom catalog taxonomy`."),
    *(
        _filled(table, "Filled by `ecom catalog demands`.")
        for table in (FAMILIES, FAMILY_ATTRIBUTES, CHANNEL_REQUIREMENTS)
    ),
]
