"""Requests that must happen once: a repetition gets the answer that the first one got."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import area_table, document, integer, moment, recorded_at, text

IDEMPOTENCY_KEYS = area_table(
    "backoffice",
    "idempotency_keys",
    "Requests of the API that must happen once, with the answer that a repetition gets.",
    sa.Column(
        "user_id",
        sa.BigInteger,
        sa.ForeignKey("backoffice.users.user_id"),
        primary_key=True,
        autoincrement=False,
        comment="who sent it",
    ),
    text("key", "what the caller named the request", primary_key=True),
    text("request_hash", "SHA-256 of method, path, query and body"),
    integer("status", "HTTP status of the answer"),
    document("headers", "headers of the answer that belong to what was done"),
    text("body", "the answer, to the byte"),
    moment("answered_at", "when it was given first"),
    moment("expires_at", "from when the key may be used for something else"),
    recorded_at(),
    sa.CheckConstraint("expires_at > answered_at", name="expires_after_answer"),
    sa.Index(None, "expires_at"),
)
