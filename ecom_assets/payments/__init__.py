"""Payments: what was authorised against what is due.

Tables: `payments.transactions`, `payments.order_payments`. Read by risk, fraud and analysts; only
`payments.store` writes them.
"""
