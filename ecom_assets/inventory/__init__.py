"""Inventory: the ledger of movements, the balances that equal its fold, and promises of stock.

Tables: `inventory.movements`, `inventory.balances`, `inventory.positions`,
`inventory.reservations`, `inventory.stock_holds`, `inventory.releases`, `inventory.restocks`; what
is told about stock: `feed_syncs`, `counts`, `units`; stock in detail: `receipt_costs`, `lots`,
`serials`, `transfers`; what may be promised: `expected_receipts`, `safety_stocks`,
`channel_buffers`, `atp`; what it is worth and how it sells: `valuations`, `sku_classes`. Read by
warehouse, transport and analysts; only `inventory.store` writes them and says in which order their
rows are locked.

Demand and replenishment: `inventory.demand_history`, `inventory.forecast_backtests`,
`inventory.forecast_methods`, `inventory.forecasts`, `inventory.reorder_terms`,
`inventory.reorder_policies`, `inventory.purchase_proposals` with their lines, and
`inventory.policy_simulations`.
"""
