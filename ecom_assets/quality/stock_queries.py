"""Comparisons of stock: movements, balances, positions, reservations, allocations, sales."""

from __future__ import annotations

RESERVATIONS_LINES = """
    SELECT line.order_line_id::text AS subject,
        (reservation.sku, reservation.requested)
            IS DISTINCT FROM (line.sku, line.quantity) AS differs,
        format('line asks for %s of %s, reservation for %s', line.quantity, line.sku,
            coalesce(reservation.requested || ' of ' || reservation.sku, 'nothing')) AS detail
    FROM risk.decisions AS decision
    JOIN orders.order_lines AS line USING (order_id)
    LEFT JOIN inventory.reservations AS reservation USING (order_line_id)
    WHERE decision.outcome = 'accepted'
        -- Neither while it is decided again nor once it is cancelled does an order hold promises.
        AND decision.order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage IN
            ('payment', 'score', 'risk', 'reserve', 'unallocate', 'release', 'settle'))
        AND decision.order_id NOT IN (SELECT order_id FROM flow.order_states
            WHERE fulfilment_state = 'cancelled')
        -- A changed order gave its promise back, all of it or what had not left.
        AND NOT (
            coalesce(reservation.requested, 0) < line.quantity
            AND coalesce(reservation.sku, line.sku) = line.sku
            AND EXISTS (
                SELECT FROM inventory.releases AS release
                WHERE release.order_line_id = line.order_line_id
                    AND release.cause = 'order_changed'
            )
        )
"""

# What has shipped is no longer promised; FULL JOIN, so that a SKU missing on one side counts as 0.
POSITIONS_RESERVATIONS = """
    WITH promised AS (
        SELECT sku, sum(units) AS units FROM (
            SELECT sku, reserved - shipped AS units FROM inventory.reservations
            UNION ALL
            SELECT sku, units FROM inventory.stock_holds
        ) AS promise
        GROUP BY sku
    )
    SELECT sku AS subject,
        coalesce(position.reserved, 0) <> coalesce(promised.units, 0) AS differs,
        format('position %s, reservations and holds %s', coalesce(position.reserved, 0),
            coalesce(promised.units, 0)) AS detail
    FROM promised FULL JOIN inventory.positions AS position USING (sku)
"""

POSITIONS_BALANCES = """
    WITH stocked AS (
        SELECT sku, sum(on_hand) AS units FROM inventory.balances GROUP BY sku
    )
    SELECT sku AS subject,
        coalesce(position.on_hand, 0) <> coalesce(stocked.units, 0) AS differs,
        format('position %s, balances %s', coalesce(position.on_hand, 0),
            coalesce(stocked.units, 0)) AS detail
    FROM stocked FULL JOIN inventory.positions AS position USING (sku)
"""

# The movements are the truth and the balances a running sum of them: every SKU is summed anew.
BALANCES_MOVEMENTS = """
    WITH fold AS (
        SELECT sku, site_code, sum(quantity) AS units,
            coalesce(-sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold
        FROM inventory.movements GROUP BY sku, site_code
    )
    SELECT sku || ' at ' || site_code AS subject,
        (coalesce(balance.on_hand, 0), coalesce(balance.sold, 0))
            <> (coalesce(fold.units, 0), coalesce(fold.sold, 0)) AS differs,
        format('balance: on hand %s, sold %s; movements: on hand %s, sold %s',
            coalesce(balance.on_hand, 0), coalesce(balance.sold, 0),
            coalesce(fold.units, 0), coalesce(fold.sold, 0)) AS detail
    FROM fold FULL JOIN inventory.balances AS balance USING (sku, site_code)
"""

# A site's stock is what is on hand plus what it sold: allocations are never taken back by a sale.
NEVER_OVERSOLD = """
    SELECT sku AS subject, reserved > on_hand OR reserved < 0 OR on_hand < 0 AS differs,
        format('promised %s of %s on hand', reserved, on_hand) AS detail
    FROM inventory.positions
    UNION ALL
    SELECT sku || ' at ' || site_code,
        load.allocated > coalesce(balance.on_hand + balance.sold, 0),
        format('allocated %s of %s on hand and sold', load.allocated,
            coalesce(balance.on_hand + balance.sold, 0))
    FROM warehouse.site_loads AS load
    LEFT JOIN inventory.balances AS balance USING (sku, site_code)
"""

ALLOCATIONS_RESERVATIONS = """
    WITH allocated AS (
        SELECT order_line_id, sum(quantity) AS units
        FROM warehouse.allocations GROUP BY order_line_id
    )
    SELECT order_line_id::text AS subject,
        coalesce(reservation.reserved, 0) <> coalesce(allocated.units, 0) AS differs,
        format('reserved %s, allocated %s', coalesce(reservation.reserved, 0),
            coalesce(allocated.units, 0)) AS detail
    FROM inventory.reservations AS reservation FULL JOIN allocated USING (order_line_id)
    WHERE reservation.order_id IS NULL OR reservation.order_id NOT IN
        (SELECT order_id FROM flow.pending WHERE stage IN ('allocate', 'unallocate', 'release'))
"""

SALES_SHIPMENTS = """
    WITH departed AS (
        SELECT allocation.sku, allocation.site_code, sum(allocation.quantity) AS units
        FROM transport.shipments AS parcel
        JOIN warehouse.allocations AS allocation USING (order_id, site_code)
        WHERE parcel.order_id NOT IN
            (SELECT order_id FROM flow.pending WHERE stage = 'post_sale')
        GROUP BY allocation.sku, allocation.site_code
    )
    SELECT sku || ' at ' || site_code AS subject,
        coalesce(balance.sold, 0) <> coalesce(departed.units, 0) AS differs,
        format('sold %s, left with parcels %s', coalesce(balance.sold, 0),
            coalesce(departed.units, 0)) AS detail
    FROM departed FULL JOIN inventory.balances AS balance USING (sku, site_code)
"""
