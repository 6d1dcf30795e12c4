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


def has_database(url: str) -> bool:
    """Whether the server of an address (without a driver) has its database.

    Raises:
        Problem: the server does not answer.
    """
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError as error:
        if "does not exist" in str(error):
            return False
        raise Problem(f"the database does not answer: {_first_line(error)}") from error
    return True


def ensure_database(url: str) -> None:
    """Make the database of an address (without a driver) if the server does not have it.

    Raises:
        Problem: the server does not answer, or the account may not make databases.
    """
    if has_database(url):
        return
    address = make_url(url)
    server = address.set(database="postgres").render_as_string(hide_password=False)
    try:
        with psycopg.connect(server, autocommit=True) as conn:
            name = sql.Identifier(address.database or "")
            conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
    except psycopg.Error as error:
        reason = _first_line(error)
        raise Problem(f"database {address.database} could not be made: {reason}") from error


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
