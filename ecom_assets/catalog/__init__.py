"""Catalog: what the shop sells and who supplies it.

Tables: `catalog.products`, `catalog.suppliers`. Read by orders (known SKUs), transport (weights and
sizes), documents and analysts; only `catalog.store` writes them.
"""
