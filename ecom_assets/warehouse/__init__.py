"""Warehouse: the sites that ship, and which of them ships which line.

Tables: `warehouse.sites`, `warehouse.site_hours`, `warehouse.site_closures`,
`warehouse.site_loads`, `warehouse.allocations`, `warehouse.withdrawals`.
Read by transport, inventory and analysts; only `warehouse.store` writes them.
"""
