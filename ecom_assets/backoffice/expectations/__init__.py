"""What must hold of the backoffice tables."""

from __future__ import annotations

from ecom_assets.backoffice.expectations.accounts import ACCOUNTS
from ecom_assets.backoffice.expectations.rules import RULE_TABLES
from ecom_assets.backoffice.expectations.taxes import TAX_TABLES
from ecom_assets.backoffice.tables import PURGES, SETTINGS
from ecom_assets.shared.expectations import TableExpectations, values_in
from ecom_assets.shared.structure import structure
from ecom_assets.shared.workers import RUN_CLAIMS, WORKERS, Lane

_LANES = [lane.value for lane in Lane]

EXPECTATIONS = (
    TableExpectations(PURGES, structure(PURGES)),
    TableExpectations(
        WORKERS,
        (*structure(WORKERS), values_in("lane", _LANES)),
        asset=("backoffice", "purges"),
    ),
    TableExpectations(
        RUN_CLAIMS,
        (*structure(RUN_CLAIMS), values_in("lane", _LANES)),
        asset=("backoffice", "purges"),
    ),
    TableExpectations(SETTINGS, structure(SETTINGS)),
    *ACCOUNTS,
    *RULE_TABLES,
    *TAX_TABLES,
)
