"""What must hold of demand, forecasts and purchase proposals."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.inventory.tables import (
    DEMAND_HISTORY,
    FORECAST_BACKTESTS,
    FORECAST_METHODS,
    FORECASTS,
    POLICY_SIMULATIONS,
    PURCHASE_PROPOSAL_LINES,
    PURCHASE_PROPOSALS,
    REORDER_POLICIES,
    REORDER_TERMS,
)
from ecom_assets.shared.expectations import (
    CURRENCY,
    Severity,
    TableExpectations,
    no_rows,
    values_between,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure
from ecom_assets.warehouse.tables import SITES

_FAILED_METHOD = no_rows(
    "methods_passed",
    """
    SELECT line.proposal_id, line.sku
    FROM {batch} AS line
    JOIN inventory.purchase_proposals AS proposal USING (proposal_id)
    WHERE proposal.state IN ('proposed', 'held') AND NOT coalesce((
        SELECT method.is_passed AND method.method = line.method
        FROM inventory.forecast_methods AS method
        WHERE method.segment = line.segment
            AND method.decided_date <= (proposal.proposed_as_of AT TIME ZONE 'UTC')::date
        ORDER BY method.decided_date DESC LIMIT 1
    ), false)
    """,
    "No open proposal relies on a method that failed its backtests, or has none.",
    is_blocking=True,
)
_TOTAL_DIFFERS = no_rows(
    "total_equals_lines",
    """
    SELECT proposal.proposal_id FROM {batch} AS proposal
    LEFT JOIN (
        SELECT proposal_id, sum(line_total_minor) AS total
        FROM inventory.purchase_proposal_lines GROUP BY proposal_id
    ) AS lines USING (proposal_id)
    WHERE proposal.total_minor <> coalesce(lines.total, 0)
    """,
    "A proposal costs what its lines cost.",
    is_blocking=True,
)
_WITHOUT_POLICY = no_rows(
    "has_policy",
    """
    SELECT forecast.sku, forecast.site_code, forecast.origin_date, forecast.week_date
    FROM {batch} AS forecast
    LEFT JOIN inventory.reorder_policies AS policy
        ON policy.sku = forecast.sku AND policy.site_code = forecast.site_code
    WHERE forecast.origin_date = (SELECT max(newest.origin_date) FROM inventory.forecasts AS newest)
        AND policy.sku IS NULL
    """,
    "Every SKU at a site that is forecast has a reorder policy.",
)
_LATE_OUT = no_rows(
    "not_all_intervals_broken",
    """
    SELECT forecast.sku, forecast.site_code, forecast.origin_date, forecast.week_date
    FROM {batch} AS forecast
    JOIN inventory.demand_history AS history
        ON history.sku = forecast.sku AND history.site_code = forecast.site_code
        AND history.week_date = forecast.week_date
    WHERE history.sold_units > 20 * greatest(forecast.p99, 1)
    """,
    "No week sold twenty times what was thought all but impossible.",
    severity=Severity.WARN,
)

EXPECTATIONS = (
    TableExpectations(
        DEMAND_HISTORY,
        (
            *structure(DEMAND_HISTORY),
            refers_to(DEMAND_HISTORY, "sku", PRODUCTS.c.sku),
            refers_to(DEMAND_HISTORY, "site_code", SITES.c.site_code),
            values_match("currency", CURRENCY, "an ISO 4217 code"),
        ),
    ),
    TableExpectations(FORECAST_BACKTESTS, structure(FORECAST_BACKTESTS)),
    TableExpectations(FORECAST_METHODS, structure(FORECAST_METHODS)),
    TableExpectations(FORECASTS, (*structure(FORECASTS), _WITHOUT_POLICY, _LATE_OUT)),
    TableExpectations(
        REORDER_TERMS,
        (*structure(REORDER_TERMS), refers_to(REORDER_TERMS, "sku", PRODUCTS.c.sku)),
    ),
    TableExpectations(
        REORDER_POLICIES,
        (*structure(REORDER_POLICIES), values_between("lead_days", 0, 400, "days")),
    ),
    TableExpectations(PURCHASE_PROPOSALS, (*structure(PURCHASE_PROPOSALS), _TOTAL_DIFFERS)),
    TableExpectations(
        PURCHASE_PROPOSAL_LINES,
        (*structure(PURCHASE_PROPOSAL_LINES), _FAILED_METHOD),
        asset=("inventory", "purchase_proposals"),
    ),
    TableExpectations(POLICY_SIMULATIONS, structure(POLICY_SIMULATIONS)),
)
