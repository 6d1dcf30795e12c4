"""What a caller brings to the inbox, what shall become of bad rows, and what became of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from ecom_assets.orders.model import Message


class Policy(StrEnum):
    """What happens to rows that cannot be used.

    PARK keeps everything: the inbox takes what it can hold, and the acceptance parks what it cannot
    use; what the inbox cannot hold goes to the quarantine at once. REJECT_ROW takes the good rows
    and names the bad ones. REJECT_BATCH takes nothing if one row is bad.
    """

    PARK = "park"
    REJECT_ROW = "reject_row"
    REJECT_BATCH = "reject_batch"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row as a caller brings it.

    Attributes:
        number: number of the row in its source, such as a line number or an offset.
        message: the message in the row, or None if there is none to find.
        fault: where there is no message, why, as `problem: detail`.
        row: the row as it came, for people to look at where it cannot be stored.
    """

    number: int
    message: Message | None
    fault: str | None = None
    row: object = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row was not taken.

    Attributes:
        row: number of the row in its source.
        field: what is wrong in it, such as `payload.lines` or `line 2: quantity`.
        reason: a code such as bad_line.
        detail: the whole sentence.
    """

    row: int
    field: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of the rows of a delivery; every row is in exactly one of the last four counts.

    Attributes:
        given: rows that came.
        added: rows that are new messages in the inbox.
        repeated: rows that say nothing new.
        rejected: rows that were not taken, because they or their batch are bad.
        parked: rows in the quarantine, because the inbox cannot hold them.
        faults: the bad rows, in their order.
        added_rows: numbers of the rows that are new, where the caller asked to be told.
    """

    given: int = 0
    added: int = 0
    repeated: int = 0
    rejected: int = 0
    parked: int = 0
    faults: tuple[RowFault, ...] = field(default=())
    added_rows: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.given != self.added + self.repeated + self.rejected + self.parked:
            raise ValueError(f"{self} does not add up")

    def __add__(self, other: Self) -> IntakeReport:
        """Both deliveries together."""
        return IntakeReport(
            self.given + other.given,
            self.added + other.added,
            self.repeated + other.repeated,
            self.rejected + other.rejected,
            self.parked + other.parked,
            self.faults + other.faults,
            self.added_rows + other.added_rows,
        )
