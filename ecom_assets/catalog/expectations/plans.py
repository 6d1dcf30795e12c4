"""What must hold of import plans and their rows."""

from __future__ import annotations

from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS
from ecom_assets.shared.expectations import SHA256, TableExpectations, no_rows, values_match
from ecom_assets.shared.structure import structure

_COUNTED = no_rows(
    "rows_counted",
    """
    SELECT plan_id FROM {batch} WHERE (plan_id, rows_read) NOT IN (
        SELECT plan_id, count(*) FROM catalog.plan_rows GROUP BY plan_id
    ) AND rows_read > 0
    """,
    "A plan keeps exactly the rows it read.",
    is_blocking=True,
)
_ERRORS_NAMED = no_rows(
    "errors_named",
    "SELECT plan_id, row_no FROM {batch} WHERE action = 'error' AND findings = '[]'",
    "Every row that cannot be used says why.",
)

EXPECTATIONS = (
    TableExpectations(
        IMPORT_PLANS,
        (
            *structure(IMPORT_PLANS),
            values_match("hash", SHA256, "a SHA-256 in hexadecimal", is_blocking=True),
            _COUNTED,
        ),
    ),
    TableExpectations(PLAN_ROWS, (*structure(PLAN_ROWS), _ERRORS_NAMED)),
)
