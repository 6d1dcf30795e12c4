"""The migrations and the declared tables say the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command

from ecom.migrate import alembic_config, downgrade, migrate
from ecom_assets.schema import schema, schema_names
from resources.database import DatabaseResource


def test_migrations_make_exactly_the_declared_tables(conn: sa.Connection) -> None:
    command.check(alembic_config(conn))


def test_migrations_go_down_and_up_again(database: DatabaseResource) -> None:
    downgrade(database.engine)
    with database.begin() as conn:
        left = set(sa.inspect(conn).get_schema_names()) & set(schema_names())
    assert not left
    migrate(database.engine)
    with database.begin() as conn:
        command.check(alembic_config(conn))


def test_every_table_and_column_is_described() -> None:
    undescribed = [
        f"{table.fullname}.{column.name}"
        for table in schema().tables.values()
        for column in table.columns
        if not (table.comment and column.comment)
    ]
    assert undescribed == []
