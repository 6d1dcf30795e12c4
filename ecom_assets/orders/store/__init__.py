"""SQL of the orders area, one module per step of a message's way.

`intake` takes messages and observed facts in, `claims` picks the messages a step works on and
settles revisions, `reading` and `validation` read documents and find their faults, `acceptance`
turns the good ones into orders, `replay` gives parked ones another chance, `figures` reads what
operators and sensors look at. Locks are taken in this order: inbox, orders, quarantine.
"""

from ecom_assets.orders.store.acceptance import accept_pending
from ecom_assets.orders.store.claims import claim_revised, settle_revisions
from ecom_assets.orders.store.intake import receive, take_observed_events, take_orders
from ecom_assets.orders.store.replay import replay_parked

__all__ = [
    "accept_pending",
    "claim_revised",
    "receive",
    "replay_parked",
    "settle_revisions",
    "take_observed_events",
    "take_orders",
]
