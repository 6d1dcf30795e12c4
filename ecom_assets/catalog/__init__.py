"""Catalog: what the shop sells and who supplies it.

Tables: `catalog.products` with groups, kits, attribute values and media; `catalog.suppliers`;
categories, families and what channels ask for; import plans with their rows; completeness,
scores and drafts of copy. Read by orders (known SKUs), transport (weights and sizes), documents
and analysts; only `catalog.store` writes them.
"""
