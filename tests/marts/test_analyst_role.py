"""The role of analysts over migrations: made once per server, kept where needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ecom.migrate import downgrade, migrate
from ecom.settings import ROOT
from resources.database import DatabaseResource

ROLE = sa.text("SELECT count(*) FROM pg_roles WHERE rolname = 'analyst'")
READABLE = sa.text("SELECT has_table_privilege('analyst', :table, 'SELECT')")


def _run(database: DatabaseResource, statement: str) -> None:
    with database.begin() as conn:
        conn.execute(sa.text(statement))


def test_tables_made_later_are_readable_but_not_writable(conn: sa.Connection) -> None:
    conn.exec_driver_sql("CREATE TABLE marts.later AS SELECT 1 AS id")
    assert conn.execute(READABLE, {"table": "marts.later"}).scalar_one()
    writable = "SELECT has_table_privilege('analyst', 'marts.later', 'INSERT')"
    assert not conn.exec_driver_sql(writable).scalar_one()
    assert not conn.execute(READABLE, {"table": "orders.orders"}).scalar_one()


def test_the_role_cannot_log_in(conn: sa.Connection) -> None:
    query = "SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'analyst'"
    assert tuple(conn.exec_driver_sql(query).one()) == (False, False)


def test_a_downgrade_keeps_a_role_that_another_database_uses(
    database: DatabaseResource, template: str
) -> None:
    downgrade(database.engine, "0001")
    with database.begin() as conn:
        schemas = sa.inspect(conn).get_schema_names()
        assert not {"staging", "marts"} & set(schemas)
        assert conn.execute(ROLE).scalar_one() == 1
    migrate(database.engine)
    with database.begin() as conn:
        assert {"staging", "marts"} <= set(sa.inspect(conn).get_schema_names())


@pytest.fixture
def plain_account(database: DatabaseResource) -> Iterator[sa.Engine]:
    """An account that owns the database and may not make roles."""
    name, address = f"plain_{os.getpid()}", sa.make_url(database.url)
    _run(database, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    _run(database, f"GRANT ALL ON DATABASE {address.database} TO {name}")
    login = address.set(drivername="postgresql+psycopg", username=name, password=name)
    engine = sa.create_engine(login)
    yield engine
    engine.dispose()
    _run(database, f"DROP OWNED BY {name}")
    _run(database, f"DROP ROLE {name}")


def _driver(conn: sa.Connection) -> psycopg.Connection[Any]:
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _migration() -> ModuleType:
    file = ROOT / "migrations" / "versions" / "0002_analyst_role.py"
    spec = spec_from_file_location("analyst_role", file)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_account_that_may_not_make_roles_says_so_and_goes_on(plain_account: sa.Engine) -> None:
    notices: list[str] = []
    migration = _migration()
    with plain_account.begin() as conn:
        _driver(conn).add_notice_handler(
            lambda notice: notices.append(f"{notice.severity}: {notice.message_primary}")
        )
        for statement in (migration.CREATE_ROLE, migration.GRANT):
            conn.execute(sa.text(statement.replace("analyst", "no_such_role")))
    assert len(notices) == 1
    assert notices[0].startswith("WARNING: role no_such_role is missing")


def test_databases_that_are_migrated_at_once_do_not_clash(database: DatabaseResource) -> None:
    statement = _migration().CREATE_ROLE.replace("analyst", "analyst_at_once")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: _run(database, statement), range(8)))
    _run(database, "DROP ROLE analyst_at_once")
