"""SQL of the orders area, one module per step of a message's way.

`receiving` takes the messages of callers in and `intake` the feeds of importers, `claims` picks the
messages a step works on and settles revisions, `cancellations` (with `cancelled`, which reads them)
decides what they do to orders that are not accepted yet, `reading` and `validation` read documents
and find their faults, `acceptance` turns the good ones into orders, `replay` gives parked ones
another chance, `figures` reads what operators and sensors look at, `offsets` keeps how far a topic
was taken. Locks are taken in this order: offsets, inbox, orders, quarantine.
"""

from ecom_assets.orders.store.acceptance import accept_pending
from ecom_assets.orders.store.claims import claim_revised, settle_revisions
from ecom_assets.orders.store.intake import take_observed_events, take_orders
from ecom_assets.orders.store.offsets import advance, next_offsets
from ecom_assets.orders.store.receiving import receive, take_deliveries
from ecom_assets.orders.store.replay import replay_parked

__all__ = [
    "accept_pending",
    "advance",
    "claim_revised",
    "next_offsets",
    "receive",
    "replay_parked",
    "settle_revisions",
    "take_deliveries",
    "take_observed_events",
    "take_orders",
]
