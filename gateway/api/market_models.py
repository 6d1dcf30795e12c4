"""What requests and answers about connections to channels and their listings hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue

from ecom_assets.marketplace.model import Capability, Health, Kind, ListingState, SyncState, Trouble
from gateway.api.values import Given, Name, Told

Address = Annotated[
    str,
    Field(min_length=1, max_length=500, examples=["https://shop.example.com", "eu/outlet"],
          description="By kind: the shop's address, https only, or the folder below the server's"
          " folder of channels."),
]  # fmt: skip


def _no_nul(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        if "\x00" in name or (isinstance(value, str) and "\x00" in value):
            raise ValueError("must not hold NUL")
    return values


Options = Annotated[
    dict[Annotated[str, Field(max_length=100)], str | int],
    Field(max_length=20, examples=[{"currency": "EUR", "sync_every_minutes": 10}],
          description="Settings that are no secrets; GET /marketplace/kinds has them by kind."),
    AfterValidator(_no_nul),
]  # fmt: skip
Credentials = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=500)]],
    Field(max_length=10, examples=[{"consumer_key": "ck_...", "consumer_secret": "cs_..."}],
          description="Secrets of the channel. They are sealed, and no answer shows them."),
]  # fmt: skip


class KindTold(Told):
    """A kind of connection."""

    kind: Kind
    about: str
    capabilities: list[Capability] = Field(description="What connections of this kind can do.")
    address: str = Field(description="What the address of such a connection is.")
    credentials: dict[str, str] = Field(description="Secrets it needs, and where to find them.")
    options: dict[str, str] = Field(description="Settings it knows.")
    problem: str = Field(description="Why none can be made now; empty if one can.")


class ConnectionGiven(Given):
    """A new connection."""

    name: Name = Field(description="What people call it; no two in use have the same.")
    channel: Name = Field(description="Sales channel as orders name it; one connection each.")
    kind: Kind = Field(strict=False)
    address: Address
    options: Options
    credentials: Credentials | None = None


class ConnectionChangeGiven(Given):
    """What shall change; what is left out stays. Options are given whole."""

    name: Name | None = None
    address: Address | None = Field(
        default=None, description="Of a connection with credentials, together with them only."
    )
    options: Options | None = None
    credentials: Credentials | None = None
    state: Literal["active", "paused"] | None = None


class SyncTold(Told):
    """A sync."""

    sync_id: int
    begun_at: datetime = Field(description="Business moment: whose prices and stock hold.")
    ended_at: datetime | None
    state: SyncState
    counts: dict[str, int] = Field(
        description="orders_read, orders_new, orders_repeated, orders_passed_over, parked,"
        " listings_read, listings_new, listings_changed, listings_gone, files_taken,"
        " offers_written; those that are not there are 0."
    )
    trouble: Trouble | None = Field(description="Why it failed, for programs.")
    trouble_text: str = Field(description="Why it failed, for people.")
    run_id: str = Field(description="Run in Dagster's UI.")


class ConnectionTold(Told):
    """A connection and how it does."""

    connection_id: int
    name: str
    channel: str
    kind: Kind
    address: str
    options: dict[str, JsonValue]
    capabilities: list[Capability]
    has_credentials: bool
    credentials_set_at: datetime | None
    state: Literal["active", "paused", "archived"]
    created_by: str
    created_at: datetime
    health: Health = Field(
        description="ok; degraded: the last sync failed or parked rows; failing: three in a row"
        " failed, or only a person can mend it."
    )
    tested_at: datetime | None
    test_trouble: Trouble | None
    test_text: str
    sync_wanted_at: datetime | None = Field(description="Asked for, and not begun yet.")
    is_syncing: bool
    sync_begun_at: datetime | None
    synced_at: datetime | None = Field(description="Beginning of the last sync that ended well.")
    cursor: dict[str, JsonValue] = Field(description="How far the channel was read.")
    trouble: Trouble | None
    trouble_text: str = Field(description="Why the last sync failed; empty if it did not.")
    failures: int = Field(description="Syncs in a row that failed.")
    parked: int = Field(description="Rows that the last sync parked; see /quarantine.")
    not_before_at: datetime | None = Field(description="When it is tried again after a failure.")
    listings_read_at: datetime | None
    compared_at: datetime | None


class ConnectionShownTold(Told):
    """A connection with its latest syncs."""

    connection: ConnectionTold
    syncs: list[SyncTold] = Field(description="The newest first, ten at most.")


class TestedTold(Told):
    """What a test found."""

    outcome: Literal["ok", "failed"]
    trouble: Trouble | None = Field(description="What is wrong, for programs.")
    text: str = Field(description="What is there, or what is wrong and what to do.")
    tested_at: datetime


class SyncWantedTold(Told):
    """A sync that will be begun."""

    wanted_at: datetime
    look_at: str = Field(description="Where its state will be.")


class ListingTold(Told):
    """A listing beside what is ours."""

    listing_id: int
    connection_id: int
    channel: str
    channel_listing_id: str = Field(
        description="The channel's own id; of a variant product/variation.", examples=["794/795"]
    )
    channel_sku: str = Field(description="SKU as the channel has it; empty where it has none.")
    title: str
    state: ListingState
    currency: str = Field(description="ISO 4217 code of both prices.")
    live_price_minor: int | None = Field(description="Price there, in minor units.")
    live_units: int | None = Field(description="Stock there; null where the channel counts none.")
    sku: str | None = Field(description="Our SKU; null while it is not mapped.")
    is_mapped_by_hand: bool = Field(description="Then no sync maps or unmaps it.")
    mapped_by: str | None
    our_price_minor: int | None = Field(description="Our price, as of compared_at.")
    our_units: int | None = Field(description="Units we would tell, as of compared_at.")
    has_other_price: bool
    has_other_stock: bool
    listings_read_at: datetime | None = Field(description="When the channel was read whole.")
    compared_at: datetime | None = Field(description="When all were compared with ours.")


class MappingGiven(Given):
    """Whose a listing is."""

    sku: Name = Field(description="SKU of the catalogue.")


class DriftTold(Told):
    """What is live on a channel and is not ours."""

    connection_id: int
    channel: str
    listings_read_at: datetime | None
    compared_at: datetime | None
    listings: int = Field(description="Listings that are not gone.")
    live: int = Field(description="Those that customers see.")
    unmapped: int = Field(description="Those without a SKU of ours.")
    other_price: int
    other_stock: int
    oversold_risk: int = Field(description="Live ones that show more units than we have.")


class DriftsTold(Told):
    """The drift of each connection in use."""

    items: list[DriftTold]
