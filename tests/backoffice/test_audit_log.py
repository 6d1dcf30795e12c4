"""The audit log: every change of configuration is in it, and nothing takes it out again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ecom_assets.backoffice.audited import AUDITED
from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import api_keys, audit, users
from ecom_assets.backoffice.store.acting import Actor, act
from ecom_assets.backoffice.tables import API_KEYS, AUDIT_ENTRIES, USERS
from ecom_assets.transport.tables import CARRIERS
from resources.database import DatabaseResource

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ANN = Actor("ann", "browser", "10.0.0.7", "request-1")


def entries(conn: sa.Connection) -> list[sa.Row[tuple[object, ...]]]:
    return list(conn.execute(sa.select(AUDIT_ENTRIES).order_by(AUDIT_ENTRIES.c.audit_entry_id)))


def test_a_change_is_recorded_with_before_and_after_and_who(conn: sa.Connection) -> None:
    conn.execute(sa.insert(CARRIERS).values(carrier_code="DHL", name="DHL"))
    act(conn, ANN)
    conn.execute(sa.update(CARRIERS).values(name="DHL Paket"))
    conn.execute(sa.delete(CARRIERS))
    told = [(e.actor, e.via, e.action, e.subject, e.before, e.after, e.address, e.request_id)
            for e in entries(conn)]  # fmt: skip
    place = "transport.carriers/DHL"
    old = {"carrier_code": "DHL", "name": "DHL", "archived_at": None}
    new = {**old, "name": "DHL Paket"}
    assert told == [
        ("platform", "platform", "insert", place, None, old, "", ""),
        ("ann", "browser", "update", place, old, new, "10.0.0.7", "request-1"),
        ("ann", "browser", "delete", place, new, None, "10.0.0.7", "request-1"),
    ]


def test_who_acts_is_forgotten_with_the_transaction(database: DatabaseResource) -> None:
    with database.begin() as conn:
        act(conn, ANN)
    with database.begin() as conn:
        conn.execute(sa.insert(CARRIERS).values(carrier_code="DHL", name="DHL"))
        assert entries(conn)[-1].actor == "platform"


def test_what_changes_nothing_is_not_recorded(conn: sa.Connection) -> None:
    conn.execute(sa.insert(CARRIERS).values(carrier_code="DHL", name="DHL"))
    conn.execute(sa.update(CARRIERS).values(name="DHL"))
    assert len(entries(conn)) == 1


def test_secrets_are_not_in_the_log(conn: sa.Connection) -> None:
    user = users.add_user(conn, "ann", [Role.OPERATOR], NOW)
    users.keep_password(conn, user.user_id, "$argon2id$secret", NOW)
    api_keys.make_key(conn, user.user_id, "test", ["*:read"], NOW, timedelta(days=1))
    secret = conn.execute(sa.select(API_KEYS.c.secret_hash)).scalar_one()
    text = str(entries(conn))
    assert "secret_hash" not in text
    assert secret not in text
    assert "argon2id" not in text


@pytest.mark.parametrize(
    "statement",
    ["UPDATE backoffice.audit_entries SET actor = 'x'", "DELETE FROM backoffice.audit_entries",
     "TRUNCATE backoffice.audit_entries"],
)  # fmt: skip
def test_the_log_keeps_what_it_has_even_from_its_owner(conn: sa.Connection, statement: str) -> None:
    audit.record(conn, ANN, "login", "users/ann")
    with pytest.raises(DBAPIError, match="keeps what it has"), conn.begin_nested():
        conn.execute(sa.text(statement))
    assert len(entries(conn)) == 1


def test_every_configuration_table_has_its_trigger_and_its_key(conn: sa.Connection) -> None:
    found = conn.execute(sa.text("""
        SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger
        WHERE tgname = 'audited' AND tgenabled = 'O'
    """)).tuples()  # fmt: skip
    given = {table: tuple(names.split("\\000")[:-1]) for table, names in found}
    assert given == dict(AUDITED)


@pytest.fixture
def app(database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection with the rights of the web entrance."""
    with database.begin() as conn:
        conn.execute(sa.text("SET LOCAL ROLE ecom_app"))
        yield conn


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE backoffice.mine (n int)",
        "DROP TABLE backoffice.users",
        "ALTER TABLE backoffice.users ADD COLUMN n int",
        "ALTER TABLE transport.carriers DISABLE TRIGGER audited",
        "DROP TRIGGER audited ON transport.carriers",
        "CREATE OR REPLACE FUNCTION backoffice.audit_change() RETURNS trigger"
        " LANGUAGE sql AS 'SELECT NULL'",
        "INSERT INTO backoffice.audit_entries (actor, via, action, subject, outcome)"
        " VALUES ('x', 'browser', 'x', 'x', 'done')",
        "UPDATE backoffice.audit_entries SET actor = 'x'",
        "DELETE FROM backoffice.audit_entries",
        "TRUNCATE backoffice.users",
        "SET session_replication_role = replica",
        "CREATE ROLE mine",
        "COPY backoffice.users TO PROGRAM 'cat'",
    ],
)
def test_the_entrance_may_neither_change_tables_nor_the_log(
    app: sa.Connection, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), app.begin_nested():
        app.execute(sa.text(statement))


def test_the_entrance_may_do_its_work(app: sa.Connection) -> None:
    act(app, ANN)
    app.execute(sa.insert(CARRIERS).values(carrier_code="DHL", name="DHL"))
    audit.record(app, ANN, "login", "users/ann")
    assert [entry.action for entry in entries(app)] == ["insert", "login"]


def test_two_admins_cannot_take_each_other_out(database: DatabaseResource) -> None:
    with database.begin() as conn:
        ids = [users.add_user(conn, name, [Role.ADMIN], NOW).user_id for name in ("a", "b")]
    refused: list[str] = []

    def take_out(user_id: int) -> None:
        try:
            with database.begin() as conn:
                users.change_user(conn, user_id, NOW, is_active=False)
        except users.UserRefused as error:
            refused.append(str(error))

    threads = [threading.Thread(target=take_out, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with database.begin() as conn:
        active = sa.select(sa.func.count()).select_from(USERS).where(USERS.c.is_active)
        assert conn.execute(active).scalar_one() == 1
