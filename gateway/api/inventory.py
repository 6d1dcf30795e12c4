"""Stock: what is there, what may be promised, what channels are told."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query

from ecom_assets.backoffice.roles import Right
from ecom_assets.inventory.store import available, listed_units, listing
from gateway.api.calls import Call, needs
from gateway.api.cursors import (
    BY_KEY,
    BY_NAME,
    BY_NAMES,
    BY_THREE_NAMES,
    Cursor,
    Limit,
    Page,
    paging,
)
from gateway.api.faults import unfit
from gateway.api.stock_models import (
    AvailabilitiesTold,
    AvailabilityTold,
    CountState,
    CountTold,
    ExpectedTold,
    LevelTold,
    PositionTold,
    StepTold,
    StockHoldTold,
    TransferTold,
)
from gateway.api.values import Name, Wanted

ROUTER = APIRouter(prefix="/inventory", tags=["inventory"])

Reader = Annotated[Call, needs(Right.READ, "inventory")]
Skus = Annotated[list[Name], Query(min_length=1, max_length=100, description="May be repeated.")]
Channels = Annotated[
    list[Name] | None,
    Query(max_length=20, description="Those with a buffer of their own, if none is given."),
]


@ROUTER.get("/positions", summary="List stock per SKU", response_model=Page[PositionTold])
def list_positions(
    call: Reader, sku: Wanted = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """Over all sites, by SKU."""
    asked = paging(limit, cursor, BY_NAME, "positions", sku)
    rows = call.read(lambda conn: listing.positions(conn, sku, asked.after, limit + 1))
    return asked.page(rows, lambda row: PositionTold(**row), ("sku",))


@ROUTER.get("/levels", summary="List stock per SKU and site", response_model=Page[LevelTold])
def list_levels(
    call: Reader, sku: Wanted = None, site_code: Wanted = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By SKU and site."""
    asked = paging(limit, cursor, BY_NAMES, "levels", sku, site_code)
    rows = call.read(lambda conn: listing.levels(conn, sku, site_code, asked.after, limit + 1))
    return asked.page(rows, lambda row: LevelTold(**row), ("sku", "site_code"))


@ROUTER.get("/availability", summary="Show what may be promised",
            response_model=AvailabilitiesTold)  # fmt: skip
def show_availability(call: Reader, sku: Skus, channel: Channels = None) -> Any:
    """At once and by date, kits included, right to the moment; and what each channel is told."""

    def work(conn: sa.Connection) -> list[AvailabilityTold]:
        if unknown := sorted(listing.unknown_skus(conn, sku)):
            raise unfit("sku", "unknown_sku", f"the catalogue does not know {unknown[0]}")
        told = {
            name: listed_units(conn, sku, name, call.at)
            for name in channel or listing.channels(conn)
        }
        return [
            AvailabilityTold(
                sku=each, steps=[_step(step) for step in steps],
                listed={name: units[each] for name, units in told.items()},
            )
            for each, steps in available(conn, sku, call.at).items()
        ]  # fmt: skip

    return AvailabilitiesTold(as_of=call.at, items=call.read(work))


def _step(step: Any) -> StepTold:
    return StepTold(available_at=step.available_at, units=step.units)


@ROUTER.get("/counts", summary="List counts", response_model=Page[CountTold])
def list_counts(
    call: Reader, state: CountState | None = None, site_code: Wanted = None,
    reference: Wanted = None, limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """In the order they came; those that need an approval wait for a person."""
    asked = paging(limit, cursor, BY_KEY, "counts", state, site_code, reference)
    rows = call.read(
        lambda conn: listing.counts(conn, state, site_code, reference, asked.after, limit + 1)
    )
    return asked.page(rows, lambda row: CountTold(**row), ("count_id",))


@ROUTER.get("/holds", summary="List stock that is kept", response_model=Page[StockHoldTold])
def list_holds(
    call: Reader, holder: Wanted = None, sku: Wanted = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """For baskets and other holders, in the order it was kept."""
    asked = paging(limit, cursor, BY_KEY, "stock_holds", holder, sku)
    rows = call.read(lambda conn: listing.holds(conn, holder, sku, asked.after, limit + 1))
    return asked.page(rows, lambda row: StockHoldTold(**row), ("stock_hold_id",))


@ROUTER.get("/transfers", summary="List transfers", response_model=Page[TransferTold])
def list_transfers(
    call: Reader, reference: Wanted = None, is_in_transit: bool | None = None,
    limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """In the order they were told."""
    asked = paging(limit, cursor, BY_KEY, "transfers", reference, is_in_transit)
    rows = call.read(
        lambda conn: listing.transfers(conn, reference, is_in_transit, asked.after, limit + 1)
    )
    return asked.page(rows, lambda row: TransferTold(**row), ("transfer_id",))


@ROUTER.get("/expected-receipts", summary="List what is to come",
            response_model=Page[ExpectedTold])  # fmt: skip
def list_expected(
    call: Reader, sku: Wanted = None, site_code: Wanted = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By reference, SKU and site."""
    asked = paging(limit, cursor, BY_THREE_NAMES, "expected", sku, site_code)
    rows = call.read(lambda conn: listing.expected(conn, sku, site_code, asked.after, limit + 1))
    return asked.page(rows, lambda row: ExpectedTold(**row), ("reference", "sku", "site_code"))
