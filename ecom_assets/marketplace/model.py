"""Connections to channels: their kinds, what each kind can do, and what may go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """By what a channel is reached."""

    FILE_FEED = "file_feed"
    WOOCOMMERCE = "woocommerce"


class Capability(StrEnum):
    """What a kind of connection can do."""

    ORDERS_IN = "orders_in"
    CANCELLATIONS_IN = "cancellations_in"
    LISTINGS_IN = "listings_in"
    PRICES_OUT = "prices_out"
    STOCK_OUT = "stock_out"


class ConnectionState(StrEnum):
    """Whether a connection is used."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


class Health(StrEnum):
    """How a connection does; `never_synced` until its first sync has ended."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"
    NEVER_SYNCED = "never_synced"
    NOT_USED = "not_used"


class SyncState(StrEnum):
    """What became of a sync."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


class ListingState(StrEnum):
    """Whether customers see a listing."""

    LIVE = "live"
    HIDDEN = "hidden"
    GONE = "gone"


class Trouble(StrEnum):
    """Why a channel could not be read or written."""

    ADDRESS_REFUSED = "address_refused"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    CREDENTIALS_REFUSED = "credentials_refused"
    CREDENTIALS_LOCKED = "credentials_locked"
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    REQUEST_REFUSED = "request_refused"
    NOT_UNDERSTOOD = "not_understood"
    FOLDER_UNUSABLE = "folder_unusable"
    TAKEN_OVER = "taken_over"


class ChannelTrouble(Exception):
    """A channel could not be read or written; the message is for operators, without secrets."""

    def __init__(self, trouble: Trouble, text: str, wait_s: int = 0) -> None:
        """Say what is wrong.

        Args:
            trouble: as a code.
            text: as a sentence that says what to do.
            wait_s: seconds that the channel wants to be left alone.
        """
        super().__init__(text)
        self.trouble, self.wait_s = trouble, wait_s


class ConnectionRefused(ValueError):
    """A connection cannot be so; names the member."""

    def __init__(self, member: str, message: str) -> None:
        """Say which member is wrong, and how."""
        super().__init__(message)
        self.member = member


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of connection as people configure it.

    Attributes:
        kind: the kind.
        about: one sentence for people.
        capabilities: what it can do.
        address: what the address of such a connection is.
        credentials: secrets it needs, by name, with where to find them.
        options: further settings, by name, with what they are.
    """

    kind: Kind
    about: str
    capabilities: tuple[Capability, ...]
    address: str
    credentials: Mapping[str, str]
    options: Mapping[str, str]


_OPTIONS = {
    "currency": "ISO 4217 code of the channel's prices, such as EUR; must be there",
    "sync_every_minutes": "minutes between two syncs, 0 to 1440; 0: only when asked for; 10",
}
FORMS: Mapping[Kind, Form] = {
    Kind.FILE_FEED: Form(
        Kind.FILE_FEED,
        "A folder on the server: order files come in, a file with prices and stock goes out.",
        (Capability.ORDERS_IN, Capability.CANCELLATIONS_IN, Capability.PRICES_OUT,
         Capability.STOCK_OUT),
        "name of the folder below the server's folder of channels, such as outlet or eu/outlet",
        {},
        _OPTIONS,
    ),
    Kind.WOOCOMMERCE: Form(
        Kind.WOOCOMMERCE,
        "A WooCommerce shop, by its REST API v3 over HTTPS.",
        (Capability.ORDERS_IN, Capability.CANCELLATIONS_IN, Capability.LISTINGS_IN),
        "address of the shop, such as https://shop.example.com",
        {"consumer_key": "WooCommerce, Settings, Advanced, REST API: begins with ck_",
         "consumer_secret": "shown once beside it: begins with cs_"},
        _OPTIONS
        | {
            "orders_from": "moment from which orders are taken, ISO 8601 with an offset; by default"
            " when the connection was made, so that nothing ships twice",
            "listings_every_minutes": "minutes between two readings of all products, 5 to 1440; 60",
        },
    ),
}  # fmt: skip
"""Every kind there is."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as a sync or a test needs it.

    Attributes:
        connection_id: its key.
        name: what people call it.
        channel: sales channel, as orders name it.
        kind: by what the channel is reached.
        address: where.
        options: further settings.
        credentials: secrets, sealed; None where there are none.
        created_at: when it was made.
    """

    connection_id: int
    name: str
    channel: str
    kind: Kind
    address: str
    options: Mapping[str, Any]
    credentials: str | None = field(repr=False)
    created_at: datetime

    @property
    def currency(self) -> str:
        """ISO 4217 code of the channel's prices."""
        return str(self.options["currency"])


@dataclass(frozen=True, slots=True)
class Listed:
    """Something that is on a channel.

    Attributes:
        channel_listing_id: the channel's own id; a variant's has its product's before it.
        channel_sku: SKU as the channel has it; empty where it has none.
        title: name that customers read.
        state: whether customers see it.
        price_minor: live price in the connection's currency; None where there is none.
        units: live stock; None where the channel does not count it.
    """

    channel_listing_id: str
    channel_sku: str
    title: str
    state: ListingState
    price_minor: int | None
    units: int | None
