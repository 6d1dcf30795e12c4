"""Alembic's environment: migrates the connection it is handed, one transaction for all steps."""

from __future__ import annotations

from alembic import context

from ecom_assets.schema import schema, schema_names


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Look at our own schemas only; dbt and other tools keep theirs."""
    return kind != "schema" or name in schema_names()


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    include_schemas=True,
    include_name=include_name,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
