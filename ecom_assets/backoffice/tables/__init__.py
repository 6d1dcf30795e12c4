"""Tables of the backoffice area."""

from __future__ import annotations

from ecom_assets.backoffice.tables.accounts import API_KEYS, LINKS, SESSIONS, USERS
from ecom_assets.backoffice.tables.audit import AUDIT_ENTRIES
from ecom_assets.backoffice.tables.idempotency import IDEMPOTENCY_KEYS
from ecom_assets.backoffice.tables.purges import PURGES

__all__ = [
    "API_KEYS",
    "AUDIT_ENTRIES",
    "IDEMPOTENCY_KEYS",
    "LINKS",
    "PURGES",
    "SESSIONS",
    "USERS",
]
