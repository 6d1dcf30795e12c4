"""Who may come in: users, their sessions, the links that let them set a password, API keys.

Nothing here lets anybody in who reads it: passwords are kept as argon2id, and what a browser or a
machine shows as its proof is random and kept as SHA-256.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    flag,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    text,
    texts,
)

USERS = area_table(
    "backoffice",
    "users",
    "People and machines that may come in, with their roles.",
    identity("user_id", "surrogate key"),
    text("name", "what is entered at login, in lower case", info=PERSONAL),
    text("full_name", "how the person is called", info=PERSONAL, server_default=""),
    text("email", "address; empty where none is known", info=PERSONAL, server_default=""),
    texts("roles", "viewer, analyst, operator, approver or admin; several add up"),
    text("password_hash", "argon2id; empty where no password was set", nullable=True),
    moment("password_set_at", "when the password was set", nullable=True),
    text("issuer", "OIDC provider that vouches for the user", nullable=True),
    text("subject", "what the provider calls the user", nullable=True),
    flag("is_active", "whether the user may come in", server_default=sa.true()),
    integer("version", "counts the changes, from 1", server_default="1"),
    moment("created_at", "when the user was added"),
    recorded_at(),
    sa.UniqueConstraint("name"),
    sa.UniqueConstraint("issuer", "subject"),
    sa.CheckConstraint("name = lower(name) AND name <> ''", name="name_lower"),
    sa.CheckConstraint(
        "roles <@ ARRAY['viewer','analyst','operator','approver','admin']", name="roles_known"
    ),
    sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="subject_with_issuer"),
)

SESSIONS = area_table(
    "backoffice",
    "sessions",
    "Logins of browsers: from when to when, from where.",
    identity("session_id", "surrogate key"),
    text("token_hash", "SHA-256 of what the browser's cookie holds"),
    reference("user_id", "who", "backoffice.users.user_id"),
    moment("started_at", "login"),
    moment("seen_at", "last request, to about a minute"),
    moment("ends_at", "end at the latest, whatever is done until then"),
    moment("ended_at", "end; open, if empty", nullable=True),
    text("ended_because",
         "logout, disabled, password_changed, roles_changed, replaced or ended_by_user",
         nullable=True),
    text("address", "address the login came from", info=PERSONAL),
    text("agent", "what the browser calls itself", info=PERSONAL),
    recorded_at(),
    sa.UniqueConstraint("token_hash"),
    sa.Index(None, "user_id"),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="end_has_cause"),
)  # fmt: skip

LINKS = area_table(
    "backoffice",
    "links",
    "Links that let a user set a password once, or the first admin come in.",
    text("token_hash", "SHA-256 of the link's last part", primary_key=True),
    reference("user_id", "who; empty for the first admin", "backoffice.users.user_id",
              nullable=True),
    moment("made_at", "when it was made"),
    moment("expires_at", "end"),
    moment("used_at", "when it was used; unused, if empty", nullable=True),
    recorded_at(),
    sa.Index(None, "user_id"),
)  # fmt: skip

API_KEYS = area_table(
    "backoffice",
    "api_keys",
    "Keys by which machines come in as a user, each with what it may do.",
    identity("api_key_id", "surrogate key"),
    text("key_name", "the public part of the key, which finds it"),
    text("secret_hash", "SHA-256 of its secret part"),
    reference("user_id", "as whom", "backoffice.users.user_id"),
    text("purpose", "what it is for"),
    texts("scopes", "area:right, such as orders:operate; * is every area"),
    moment("created_at", "when it was made"),
    moment("expires_at", "end"),
    moment("revoked_at", "when it was taken back", nullable=True),
    moment("used_at", "last request, to about a minute", nullable=True),
    recorded_at(),
    sa.UniqueConstraint("key_name"),
    sa.Index(None, "user_id"),
    sa.CheckConstraint("expires_at > created_at", name="ends_after_start"),
    sa.CheckConstraint("scopes <> '{}'", name="scopes_given"),
)
