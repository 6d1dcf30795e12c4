"""What is on the channels, whose SKU it is, and how it differs from ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.marketplace.model import Listed, ListingState
from ecom_assets.marketplace.tables import CONNECTION_STATES, CONNECTIONS, LISTINGS

_L = LISTINGS.c

# What a person mapped or unmapped stays; else a listing is ours if its SKU is one of ours.
_TAKE = sa.text("""
    WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:rows) AS g (
        channel_listing_id text, channel_sku text, title text, state text,
        live_price_minor bigint, live_units integer)
    ), found AS (
        SELECT g.*, p.sku FROM given AS g LEFT JOIN catalog.products AS p ON p.sku = g.channel_sku
    ), changed AS (
        UPDATE marketplace.listings AS l
        SET channel_sku = f.channel_sku, title = f.title, state = f.state,
            currency = :currency, live_price_minor = f.live_price_minor, live_units = f.live_units,
            sku = CASE WHEN l.is_mapped_by_hand THEN l.sku ELSE f.sku END,
            our_price_minor = CASE WHEN l.is_mapped_by_hand OR l.sku = f.sku
                THEN l.our_price_minor END,
            our_units = CASE WHEN l.is_mapped_by_hand OR l.sku = f.sku THEN l.our_units END,
            run_id = :run, recorded_at = clock_timestamp()
        FROM found AS f
        WHERE l.connection_id = :connection_id AND l.channel_listing_id = f.channel_listing_id
            AND (l.channel_sku, l.title, l.state, l.currency, l.live_price_minor, l.live_units,
                    l.sku)
                IS DISTINCT FROM (f.channel_sku, f.title, f.state, CAST(:currency AS char(3)),
                    f.live_price_minor, f.live_units,
                    CASE WHEN l.is_mapped_by_hand THEN l.sku ELSE f.sku END)
        RETURNING 1
    ), added AS (
        INSERT INTO marketplace.listings (connection_id, channel_listing_id, channel_sku, title,
            state, currency, live_price_minor, live_units, sku, run_id)
        SELECT :connection_id, f.channel_listing_id, f.channel_sku, f.title, f.state, :currency,
            f.live_price_minor, f.live_units, f.sku, :run
        FROM found AS f
        WHERE NOT EXISTS (
            SELECT FROM marketplace.listings AS l WHERE l.connection_id = :connection_id
                AND l.channel_listing_id = f.channel_listing_id)
        ORDER BY f.channel_listing_id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed
""").bindparams(sa.bindparam("rows", type_=JSONB))
_GONE = sa.text("""
    UPDATE marketplace.listings SET state = 'gone', run_id = :run, recorded_at = clock_timestamp()
    WHERE connection_id = :connection_id AND state <> 'gone'
        AND NOT channel_listing_id = ANY(CAST(:seen AS text[]))
""")
_SKUS = sa.text("""
    SELECT DISTINCT sku FROM marketplace.listings
    WHERE connection_id = :connection_id AND sku > :after ORDER BY sku LIMIT :most
""")
_COMPARE = sa.text("""
    WITH ours AS (
        SELECT u.sku, u.units, (
            SELECT p.price_minor
            FROM pricing.price_lists AS l JOIN pricing.prices AS p USING (price_list_id)
            WHERE l.channel = :channel AND l.currency = :currency AND l.customer_group = 'all'
                AND p.sku = u.sku AND p.min_quantity = 1
                AND p.valid_from_at <= :at AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)
        ) AS price_minor
        FROM unnest(CAST(:skus AS text[]), CAST(:units AS integer[])) AS u (sku, units)
    )
    UPDATE marketplace.listings AS l
    SET our_price_minor = o.price_minor, our_units = o.units
    FROM ours AS o
    WHERE l.connection_id = :connection_id AND l.sku = o.sku
        AND (l.our_price_minor, l.our_units) IS DISTINCT FROM (o.price_minor, o.units)
""")
_OFFERS = sa.text("""
    SELECT p.sku, p.price_minor, (
            SELECT m.channel_listing_id FROM marketplace.listings AS m
            WHERE m.connection_id = :connection_id AND m.sku = p.sku AND m.state <> 'gone'
            ORDER BY m.listing_id LIMIT 1
        ) AS channel_listing_id
    FROM pricing.price_lists AS l JOIN pricing.prices AS p USING (price_list_id)
    JOIN catalog.products AS c ON c.sku = p.sku
    WHERE l.channel = :channel AND l.currency = :currency AND l.customer_group = 'all'
        AND p.min_quantity = 1 AND p.sku > :after
        AND p.valid_from_at <= :at AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)
    ORDER BY p.sku LIMIT :most
