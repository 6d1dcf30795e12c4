"""The transport area's SQL: the rate card, the choice of a service, the hand-over.

Locking order: the rate card is written by imports only; the two steps of the order path write rows
of the orders they claimed and lock nothing else.
"""

from ecom_assets.transport.store.choices import choose_carriers
from ecom_assets.transport.store.rate_card import take_rate_card
from ecom_assets.transport.store.replays import choices_by, choose_anew
from ecom_assets.transport.store.shipments import ship_parcels

__all__ = ["choices_by", "choose_anew", "choose_carriers", "ship_parcels", "take_rate_card"]
