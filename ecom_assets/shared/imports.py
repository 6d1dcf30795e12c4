"""Imports and their accounts: every row of every source file ends in exactly one column."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import METADATA, identity, moment, recorded_at, reference, text

IMPORTS = sa.Table(
    "imports",
    METADATA,
    identity("import_id", "surrogate key"),
    text("format", "importer used, such as olist"),
    text("digest", "SHA-256 over the names and contents of all files, hexadecimal"),
    text("run_id", "command or Dagster run that imported"),
    moment("first_at", "earliest business moment of the orders", nullable=True),
    moment("last_at", "latest business moment of the orders", nullable=True),
    recorded_at(),
    # By format too: two importers may read the same files as different shops.
    sa.UniqueConstraint("format", "digest"),
    schema="flow",
    comment="Imports that were taken; the same files are not taken twice.",
)

IMPORT_ACCOUNTS = sa.Table(
    "import_accounts",
    METADATA,
    reference("import_id", "import", "flow.imports.import_id", primary_key=True),
    text("source", "file or table of the source", primary_key=True),
    reference("rows_read", "rows in the source, without the header"),
    reference("rows_accepted", "rows that reached a feed"),
    reference("rows_parked", "rows in the quarantine"),
    reference("rows_superseded", "rows another row of the source replaces or repeats"),
    # Held by the database, so that an importer that loses a row cannot commit.
    sa.CheckConstraint(
        "rows_read = rows_accepted + rows_parked + rows_superseded", name="balanced"
    ),
    schema="flow",
    comment="What became of the rows of each source file, exactly.",
)
