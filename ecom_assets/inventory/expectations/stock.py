"""What must hold of stock and of promises."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.inventory.tables import (
    BALANCES,
    MOVEMENTS,
    POSITIONS,
    RELEASES,
    RESERVATIONS,
    RESTOCKS,
    STOCK_HOLDS,
)
from ecom_assets.shared.expectations import TableExpectations, has_rows, no_rows
from ecom_assets.shared.structure import refers_to, structure
from ecom_assets.warehouse.tables import SITES

_WRONG_SIGN = no_rows(
    "sign_matches_kind",
    """
    SELECT movement_id FROM {batch}
    WHERE (kind = 'sale' AND quantity > 0)
        OR (kind IN ('opening', 'receipt', 'return') AND quantity < 0)
    """,
    "Sales take stock out; openings, receipts and returns bring it in.",
)
_FOLD_DIFFERS = no_rows(
    "on_hand_equals_movements",
    """
    SELECT balance.sku, balance.site_code FROM {batch} AS balance
    LEFT JOIN (
        SELECT sku, site_code, sum(quantity) AS quantity
        FROM inventory.movements GROUP BY sku, site_code
    ) AS fold USING (sku, site_code)
    WHERE balance.on_hand <> coalesce(fold.quantity, 0)
    """,
    "Stock on hand is the sum of all movements.",
    is_blocking=True,
)
_SITES_DIFFER = no_rows(
    "on_hand_equals_balances",
    """
    SELECT position.sku FROM {batch} AS position
    LEFT JOIN (
        SELECT sku, sum(on_hand) AS on_hand FROM inventory.balances GROUP BY sku
    ) AS balance USING (sku)
    WHERE position.on_hand <> coalesce(balance.on_hand, 0)
    """,
    "Stock over all sites is the sum of the sites.",
    is_blocking=True,
)
_PROMISES_DIFFER = no_rows(
    "reserved_equals_reservations",
    """
    SELECT position.sku FROM {batch} AS position
    LEFT JOIN (
        SELECT sku, sum(units) AS reserved FROM (
            SELECT sku, reserved - shipped AS units FROM inventory.reservations
            UNION ALL
            SELECT sku, units FROM inventory.stock_holds
        ) AS part
        GROUP BY sku
    ) AS promise USING (sku)
    WHERE position.reserved <> coalesce(promise.reserved, 0)
    """,
    "Units promised and not yet shipped are the sum of the reservations and holds.",
    is_blocking=True,
)
_LINE_DIFFERS = no_rows(
    "requested_equals_line",
    """
    SELECT reservation.order_line_id FROM {batch} AS reservation
    JOIN orders.order_lines AS line USING (order_line_id)
    WHERE (reservation.order_id, reservation.sku) <> (line.order_id, line.sku)
        OR reservation.requested > line.quantity
        OR reservation.requested < line.quantity AND NOT EXISTS (
            SELECT FROM inventory.releases AS release
            WHERE release.order_line_id = reservation.order_line_id
                AND release.cause = 'order_changed'
        )
    """,
    "Every reservation asks for what its line orders, less what a change gave back.",
    is_blocking=True,
)
_NOT_ACCEPTED = no_rows(
    "order_accepted",
    """
    SELECT reservation.order_line_id FROM {batch} AS reservation
    LEFT JOIN risk.decisions AS decision USING (order_id)
    WHERE decision.outcome IS DISTINCT FROM 'accepted'
    """,
    "Stock is promised to accepted orders only.",
)

EXPECTATIONS = (
    TableExpectations(
        MOVEMENTS,
        (
            *structure(MOVEMENTS),
            has_rows("Some stock has moved."),
            refers_to(MOVEMENTS, "sku", PRODUCTS.c.sku),
            refers_to(MOVEMENTS, "site_code", SITES.c.site_code),
            _WRONG_SIGN,
        ),
    ),
    TableExpectations(
        BALANCES,
        (
            *structure(BALANCES),
            refers_to(BALANCES, "site_code", SITES.c.site_code),
            _FOLD_DIFFERS,
        ),
    ),
    TableExpectations(
        POSITIONS,
        (*structure(POSITIONS), _SITES_DIFFER, _PROMISES_DIFFER),
        asset=("inventory", "reservations"),
    ),
    TableExpectations(RESERVATIONS, (*structure(RESERVATIONS), _LINE_DIFFERS, _NOT_ACCEPTED)),
    TableExpectations(STOCK_HOLDS, structure(STOCK_HOLDS)),
    TableExpectations(RELEASES, structure(RELEASES)),
    TableExpectations(RESTOCKS, structure(RESTOCKS), asset=("inventory", "reservations")),
)
