-- A small shop in which everything adds up: order 1 shipped in full from two sites, order 2 in part,
-- order 3 is rejected, order 4 waits for its payment stage.
INSERT INTO flow.imports (format, digest, run_id, first_at, last_at)
VALUES ('olist', repeat('a', 64), 'import-1', '2018-01-01Z', '2018-01-04Z');
INSERT INTO flow.import_accounts
    (import_id, source, rows_read, rows_accepted, rows_parked, rows_superseded)
VALUES (1, 'orders.csv', 5, 4, 1, 0);
INSERT INTO flow.quarantine (source, row_number, subject, reason, detail, row, run_id)
VALUES ('orders.csv', 5, 'web/E5', 'order_without_lines', 'lines: none', '{}', 'import-1');

INSERT INTO catalog.suppliers (supplier_key, name, country, lead_time_days)
VALUES ('S1', 'Supplier One', 'BR', 7);
INSERT INTO catalog.products
    (sku, name, category, weight_g, shipping_weight_g, list_price_minor, currency, supplier_key)
VALUES ('A', 'Article A', 'toys', 500, 500, 1000, 'BRL', 'S1'),
    ('B', 'Article B', 'toys', NULL, 500, 250, 'BRL', NULL);
INSERT INTO customers.customers
    (customer_key, country, first_order_at, last_order_at, orders_count)
VALUES ('C1', 'BR', '2018-01-01Z', '2018-01-03Z', 3), ('C2', 'BR', NULL, NULL, 0);
INSERT INTO customers.addresses
    (customer_key, address_hash, country, latitude, longitude, first_used_at, last_used_at)
VALUES ('C1', repeat('b', 64), 'BR', -23.5, -46.6, '2018-01-01Z', '2018-01-03Z');

INSERT INTO orders.inbox
    (channel, external_id, revision, payload, payload_hash, received_at, state, run_id, import_id)
SELECT 'web', 'E' || n, 1, '{}', repeat('c', 64), timestamptz '2018-01-01Z' + (n - 1) * interval '1 day',
    'accepted', 'run-1', 1
FROM generate_series(1, 4) AS n;
INSERT INTO orders.orders
    (channel, external_id, revision, inbox_id, customer_key, placed_at, decided_as_of, promised_at,
     currency, items_minor, discount_minor, shipping_minor, tax_minor, total_minor,
     ship_to_country, run_id)
SELECT 'web', external_id, 1, inbox_id, 'C1', received_at, received_at, received_at + interval '9 day',
    'BRL', 2250, 50, 300, 0, 2500, 'BR', 'run-1'
FROM orders.inbox ORDER BY inbox_id;
INSERT INTO orders.order_lines
    (order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor, line_total_minor)
SELECT order_id, line_no, sku, quantity, price, discount, 0, quantity * price - discount
FROM orders.orders
CROSS JOIN (VALUES (1, 'A', 2, 1000, 50), (2, 'B', 1, 250, 0))
    AS line (line_no, sku, quantity, price, discount)
ORDER BY order_id, line_no;
INSERT INTO orders.consumed_offsets (consumer_group, topic, topic_id, partition, next_offset)
VALUES ('shop', 'orders', 'id', 0, 7);
INSERT INTO backoffice.purges
    (kept_from_at, most_runs, runs, events, evaluations, bytes_before, bytes_after, run_id)
VALUES ('2018-01-01Z', 5000, 3, 900, 60, 20000000, 19000000, 'run-1');

INSERT INTO orders.observed_events (channel, external_id, kind, reference, happened_at, detail)
VALUES ('web', 'E1', 'delivered', '', '2018-01-08Z', '{}');

INSERT INTO payments.transactions
    (order_id, sequence, method, installments, amount_minor, currency, state, authorised_at, run_id)
SELECT order_id, 1, 'card', 1, 2500, 'BRL', 'authorised', placed_at, 'run-2'
FROM orders.orders WHERE order_id <= 3 ORDER BY order_id;
INSERT INTO payments.order_payments
    (order_id, due_minor, authorised_minor, pending_minor, difference_minor, currency,
     payment_state, rule_version, decided_as_of, run_id)
