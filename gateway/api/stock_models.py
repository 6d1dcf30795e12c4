"""What the inventory part of the API takes and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, field_validator

from gateway.api.values import MOST_UNITS, Given, Moment, Name, Told, Units

MOST_ROWS = 10_000
"""Rows of a request that brings many."""

Row = TypeVar("Row", bound=Given)

CountState = Literal["equal", "posted", "needs_approval", "rejected", "refused"]


class RowsGiven(Given, Generic[Row]):
    """Several rows, taken in one transaction."""

    rows: list[Row] = Field(min_length=1, max_length=MOST_ROWS)


class PositionTold(Told):
    """Stock of a SKU over all sites."""

    sku: str
    on_hand: int
    reserved: int = Field(description="Promised to orders and holders.")
    available: int | None = Field(description="May be promised at once, as of the last refresh.")


class LevelTold(Told):
    """Stock of a SKU at a site."""

    sku: str
    site_code: str
    on_hand: int
    sold: int = Field(description="Ever shipped from here.")
    moved_at: datetime


class StepTold(Told):
    """Units that may be promised from a moment on."""

    available_at: datetime | None = Field(description="Empty at once.")
    units: int


class AvailabilityTold(Told):
    """What may be promised of a SKU, at once and by date, and what channels are told."""

    sku: str
    steps: list[StepTold]
    listed: dict[str, int] = Field(description="Units each channel is told.")


class AvailabilitiesTold(Told):
    """What may be promised of some SKUs."""

    as_of: datetime
    items: list[AvailabilityTold]


class AdjustmentGiven(Given):
    """A correction of stock."""

    sku: Name = Field(examples=["SKU-1"])
    site_code: Name = Field(examples=["N"])
    quantity: Annotated[int, Field(ge=-MOST_UNITS, le=MOST_UNITS)] = Field(
        description="Units, negative out of the site; not zero.", examples=[-2]
    )
    reference: Name = Field(
        description="Why; with SKU and site it makes the adjustment happen once.",
        examples=["breakage-2026-05-01"],
    )
    moved_at: Moment | None = Field(None, description="When it happened; now, if not given.")

    @field_validator("quantity")
    @classmethod
    def _not_zero(cls, quantity: int) -> int:
        if quantity == 0:
            raise ValueError("must not be zero")
        return quantity


Outcome = Literal[
    "posted", "repeated", "unknown_site", "unknown_sku", "contradicting_rows",
    "changed_adjustment", "negative_balance",
]  # fmt: skip


class AdjustedTold(Told):
    """What became of an adjustment."""

    row: int
    outcome: Outcome


class AdjustmentsTold(Told):
    """What became of adjustments, row by row."""

    posted: int
    repeated: int
    refused: int
    rows: list[AdjustedTold]


class CountGiven(Given):
    """Units that a person found."""

    reference: Name = Field(description="Counting session.", examples=["count-17"])
    site_code: Name
    sku: Name
    counted: Annotated[int, Field(ge=0, le=MOST_UNITS)]
    counted_at: Moment


class CountTold(Told):
    """A count beside what the ledger says was there at its moment."""

    count_id: int
    reference: str
    site_code: str
    sku: str
    counted_at: datetime
    counted: int
    expected: int
    difference: int
    tolerance: float
    state: CountState
    counted_by: str
    decided_by: str
    decided_at: datetime | None


class CountsTold(Told):
    """How many counts came to each state; those known before are in none."""

    states: dict[str, int]


class WishGiven(Given):
    """Units of a SKU to keep."""

    sku: Name
    units: Annotated[int, Field(ge=1, le=1_000_000)]


class StockHoldGiven(Given):
    """Stock to keep for a basket for a while: all of it or nothing."""

    holder: Name = Field(description="Such as the id of a basket; what it has is replaced.")
    items: list[WishGiven] = Field(min_length=1, max_length=500)
    expires_at: Moment


class StockHeldTold(Told):
    """A hold that was made."""

    holder: str
    expires_at: datetime
    units: int


class ReleasedTold(Told):
    """Units that were given back."""

    holder: str
    units: int


class StockHoldTold(Told):
    """Units of a SKU that are kept."""

    stock_hold_id: int
    holder: str
    sku: str
    units: int
    held_at: datetime
    expires_at: datetime


class ReleaseHoldGiven(Given):
    """Whose hold ends."""

    holder: Name


class TransferGiven(Given):
    """Units that leave a site for another."""

    reference: Name
    sku: Name
    from_site: Name
    to_site: Name
    quantity: Units
    sent_at: Moment
    due_at: Moment | None = None


class ArrivalGiven(Given):
    """Units of a transfer that came; the rest was lost."""

    reference: Name
    sku: Name
    from_site: Name
    to_site: Name
    arrived: Annotated[int, Field(ge=0, le=MOST_UNITS)]
    arrived_at: Moment


class TransferTold(Told):
    """A transfer; on its way while nothing has arrived."""

    transfer_id: int
    reference: str
    sku: str
    from_site: str
    to_site: str
    quantity: int
    sent_at: datetime
    due_at: datetime | None
    arrived: int | None
    arrived_at: datetime | None


class MovedTold(Told):
    """How many rows were taken, were known before, or went to the quarantine."""

    taken: int
    known: int
    parked: int


class ExpectedGiven(Given):
    """Units that were ordered from a supplier."""

    reference: Name = Field(description="Purchase order or advice; its receipt names the same.")
    sku: Name
    site_code: Name
    due_at: Moment
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)]


class ExpectedTold(Told):
    """What is to come, and what of it has come."""

    reference: str
    sku: str
    site_code: str
    due_at: datetime
    quantity: int
    received: int


class ChangedTold(Told):
    """How many rows are new or changed."""

    changed: int
