"""Stock as lists: per SKU, per SKU and site, counts, holds, transfers and what is to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ecom_assets.inventory.tables import (
    ATP,
    BALANCES,
    CHANNEL_BUFFERS,
    COUNTS,
    EXPECTED_RECEIPTS,
    POSITIONS,
    STOCK_HOLDS,
    TRANSFERS,
)
from ecom_assets.warehouse.tables import SITES

Row = sa.RowMapping


def positions(
    conn: sa.Connection, sku: str | None, after: tuple[Any, ...] | None, most: int
) -> list[Row]:
    """Stock per SKU over all sites, by SKU: on hand, promised, and what may be promised at once."""
    at_once = sa.and_(ATP.c.sku == POSITIONS.c.sku, ATP.c.step == 0)
    rows = sa.select(
        POSITIONS.c.sku, POSITIONS.c.on_hand, POSITIONS.c.reserved, ATP.c.units.label("available")
    ).join_from(POSITIONS, ATP, at_once, isouter=True)
    return _listed(conn, rows, (POSITIONS.c.sku,), {POSITIONS.c.sku: sku}, after, most)


def levels(
    conn: sa.Connection, sku: str | None, site_code: str | None,
    after: tuple[Any, ...] | None, most: int,
) -> list[Row]:  # fmt: skip
    """Stock per SKU and site, by both."""
    names = ("sku", "site_code", "on_hand", "sold", "moved_at")
    wanted = {BALANCES.c.sku: sku, BALANCES.c.site_code: site_code}
    keys = (BALANCES.c.sku, BALANCES.c.site_code)
    return _listed(conn, _columns(BALANCES, names), keys, wanted, after, most)


def counts(
    conn: sa.Connection, state: str | None, site_code: str | None, reference: str | None,
    after: tuple[Any, ...] | None, most: int,
) -> list[Row]:  # fmt: skip
    """Counts, in the order they came."""
    wanted = {COUNTS.c.state: state, COUNTS.c.site_code: site_code, COUNTS.c.reference: reference}
    names = (
        "count_id", "reference", "site_code", "sku", "counted_at", "counted", "expected",
        "difference", "tolerance", "state", "counted_by", "decided_by", "decided_at",
    )  # fmt: skip
    return _listed(conn, _columns(COUNTS, names), (COUNTS.c.count_id,), wanted, after, most)


def holds(
    conn: sa.Connection, holder: str | None, sku: str | None,
    after: tuple[Any, ...] | None, most: int,
) -> list[Row]:  # fmt: skip
    """Units that are kept for holders, in the order they were kept."""
    names = ("stock_hold_id", "holder", "sku", "units", "held_at", "expires_at")
    wanted = {STOCK_HOLDS.c.holder: holder, STOCK_HOLDS.c.sku: sku}
    key = (STOCK_HOLDS.c.stock_hold_id,)
    return _listed(conn, _columns(STOCK_HOLDS, names), key, wanted, after, most)


def transfers(
    conn: sa.Connection, reference: str | None, is_in_transit: bool | None,
    after: tuple[Any, ...] | None, most: int,
) -> list[Row]:  # fmt: skip
    """Transfers, in the order they were told."""
    names = ("transfer_id", "reference", "sku", "from_site", "to_site", "quantity", "sent_at",
             "due_at", "arrived", "arrived_at")  # fmt: skip
    rows = _columns(TRANSFERS, names)
    if is_in_transit is not None:
        arrived = TRANSFERS.c.arrived_at
        rows = rows.where(arrived.is_(None) if is_in_transit else arrived.is_not(None))
    key = (TRANSFERS.c.transfer_id,)
    return _listed(conn, rows, key, {TRANSFERS.c.reference: reference}, after, most)


def expected(
    conn: sa.Connection, sku: str | None, site_code: str | None,
    after: tuple[Any, ...] | None, most: int,
) -> list[Row]:  # fmt: skip
    """What was ordered and is to come, or has come, by reference, SKU and site."""
    table = EXPECTED_RECEIPTS
    names = ("reference", "sku", "site_code", "due_at", "quantity", "received")
    keys = (table.c.reference, table.c.sku, table.c.site_code)
    wanted = {table.c.sku: sku, table.c.site_code: site_code}
    return _listed(conn, _columns(table, names), keys, wanted, after, most)


def channels(conn: sa.Connection) -> list[str]:
    """Channels that have a buffer of their own."""
    names = sa.select(CHANNEL_BUFFERS.c.channel).distinct().order_by(CHANNEL_BUFFERS.c.channel)
    return list(conn.execute(names).scalars())


_UNKNOWN_SKUS = sa.text("""
    SELECT sku FROM unnest(CAST(:given AS text[])) AS g (sku)
    WHERE NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.sku = g.sku)
""")


def unknown_skus(conn: sa.Connection, skus: Sequence[str]) -> frozenset[str]:
    """Those of the SKUs that the catalogue does not know."""
    return frozenset(conn.execute(_UNKNOWN_SKUS, {"given": list(skus)}).scalars())


def unknown_sites(conn: sa.Connection, sites: Sequence[str]) -> frozenset[str]:
    """Those of the sites that there are not."""
    return frozenset(sites) - frozenset(conn.execute(sa.select(SITES.c.site_code)).scalars())


def _columns(table: sa.Table, names: Sequence[str]) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in names))


def _listed(
    conn: sa.Connection,
    rows: sa.Select[Any],
    keys: Sequence[sa.Column[Any]],
    wanted: Mapping[sa.Column[Any], Any],
    after: tuple[Any, ...] | None,
    most: int,
) -> list[Row]:
    for column, value in wanted.items():
        if value is not None:
            rows = rows.where(column == value)
    if after is not None:
        last = (sa.literal(value, key.type) for value, key in zip(after, keys, strict=True))
        rows = rows.where(sa.tuple_(*keys) > sa.tuple_(*last))
    return list(conn.execute(rows.order_by(*keys).limit(most)).mappings())
