"""What must hold of the orders area's tables."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders.tables import (
    CHANGES,
    CONSUMED_OFFSETS,
    INBOX,
    OBSERVED_EVENTS,
    ORDER_LINES,
    ORDERS,
)
from ecom_assets.shared.expectations import (
    COUNTRY,
    CURRENCY,
    SHA256,
    Severity,
    TableExpectations,
    has_rows,
    no_rows,
    values_in,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

# Blocking: what follows reads money and lines, and must not go on with an order that lacks them.
_LINES_MISSING = no_rows(
    "lines_present",
    """
    SELECT placed.order_id FROM {batch} AS placed
    LEFT JOIN orders.order_lines AS line USING (order_id)
    WHERE line.order_id IS NULL
    """,
    "Every order has at least one line.",
    is_blocking=True,
)
_AMOUNTS_DIFFER = no_rows(
    "amounts_equal_lines",
    """
    SELECT placed.order_id FROM {batch} AS placed
    JOIN (
        SELECT order_id, sum(quantity * unit_price_minor) AS items, sum(discount_minor) AS discount
        FROM orders.order_lines GROUP BY order_id
    ) AS lines USING (order_id)
    WHERE (placed.items_minor, placed.discount_minor) <> (lines.items, lines.discount)
    """,
    "The items and the discount of every order are the sums of its lines.",
    is_blocking=True,
)
# A warning: the promise is the channel's, and an odd one does not make the order wrong.
_PROMISED_TOO_EARLY = no_rows(
    "promised_after_placed",
    "SELECT order_id FROM {batch} WHERE promised_at < placed_at",
    "No order was promised before it was placed.",
    severity=Severity.WARN,
)
# Compared with the inbox, not the clock: a shop that takes no orders is not stale.
_STALE = no_rows(
    "fresh",
    """
    SELECT max(order_id) AS order_id FROM {batch}
    HAVING max(decided_as_of) <
        (SELECT max(received_at) FROM orders.inbox WHERE kind = 'order' AND state <> 'parked')
            - interval '7 days'
    """,
    "The newest order is at most 7 days older than the newest usable message in the inbox.",
    severity=Severity.WARN,
)
_UNEXPLAINED = no_rows(
    "closed_by_run",
    "SELECT inbox_id FROM {batch} WHERE state NOT IN ('pending', 'superseded') AND run_id IS NULL",
    "Every message that was accepted, applied, parked or set to wait names the run that did it.",
)

# A warning, since such a message is no order: people must look why its order never came.
_WAITING_LONG = no_rows(
    "cancellations_meet_orders",
    """
    SELECT inbox_id FROM {batch}
    WHERE state = 'waiting' AND received_at <
        (SELECT max(received_at) FROM orders.inbox WHERE kind = 'order') - interval '7 days'
    """,
    "No cancellation waits for its order longer than 7 days.",
    severity=Severity.WARN,
)

_EFFECTIVE_TOO_EARLY = no_rows(
    "effective_after_requested",
    "SELECT change_id FROM {batch} WHERE effective_as_of < requested_at",
    "No change was carried out as of a moment before it was asked for.",
)
_LEFT_ALONE = no_rows(
    "messages_answered",
    """
    SELECT change.change_id FROM {batch} AS change
    JOIN orders.inbox AS message ON message.inbox_id = change.inbox_id
    WHERE change.state IN ('applied', 'refused') AND message.state = 'changing'
        AND NOT EXISTS (
            SELECT FROM orders.changes AS other
            WHERE other.inbox_id = change.inbox_id AND other.change_id > change.change_id)
    """,
    "No message waits as a change that was carried out or refused.",
)

EXPECTATIONS = (
    TableExpectations(CHANGES, (*structure(CHANGES), _EFFECTIVE_TOO_EARLY, _LEFT_ALONE)),
    TableExpectations(
        INBOX,
        (
            *structure(INBOX),
            has_rows("Some order message has arrived."),
            values_match("payload_hash", SHA256, "a SHA-256 in hexadecimal"),
            _UNEXPLAINED,
            _WAITING_LONG,
        ),
    ),
    TableExpectations(CONSUMED_OFFSETS, structure(CONSUMED_OFFSETS)),
    TableExpectations(
        ORDERS,
        (
            *structure(ORDERS),
            has_rows("Some order was accepted."),
            values_match("currency", CURRENCY, "an ISO 4217 code", is_blocking=True),
            values_match("ship_to_country", COUNTRY, "an ISO 3166-1 alpha-2 code"),
            _LINES_MISSING,
            _AMOUNTS_DIFFER,
            _PROMISED_TOO_EARLY,
            _STALE,
        ),
    ),
    TableExpectations(
        ORDER_LINES,
        (*structure(ORDER_LINES), refers_to(ORDER_LINES, "sku", PRODUCTS.c.sku)),
    ),
    TableExpectations(
        OBSERVED_EVENTS,
        (
            *structure(OBSERVED_EVENTS),
            values_in(
                "kind",
                ["cancelled", "handed_over", "delivered", "reviewed", "returned", "source_status"],
            ),
        ),
    ),
)
