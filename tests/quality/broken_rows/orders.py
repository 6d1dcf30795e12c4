"""Broken rows of orders, their customers and payments, and of the risk in them."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "customers.customers",
        "customers_orders_count_dated",
        "UPDATE customers.customers SET orders_count = 1 WHERE customer_key = 'C2'",
        ({"customer_key": "C2"},),
    ),
    Broken(
        "customers.addresses",
        "addresses_customer_key_exists",
        "UPDATE customers.addresses SET customer_key = 'GONE'",
        ({"customer_key": "GONE", "address_hash": "b" * 64},),
    ),
    Broken(
        "fraud.labels",
        "labels_key_unique",
        "INSERT INTO fraud.labels SELECT * FROM fraud.labels",
        ({"channel": "web", "external_id": "E1"},) * 2,
        without="labels_pkey",
    ),
    Broken(
        "fraud.sightings",
        "sightings_order_id_exists",
        "UPDATE fraud.sightings SET order_id = 99",
        (
            {
                "kind": "device",
                "value_hash": "d" * 32,
                "seen_at": "2018-01-01 00:00:00+00:00",
                "order_id": "99",
            },
        ),
    ),
    Broken(
        "fraud.models",
        "models_positives_among_rows",
        "UPDATE fraud.models SET positives = 101",
        ({"model_version": "logistic-1"},),
    ),
    Broken(
        "fraud.order_scores",
        "order_scores_probability_in_range",
        "UPDATE fraud.order_scores SET probability = -0.1 WHERE order_id = 2",
        ({"order_id": "2"},),
        without="order_scores_probability_in_range_check",
    ),
    Broken(
        "fraud.order_scores",
        "order_scores_model_trained_before",
        "UPDATE fraud.models SET trained_as_of = '2018-01-01 12:00Z'",
        ({"order_id": "1"},),
    ),
    Broken(
        "orders.changes",
        "changes_effective_after_requested",
        "INSERT INTO orders.changes (order_id, kind, document, requested_at, requested_by, reason,"
        " state, effective_as_of)"
        " VALUES (3, 'cancel', '{}', '2018-02-02Z', 'ann', 'x', 'applied', '2018-02-01Z')",
        ({"change_id": "1"},),
    ),
    Broken(
        "orders.inbox",
        "inbox_state_known",
        "UPDATE orders.inbox SET state = 'lost' WHERE inbox_id = 2",
        ({"inbox_id": "2"},),
        without="inbox_state_known_check",
    ),
    Broken(
        "orders.inbox",
        "inbox_kind_known",
        "UPDATE orders.inbox SET kind = 'rumour', state = 'pending' WHERE inbox_id = 2",
        ({"inbox_id": "2"},),
        without="inbox_kind_known_check",
    ),
    Broken(
        "orders.inbox",
        "inbox_cancellations_meet_orders",
        "INSERT INTO orders.inbox OVERRIDING SYSTEM VALUE SELECT 99, 'web', 'never', 1, payload,"
        " payload_hash, received_at - interval '1 year', 'waiting', NULL, NULL, 'run', now(),"
        " 'cancellation' FROM orders.inbox WHERE inbox_id = 2",
        ({"inbox_id": "99"},),
    ),
    Broken(
        "orders.consumed_offsets",
        "consumed_offsets_next_offset_not_negative",
        "UPDATE orders.consumed_offsets SET next_offset = -1",
        ({"consumer_group": "shop", "topic": "orders", "topic_id": "id", "partition": "0"},),
        without="consumed_offsets_next_offset_not_negative_check",
    ),
    Broken(
        "orders.orders",
        "orders_amounts_equal_lines",
        "UPDATE orders.orders SET items_minor = items_minor + 1, total_minor = total_minor + 1"
        " WHERE order_id = 4",
        ({"order_id": "4"},),
    ),
    Broken(
        "orders.orders",
        "orders_total_adds_up",
        "UPDATE orders.orders SET total_minor = 1 WHERE order_id = 2",
        ({"order_id": "2"},),
        without="orders_total_adds_up_check",
    ),
    Broken(
        "orders.orders",
        "orders_lines_present",
        "DELETE FROM orders.order_lines WHERE order_id = 3",
        ({"order_id": "3"},),
        without="foreign keys",
    ),
    Broken(
        "orders.order_lines",
        "order_lines_sku_exists",
        "UPDATE orders.order_lines SET sku = 'GONE' WHERE order_line_id = 8",
        ({"order_line_id": "8"},),
    ),
    Broken(
        "orders.observed_events",
        "observed_events_kind_known",
        "UPDATE orders.observed_events SET kind = 'rumoured'",
        ({"observed_event_id": "1"},),
    ),
    Broken(
        "payments.planned_releases",
        "planned_releases_within_authorised",
        "INSERT INTO orders.changes (order_id, kind, document, requested_at, requested_by, reason)"
        " VALUES (3, 'cancel', '{}', '2018-02-02Z', 'ann', 'x');"
        " INSERT INTO payments.planned_releases (order_id, change_id, kind, amount_minor,"
        " currency, state, planned_as_of, run_id)"
        " VALUES (3, 1, 'refund', 9999999, 'BRL', 'planned', '2018-02-02Z', 'run')",
        ({"release_id": "1"},),
    ),
    Broken(
        "payments.transactions",
        "transactions_currency_matches_order",
        "UPDATE payments.transactions SET currency = 'EUR' WHERE transaction_id = 3",
        ({"transaction_id": "3"},),
    ),
    Broken(
        "payments.order_payments",
        "order_payments_due_equals_order_total",
        "UPDATE payments.order_payments SET due_minor = 2400, difference_minor = 100"
        " WHERE order_id = 1",
        ({"order_id": "1"},),
    ),
    Broken(
        "risk.decisions",
        "decisions_reasons_present",
        "UPDATE risk.decisions SET reasons = '{}' WHERE order_id = 3",
        ({"order_id": "3"},),
    ),
)
