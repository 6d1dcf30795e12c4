"""Reading a WooCommerce shop: orders by the moment of their last change, products page by page.

Each request begins where the page before ended, one second earlier, and not at a page number: an
order that changes meanwhile moves to the end, and pages by number would skip the one behind it. A
sync begins some minutes before the cursor, for a shop may commit out of order; what is read twice
is taken once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from ecom_assets.exchanging import MOST_PAGES, Exchange, unreadable
from ecom_assets.marketplace import shop_orders, woocommerce
from ecom_assets.marketplace.model import ChannelTrouble, Connection, Listed, Trouble
from ecom_assets.marketplace.rules import USUAL_LISTINGS_EVERY_MINUTES
from ecom_assets.marketplace.store import listings, syncs
from ecom_assets.marketplace.store.parking import park
from ecom_assets.orders.delivery import Delivery
from ecom_assets.orders.model import Message, MessageKind
from resources.channels import ChannelsResource
from resources.outbound import Account, CallFailed, Outbound
from resources.sealing import SealingFailed

OVERLAP = timedelta(minutes=5)
CURSOR = "orders_modified_at"
_SECOND = timedelta(seconds=1)


class Shop:
    """A shop that answers questions."""

    def __init__(self, outbound: Outbound, account: Account) -> None:
        """Ask over a guarded client."""
        self._outbound, self._account, self.pages = outbound, account, 0

    def page(self, what: str, query: Mapping[str, str]) -> tuple[list[Any], int | None]:
        """A page of orders or products, and how many there are in all if the shop says so.

        Raises:
            ChannelTrouble: there is no such page, for a reason that operators understand.
        """
        self.pages += 1
        try:
            reply = self._outbound.get(f"{woocommerce.API}/{what}", query, self._account)
        except CallFailed as failed:
            raise ChannelTrouble(Trouble(failed.failure.value), str(failed)) from None
        rows = woocommerce.rows_of(reply.status, reply.headers, reply.body, what)
        total = reply.headers.get("x-wp-total", "")
        return rows, int(total) if total.isdecimal() and len(total) < 12 else None


@contextmanager
def opened(
    connection: Connection, means: ChannelsResource, deadline_s: float = 20.0
) -> Iterator[Shop]:
    """The shop of a connection.

    Raises:
        ChannelTrouble: its address or its credentials cannot be used.
    """
    try:
        secrets = means.sealing.open(connection.credentials or "")
        outbound = Outbound(connection.address, means.allowed, deadline_s)
    except SealingFailed as failed:
        raise ChannelTrouble(Trouble.CREDENTIALS_LOCKED, str(failed)) from None
    except CallFailed as failed:
        raise ChannelTrouble(Trouble(failed.failure.value), str(failed)) from None
    try:
        yield Shop(outbound, Account(secrets["consumer_key"], secrets["consumer_secret"]))
    finally:
        outbound.close()


def test(connection: Connection, means: ChannelsResource) -> str:
    """Ask for one order and one product, and say what the shop has.

    Raises:
        ChannelTrouble: it does not answer as it should.
    """
    with opened(connection, means, deadline_s=8.0) as shop:
        found = [shop.page(what, {"per_page": "1", "_fields": "id"})[1]
                 for what in ("orders", "products")]  # fmt: skip
    orders, products = ("an unknown number of" if n is None else f"{n:,}" for n in found)
    return f"the shop answers: {orders} orders and {products} products can be read"


def read(exchange: Exchange) -> None:
    """Take what changed in the shop.

    Raises:
        ChannelTrouble: the shop stopped answering; what was taken before stays.
    """
    with opened(exchange.connection, exchange.means) as shop:
        _read_orders(exchange, shop)
        every = exchange.connection.options.get("listings_every_minutes",
                                                USUAL_LISTINGS_EVERY_MINUTES)  # fmt: skip
        last = exchange.listings_read_at
        if last is None or exchange.at - last >= timedelta(minutes=every):
            _read_listings(exchange, shop)


def _read_orders(exchange: Exchange, shop: Shop) -> None:
    reached = _start(exchange)
    after, page, furthest = reached - OVERLAP, 1, reached
    while shop.pages < MOST_PAGES:
        rows, total = shop.page("orders", _asking(after, page))
        times = [at for row in rows if (at := _changed_at(row)) is not None]
        is_sorted = times == sorted(times)
        furthest = max([furthest, *times])
        has_more = len(rows) == woocommerce.PER_PAGE if total is None else (
            page * woocommerce.PER_PAGE < total)  # fmt: skip
        # Where the shop does not sort, only the end of all pages says how far it was read.
        is_safe = is_sorted or not has_more
        cursor = {**exchange.cursor, CURSOR: furthest.isoformat()} if is_safe else None
        _take(exchange, rows, cursor)
        if not has_more:
            return
        if is_sorted and times and times[-1] - _SECOND > after:
            after, page = times[-1] - _SECOND, 1
        else:
            page += 1


def _start(exchange: Exchange) -> datetime:
    given = exchange.cursor.get(CURSOR) or exchange.connection.options.get("orders_from")
    return datetime.fromisoformat(given) if given else exchange.connection.created_at


def _asking(after: datetime, page: int) -> dict[str, str]:
    return {
        "modified_after": after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "dates_are_gmt": "true", "orderby": "modified", "order": "asc", "status": "any",
        "per_page": str(woocommerce.PER_PAGE), "page": str(page),
    }  # fmt: skip


def _changed_at(row: Any) -> datetime | None:
    try:
        return woocommerce.modified_at(row)
    except woocommerce.Unreadable:
        return None


def _take(exchange: Exchange, rows: Sequence[Any], cursor: Mapping[str, Any] | None) -> None:
    key = exchange.connection.connection_id
    with exchange.database.begin() as conn:
        skus = listings.map_of(conn, key, shop_orders.listing_ids(rows))
    found = [_delivery(exchange, row, skus) for row in rows]
    told = [delivery for delivery in found if delivery is not None]
    exchange.counts["orders_passed_over"] += len(found) - len(told)
    exchange.take(told, f"channel orders {key}", cursor)


def _delivery(exchange: Exchange, row: Any, skus: Mapping[str, str]) -> Delivery | None:
    channel = exchange.connection.channel
    number = 0
    try:
        number = woocommerce.id_of(row)
        order = shop_orders.order_of(row, channel, skus)
    except woocommerce.Unreadable as wrong:
        return unreadable(number, str(wrong), row)
    if order.payload is None:
        return None
    # What changed before orders are taken from here on is no business of ours.
    if order.modified_at < _from(exchange):
        return None
    kind = MessageKind.CANCELLATION if order.is_cancelled else MessageKind.ORDER
    message = Message(channel, order.external_id, order.modified_at, order.payload, kind)
    return Delivery(number, message, row=row)


def _from(exchange: Exchange) -> datetime:
    given = exchange.connection.options.get("orders_from")
    return datetime.fromisoformat(given) if given else exchange.connection.created_at


def _read_listings(exchange: Exchange, shop: Shop) -> None:
    """Read all products; what a whole reading does not show is gone."""
    seen: set[str] = set()
    products = bad = 0
    total: int | None = None
    for page in range(1, MOST_PAGES):
        query = {"per_page": str(woocommerce.PER_PAGE), "page": str(page), "orderby": "id",
                 "order": "asc", "_fields": ",".join(woocommerce.PRODUCT_FIELDS)}  # fmt: skip
        rows, total = shop.page("products", query)
        products += len(rows)
        listed, faults = _listed(exchange, shop, rows)
        seen |= {row.channel_listing_id for row in listed} | {key for _, _, key in faults if key}
        bad += sum(not key for _, _, key in faults)
        _keep(exchange, listed, faults)
        if len(rows) < woocommerce.PER_PAGE:
            break
    # Half a list, or one with rows that nobody can name, says nothing about what is missing in it.
    is_whole = not bad and (total is None or products >= total)
    key = exchange.connection.connection_id
    with exchange.database.begin() as conn:
        syncs.go_on(conn, key, exchange.run)
        if is_whole:
            gone = listings.end_unseen(conn, key, seen, exchange.run)
            exchange.counts["listings_gone"] += gone
        syncs.note_read(conn, key, exchange.at)


_Faults = list[tuple[Any, str, str]]
"""Rows that cannot be read, each with what is wrong and its id, if that can be read."""


def _listed(exchange: Exchange, shop: Shop, rows: Sequence[Any]) -> tuple[list[Listed], _Faults]:
    listed: list[Listed] = []
    faults: _Faults = []
    for row in rows:
        variants = _variations(shop, row["id"]) if woocommerce.has_variations(row) else [row]
        parent = row if woocommerce.has_variations(row) else None
        for each in variants:
            try:
                listed.append(woocommerce.listing_of(each, exchange.connection.currency, parent))
            except woocommerce.Unreadable as wrong:
                faults.append((each, str(wrong), _named(each, parent)))
    return listed, faults


def _named(row: Any, parent: Mapping[str, Any] | None) -> str:
    try:
        own = str(woocommerce.id_of(row))
    except woocommerce.Unreadable:
        return ""
    return f"{parent['id']}/{own}" if parent else own


def _variations(shop: Shop, product_id: int) -> list[Any]:
    found: list[Any] = []
    for page in range(1, MOST_PAGES):
        rows, _ = shop.page(f"products/{product_id}/variations",
                            {"per_page": str(woocommerce.PER_PAGE), "page": str(page)})  # fmt: skip
        found += rows
        if len(rows) < woocommerce.PER_PAGE:
            break
    return found


def _keep(exchange: Exchange, listed: Sequence[Listed], faults: _Faults) -> None:
    key, connection = exchange.connection.connection_id, exchange.connection
    with exchange.database.begin() as conn:
        syncs.go_on(conn, key, exchange.run)
        done = listings.take(conn, key, connection.currency, listed, exchange.run)
        bad = [(row, why) for row, why, _ in faults]
        parked = park(conn, f"channel listings {key}", bad, exchange.run)
    exchange.counts.update(listings_read=len(listed), listings_new=done["added"],
                           listings_changed=done["changed"], parked=parked)  # fmt: skip
