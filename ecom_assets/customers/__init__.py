"""Customers: who buys, and the addresses they used, folded from accepted orders.

Tables: `customers.customers`, `customers.addresses`. Read by fraud (sign-up age), transport and
analysts; only `customers.store` writes them.
"""
