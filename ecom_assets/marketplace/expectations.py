"""What must hold of connections, their syncs and listings."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.marketplace.tables import (
    CONNECTION_STATES,
    CONNECTIONS,
    LISTINGS,
    SYNCS,
    TAKEN_FILES,
)
from ecom_assets.shared.expectations import (
    CURRENCY,
    SHA256,
    Severity,
    TableExpectations,
    no_rows,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

_SYNCED = ("marketplace", "syncs")

_NOT_IN_THE_CLEAR = no_rows(
    "credentials_sealed",
    "SELECT connection_id FROM {batch} WHERE credentials NOT LIKE 'gAAAAA%'",
    "No credentials are in the clear.",
    is_blocking=True,
)
_STATE = no_rows(
    "has_state",
    """
    SELECT made.connection_id FROM {batch} AS made
    LEFT JOIN marketplace.connection_states AS state ON state.connection_id = made.connection_id
    WHERE state.connection_id IS NULL
    """,
    "Every connection has a state.",
    is_blocking=True,
)
_FAILING = no_rows(
    "none_failing",
    """
    SELECT state.connection_id FROM {batch} AS state
    JOIN marketplace.connections AS made ON made.connection_id = state.connection_id
    WHERE made.state = 'active' AND state.failures >= 3
    """,
    "No connection in use has failed three times in a row.",
    severity=Severity.WARN,
)
_UNMAPPED = no_rows(
    "live_mapped",
    "SELECT listing_id FROM {batch} WHERE state = 'live' AND sku IS NULL",
    "Every live listing is one of ours.",
    severity=Severity.WARN,
)

EXPECTATIONS = (
    TableExpectations(CONNECTIONS, (*structure(CONNECTIONS), _NOT_IN_THE_CLEAR, _STATE)),
    TableExpectations(
        CONNECTION_STATES, (*structure(CONNECTION_STATES), _FAILING), after=(_SYNCED,)
    ),
    TableExpectations(SYNCS, structure(SYNCS)),
    TableExpectations(
        LISTINGS,
        (
            *structure(LISTINGS),
            _UNMAPPED,
            refers_to(LISTINGS, "sku", PRODUCTS.c.sku),
            values_match("currency", CURRENCY, "an ISO 4217 code"),
        ),
    ),
    TableExpectations(
        TAKEN_FILES,
        (*structure(TAKEN_FILES), values_match("digest", SHA256, "a SHA-256 in hexadecimal")),
        after=(_SYNCED,),
    ),
)
