"""The documents area's SQL: numbers, invoices, packing slips, reprints.

Locking order: the rows of `documents.series`, by series, before any invoice is written.
"""

from ecom_assets.documents.store.invoices import issue_invoices
from ecom_assets.documents.store.packing_slips import print_packing_slips
from ecom_assets.documents.store.reprints import DocumentDamaged, UnknownInvoice, reprint

__all__ = [
    "DocumentDamaged",
    "UnknownInvoice",
    "issue_invoices",
    "print_packing_slips",
    "reprint",
]
