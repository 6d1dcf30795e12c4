"""Broken rows of stock: promises, feeds, counts, lots, transfers, availability, worth."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "inventory.movements",
        "movements_sign_matches_kind",
        "UPDATE inventory.movements SET quantity = 2 WHERE movement_id = 3",
        ({"movement_id": "3"},),
    ),
    Broken(
        "inventory.balances",
        "balances_on_hand_equals_movements",
        "UPDATE inventory.balances SET on_hand = 7 WHERE sku = 'B'",
        ({"sku": "B", "site_code": "S"},),
    ),
    Broken(
        "inventory.positions",
        "positions_on_hand_equals_balances",
        "UPDATE inventory.positions SET on_hand = 5 WHERE sku = 'A'",
        ({"sku": "A"},),
    ),
    Broken(
        "inventory.reservations",
        "reservations_requested_equals_line",
        "UPDATE inventory.reservations SET requested = 2, backordered = 2 WHERE order_line_id = 4",
        ({"order_line_id": "4"},),
    ),
    Broken(
        "inventory.stock_holds",
        "stock_holds_expires_after_held",
        "INSERT INTO inventory.stock_holds (holder, sku, units, held_at, expires_at)"
        " VALUES ('basket', 'A', 1, '2018-01-02Z', '2018-01-01Z')",
        ({"stock_hold_id": "1"},),
        without="stock_holds_expires_after_held_check",
    ),
    Broken(
        "inventory.releases",
        "releases_cause_known",
        "INSERT INTO inventory.releases"
        " (order_id, order_line_id, sku, units, cause, released_as_of, run_id)"
        " VALUES (1, 1, 'A', 1, 'whim', '2018-01-01Z', 'run')",
        ({"release_id": "1"},),
        without="releases_cause_known_check",
    ),
    Broken(
        "inventory.restocks",
        "restocks_required_values_present",
        "ALTER TABLE inventory.restocks ALTER COLUMN sku DROP NOT NULL;"
        "INSERT INTO inventory.restocks (sku) VALUES (NULL)",
        ({"restock_id": "1"},),
    ),
    Broken(
        "inventory.feed_syncs",
        "feed_syncs_units_equal_movements",
        "UPDATE inventory.feed_syncs SET units_in = 2 WHERE sync_id = 1",
        ({"sync_id": "1"},),
    ),
    Broken(
        "inventory.counts",
        "counts_difference_posted",
        "UPDATE inventory.counts SET state = 'rejected'",
        ({"count_id": "1"},),
    ),
    Broken(
        "inventory.units",
        "units_unit_lower_case",
        "UPDATE inventory.units SET unit = 'Carton'",
        ({"sku": "C-RED", "unit": "Carton"},),
        without="units_unit_lower_case_check",
    ),
    Broken(
        "inventory.receipt_costs",
        "receipt_costs_receipt_exists",
        "UPDATE inventory.receipt_costs SET reference = 'PO-9' WHERE reference = 'PO-2'",
        ({"reference": "PO-9", "sku": "C-RED", "site_code": "N"},),
    ),
    Broken(
        "inventory.lots",
        "lots_received_within_receipts",
        "UPDATE inventory.lots SET received = 10",
        ({"lot_id": "1"},),
    ),
    Broken(
        "inventory.serials",
        "serials_in_stock_within_on_hand",
        "UPDATE inventory.balances SET on_hand = 0 WHERE sku = 'C-RED' AND site_code = 'N'",
        ({"sku": "C-RED", "serial": "0001"},),
    ),
    Broken(
        "inventory.transfers",
        "transfers_halves_posted",
        "UPDATE inventory.transfers SET arrived = 1, arrived_at = '2018-01-10Z'"
        " WHERE reference = 'T2'",
        ({"transfer_id": "2"},),
    ),
    # Two transfers of one reference come to S, and only one of them is posted there.
    Broken(
        "inventory.transfers",
        "transfers_halves_posted",
        "INSERT INTO warehouse.sites"
        " (site_code, name, country, latitude, longitude, handling_minor, currency)"
        " VALUES ('M', 'Middle', 'BR', -15.8, -47.9, 100, 'BRL');"
        " INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)"
        " VALUES ('C-RED', 'M', 'transfer', -2, '2018-01-06Z', 'transfer:T1');"
        " INSERT INTO inventory.transfers (reference, sku, from_site, to_site, quantity, sent_at,"
        " arrived, arrived_at, run_id)"
        " VALUES ('T1', 'C-RED', 'M', 'S', 2, '2018-01-06Z', 2, '2018-01-07Z', 'run')",
        ({"transfer_id": "3"},),
    ),
    Broken(
        "inventory.expected_receipts",
        "expected_receipts_units_in_range",
        "UPDATE inventory.expected_receipts SET received = -1",
        ({"reference": "PO-3", "sku": "C-RED", "site_code": "N"},),
        without="expected_receipts_units_in_range_check",
    ),
    Broken(
        "inventory.safety_stocks",
        "safety_stocks_units_not_negative",
        "UPDATE inventory.safety_stocks SET units = -1",
        ({"sku": "C-RED", "site_code": "N"},),
        without="safety_stocks_units_not_negative_check",
    ),
    Broken(
        "inventory.channel_buffers",
        "channel_buffers_share_in_range",
        "UPDATE inventory.channel_buffers SET share_percent = 120",
        ({"channel": "web", "sku": ""},),
        without="channel_buffers_share_in_range_check",
    ),
    Broken(
        "inventory.atp",
        "atp_steps_in_order",
        "UPDATE inventory.atp SET available_at = '2018-01-09Z' WHERE step = 2",
        ({"sku": "C-RED", "step": "2"},),
    ),
    Broken(
        "inventory.atp",
        "atp_within_free_stock",
        "UPDATE inventory.positions SET reserved = 2 WHERE sku = 'C-RED'",
        ({"sku": "C-RED", "step": "0"},),
    ),
    Broken(
        "inventory.valuations",
        "valuations_methods_agree",
        "UPDATE inventory.valuations SET units_in = 10, units_out = 2 WHERE method = 'fifo'",
        ({"sku": "C-RED", "method": "average"}, {"sku": "C-RED", "method": "fifo"}),
    ),
    Broken(
        "inventory.sku_classes",
        "sku_classes_dead_is_in_stock",
        "UPDATE inventory.sku_classes SET is_dead = true WHERE sku = 'A'",
        ({"sku": "A"},),
        without="sku_classes_dead_is_in_stock_check",
    ),
)