SELECT order_id, 2500, 2500, 0, 0, 'BRL', 'authorised', 'match-1', decided_as_of, 'run-2'
FROM orders.orders WHERE order_id <= 3;

INSERT INTO fraud.labels (channel, external_id, label, known_at, source)
VALUES ('web', 'E1', 'legitimate', '2018-03-01Z', 'simulation');
INSERT INTO fraud.sightings (kind, value_hash, seen_at, order_id, customer_key)
VALUES ('device', repeat('d', 32), '2018-01-01Z', 1, 'C1');
INSERT INTO fraud.models
    (model_version, trained_as_of, rows_used, positives, coefficients, metrics, run_id)
VALUES ('logistic-1', '2017-12-31Z', 100, 5, '{}', '{}', 'run-3');
INSERT INTO fraud.order_scores
    (order_id, probability, method, version, features, reasons, scored_as_of, run_id)
SELECT order_id, CASE order_id WHEN 3 THEN 0.5 ELSE 0.02 END, 'model', 'logistic-1', '{}',
    '{velocity}', decided_as_of, 'run-3'
FROM orders.orders WHERE order_id <= 3;
INSERT INTO risk.decisions
    (order_id, outcome, reasons, probability, expected_loss_minor, rule_version, decided_as_of,
     run_id)
SELECT order_id, CASE order_id WHEN 3 THEN 'rejected' ELSE 'accepted' END, '{expected_loss}',
    probability, (probability * 2500)::bigint, 'risk-1', scored_as_of, 'run-4'
FROM fraud.order_scores;

INSERT INTO warehouse.sites
    (site_code, name, country, latitude, longitude, handling_minor, currency)
VALUES ('N', 'North', 'BR', -3.1, -60.0, 100, 'BRL'), ('S', 'South', 'BR', -30.0, -51.2, 100, 'BRL');
-- Order 1 takes both units of A and the only B; order 2 gets one A of two and no B.
INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
VALUES ('A', 'N', 'opening', 3, '2017-12-01Z', 'opening'),
    ('B', 'S', 'opening', 1, '2017-12-01Z', 'opening'),
    ('A', 'N', 'sale', -2, '2018-01-01Z', 'order:web/E1'),
    ('B', 'S', 'sale', -1, '2018-01-01Z', 'order:web/E1'),
    ('A', 'N', 'sale', -1, '2018-01-02Z', 'order:web/E2');
INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
VALUES ('A', 'N', 0, 3, '2018-01-02Z'), ('B', 'S', 0, 1, '2018-01-01Z');
INSERT INTO inventory.positions (sku, on_hand, reserved) VALUES ('A', 0, 0), ('B', 0, 0);
INSERT INTO inventory.reservations
    (order_line_id, order_id, sku, requested, reserved, backordered, shipped, reserved_as_of, run_id)
SELECT order_line_id, order_id, sku, quantity, promised, quantity - promised, promised,
    timestamptz '2018-01-02Z', 'run-5'
FROM orders.order_lines
JOIN (VALUES (1, 2), (2, 1), (3, 1), (4, 0)) AS given (line, promised) ON line = order_line_id;
INSERT INTO warehouse.site_loads (sku, site_code, allocated) VALUES ('A', 'N', 3), ('B', 'S', 1);
INSERT INTO warehouse.allocations
    (order_id, order_line_id, sku, site_code, quantity, distance_km, policy, available_at,
     allocated_as_of, run_id)
VALUES (1, 1, 'A', 'N', 2, 2700, 'split_by_line', '2018-01-01Z', '2018-01-01Z', 'run-6'),
    (1, 2, 'B', 'S', 1, 850, 'split_by_line', '2018-01-01Z', '2018-01-01Z', 'run-6'),
    (2, 3, 'A', 'N', 1, 2700, 'single_site', '2018-01-02Z', '2018-01-02Z', 'run-6');

INSERT INTO transport.carriers (carrier_code, name) VALUES ('POST', 'Post');
INSERT INTO transport.services
    (service_code, carrier_code, name, max_weight_g, dim_divisor, quality)
