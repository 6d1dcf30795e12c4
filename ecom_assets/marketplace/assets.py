"""Assets of the marketplace: syncs of connections, and what is on the channels."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.marketplace.store import listings as store
from ecom_assets.marketplace.tables import (
    CONNECTION_STATES,
    CONNECTIONS,
    SYNCS,
    TAKEN_FILES,
)
from ecom_assets.shared import metadata
from resources.channels import ChannelsResource
from resources.database import DatabaseResource

Sync = Callable[[DatabaseResource, ChannelsResource, int, datetime, str], Any]
"""Syncs a connection; put together by the composition root, since it takes orders and stock."""


class SyncConfig(dg.Config):
    """What a run syncs.

    Attributes:
        connections: keys of the connections; a run without any shows what came lately.
        as_of: business moment, ISO 8601 with an offset; now, if empty.
    """

    connections: list[int] = []
    as_of: str = ""


@dg.multi_asset(
    name="marketplace",
    specs=[
        dg.AssetSpec(
            ["marketplace", "syncs"],
            deps=[["marketplace", "connections"], ["pricing", "prices"], ["inventory", "atp"]],
            kinds={"postgres"},
            description="Syncs of connections: orders and listings in, offers out, one at a time"
            " per connection; each goes on where the last one ended or was killed.",
        ),
        dg.AssetSpec(
            ["marketplace", "listings"],
            deps=[["marketplace", "syncs"], ["catalog", "products"]],
            kinds={"postgres"},
            description="What is on each channel, whose SKU it is, and where it is not ours:"
            " another price, another stock.",
        ),
    ],
)
def syncs(
    context: dg.AssetExecutionContext,
    config: SyncConfig,
    database: DatabaseResource,
    channels: ChannelsResource,
    sync_channel: dg.ResourceParam[Sync],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Sync the connections of the run's configuration; one that fails stops no other."""
    at = datetime.fromisoformat(config.as_of) if config.as_of else datetime.now(UTC)
    for key in config.connections:
        found = sync_channel(database, channels, key, at, context.run.run_id)
        say = context.log.warning if found.trouble else context.log.info
        say("connection %s: %s %s %s", key, found.state, dict(found.counts), found.text)
    with database.begin() as conn:
        yield dg.MaterializeResult(
            asset_key=["marketplace", "syncs"],
            metadata={"newest": metadata.preview(conn, _NEWEST),
                      "in_trouble": metadata.preview(conn, _IN_TROUBLE)},
        )  # fmt: skip
        drift = [dict(row) for row in store.drift(conn, None)]
        yield dg.MaterializeResult(
            asset_key=["marketplace", "listings"],
            metadata={"drift": dg.MetadataValue.md(_as_table(drift))},
        )


def _as_table(rows: list[dict[str, Any]]) -> str:
    return metadata.as_table(list(rows[0]) if rows else [], [list(row.values()) for row in rows])


_NEWEST = (
    sa.select(
        CONNECTIONS.c.name,
        *(SYNCS.c[name] for name in ("begun_at", "ended_at", "state", "trouble_text", "counts")),
    )
    .join_from(SYNCS, CONNECTIONS, CONNECTIONS.c.connection_id == SYNCS.c.connection_id)
    .order_by(SYNCS.c.sync_id.desc())
)
_IN_TROUBLE = (
    sa.select(
        CONNECTIONS.c.name,
        *(CONNECTION_STATES.c[name] for name in ("failures", "trouble_text", "not_before_at")),
    )
    .join_from(CONNECTION_STATES, CONNECTIONS,
               CONNECTIONS.c.connection_id == CONNECTION_STATES.c.connection_id)
    .where(CONNECTION_STATES.c.failures > 0, CONNECTIONS.c.state == "active")
    .order_by(CONNECTION_STATES.c.failures.desc())
)  # fmt: skip


def _told(table: sa.Table, by_whom: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["marketplace", table.name], kinds={"postgres"}, description=f"{table.comment} {by_whom}"
    )


TOLD = [
    _told(CONNECTIONS, "Made by people; their secrets are sealed."),
    _told(CONNECTION_STATES, "Written by tests and syncs."),
    _told(TAKEN_FILES, "Written by syncs."),
]

ASSETS = [syncs, *TOLD]
