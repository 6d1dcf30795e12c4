"""One PostgreSQL server per test process, migrated once; every test gets a database of its own.

Set `ECOM_TEST_DATABASE_URL` to run on another server; its account must be allowed to make
databases.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from resources.database import DatabaseResource

UNSAFE_BUT_FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "max_wal_size": "256MB",
}  # fmt: skip
"""A test's data need not survive a power cut."""

MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4_000_000_000  # noqa: S108 - a folder of our own in it
"""Thousands of databases of a thousand files each are made and dropped there."""

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with modules that have slow tests, or one process does them alone at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """Address of a PostgreSQL server that the tests may fill."""
    given = os.environ.get("ECOM_TEST_DATABASE_URL")
    if given:
        yield make_url(given)
        return
    with (
        _folder(tmp_path_factory) as folder,
        EmbeddedPostgres(folder / "data", UNSAFE_BUT_FAST) as postgres,
    ):
        yield make_url(postgres.url("postgres"))


@contextmanager
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the server: in memory, if there is enough of it."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
        for left in MEMORY.glob("ecom-tests-[0-9]*-*"):
            if not psutil.pid_exists(int(left.name.split("-")[2])):
                shutil.rmtree(left, ignore_errors=True)  # of tests that were killed
        with TemporaryDirectory(prefix=f"ecom-tests-{os.getpid()}-", dir=MEMORY) as name:
            yield Path(name)
    else:
        yield tmp_path_factory.mktemp("pg")


@pytest.fixture(scope="session")
def template(server: URL) -> str:
    """Name of a migrated database that others are copied from."""
    name = f"template_{os.getpid()}"
    url = server.set(database=name).render_as_string(hide_password=False)
    ensure_database(url)
    engine = sa.create_engine(server.set(drivername="postgresql+psycopg", database=name))
    migrate(engine)
    engine.dispose()
    return name


def _administer(server: URL, statement: sql.Composed) -> None:
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as conn:
        conn.execute(statement)


@contextmanager
def _own_database(server: URL, template: str) -> Iterator[DatabaseResource]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    names = sql.Identifier(name), sql.Identifier(template)
    # Copying files takes a fifth of the time of copying block by block through the log, which is
    # what the server does by itself.
    _administer(server, sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*names))
    url = server.set(database=name).render_as_string(hide_password=False)
    resource = DatabaseResource(url=url)
    yield resource
    resource.engine.dispose()
    _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))


@pytest.fixture
def database(server: URL, template: str) -> Iterator[DatabaseResource]:
    """A migrated, empty database of the test's own."""
    with _own_database(server, template) as resource:
        yield resource


@pytest.fixture(scope="module")
def module_database(server: URL, template: str) -> Iterator[DatabaseResource]:
    """A migrated, empty database that the tests of a module share."""
    with _own_database(server, template) as resource:
        yield resource


@pytest.fixture
def conn(database: DatabaseResource) -> Iterator[sa.Connection]:
    """A transaction on the test's own database."""
    with database.begin() as connection:
        yield connection
