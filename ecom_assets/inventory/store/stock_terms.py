"""What people and other areas say about stock: units, reserves, buffers, receipts to come."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.tables import CHANNEL_BUFFERS, EXPECTED_RECEIPTS, SAFETY_STOCKS, UNITS
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.upsert import upsert


def take_units(conn: sa.Connection, units: Rows) -> int:
    """Say how many pieces a unit of a SKU holds: `sku`, `unit`, `pieces`.

    Returns:
        Rows that are new or changed, as of all functions here.
    """
    given = units.subquery()
    rows = sa.select(given.c.sku, sa.func.lower(given.c.unit).label("unit"), given.c.pieces)
    return upsert(conn, UNITS, rows, ("sku", "unit"))


def take_safety_stocks(conn: sa.Connection, stocks: Rows) -> int:
    """Say what is kept back: `sku`, `site_code`, `units`, `service_level`, `source`."""
    names = ("sku", "site_code", "units", "service_level", "source")
    return upsert(conn, SAFETY_STOCKS, _of(stocks, names), ("sku", "site_code"))


def take_buffers(conn: sa.Connection, buffers: Rows) -> int:
    """Say what channels are told, in columns of `inventory.channel_buffers`."""
    names = ("channel", "sku", "most_listed", "stop_units", "share_percent")
    return upsert(conn, CHANNEL_BUFFERS, _of(buffers, names), ("channel", "sku"))


def take_expected_receipts(conn: sa.Connection, receipts: Rows) -> int:
    """Say what is to come: `reference`, `sku`, `site_code`, `due_at`, `quantity`.

    What has come already of a reference is kept.
    """
    names = ("reference", "sku", "site_code", "due_at", "quantity")
    return upsert(conn, EXPECTED_RECEIPTS, _of(receipts, names), ("reference", "sku", "site_code"))


def _of(rows: Rows, names: tuple[str, ...]) -> Rows:
    given = rows.subquery()
    return sa.select(*(given.c[name] for name in names))
