"""Sites, as feeds bring them."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert
from ecom_assets.warehouse.tables import SITES


def take_sites(conn: sa.Connection, import_id: int | None) -> int:
    """Take the sites of `feed_sites`; sites that did not change are not rewritten.

    Args:
        conn: connection inside the import's transaction, with open feeds.
        import_id: the import; a site keeps no trace of it.

    Returns:
        How many sites are new or changed.
    """
    key = ("site_code",)
    return upsert(conn, SITES, newest(feeds.SITES, key), key)
