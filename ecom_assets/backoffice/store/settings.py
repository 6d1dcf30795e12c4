"""Settings of the shop: what holds, and changing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.backoffice.tables import SETTINGS
from ecom_assets.shared.shop_settings import Setting

_C = SETTINGS.c


def kept(conn: sa.Connection) -> dict[str, sa.RowMapping]:
    """What the shop set, by name; what is not there has its default."""
    rows = conn.execute(sa.select(_C.name, _C.value, _C.set_by, _C.set_at)).mappings()
    return {row["name"]: row for row in rows}


def held(conn: sa.Connection, setting: Setting) -> sa.RowMapping | None:
    """What the shop set, kept as it is until the transaction ends; None where nothing."""
    # A row that is not there cannot be locked, and two may set it at once.
    conn.execute(_LOCK, {"name": setting.name})
    query = sa.select(_C.name, _C.value, _C.set_by, _C.set_at).where(_C.name == setting.name)
    return conn.execute(query).mappings().one_or_none()


def put(conn: sa.Connection, setting: Setting, value: object, by: str, at: datetime) -> None:
    """Set a setting; it holds from the next step that reads it.

    Raises:
        InvalidSetting: the setting cannot have the value.
    """
    values: dict[str, Any] = {"value": setting.checked(value), "set_by": by, "set_at": at}
    made = insert(SETTINGS).values({"name": setting.name, **values})
    conn.execute(made.on_conflict_do_update(index_elements=["name"], set_=values))


def forget(conn: sa.Connection, setting: Setting) -> None:
    """Let a setting have its default again."""
    conn.execute(sa.delete(SETTINGS).where(_C.name == setting.name))


_LOCK = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended('backoffice.settings/' || :name, 0))"
)
