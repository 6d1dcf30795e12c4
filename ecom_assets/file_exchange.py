"""Exchanging files with a channel: orders come in below `orders`, offers go out beside it.

    <folder of channels>/<address>/orders/*.jsonl    orders, also *.csv: taken, then moved to
    <folder of channels>/<address>/orders/taken/
    <folder of channels>/<address>/offers.csv        prices and stock, replaced when whole

A file is known by its content, which is noted in the transaction that takes it: one that a killed
run took and did not move is moved by the next one, and takes nothing twice.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

import sqlalchemy as sa

from ecom_assets.exchanging import Exchange, unreadable
from ecom_assets.inventory.store import listed_units
from ecom_assets.marketplace.model import ChannelTrouble, Connection, Trouble
from ecom_assets.marketplace.order_files import OFFER_COLUMNS, OFFERS, offer_row, read_orders
from ecom_assets.marketplace.store import listings, syncs
from ecom_assets.orders.delivery import Delivery
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.model import Message
from resources.channels import ChannelsResource
from resources.folders import Folder, FolderUnusable, Found, opened

SETTLED_S = 5.0
"""A file written later than so long ago may still be written to."""

MOST_FILES = 200
"""Files that one sync takes."""

MOST_FILE_BYTES = 500_000_000
_PORTION = 2_000
_LINE_BYTES = 8_000_000


@contextmanager
def _folder(connection: Connection, means: ChannelsResource, *below: str) -> Iterator[Folder]:
    if means.root is None:
        said = "the server has no folder of channels; its admin sets ECOM_CHANNEL_FOLDERS"
        raise ChannelTrouble(Trouble.FOLDER_UNUSABLE, said)
    try:
        with opened(means.root, "/".join((connection.address, *below))) as folder:
            yield folder
    except FolderUnusable as error:
        raise ChannelTrouble(Trouble.FOLDER_UNUSABLE, str(error)) from None


def test(connection: Connection, means: ChannelsResource) -> str:
    """Read and write the folders, and say what waits there.

    Raises:
        ChannelTrouble: they cannot be used.
    """
    with _folder(connection, means) as folder:
        folder.check_writable()
    with _folder(connection, means, "orders") as orders:
        orders.check_writable()
        waiting = len(orders.files((".jsonl", ".csv")))
    return f"the folder can be read and written; {waiting:,} order files wait in it"


def exchange(current: Exchange, now: datetime) -> None:
    """Take order files, then write offers.

    Args:
        current: the sync.
        now: the wall clock, which only tells whether a file is still being written.

    Raises:
        ChannelTrouble: the folder cannot be used.
    """
    connection, means = current.connection, current.means
    with (
        _folder(connection, means, "orders") as orders,
        _folder(connection, means, "orders", "taken") as taken,
    ):
        for file in _settled(orders, now)[:MOST_FILES]:
            _take(current, orders, file)
            orders.move(file.name, taken)
    with _folder(connection, means) as folder:
        current.counts["offers_written"] = _write_offers(current, folder)


def _settled(orders: Folder, now: datetime) -> list[Found]:
    found = orders.files((".jsonl", ".csv"))
    return [file for file in found if file.written_at < now.timestamp() - SETTLED_S]


def _take(current: Exchange, orders: Folder, file: Found) -> None:
    key = current.connection.connection_id
    if file.size > MOST_FILE_BYTES:
        said = f"{file.name} is larger than {MOST_FILE_BYTES:,} bytes; split it"
        raise ChannelTrouble(Trouble.TOO_LARGE, said)
    with orders.reading(file.name) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        with current.database.begin() as conn:
            is_known = bool(syncs.known_files(conn, key, [digest]))
        if is_known:
            current.counts["files_known"] += 1
            return
        content.seek(0)
        arrived = datetime.fromtimestamp(file.written_at, UTC)
        read = _lines if file.name.lower().endswith(".jsonl") else _table
        rows = read(content, current.connection.channel, arrived)
        named = {"digest": digest, "name": _plain(file.name)}
        current.take(rows, f"channel file {key}/{_plain(file.name)}", None, named)
    current.counts["files_taken"] += 1


def _plain(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:200]


def _lines(content: IO[bytes], channel: str, arrived: datetime) -> Iterator[Delivery]:
    number = 0
    while line := content.readline(_LINE_BYTES):
        number += 1
        kept = line
        # The rest of a line that no message needs is passed over, so that it fits the memory.
        while line and not line.endswith(b"\n"):
            line = content.readline(_LINE_BYTES)
        if kept.strip():
            yield _own(read_envelope(kept.rstrip(b"\r\n"), number, arrived), channel)


def _own(row: Delivery, channel: str) -> Delivery:
    """A connection brings messages of its own channel only."""
    if row.message is None or row.message.channel == channel:
        return row
    return unreadable(row.number, f"channel must be {channel} in this folder", row.row)


def _table(content: IO[bytes], channel: str, arrived: datetime) -> Iterator[Delivery]:
    for row in read_orders(content):
        if row.envelope is None:
            yield unreadable(row.number, row.fault, row.row)
            continue
        given = row.envelope.get("received_at")
        try:
            at = datetime.fromisoformat(given) if given else arrived
        except ValueError:
            yield unreadable(row.number, "received_at must be a moment with an offset", row.row)
            continue
        message = Message(channel, row.envelope["external_id"], at, row.envelope["payload"])
        yield Delivery(row.number, message, row=row.row)


def _write_offers(current: Exchange, folder: Folder) -> int:
    """Write what the channel is offered; it sees the old file or the new one, whole."""
    written, after = 0, ""
    with folder.replacing(OFFERS) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        table = csv.writer(text)
        table.writerow(OFFER_COLUMNS)
        while skus := _offers(current, after):
            table.writerows(skus.values())
            # The last by the database's order, which need not be Python's.
            written, after = written + len(skus), list(skus)[-1]
        text.detach()
    return written


def _offers(current: Exchange, after: str) -> dict[str, list[str]]:
    connection = current.connection
    key, channel, currency = connection.connection_id, connection.channel, connection.currency
    with current.database.begin() as conn:
        syncs.go_on(conn, key, current.run)
        found = listings.offers(conn, key, channel, currency, current.at, after, _PORTION)
        units = _units(conn, [row["sku"] for row in found], channel, current.at)
    return {
        row["sku"]: offer_row(
            row["channel_listing_id"], row["sku"], row["price_minor"], currency, units[row["sku"]]
        )
        for row in found
    }


def _units(conn: sa.Connection, skus: list[str], channel: str, at: datetime) -> dict[str, int]:
    return listed_units(conn, skus, channel, at) if skus else {}
