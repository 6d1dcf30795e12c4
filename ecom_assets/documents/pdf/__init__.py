"""Invoices and packing slips as PDF; the same values always give the same bytes.

Imports reportlab: assets import this package inside the functions that print.
"""

from ecom_assets.documents.pdf.layout import invoice_pdf, packing_slip_pdf
from ecom_assets.documents.pdf.press import press

__all__ = ["invoice_pdf", "packing_slip_pdf", "press"]
