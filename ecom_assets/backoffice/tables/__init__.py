"""Tables of the backoffice area."""

from __future__ import annotations

from ecom_assets.backoffice.tables.accounts import API_KEYS, LINKS, SESSIONS, USERS
from ecom_assets.backoffice.tables.audit import AUDIT_ENTRIES
from ecom_assets.backoffice.tables.idempotency import IDEMPOTENCY_KEYS
from ecom_assets.backoffice.tables.purges import PURGES
from ecom_assets.backoffice.tables.rules import RULE_PERIODS, RULE_TRIALS, RULES
from ecom_assets.backoffice.tables.settings import SETTINGS
from ecom_assets.backoffice.tables.taxes import (
    EXCHANGE_RATES,
    ORDER_TAXES,
    OSS_TURNOVER,
    TAX_CATEGORIES,
    TAX_RATES,
    TAX_SETTINGS,
    VAT_CHECKS,
)

__all__ = [
    "API_KEYS",
    "AUDIT_ENTRIES",
    "EXCHANGE_RATES",
    "IDEMPOTENCY_KEYS",
    "LINKS",
    "ORDER_TAXES",
    "OSS_TURNOVER",
    "PURGES",
    "RULES",
    "RULE_PERIODS",
    "RULE_TRIALS",
    "SESSIONS",
    "SETTINGS",
    "TAX_CATEGORIES",
    "TAX_RATES",
    "TAX_SETTINGS",
    "USERS",
    "VAT_CHECKS",
]
