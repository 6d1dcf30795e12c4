"""A sync of a connection while it goes on: what it has, what it counted, how it takes orders in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecom_assets.marketplace.model import Connection
from ecom_assets.marketplace.store import syncs
from ecom_assets.orders.delivery import Delivery, IntakeReport, Policy
from ecom_assets.orders.storable import Unstorable
from ecom_assets.orders.store import take_deliveries
from resources.channels import ChannelsResource
from resources.database import DatabaseResource

MOST_PAGES = 2_000
"""Requests of a sync; what is left then is read by the next one."""


@dataclass(slots=True)
class Exchange:
    """A sync that goes on.

    Attributes:
        database: the shop's database.
        means: how channels are reached.
        connection: which connection.
        run: run that has claimed it.
        at: business moment of the sync.
        cursor: how far the channel was read; moves with what is taken.
        listings_read_at: when all listings were read last; None if never.
        counts: what was read, taken, parked and written.
    """

    database: DatabaseResource
    means: ChannelsResource
    connection: Connection
    run: str
    at: datetime
    cursor: dict[str, Any]
    listings_read_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def take(
        self, rows: Iterable[Delivery], source: str, cursor: Mapping[str, Any] | None,
        file: Mapping[str, Any] | None = None,
    ) -> IntakeReport:  # fmt: skip
        """Take messages in, with the cursor after them, in one transaction.

        Args:
            rows: the messages; bad ones are parked.
            source: what the quarantine calls their origin.
            cursor: how far the channel is read then; None leaves it.
            file: name and digest of the file they are from.

        Raises:
            ChannelTrouble: another run has the connection by now; nothing was taken.
        """
        key = self.connection.connection_id
        with self.database.begin() as conn:
            syncs.go_on(conn, key, self.run, cursor)
            report = take_deliveries(conn, rows, Policy.PARK, source, self.run)
            if file is not None:
                found = {"given": report.given, "added": report.added, "parked": report.parked}
                row = {"connection_id": key, "taken_at": self.at, "run_id": self.run}
                syncs.note_file(conn, {**file, **found, **row})
        if cursor is not None:
            self.cursor = dict(cursor)
        self.counts.update(orders_read=report.given, orders_new=report.added,
                           orders_repeated=report.repeated, parked=report.parked)  # fmt: skip
        return report


def unreadable(number: int, why: str, row: object) -> Delivery:
    """A row in which there is no message."""
    return Delivery(number, None, f"{Unstorable.NO_MESSAGE}: {why}", row)
