"""Connections, composed: tested at once, synced by runs, what is live compared with ours.

Areas do not import each other, so what takes the marketplace, the intake of orders and the stock is
put together here, and in `shop_reading` and `file_exchange` for the kinds. The other side is asked
outside of transactions; what it said is taken in one, together with the cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from ecom_assets import file_exchange, shop_reading
from ecom_assets.exchanging import Exchange
from ecom_assets.inventory.store import listed_units
from ecom_assets.marketplace.model import ChannelTrouble, Connection, Kind, SyncState, Trouble
from ecom_assets.marketplace.store import connections, listings, syncs
from resources.channels import ChannelsResource
from resources.database import DatabaseResource
from resources.sealing import SealingFailed

PORTION = 2_000
"""SKUs that are compared in one transaction."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test found.

    Attributes:
        trouble: what is wrong; None if nothing is.
        text: the same, or what is there, for operators.
    """

    trouble: Trouble | None
    text: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a sync.

    Attributes:
        state: done or failed; None where there was nothing to begin.
        counts: what was read, taken, parked and written.
        trouble: what went wrong; None if nothing did.
        text: the same for operators.
    """

    state: SyncState | None
    counts: Mapping[str, int] = field(default_factory=dict)
    trouble: Trouble | None = None
    text: str = ""


_TESTS: Mapping[Kind, Callable[[Connection, ChannelsResource], str]] = {
    Kind.FILE_FEED: file_exchange.test,
    Kind.WOOCOMMERCE: shop_reading.test,
}


def test(connection: Connection, means: ChannelsResource) -> Tested:
    """Try a connection now, within seconds and outside of any transaction; changes nothing here."""
    try:
        return Tested(None, _TESTS[connection.kind](connection, means))
    except ChannelTrouble as found:
        return Tested(found.trouble, str(found))


def _now() -> datetime:
    return datetime.now(UTC)


def sync(
    database: DatabaseResource, means: ChannelsResource, connection_id: int, at: datetime, run: str,
    clock: Callable[[], datetime] = _now,
) -> Synced:  # fmt: skip
    """Sync a connection, unless another run does.

    Args:
        database: the shop's database.
        means: how channels are reached.
        connection_id: which connection.
        at: business moment: whose prices and stock hold.
        run: run that does it.
        clock: the wall clock, for ends and pauses.
    """
    with database.begin() as conn:
        connection = connections.usable(conn, connection_id)
        begun = syncs.begin(conn, connection_id, at, run) if connection else None
    if connection is None or begun is None:
        return Synced(None, text="it is archived, paused, or synced by another run")
    sync_id, cursor, read_at = begun
    current = Exchange(database, means, connection, run, at, cursor, read_at)
    try:
        _renew_seal(current)
        _exchange(current, clock)
        compare(database, connection, at, run)
    except ChannelTrouble as trouble:
        with database.begin() as conn:
            syncs.end_badly(conn, connection_id, sync_id, run, clock(), current.counts, trouble)
        return Synced(SyncState.FAILED, current.counts, trouble.trouble, str(trouble))
    with database.begin() as conn:
        syncs.end_well(conn, connection_id, sync_id, run, at, clock(), current.counts)
    return Synced(SyncState.DONE, current.counts)


def _exchange(current: Exchange, clock: Callable[[], datetime]) -> None:
    if current.connection.kind is Kind.FILE_FEED:
        file_exchange.exchange(current, clock())
    else:
        shop_reading.read(current)


def _renew_seal(current: Exchange) -> None:
    """Seal credentials by the newest key, so that older ones can go."""
    sealed, key = current.connection.credentials, current.connection.connection_id
    if sealed is None:
        return
    try:
        renewed = current.means.sealing.resealed(sealed)
    except SealingFailed as failed:
        raise ChannelTrouble(Trouble.CREDENTIALS_LOCKED, str(failed)) from None
    if renewed is not None:
        with current.database.begin() as conn:
            connections.reseal(conn, key, sealed, renewed)


def compare(database: DatabaseResource, connection: Connection, at: datetime, run: str) -> int:
    """Compare all mapped listings of a connection with our prices and stock.

    Returns:
        How many listings say something new of ours.
    """
    key, after, written = connection.connection_id, "", Counter[str]()
    while True:
        with database.begin() as conn:
            syncs.go_on(conn, key, run)
            skus = listings.mapped_skus(conn, key, after, PORTION)
            if not skus:
                listings.note_compared(conn, key, at)
                return written["listings"]
            written["listings"] += compare_some(conn, connection, skus, at)
        after = skus[-1]


def compare_some(conn: sa.Connection, connection: Connection, skus: list[str], at: datetime) -> int:
    """Compare the listings of some SKUs, as after they were mapped."""
    units = listed_units(conn, skus, connection.channel, at)
    return listings.compare(
        conn, connection.connection_id, connection.channel, connection.currency, units, at
    )
