"""What must hold of the payments area's tables."""

from __future__ import annotations

from ecom_assets.payments.tables import ORDER_PAYMENTS, RELEASES, TRANSACTIONS
from ecom_assets.shared.expectations import TableExpectations, no_rows, values_in
from ecom_assets.shared.structure import structure

_METHODS = (
    "card", "boleto", "voucher", "debit_card", "wallet", "transfer", "invoice", "unknown",
)  # fmt: skip
_FOREIGN_TENDER = no_rows(
    "currency_matches_order",
    """
    SELECT tender.transaction_id FROM {batch} AS tender
    JOIN orders.orders AS placed USING (order_id)
    WHERE tender.currency <> placed.currency
    """,
    "Every tender is in the currency of its order.",
    is_blocking=True,
)
_DUE_DIFFERS = no_rows(
    "due_equals_order_total",
    """
    SELECT payment.order_id FROM {batch} AS payment
    JOIN orders.orders AS placed USING (order_id)
    WHERE (payment.due_minor, payment.currency) <> (placed.total_minor, placed.currency)
        AND placed.order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage = 'payment')
    """,
    "What an order owes is its total, in its currency, unless it waits to be matched anew.",
    is_blocking=True,
)
_TENDERS_DIFFER = no_rows(
    "amounts_equal_tenders",
    """
    SELECT payment.order_id FROM {batch} AS payment
    LEFT JOIN (
        SELECT order_id,
            coalesce(sum(amount_minor) FILTER (WHERE state = 'authorised'), 0) AS authorised,
            coalesce(sum(amount_minor) FILTER (WHERE state = 'pending'), 0) AS pending
        FROM payments.transactions GROUP BY order_id
    ) AS tenders USING (order_id)
    WHERE (payment.authorised_minor, payment.pending_minor)
        <> (coalesce(tenders.authorised, 0), coalesce(tenders.pending, 0))
    """,
    "What was authorised and what is pending are the sums of the order's tenders.",
    is_blocking=True,
)

_TOO_MUCH = no_rows(
    "within_authorised",
    """
    SELECT release.release_id FROM {batch} AS release
    LEFT JOIN payments.order_payments AS payment USING (order_id)
    WHERE release.state = 'planned'
        AND (release.currency, true) IS DISTINCT FROM
            (payment.currency, release.amount_minor <= payment.authorised_minor)
    """,
    "Nobody is to get back more than was authorised, or in another currency.",
    is_blocking=True,
)

EXPECTATIONS = (
    TableExpectations(RELEASES, (*structure(RELEASES), _TOO_MUCH)),
    TableExpectations(
        TRANSACTIONS,
        (*structure(TRANSACTIONS), values_in("method", _METHODS), _FOREIGN_TENDER),
    ),
    TableExpectations(
        ORDER_PAYMENTS,
        (
            *structure(ORDER_PAYMENTS),
            values_in("payment_state", ["authorised", "awaiting", "underpaid", "overpaid"]),
            _DUE_DIFFERS,
            _TENDERS_DIFFER,
        ),
    ),
)
