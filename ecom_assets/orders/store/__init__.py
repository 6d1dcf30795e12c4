"""SQL of the orders area, one module per step of a message's way.

`intake` takes messages and observed facts in, `claims` picks the messages a step works on and
settles revisions, `validation` finds what is wrong with documents, `acceptance` turns the good ones
into orders, `replay` gives parked ones another chance, `figures` reads what operators look at.
"""

from ecom_assets.orders.store.intake import receive, take_observed_events, take_orders

__all__ = ["receive", "take_observed_events", "take_orders"]
