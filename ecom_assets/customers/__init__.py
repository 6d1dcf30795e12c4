"""Customers: who buys, the addresses they used, folded from accepted orders, and letters to them.

Tables: `customers.customers`, `customers.addresses`. Read by fraud (sign-up age), transport and
analysts; only `customers.store` writes them. Letters are planned as effects (`shared.outbox`) and
written from the templates in `notifications`.
"""
