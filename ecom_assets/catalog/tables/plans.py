"""Import plans: what a file or feed would change, row by row, with the values before and after."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    identity,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

IMPORT_PLANS = area_table(
    "catalog",
    "import_plans",
    "Plans of changes to the catalogue; a plan is applied by its hash and can be reverted.",
    identity("plan_id", "surrogate key"),
    text("hash", "SHA-256 over the source, its settings and every planned change", unique=True),
    text("source", "name of the file, 'feed' for imports of whole shops, or the command"),
    text("format", "csv, xlsx, shopify, merchant, feed or command"),
    text("file_digest", "SHA-256 of the file; empty where there was none"),
    document("settings", "how the file was read: columns, currency, what was not read"),
    text("state", "planned, applied, reverted or rejected", server_default="planned"),
    reference("rows_read", "records of the source"),
    reference("rows_create", "rows that make a product"),
    reference("rows_update", "rows that change a product"),
    reference("rows_skip", "rows that change nothing"),
    reference("rows_error", "rows that cannot be used"),
    reference("applied_no", "place among all applications, in their order", nullable=True),
    moment("planned_at", "when the plan was asked for"),
    moment("applied_at", "when it was applied", nullable=True),
    moment("reverted_at", "when it was reverted", nullable=True),
    text("applied_run_id", "run or command that applied it", nullable=True),
    text("reverted_run_id", "run or command that reverted it", nullable=True),
    reference("import_id", "import whose feed it records", nullable=True),
    text("requested_by", "who asked for it; empty for a file or a program", server_default=""),
    text("decided_by", "who approved or rejected it; empty where nobody was asked",
         server_default=""),
    text("decision_note", "why, as that person says", server_default=""),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("applied_no"),
    sa.CheckConstraint(
        "state IN ('planned', 'applied', 'reverted', 'rejected')", name="state_known"
    ),
    sa.CheckConstraint(
        "rows_read = rows_create + rows_update + rows_skip + rows_error", name="balanced"
    ),
    sa.CheckConstraint(
        "(state IN ('planned', 'rejected')) = (applied_at IS NULL)"
        " AND num_nulls(applied_at, applied_no, applied_run_id) IN (0, 3)",
        name="applied_whole",
    ),
    sa.CheckConstraint(
        "(state = 'reverted') = (reverted_at IS NOT NULL)"
        " AND num_nulls(reverted_at, reverted_run_id) IN (0, 2)",
        name="reverted_whole",
    ),
    sa.CheckConstraint("requested_by = '' OR decided_by <> requested_by", name="four_eyes"),
    sa.Index(None, "file_digest"),
)  # fmt: skip

PLAN_ROWS = area_table(
    "catalog",
    "plan_rows",
    "Rows of plans: what each does, the values before and after, and what was found.",
    reference("plan_id", "plan", "catalog.import_plans.plan_id", primary_key=True),
    sa.Column(
        "row_no",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="record of the source, from 1 without the header",
    ),
    text("sku", "product; empty where the row names none", nullable=True),
    text("action", "create, update, skip or error"),
    document(
        "before", "values the change replaces, by field; without those not set", nullable=True
    ),
    document("after", "values the change sets, by field; without those it empties", nullable=True),
    document(
        "findings",
        "what was found: field, code, value and whether it is an error",
        server_default=sa.text("'[]'::jsonb"),
    ),
    text(
        "kept_because",
        "why the row's change outlived the plan's reversal: changed_since, in_use or gtin_taken",
        nullable=True,
    ),
    sa.CheckConstraint("action IN ('create', 'update', 'skip', 'error')", name="action_known"),
    sa.CheckConstraint(
        "(action IN ('create', 'update')) = (after IS NOT NULL)", name="change_has_values"
    ),
    sa.CheckConstraint("(action = 'update') = (before IS NOT NULL)", name="update_has_before"),
    sa.CheckConstraint("action = 'error' OR sku IS NOT NULL", name="sku_known"),
    sa.CheckConstraint(
        "kept_because IN ('changed_since', 'in_use', 'gtin_taken')", name="reason_known"
    ),
    sa.CheckConstraint(
        "kept_because IS NULL OR action IN ('create', 'update')", name="only_changes_kept"
    ),
    # The story of a product's values, without the rows that changed nothing.
    sa.Index(
        "plan_rows_changes_idx",
        "sku",
        postgresql_where=sa.text("action IN ('create', 'update')"),
    ),
    sa.Index("plan_rows_errors_idx", "plan_id", postgresql_where=sa.text("action = 'error'")),
)