""")


def take(
    conn: sa.Connection, connection_id: int, currency: str, listed: Iterable[Listed], run: str
) -> dict[str, int]:
    """Bring what is on a channel up to date; equal rows are left alone.

    Returns:
        Rows `added` and `changed`.
    """
    rows = {row.channel_listing_id: _row(row) for row in listed}
    given = {"rows": list(rows.values()), "connection_id": connection_id, "currency": currency,
             "run": run}  # fmt: skip
    found = conn.execute(_TAKE, given).mappings().one()
    return {"added": int(found["added"]), "changed": int(found["changed"])}


def _row(listed: Listed) -> dict[str, Any]:
    return {
        "channel_listing_id": listed.channel_listing_id, "channel_sku": listed.channel_sku,
        "title": listed.title, "state": listed.state.value,
        "live_price_minor": listed.price_minor, "live_units": listed.units,
    }  # fmt: skip


def end_unseen(conn: sa.Connection, connection_id: int, seen: Iterable[str], run: str) -> int:
    """Mark as gone what a whole reading of a channel did not show.

    Returns:
        How many went.
    """
    given = {"connection_id": connection_id, "seen": sorted(seen), "run": run}
    return conn.execute(_GONE, given).rowcount


def map_of(conn: sa.Connection, connection_id: int, ids: Sequence[str]) -> dict[str, str]:
    """SKUs of those of the listings that are mapped, by the channel's ids."""
    rows = sa.select(_L.channel_listing_id, _L.sku).where(
        _L.connection_id == connection_id, _L.sku.is_not(None), _L.channel_listing_id.in_(ids)
    )
    return {row.channel_listing_id: str(row.sku) for row in conn.execute(rows)}


def mapped_skus(conn: sa.Connection, connection_id: int, after: str, most: int) -> list[str]:
    """SKUs that a connection has listings of, in their order, from after one."""
    given = {"connection_id": connection_id, "after": after, "most": most}
    return list(conn.execute(_SKUS, given).scalars())


def compare(
    conn: sa.Connection, connection_id: int, channel: str, currency: str,
    units: Mapping[str, int], at: datetime,
) -> int:  # fmt: skip
    """Write down what we would have on the channel; rows that say so already are left alone.

    Args:
        conn: connection inside a transaction.
        connection_id: the connection.
        channel: its channel.
        currency: its currency.
        units: units that the channel is told, by SKU.
        at: moment whose prices hold.

    Returns:
        How many listings were written.
    """
    given = {"connection_id": connection_id, "channel": channel, "currency": currency, "at": at,
             "skus": list(units), "units": list(units.values())}  # fmt: skip
    return conn.execute(_COMPARE, given).rowcount


def note_compared(conn: sa.Connection, connection_id: int, at: datetime) -> None:
    """All mapped listings were compared."""
    mine = CONNECTION_STATES.c.connection_id == connection_id
    conn.execute(sa.update(CONNECTION_STATES).where(mine).values(compared_at=at))


def offers(
    conn: sa.Connection, connection_id: int, channel: str, currency: str, at: datetime,
    after: str, most: int,
) -> list[sa.RowMapping]:  # fmt: skip
    """What a channel is offered: SKUs with a price there, in their order, from after one."""
    given = {"connection_id": connection_id, "channel": channel, "currency": currency, "at": at,
             "after": after, "most": most}  # fmt: skip
    return list(conn.execute(_OFFERS, given).mappings())


@dataclass(frozen=True, slots=True)
class ListingFilter:
    """Which listings a list shows; what is None does not matter."""

    connection_id: int | None = None
    channel: str | None = None
    sku: str | None = None
    state: str | None = None
    is_mapped: bool | None = None
    differs: str | None = None


_PRICE_DIFFERS = _L.our_price_minor != _L.live_price_minor
_UNITS_DIFFER = _L.our_units != _L.live_units
DIFFERENCES: Mapping[str, sa.ColumnElement[bool]] = {
    "price": sa.func.coalesce(_PRICE_DIFFERS, sa.false()),
    "stock": sa.func.coalesce(_UNITS_DIFFER, sa.false()),
    "any": sa.func.coalesce(_PRICE_DIFFERS, sa.false())
    | sa.func.coalesce(_UNITS_DIFFER, sa.false()),
}
"""By what a listing may differ; what one side does not say differs from nothing."""