VALUES ('STD', 'POST', 'Standard', 30000, 5000, 0.99), ('EXP', 'POST', 'Express', 10000, 0, 0.999);
INSERT INTO transport.zones (zone_code, from_km, to_km)
VALUES ('NEAR', 0, 500), ('FAR', 500, 'infinity');
INSERT INTO transport.rates
    (service_code, zone_code, from_g, to_g, price_minor, currency, transit_days,
     transit_spread_days, valid_from_at)
VALUES ('STD', 'FAR', 0, 30000, 400, 'BRL', 5, 1, '2016-01-01Z'),
    ('EXP', 'FAR', 0, 10000, 900, 'BRL', 2, 0.5, '2016-01-01Z');
INSERT INTO transport.carrier_choices
    (order_id, site_code, service_code, zone_code, billable_weight_g, rate_id, cost_minor, currency,
     eta_at, on_time_probability, score, is_eligible, is_chosen, reason)
SELECT order_id, site_code, service_code, 'FAR', 1000, rate_id, price_minor, 'BRL',
    allocated_as_of + transit_days * interval '1 day', 0.95, price_minor, true,
    service_code = 'STD', 'cheapest'
FROM warehouse.allocations CROSS JOIN transport.rates;
INSERT INTO transport.shipments
    (order_id, site_code, service_code, units, weight_g, is_weight_estimated, cost_minor, currency,
     shipped_at, eta_at, run_id)
SELECT order_id, site_code, 'STD', quantity, quantity * 500, false, 400, 'BRL', allocated_as_of,
    allocated_as_of + interval '5 day', 'run-7'
FROM warehouse.allocations ORDER BY allocation_id;

INSERT INTO documents.series (series, next_number) VALUES ('INV-2018', 3);
INSERT INTO documents.invoices
    (series, number, order_id, issued_at, currency, goods_minor, shipping_minor, total_minor,
     content, template_version, pdf, sha256, run_id)
VALUES ('INV-2018', 1, 1, '2018-01-01Z', 'BRL', 2200, 300, 2500, '{}', 'i1', '%PDF', repeat('e', 64), 'run-8'),
    ('INV-2018', 2, 2, '2018-01-02Z', 'BRL', 975, 300, 1275, '{}', 'i1', '%PDF', repeat('f', 64), 'run-8');
INSERT INTO documents.packing_slips
    (shipment_id, order_id, issued_at, units, content, template_version, pdf, sha256, run_id)
SELECT shipment_id, order_id, shipped_at, units, '{}', 'p1', '%PDF', repeat('0', 64), 'run-9'
FROM transport.shipments;

-- Orders further on their way than the database lets new ones be.
SET session_replication_role = replica;
INSERT INTO flow.order_states
    (order_id, payment_state, risk_state, fulfilment_state, hold_state, changed_at)
VALUES (1, 'authorised', 'accepted', 'shipped', 'none', '2018-01-01Z'),
    (2, 'authorised', 'accepted', 'partly_shipped', 'none', '2018-01-02Z'),
    (3, 'authorised', 'rejected', 'new', 'none', '2018-01-03Z'),
    (4, 'unchecked', 'undecided', 'new', 'none', '2018-01-04Z');
SET session_replication_role = origin;
INSERT INTO flow.pending (stage, order_id, due_at)
VALUES ('payment', 4, '2018-01-04Z'), ('customer', 4, '2018-01-04Z');
INSERT INTO decisions.ledger
    (kind, order_id, subject, attempt, inputs, version, outcome, decided_as_of, run_id)
SELECT kind, order_id, '', 1, '{}', 'v1', 'done', decided_as_of, 'run-2'
FROM orders.orders
CROSS JOIN (VALUES ('payment_match', 3), ('fraud_score', 3), ('risk_decision', 3),
    ('reservation', 2), ('allocation', 2), ('carrier_choice', 2)) AS stage (kind, last_order)
WHERE order_id <= last_order ORDER BY kind, order_id;
INSERT INTO decisions.timeline (order_id, event, happened_at, detail, run_id)
SELECT order_id, 'order_accepted', placed_at, '{}', 'run-1' FROM orders.orders ORDER BY order_id;
