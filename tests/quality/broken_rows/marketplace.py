"""Broken rows of connections, their syncs and listings."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

_MADE, _STATES = "marketplace.connections", "marketplace.connection_states"
_SYNCS, _LISTINGS, _FILES = (
    "marketplace.syncs", "marketplace.listings", "marketplace.taken_files",
)  # fmt: skip

ROWS = (
    Broken(_MADE, "connections_credentials_sealed",
           "UPDATE marketplace.connections SET credentials = 'cs_plain' WHERE connection_id = 1",
           ({"connection_id": "1"},)),
    Broken(_MADE, "connections_credentials_where_needed",
           "UPDATE marketplace.connections SET credentials = NULL, credentials_set_at = NULL"
           " WHERE connection_id = 1", ({"connection_id": "1"},),
           without="connections_credentials_where_needed_check"),
    Broken(_MADE, "connections_has_state",
           "DELETE FROM marketplace.connection_states WHERE connection_id = 2",
           ({"connection_id": "2"},)),
    Broken(_STATES, "connection_states_none_failing",
           "UPDATE marketplace.connection_states SET failures = 3, trouble = 'unreachable'"
           " WHERE connection_id = 1", ({"connection_id": "1"},)),
    Broken(_STATES, "connection_states_trouble_while_failing",
           "UPDATE marketplace.connection_states SET failures = 1 WHERE connection_id = 2",
           ({"connection_id": "2"},), without="connection_states_trouble_while_failing_check"),
    Broken(_SYNCS, "syncs_failure_has_trouble",
           "UPDATE marketplace.syncs SET state = 'failed'", ({"sync_id": "1"},),
           without="syncs_failure_has_trouble_check"),
    Broken(_LISTINGS, "listings_live_mapped", "UPDATE marketplace.listings SET sku = NULL",
           ({"listing_id": "1"},)),
    Broken(_LISTINGS, "listings_sku_exists", "UPDATE marketplace.listings SET sku = 'NONE'",
           ({"listing_id": "1"},)),
    Broken(_FILES, "taken_files_rows_add_up", "UPDATE marketplace.taken_files SET added = 2",
           ({"connection_id": "2", "digest": "a" * 64},),
           without="taken_files_rows_add_up_check"),
)  # fmt: skip
