"""Transport: which carrier service carries which parcel, every candidate kept with its reason.

Tables: `transport.carriers`, `transport.services`, `transport.zones`, `transport.rates`,
`transport.rate_lists`, `transport.rate_list_rows`, `transport.carrier_choices`,
`transport.shipments`. Read by documents, inventory and analysts; only `transport.store` writes
them. A parcel is what one site ships for one order.
"""
