"""Inventory: the ledger of movements, the balances that equal its fold, and reservations.

Tables: `inventory.movements`, `inventory.balances`, `inventory.positions`,
`inventory.reservations`. Read by warehouse, transport and analysts; only `inventory.store` writes
them. Locking order: positions by SKU, then balances by (SKU, site).
"""
