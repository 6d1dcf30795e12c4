"""Who did what: every login, refusal, mutation and change of configuration, append-only."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    document,
    identity,
    recorded_at,
    reference,
    text,
)

AUDIT_ENTRIES = area_table(
    "backoffice",
    "audit_entries",
    "Logins, refusals, mutations and changes of configuration; rows are added and never changed.",
    identity("audit_entry_id", "surrogate key"),
    text("actor", "name of the user; platform where no person acts", info=PERSONAL),
    text("via", "browser, api_key, command or platform"),
    text("action", "what was done: login, launch_run, or insert, update, delete of a row"),
    text("subject", "on what: a table and its key, a route or a name"),
    text("outcome", "done, refused or failed"),
    text("detail", "why it was refused or what failed; empty where nothing is to be said",
         server_default=""),
    document("before", "what was there, without secrets", nullable=True),
    document("after", "what is there, without secrets", nullable=True),
    text("address", "address the request came from; empty where there was none", info=PERSONAL,
         server_default=""),
    text("request_id", "request it was part of; empty where there was none", server_default=""),
    reference("transaction", "transaction of the database, which joins what was done at once",
              server_default=sa.text("pg_current_xact_id()::text::bigint")),
    recorded_at(),
    sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name="outcome_known"),
    sa.CheckConstraint("via IN ('browser', 'api_key', 'command', 'platform')", name="via_known"),
    sa.Index(None, "subject", "audit_entry_id"),
    sa.Index(None, "actor", "audit_entry_id"),
)  # fmt: skip
