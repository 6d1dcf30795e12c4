"""Broken rows of users, their proofs, and the audit log."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

_USERS, _LINKS = "backoffice.users", "backoffice.links"
_SESSIONS, _KEYS, _AUDIT = "backoffice.sessions", "backoffice.api_keys", "backoffice.audit_entries"

ROWS = (
    Broken(_USERS, "users_name_lower", "UPDATE backoffice.users SET name = 'ANN' WHERE user_id = 1",
           ({"user_id": "1"},), without="users_name_lower_check"),
    Broken(_USERS, "users_roles_known",
           "UPDATE backoffice.users SET roles = '{king}' WHERE user_id = 2",
           ({"user_id": "2"},), without="users_roles_known_check"),
    Broken(_USERS, "users_password_hashed",
           "UPDATE backoffice.users SET password_hash = 'secret' WHERE user_id = 1",
           ({"user_id": "1"},)),
    Broken(_SESSIONS, "sessions_end_has_cause",
           "UPDATE backoffice.sessions SET ended_because = NULL",
           ({"session_id": "1"},), without="sessions_end_has_cause_check"),
    Broken(_SESSIONS, "sessions_of_active_users",
           "UPDATE backoffice.sessions SET ended_at = NULL, ended_because = NULL;"
           " UPDATE backoffice.users SET is_active = false",
           ({"session_id": "1"},)),
    Broken(_SESSIONS, "sessions_token_hash_well_formed",
           "UPDATE backoffice.sessions SET token_hash = 'the token itself'",
           ({"session_id": "1"},)),
    Broken(_LINKS, "links_token_hash_well_formed", "UPDATE backoffice.links SET token_hash = 'x'",
           ({"token_hash": "x"},)),
    Broken(_LINKS, "links_used_after_made",
           "UPDATE backoffice.links SET used_at = '2017-12-31Z'", ({"token_hash": "2" * 64},)),
    Broken(_KEYS, "api_keys_scopes_given", "UPDATE backoffice.api_keys SET scopes = '{}'",
           ({"api_key_id": "1"},), without="api_keys_scopes_given_check"),
    Broken(_KEYS, "api_keys_secret_hash_well_formed",
           "UPDATE backoffice.api_keys SET secret_hash = 'secret'", ({"api_key_id": "1"},)),
    Broken(_AUDIT, "audit_entries_outcome_known",
           "INSERT INTO backoffice.audit_entries (audit_entry_id, actor, via, action, subject,"
           " outcome) VALUES (900001, 'ann', 'browser', 'login', 'ann', 'perhaps')",
           ({"audit_entry_id": "900001"},), without="audit_entries_outcome_known_check"),
    Broken(_AUDIT, "audit_entries_changes_shown",
           "INSERT INTO backoffice.audit_entries (audit_entry_id, actor, via, action, subject,"
           " outcome) VALUES (900002, 'ann', 'browser', 'update', 'x', 'done')",
           ({"audit_entry_id": "900002"},)),
)  # fmt: skip
