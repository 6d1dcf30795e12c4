"""The account by which the entrance reaches the databases, made anew at every start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from ecom.database_accounts import ROLE, degraded, entrance_environment
from ecom.platform import Platform
from resources.database import DatabaseResource


@pytest.fixture
def platform(database: DatabaseResource) -> Platform:
    """A platform over the test's database, which stands for Dagster's too."""
    url = database.url.replace("+psycopg", "")
    return cast(Platform, SimpleNamespace(server=object(), url=url, dagster_url=url))


def may(url: str, statement: str) -> bool:
    with psycopg.connect(url) as conn:
        try:
            conn.execute(cast(Any, statement))
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


def test_every_start_makes_a_new_password(platform: Platform) -> None:
    first = entrance_environment(platform)["ECOM_DATABASE_URL"]
    second = entrance_environment(platform)["ECOM_DATABASE_URL"]
    assert first != second
    assert may(second, "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password"):
        may(first, "SELECT 1")


def test_it_may_change_rows_and_nothing_else(platform: Platform) -> None:
    url = entrance_environment(platform)["ECOM_DATABASE_URL"]
    assert may(url, "SELECT count(*) FROM orders.orders")
    for statement in (
        "CREATE TABLE orders.x ()", "DROP TABLE orders.orders", "CREATE ROLE eve",
        "DELETE FROM backoffice.audit_entries", "SET ROLE ecom_audit",
        "ALTER TABLE backoffice.users DISABLE TRIGGER ALL",
        "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('/etc/passwd')",
    ):  # fmt: skip
        assert not may(url, statement), statement
    assert ROLE in url


def test_the_owners_account_is_said_to_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = cast(Platform, SimpleNamespace(server=None))
    monkeypatch.delenv("ECOM_GATEWAY_DATABASE_URL", raising=False)
    assert "ECOM_GATEWAY_DATABASE_URL" in str(degraded(elsewhere))
    monkeypatch.setenv("ECOM_GATEWAY_DATABASE_URL", "postgresql://a:b@c/d")
    monkeypatch.setenv("ECOM_GATEWAY_DAGSTER_URL", "postgresql://a:b@c/e")
    assert degraded(elsewhere) is None
    assert set(entrance_environment(elsewhere)) == {"ECOM_DATABASE_URL", "ECOM_DAGSTER_URL"}
