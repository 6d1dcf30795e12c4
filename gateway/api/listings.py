"""Listings: what is on the channels, whose SKU it is, and where it is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from starlette.responses import Response

from ecom_assets.backoffice.store import audit
from ecom_assets.connecting import compare_some
from ecom_assets.marketplace.model import ListingState
from ecom_assets.marketplace.store import connections
from ecom_assets.marketplace.store import listings as store
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch
from gateway.api.connection_work import Operator
from gateway.api.connections import Reader
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.market_models import DriftsTold, DriftTold, ListingTold, MappingGiven
from gateway.api.values import MOST_BIGINT, Key, Wanted

ROUTER = APIRouter(prefix="/marketplace", tags=["marketplace"])

ConnectionKey = Annotated[int | None, Query(ge=1, le=MOST_BIGINT)]
Differs = Annotated[
    Literal["price", "stock", "any"] | None,
    Query(description="Those that differ from ours in it; what is gone differs in nothing."),
]
Mapped = Annotated[bool | None, Query(description="true: with a SKU of ours; false: without.")]


@ROUTER.get("/listings", summary="List listings", response_model=Page[ListingTold])
def list_listings(
    call: Reader, connection_id: ConnectionKey = None, channel: Wanted = None,
    sku: Wanted = None, state: ListingState | None = None, is_mapped: Mapped = None,
    differs: Differs = None, limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """In the order they were first seen, beside our price and stock as they were compared."""
    wanted = store.ListingFilter(connection_id, channel, sku, state, is_mapped, differs)
    asked = paging(limit, cursor, BY_KEY, "listings", wanted)
    after = asked.after[0] if asked.after else 0
    rows = call.read(lambda conn: store.listed(conn, wanted, after, limit + 1))
    return asked.page(rows, _told, ("listing_id",))


def _told(row: Mapping[Any, Any]) -> ListingTold:
    return ListingTold(**{name: row[name] for name in ListingTold.model_fields})


@ROUTER.get("/listings/{listing_id}", summary="Show a listing", response_model=ListingTold)
def show_listing(call: Reader, listing_id: Key) -> Response:
    """Its ETag is what mapping it needs."""
    row = call.read(lambda conn: store.find(conn, listing_id))
    answer = _answered(_there(row, listing_id))
    return sent(200, answer.headers, answer.body())


def _there(row: sa.RowMapping | None, listing_id: int) -> sa.RowMapping:
    if row is None:
        raise missing(f"listing {listing_id}")
    return row


def _answered(row: sa.RowMapping) -> Answer:
    return Answer(_told(row), headers={"ETag": _tag(row)})


def _tag(row: Mapping[Any, Any]) -> str:
    return tag_of("listing", dict(row))


@ROUTER.put("/listings/{listing_id}/sku", summary="Map a listing", response_model=ListingTold)
def map_listing(
    call: Operator, listing_id: Key, given: MappingGiven, if_match: IfMatch = None
) -> Response:
    """To a SKU of the catalogue; syncs leave it so. Orders of it are taken as that SKU."""
    return _mapped(call, listing_id, given.sku, if_match)


@ROUTER.delete("/listings/{listing_id}/sku", summary="Unmap a listing",
               response_model=ListingTold)  # fmt: skip
def unmap_listing(call: Operator, listing_id: Key, if_match: IfMatch = None) -> Response:
    """It is none of ours, and syncs leave it so."""
    return _mapped(call, listing_id, None, if_match)


def _mapped(call: Call, listing_id: int, sku: str | None, if_match: str | None) -> Response:
    def work(conn: sa.Connection) -> Answer:
        row = _there(store.find(conn, listing_id, is_locked=True), listing_id)
        require_match(if_match, _tag(row))
        connection = connections.usable(conn, row["connection_id"])
        if connection is None:
            raise Fault(409, "archived", "the connection of this listing is archived")
        try:
            store.set_sku(conn, listing_id, sku, call.principal.name, call.run)
        except LookupError:
            said = f"the catalogue does not know {sku}"
            raise unfit("sku", "unknown_sku", said) from None
        if sku is not None:
            compare_some(conn, connection, [sku], call.at)
        audit.record(conn, call.actor, "map_listing", f"listing/{listing_id}",
                     after={"sku": sku, "before": row["sku"]})  # fmt: skip
        return _answered(_there(store.find(conn, listing_id), listing_id))

    return call.write(work)


@ROUTER.get("/drift", summary="Show what is live and not ours", response_model=DriftsTold)
def show_drift(call: Reader, channel: Wanted = None) -> Any:
    """Per connection in use, as of its last comparison."""
    rows = call.read(lambda conn: store.drift(conn, channel))
    items = [DriftTold(**{name: row[name] for name in DriftTold.model_fields}) for row in rows]
    return DriftsTold(items=items)
