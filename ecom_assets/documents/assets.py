"""Documents as assets: packing slips and invoices, each a PDF with its hash."""

from typing import Any

import dagster as dg

from ecom_assets.documents import store
from ecom_assets.documents.store import invoices as numbering
from ecom_assets.documents.store import reports
from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS
from ecom_assets.shared.flow import Stage, drain
from ecom_assets.shared.metadata import advanced, money, preview
from resources.database import DatabaseResource


@dg.asset(
    key=["documents", "packing_slips"],
    deps=[dg.AssetKey(["transport", "shipments"])],
    kinds={"postgres", "pdf"},
    description="What to put in each parcel, as PDF with its SHA-256; printed once, never changed.",
)
def packing_slips(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Print the slips of every order that waits."""
    from ecom_assets.documents.pdf import packing_slip_pdf, press

    with press(packing_slip_pdf) as printer:
        totals = drain(
            database.begin,
            Stage.PACKING_SLIP,
            lambda conn: store.print_packing_slips(conn, context.run.run_id, printer),
            context.log.info,
            run=context.run.run_id,
            chunk=numbering.CHUNK,
        )
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **advanced(conn, PACKING_SLIPS, totals),
                "preview": preview(conn, reports.LATEST_SLIPS),
            }
        )


@dg.asset(
    key=["documents", "invoices"],
    deps=[dg.AssetKey(["transport", "shipments"])],
    kinds={"postgres", "pdf"},
    description="One invoice per order with shipped goods, as PDF with its SHA-256. Numbers are"
    " gapless within the year of issue; an invoice is never changed.",
)
def invoices(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Invoice every order that waits."""
    from ecom_assets.documents.pdf import invoice_pdf, press

    with press(invoice_pdf) as printer:
        totals = drain(
            database.begin,
            Stage.INVOICE,
            lambda conn: store.issue_invoices(conn, context.run.run_id, printer),
            context.log.info,
            run=context.run.run_id,
            chunk=numbering.CHUNK,
        )
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **advanced(conn, INVOICES, totals),
                "invoiced": money(conn, reports.INVOICED),
                "next_numbers": preview(conn, reports.NEXT_NUMBERS, most=50),
                "preview": preview(conn, reports.LATEST_INVOICES),
            }
        )


ASSETS = [packing_slips, invoices]
"""The assets of the area."""
