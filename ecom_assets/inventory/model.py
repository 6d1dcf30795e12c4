"""Stock feeds and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedKind(StrEnum):
    """What a feed says: every SKU's level, some SKUs' levels, or units more and less."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Feed:
    """A stock feed of one location.

    Attributes:
        site_code: the location.
        kind: what it says.
        key: what makes it the same feed when it comes again.
        as_of: moment at which its levels were so, or at which its changes happened.
        origin: where it came from, with what tells one version from another.
    """

    site_code: str
    kind: FeedKind
    key: str
    as_of: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of a feed; `rows_applied + rows_unchanged + rows_parked = rows_read`.

    Attributes:
        sync_id: key in `inventory.feed_syncs`.
        is_repeat: whether the feed had been applied before, so that nothing was done.
        refused: why the whole feed was refused, if it was.
        rows_read: rows of the feed.
        rows_applied: rows that moved stock.
        rows_unchanged: rows that say what the ledger says.
        rows_parked: rows in the quarantine.
        skus_absent: SKUs with stock that a snapshot does not name, and that went to zero.
        absent_parked: of those, the ones that kept their stock because it is promised.
        units_in: units added.
        units_out: units taken away.
    """

    sync_id: int
    is_repeat: bool = False
    refused: str | None = None
    rows_read: int = 0
    rows_applied: int = 0
    rows_unchanged: int = 0
    rows_parked: int = 0
    skus_absent: int = 0
    absent_parked: int = 0
    units_in: int = 0
    units_out: int = 0
