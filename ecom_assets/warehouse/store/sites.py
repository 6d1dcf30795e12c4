"""Sites: as feeds bring them, and as people list, add, change and archive them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert
from ecom_assets.warehouse.tables import SITES

Row = sa.RowMapping

_SHOWN = [column for column in SITES.c if column.name != "recorded_at"]


def take_sites(conn: sa.Connection, import_id: int | None) -> int:
    """Take the sites of `feed_sites`; sites that did not change are not rewritten.

    What is archived stays so: a feed does not know of it.

    Args:
        conn: connection inside the import's transaction, with open feeds.
        import_id: the import; a site keeps no trace of it.

    Returns:
        How many sites are new or changed.
    """
    key = ("site_code",)
    return upsert(conn, SITES, newest(feeds.SITES, key), key)


def list_sites(
    conn: sa.Connection, country: str | None, is_archived: bool | None, after: str | None, most: int
) -> list[Row]:
    """Sites by code; None for any."""
    rows = sa.select(*_SHOWN).order_by(SITES.c.site_code).limit(most)
    if country is not None:
        rows = rows.where(SITES.c.country == country)
    if is_archived is not None:
        rows = rows.where(SITES.c.archived_at.is_not(None) == is_archived)
    if after is not None:
        rows = rows.where(SITES.c.site_code > after)
    return list(conn.execute(rows).mappings())


def find_site(conn: sa.Connection, site_code: str, is_locked: bool = False) -> Row | None:
    """A site by its code; locked, it stays as it is until the transaction ends."""
    row = sa.select(*_SHOWN).where(SITES.c.site_code == site_code)
    return conn.execute(row.with_for_update() if is_locked else row).mappings().first()


def add_site(conn: sa.Connection, values: Mapping[str, Any]) -> Row | None:
    """Add a site; None where its code is taken."""
    made = insert(SITES).values(values).on_conflict_do_nothing().returning(*_SHOWN)
    return conn.execute(made).mappings().first()


def change_site(conn: sa.Connection, site_code: str, values: Mapping[str, Any]) -> Row:
    """Change a site that the transaction has locked."""
    return _set(conn, site_code, values or {"site_code": site_code})


def archive_site(conn: sa.Connection, site_code: str, at: datetime) -> Row:
    """Let nothing new be allocated to a site; one that is archived already stays as it is.

    What it still holds was promised like all stock, and ships where no other site can keep the
    promise: move its stock away first.
    """
    return _set(conn, site_code, {"archived_at": sa.func.coalesce(SITES.c.archived_at, at)})


def restore_site(conn: sa.Connection, site_code: str) -> Row:
    """Let orders be allocated to a site again."""
    return _set(conn, site_code, {"archived_at": None})


def _set(conn: sa.Connection, site_code: str, values: Mapping[str, Any]) -> Row:
    changed = sa.update(SITES).where(SITES.c.site_code == site_code).values(values)
    return conn.execute(changed.returning(*_SHOWN)).mappings().one()
