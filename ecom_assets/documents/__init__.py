"""Documents: invoices with gapless numbers, and packing slips, both immutable and hashed.

Tables: `documents.series`, `documents.invoices`, `documents.packing_slips`. Read by analysts; only
`documents.store` writes them.
"""
