"""The account by which the web entrance reaches the databases: it may change rows, not tables.

On the embedded server it is made at every start with a new random password, which is kept nowhere.
On another server an administrator makes a member of the role `ecom_app` and says its addresses:

ECOM_GATEWAY_DATABASE_URL   the shop's database as the entrance reaches it
ECOM_GATEWAY_DAGSTER_URL    Dagster's database likewise
"""

from __future__ import annotations

import os
import secrets

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from ecom.platform import Platform

ROLE = "ecom_gateway"
GIVEN = {
    "ECOM_DATABASE_URL": "ECOM_GATEWAY_DATABASE_URL",
    "ECOM_DAGSTER_URL": "ECOM_GATEWAY_DAGSTER_URL",
}
"""What the entrance reads, and where an administrator says it."""

_DAGSTER_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
)


def entrance_environment(platform: Platform) -> dict[str, str]:
    """Addresses of the databases for the entrance; the owner's, where it is given no other."""
    if platform.server is not None:
        return _made(platform)
    return {name: os.environ[given] for name, given in GIVEN.items() if os.environ.get(given)}


def degraded(platform: Platform) -> str | None:
    """Why the entrance may do more than it should, or None."""
    missing = [given for given in GIVEN.values() if not os.environ.get(given)]
    if platform.server is not None or not missing:
        return None
    return f"the web entrance uses the owner's account; set {' and '.join(missing)}"


def _made(platform: Platform) -> dict[str, str]:
    password, role = secrets.token_urlsafe(24), sql.Identifier(ROLE)
    with psycopg.connect(platform.url) as conn:
        found = conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
        # A row without columns is an empty tuple, which is there all the same.
        verb = sql.SQL("CREATE" if found is None else "ALTER")
        made = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password))
        conn.execute(made)
        conn.execute(sql.SQL("GRANT ecom_app TO {}").format(role))
    with psycopg.connect(platform.dagster_url) as conn:
        for statement in _DAGSTER_RIGHTS:
            conn.execute(sql.SQL(statement).format(role))
    return {
        name: make_url(url).set(username=ROLE, password=password).render_as_string(False)
        for name, url in (
            ("ECOM_DATABASE_URL", platform.url), ("ECOM_DAGSTER_URL", platform.dagster_url),
        )
    }  # fmt: skip
