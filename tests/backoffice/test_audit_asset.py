"""The audit log as people read it: logins, refusals, changes, keys and users to look after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import sqlalchemy as sa

from ecom_assets.backoffice.store import audit
from ecom_assets.backoffice.store.acting import Actor
from ecom_assets.definitions import build_defs
from resources.database import DatabaseResource

_PEOPLE = (
    sa.text(
        "INSERT INTO backoffice.users (name, roles, created_at)"
        " VALUES ('ann', '{admin}', :long_ago), ('bob', '{viewer}', :long_ago),"
        " ('eve', '{viewer}', :now)"
    ),
    sa.text(
        "INSERT INTO backoffice.sessions (token_hash, user_id, started_at, seen_at, ends_at,"
        " address, agent) SELECT repeat('1', 64), user_id, :now, :now, :soon, '', ''"
        " FROM backoffice.users WHERE name = 'ann'"
    ),
    sa.text(
        "INSERT INTO backoffice.api_keys (key_name, secret_hash, user_id, purpose, scopes,"
        " created_at, expires_at) SELECT 'short', repeat('2', 64), user_id, 'labels',"
        " '{orders:read}', :long_ago, :soon FROM backoffice.users WHERE name = 'ann'"
    ),
)


def test_the_log_is_shown_by_day_and_by_who(database: DatabaseResource) -> None:
    now = datetime.now(UTC)
    given = {"now": now, "long_ago": now - timedelta(days=200), "soon": now + timedelta(days=5)}
    with database.begin() as conn:
        for statement in _PEOPLE:
            used = {name: given[name] for name in given if f":{name}" in statement.text}
            conn.execute(statement, used)
        for _ in range(3):
            audit.record(conn, Actor("ann", "browser", "10.0.0.9"), "login", "ann", audit.REFUSED)
        audit.record(conn, Actor("ann", "browser", "10.0.0.1"), "login", "ann")
        audit.record(conn, Actor("bob", "browser"), "request", "/orders", audit.REFUSED)
    job = build_defs({"database": database}).resolve_job_def("backoffice_audit")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
        )
    (found,) = result.asset_materializations_for_node("backoffice__audit_entries")
    shown = {name: str(value.value) for name, value in found.metadata.items()}
    changes = 4  # three users and a key; sessions are no configuration
    assert f"| {now:%Y-%m-%d} | 1 | 3 | 1 | {changes} |" in shown["per_day"]
    assert "| ann | 10.0.0.9 | 3 |" in shown["failed_logins"]
    assert "| short | ann | labels |" in shown["keys_expiring_in_30_days"]
    assert "| bob |" in shown["users_absent_for_90_days"]
    assert "eve" not in shown["users_absent_for_90_days"]
    assert "ann" not in shown["users_absent_for_90_days"]
    assert "backoffice.users/bob" in shown["newest_changes"]
    assert "data:image/png" in shown["logins_per_day"]
