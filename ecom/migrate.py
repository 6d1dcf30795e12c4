"""Bring a database to the schema the code expects, and make the databases the platform needs."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy.engine import make_url

from ecom.problems import Problem
from ecom.settings import ROOT

MINIMUM_VERSION = 15
"""Oldest PostgreSQL major version that works."""

_LOCK = 0x65636F6D
"""Advisory lock that lets one process migrate at a time (the letters of "ecom")."""


def alembic_config(conn: sa.Connection) -> Config:
    """Alembic's configuration for a connection."""
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["connection"] = conn
    return config


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Upgrade the schema to `revision` in one transaction; a second process waits.

    Raises:
        Problem: the server is older than `MINIMUM_VERSION`.
    """
    with engine.begin() as conn:
        version = conn.dialect.server_version_info or (0,)
        if version[0] < MINIMUM_VERSION:
            raise Problem(
                f"PostgreSQL {version[0]} is too old; {MINIMUM_VERSION} or newer is needed"
            )
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(alembic_config(conn), revision)


def downgrade(engine: sa.Engine, revision: str = "base") -> None:
    """Take the schema back to `revision` in one transaction."""
    with engine.begin() as conn:
        command.downgrade(alembic_config(conn), revision)


def ensure_database(url: str) -> bool:
    """Make the database of an address if the server does not have it.

    Args:
        url: address without a driver.

    Returns:
        Whether it had to be made.

    Raises:
        Problem: the server does not answer, or the account may not make databases.
    """
    address = make_url(url).set(drivername="postgresql+psycopg")
    try:
        with sa.create_engine(address, poolclass=sa.NullPool).connect():
            return False
    except sa.exc.OperationalError as error:
        if "does not exist" not in str(error):
            raise Problem(f"the database does not answer: {_first_line(error)}") from error
    server = address.set(drivername="postgresql", database="postgres")
    try:
        with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as conn:
            name = sql.Identifier(address.database or "")
            conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
    except psycopg.Error as error:
        raise Problem(f"database {address.database} could not be made: {error!s:.200}") from error
    return True


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
