"""Expectations of users, their proofs, and the audit log."""

from __future__ import annotations

from ecom_assets.backoffice.tables import (
    API_KEYS,
    AUDIT_ENTRIES,
    IDEMPOTENCY_KEYS,
    LINKS,
    SESSIONS,
    USERS,
)
from ecom_assets.shared.expectations import SHA256, TableExpectations, no_rows, values_match
from ecom_assets.shared.structure import structure

_SHOWN = ("backoffice", "audit_entries")
_HASH = "a SHA-256 in hexadecimal, never the proof itself"

_PASSWORDS = no_rows(
    "password_hashed",
    "SELECT user_id FROM {batch} WHERE NOT starts_with(password_hash, chr(36) || 'argon2id')",
    "Every password is kept as argon2id.",
    is_blocking=True,
)
_REVOKED_USERS = no_rows(
    "of_active_users",
    "SELECT login.session_id FROM {batch} AS login"
    " JOIN backoffice.users AS u ON u.user_id = login.user_id"
    " WHERE login.ended_at IS NULL AND NOT u.is_active",
    "No session of a user who was disabled is open.",
    is_blocking=True,
)
_USED_BEFORE = no_rows(
    "used_after_made",
    "SELECT token_hash FROM {batch} WHERE used_at < made_at OR expires_at <= made_at",
    "No link was used before it was made, and each has a time in which it is good.",
)
_CHANGES_SAY = no_rows(
    "changes_shown",
    "SELECT audit_entry_id FROM {batch} WHERE action IN ('insert', 'update', 'delete')"
    " AND before IS NULL AND after IS NULL",
    "Every change of configuration says what was there or what is.",
)

ACCOUNTS = (
    TableExpectations(USERS, (*structure(USERS), _PASSWORDS), asset=_SHOWN),
    TableExpectations(
        SESSIONS,
        (*structure(SESSIONS), values_match("token_hash", SHA256, _HASH), _REVOKED_USERS),
        asset=_SHOWN,
    ),
    TableExpectations(
        LINKS,
        (*structure(LINKS), values_match("token_hash", SHA256, _HASH), _USED_BEFORE),
        asset=_SHOWN,
    ),
    TableExpectations(
        API_KEYS,
        (*structure(API_KEYS), values_match("secret_hash", SHA256, _HASH)),
        asset=_SHOWN,
    ),
    TableExpectations(
        IDEMPOTENCY_KEYS,
        (
            *structure(IDEMPOTENCY_KEYS),
            values_match("request_hash", SHA256, "a SHA-256 in hexadecimal, never the request"),
        ),
        asset=_SHOWN,
    ),
    TableExpectations(AUDIT_ENTRIES, (*structure(AUDIT_ENTRIES), _CHANGES_SAY)),
)
