"""The audit log as an asset: who came in, what was refused, what of the configuration changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.backoffice.tables import API_KEYS, AUDIT_ENTRIES, SESSIONS, USERS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource

SHOWN_DAYS = 30
EXPIRES_WITHIN = timedelta(days=30)
ABSENT_FOR = timedelta(days=90)

_A = AUDIT_ENTRIES.c
_DAY = sa.cast(sa.func.timezone("UTC", _A.recorded_at), sa.Date).label("day")
_IS_LOGIN = _A.action == "login"
_IS_CHANGE = _A.action.in_(["insert", "update", "delete"])


class AuditConfig(dg.Config):
    """Until when.

    Attributes:
        as_of: moment from which days are counted back, ISO 8601; now, if empty.
    """

    as_of: str = ""


def _per_day(since: datetime) -> sa.Select[Any]:
    return (
        sa.select(
            _DAY,
            sa.func.count().filter(_IS_LOGIN, _A.outcome == "done").label("logins"),
            sa.func.count().filter(_IS_LOGIN, _A.outcome != "done").label("failed_logins"),
            sa.func.count().filter(~_IS_LOGIN, _A.outcome == "refused").label("refusals"),
            sa.func.count().filter(_IS_CHANGE, _A.outcome == "done").label("changes"),
        )
        .where(_A.recorded_at >= since)
        .group_by(_DAY)
        .order_by(_DAY.desc())
    )


def _failed(since: datetime) -> sa.Select[Any]:
    times = sa.func.count().label("times")
    return (
        sa.select(_A.actor, _A.address, times, sa.func.max(_A.recorded_at).label("last_at"))
        .where(_A.recorded_at >= since, _IS_LOGIN, _A.outcome != "done")
        .group_by(_A.actor, _A.address)
        .order_by(times.desc(), _A.actor, _A.address)
    )


def _expiring(at: datetime) -> sa.Select[Any]:
    return (
        sa.select(API_KEYS.c.key_name, USERS.c.name, API_KEYS.c.purpose, API_KEYS.c.expires_at)
        .join(USERS, USERS.c.user_id == API_KEYS.c.user_id)
        .where(
            API_KEYS.c.revoked_at.is_(None), API_KEYS.c.expires_at > at,
            API_KEYS.c.expires_at <= at + EXPIRES_WITHIN,
        )
        .order_by(API_KEYS.c.expires_at)
    )  # fmt: skip


def _absent(at: datetime) -> sa.Select[Any]:
    last = sa.func.max(SESSIONS.c.started_at)
    return (
        sa.select(USERS.c.name, USERS.c.roles, last.label("last_login_at"), USERS.c.created_at)
        .outerjoin(SESSIONS, SESSIONS.c.user_id == USERS.c.user_id)
        .where(USERS.c.is_active)
        .group_by(USERS.c.user_id)
        .having(sa.func.coalesce(last, USERS.c.created_at) < at - ABSENT_FOR)
        .order_by(USERS.c.name)
    )


_CHANGED = (
    sa.select(_A.recorded_at, _A.actor, _A.via, _A.action, _A.subject)
    .where(_IS_CHANGE)
    .order_by(_A.audit_entry_id.desc())
)


@dg.asset(
    key=["backoffice", "audit_entries"],
    kinds={"postgres"},
    description="Logins, refusals and changes of configuration per day, failed logins by name and"
    " address, keys that expire soon, and users who were not here for 90 days.",
)
def audit_entries(config: AuditConfig, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Read the log; it is written by the entrance and by triggers, never here."""
    # The wall clock is right here: the log is about people and the platform, not the shop's time.
    at = datetime.fromisoformat(config.as_of) if config.as_of else datetime.now(UTC)
    since = at - timedelta(days=SHOWN_DAYS)
    with database.begin() as conn:
        days = conn.execute(_per_day(since)).all()
        shown = {
            **metadata.advanced(conn, AUDIT_ENTRIES, {}),
            "per_day": metadata.preview(conn, _per_day(since), most=SHOWN_DAYS),
            "logins_per_day": metadata.bar_plot(
                [row.day for row in reversed(days)], [row.logins for row in reversed(days)],
                "Logins per day", "logins",
            ),
            "failed_logins": metadata.preview(conn, _failed(since), most=20),
            "newest_changes": metadata.preview(conn, _CHANGED, most=20),
            "keys_expiring_in_30_days": metadata.preview(conn, _expiring(at), most=20),
            "users_absent_for_90_days": metadata.preview(conn, _absent(at), most=20),
        }  # fmt: skip
    return dg.MaterializeResult(metadata=shown)


ASSETS = [audit_entries]
