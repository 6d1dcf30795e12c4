"""What the areas must agree on, declared as data: one query per comparison.

A query returns one row per subject it compares: `subject` (a key people can look up), `differs`
(whether the areas disagree) and `detail` (what each says). Orders that still wait for a stage are
no difference of that stage. Each query is one statement and so sees one moment of the database.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecom_assets.quality import fulfilment_queries, order_queries, stock_queries


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of areas.

    Attributes:
        name: snake_case, mostly `<one side>_<other side>`.
        description: one sentence that says what must hold.
        query: a select of `subject`, `differs`, `detail`.
        is_blocking: whether keys, money or stock are at stake.
    """

    name: str
    description: str
    query: str
    is_blocking: bool = True


COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        "inbox_orders",
        "Accepted messages and orders are the same, one to one.",
        order_queries.INBOX_ORDERS,
    ),
    Comparison(
        "imports_quarantine",
        "Rows read are rows accepted, parked and superseded; parked rows are in the quarantine.",
        order_queries.IMPORTS_QUARANTINE,
    ),
    Comparison(
        "customers_orders",
        "Customers count exactly the orders placed under their key.",
        order_queries.CUSTOMERS_ORDERS,
        is_blocking=False,
    ),
    Comparison(
        "payments_orders",
        "Every order past the payment stage owes exactly its total.",
        order_queries.PAYMENTS_ORDERS,
    ),
    Comparison(
        "payments_tenders",
        "What was authorised and what is pending for an order are the sums of its tenders.",
        order_queries.PAYMENTS_TENDERS,
    ),
    Comparison(
        "scores_payments",
        "Every order past the scoring stage has a fraud score.",
        order_queries.SCORES_PAYMENTS,
    ),
    Comparison(
        "decisions_scores",
        "Every order past the risk stage has a risk decision.",
        order_queries.DECISIONS_SCORES,
    ),
    Comparison(
        "states_areas",
        "The payment and risk states of an order are what those areas decided.",
        order_queries.STATES_AREAS,
    ),
    Comparison(
        "ledger_areas",
        "Every decision an area acted on is in the ledger, and every one there was acted on.",
        order_queries.LEDGER_AREAS,
    ),
    Comparison(
        "reservations_lines",
        "Every line of an accepted order past the reservation stage asked for its quantity.",
        stock_queries.RESERVATIONS_LINES,
    ),
    Comparison(
        "positions_reservations",
        "Units promised per SKU are the reservations that have not shipped.",
        stock_queries.POSITIONS_RESERVATIONS,
    ),
    Comparison(
        "positions_balances",
        "Stock per SKU is the sum of the balances of all sites.",
        stock_queries.POSITIONS_BALANCES,
    ),
    Comparison(
        "balances_movements",
        "Stock on hand and units sold per SKU and site are the fold of the movements.",
        stock_queries.BALANCES_MOVEMENTS,
    ),
    Comparison(
        "never_oversold",
        "No SKU has more promised than is on hand, no site more allocated than it ever had.",
        stock_queries.NEVER_OVERSOLD,
    ),
    Comparison(
        "allocations_reservations",
        "Every line past the allocation stage is allocated exactly what was reserved.",
        stock_queries.ALLOCATIONS_RESERVATIONS,
    ),
    Comparison(
        "sales_shipments",
        "Units sold per SKU and site are the units that left with parcels.",
        stock_queries.SALES_SHIPMENTS,
    ),
    Comparison(
        "choices_allocations",
        "Every parcel past the carrier stage had services of the rate card to choose from.",
        fulfilment_queries.CHOICES_ALLOCATIONS,
        is_blocking=False,
    ),
    Comparison(
        "shipments_allocations",
        "Every parcel with a carrier left with exactly the units allocated to its site.",
        fulfilment_queries.SHIPMENTS_ALLOCATIONS,
    ),
    Comparison(
        "slips_shipments",
        "Every parcel past the packing stage has one packing slip that lists its units.",
        fulfilment_queries.SLIPS_SHIPMENTS,
        is_blocking=False,
    ),
    Comparison(
        "invoices_shipments",
        "Every order with shipped goods has exactly one invoice, and no other order has one.",
        fulfilment_queries.INVOICES_SHIPMENTS,
    ),
    Comparison(
        "invoices_totals",
        "An invoice asks for the order's total if all of it was shipped, else for no more.",
        fulfilment_queries.INVOICES_TOTALS,
    ),
    Comparison(
        "invoice_numbers",
        "The invoice numbers of each series run from 1 without a gap.",
        fulfilment_queries.INVOICE_NUMBERS,
    ),
)
"""Every comparison, in the order of the order path."""
