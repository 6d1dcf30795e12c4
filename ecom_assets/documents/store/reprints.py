"""Reprints: the bytes as issued, or an error; a document is never made anew."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from ecom_assets.documents.rules import parse_number
from ecom_assets.documents.tables import INVOICES


class UnknownInvoice(LookupError):
    """No invoice has the number."""


class DocumentDamaged(Exception):
    """The stored bytes are not those that were issued: their SHA-256 differs."""


def reprint(conn: sa.Connection, number: str) -> bytes:
    """The PDF of an invoice as it was issued.

    Args:
        conn: any connection that may read the invoices.
        number: number as printed, such as INV-2018-000042.

    Raises:
        ValueError: the text is not an invoice number.
        UnknownInvoice: no invoice has the number.
        DocumentDamaged: the stored bytes were changed after issue.
    """
    series, position = parse_number(number)
    found = conn.execute(
        sa.select(INVOICES.c.pdf, INVOICES.c.sha256).where(
            INVOICES.c.series == series, INVOICES.c.number == position
        )
    ).first()
    if found is None:
        raise UnknownInvoice(f"there is no invoice {number}")
    # Hashed on every reprint: a damaged page must not reach a customer or an auditor unnoticed.
    pdf = bytes(found.pdf)
    if hashlib.sha256(pdf).hexdigest() != found.sha256:
        raise DocumentDamaged(f"the PDF of invoice {number} differs from what was issued")
    return pdf
