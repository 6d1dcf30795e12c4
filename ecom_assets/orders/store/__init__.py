"""SQL of the orders area, one module per step of a message's way.

`receiving` takes the messages of callers in and `intake` the feeds of importers, `claims` picks the
messages a step works on and settles revisions, `cancellations` (with `cancelled`, which reads them)
decides what they do to orders that are not accepted yet, `reading` and `validation` read documents
and find their faults, `acceptance` turns the good ones into orders, `replay` gives parked ones
another chance. `changes` takes requests to cancel or edit accepted orders, `starting` (with
`cancelling`) begins them and `settling` (with `rewriting`) ends them. `figures` reads what
operators and sensors look at, `offsets` keeps how far a topic was taken. Locks are taken in this
order: offsets, inbox, changes, the queue, states, orders, quarantine.
"""

from ecom_assets.orders.store.acceptance import accept_once, accept_pending
from ecom_assets.orders.store.changes import (
    UnknownOrder,
    cancel,
    edit,
    request,
    requests_from_cancellations,
)
from ecom_assets.orders.store.claims import claim_revised, settle_revisions
from ecom_assets.orders.store.intake import take_observed_events, take_orders
from ecom_assets.orders.store.offsets import advance, next_offsets
from ecom_assets.orders.store.receiving import receive, take_deliveries
from ecom_assets.orders.store.replay import replay_parked
from ecom_assets.orders.store.settling import settle_changes
from ecom_assets.orders.store.starting import count_startable, start_pending

__all__ = [
    "UnknownOrder",
    "accept_once",
    "accept_pending",
    "advance",
    "cancel",
    "claim_revised",
    "count_startable",
    "edit",
    "next_offsets",
    "receive",
    "replay_parked",
    "request",
    "requests_from_cancellations",
    "settle_changes",
    "settle_revisions",
    "start_pending",
    "take_deliveries",
    "take_observed_events",
    "take_orders",
]
