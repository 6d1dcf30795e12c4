"""A migrated database with a small shop in which everything adds up."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL

SHOP = ("shop", "catalog", "inventory", "pricing", "backoffice", "marketplace")
"""Parts of the shop, each a `consistent_<part>.sql`, in the order they build on each other."""


@pytest.fixture(scope="session")
def shop_template(server: URL, template: str) -> str:
    """Name of a database with the consistent shop; modules copy from it by naming it `template`."""
    name = f"shop_{os.getpid()}"
    names = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    address = server.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(address) as conn:
        for part in SHOP:
            conn.execute(Path(__file__).with_name(f"consistent_{part}.sql").read_bytes())
    return name