_SHOWN = (
    _L.listing_id, _L.connection_id, CONNECTIONS.c.channel,
    *(_L[name] for name in ("channel_listing_id", "channel_sku", "title", "state", "currency",
                            "live_price_minor", "live_units", "sku", "is_mapped_by_hand",
                            "mapped_by", "our_price_minor", "our_units", "version")),
    DIFFERENCES["price"].label("has_other_price"), DIFFERENCES["stock"].label("has_other_stock"),
    CONNECTION_STATES.c.listings_read_at, CONNECTION_STATES.c.compared_at,
)  # fmt: skip


def _rows() -> sa.Select[Any]:
    return (
        sa.select(*_SHOWN)
        .join_from(LISTINGS, CONNECTIONS, CONNECTIONS.c.connection_id == _L.connection_id)
        .join(CONNECTION_STATES, CONNECTION_STATES.c.connection_id == _L.connection_id)
    )


def listed(
    conn: sa.Connection, wanted: ListingFilter, after: int, most: int
) -> list[sa.RowMapping]:
    """Listings in the order they were first seen, from after a key."""
    rows = _rows().where(_L.listing_id > after)
    columns = {"connection_id": _L.connection_id, "channel": CONNECTIONS.c.channel,
               "sku": _L.sku, "state": _L.state}  # fmt: skip
    for name, column in columns.items():
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(column == value)
    if wanted.is_mapped is not None:
        rows = rows.where(_L.sku.is_not(None) if wanted.is_mapped else _L.sku.is_(None))
    if wanted.differs is not None:
        rows = rows.where(DIFFERENCES[wanted.differs], _L.state != ListingState.GONE.value)
    return list(conn.execute(rows.order_by(_L.listing_id).limit(most)).mappings())


def find(conn: sa.Connection, listing_id: int, is_locked: bool = False) -> sa.RowMapping | None:
    """A listing, which stays as it is until the transaction ends where it is locked."""
    rows = _rows().where(_L.listing_id == listing_id)
    rows = rows.with_for_update(of=LISTINGS) if is_locked else rows
    return conn.execute(rows).mappings().one_or_none()


def set_sku(conn: sa.Connection, listing_id: int, sku: str | None, by: str, run: str) -> None:
    """Map a listing to a SKU, or to none, by a person; what was ours there is compared anew.

    Raises:
        LookupError: the catalogue has no such SKU.
    """
    known = sa.select(PRODUCTS.c.sku).where(PRODUCTS.c.sku == sku)
    if sku is not None and conn.execute(known).first() is None:
        raise LookupError(sku)
    values = {"sku": sku, "is_mapped_by_hand": True, "mapped_by": by, "our_price_minor": None,
              "our_units": None, "version": _L.version + 1, "run_id": run}  # fmt: skip
    conn.execute(sa.update(LISTINGS).where(_L.listing_id == listing_id).values(values))


def drift(conn: sa.Connection, channel: str | None) -> list[sa.RowMapping]:
    """Per connection in use: listings, those without a SKU, and those that differ from ours."""
    is_there = _L.state != ListingState.GONE.value

    def count(name: str, *conditions: sa.ColumnElement[bool]) -> sa.Label[int]:
        return sa.func.count(_L.listing_id).filter(is_there, *conditions).label(name)

    rows = (
        sa.select(
            CONNECTIONS.c.connection_id, CONNECTIONS.c.channel,
            CONNECTION_STATES.c.listings_read_at, CONNECTION_STATES.c.compared_at,
            count("listings"), count("live", _L.state == ListingState.LIVE.value),
            count("unmapped", _L.sku.is_(None)), count("other_price", DIFFERENCES["price"]),
            count("other_stock", DIFFERENCES["stock"]),
            count("oversold_risk", _L.state == ListingState.LIVE.value,
                  sa.func.coalesce(_L.live_units > _L.our_units, sa.false())),
        )
        .join_from(CONNECTIONS, CONNECTION_STATES,
                   CONNECTION_STATES.c.connection_id == CONNECTIONS.c.connection_id)
        .outerjoin(LISTINGS, _L.connection_id == CONNECTIONS.c.connection_id)
        .where(CONNECTIONS.c.state != "archived")
        .group_by(*CONNECTIONS.primary_key.columns, *CONNECTION_STATES.primary_key.columns)
        .order_by(CONNECTIONS.c.connection_id)
    )  # fmt: skip
    if channel is not None:
        rows = rows.where(CONNECTIONS.c.channel == channel)
    return list(conn.execute(rows).mappings())
