-- A shop small enough to know by heart: nine orders over two channels and two currencies.
--
--   1  web   EUR  paid by card and voucher, split over both sites, delivered in time
--   2  web   EUR  same customer, delivered late
--   3  web   EUR  accepted, then cancelled at the source
--   4  web   EUR  rejected as fraud, which it was
--   5  mall  GBP  partly backordered, shipped in part
--   6  mall  GBP  not paid yet
--   7  mall  GBP  wholly backordered, returned at the source
--   8  mall  EUR  held for review
--   9  web   EUR  just accepted: nothing decided, nothing known
--
-- Everything personal contains the word SECRET.

INSERT INTO orders.inbox (inbox_id, channel, external_id, revision, payload, payload_hash,
                          received_at, state)
SELECT n, CASE WHEN n BETWEEN 5 AND 8 THEN 'mall' ELSE 'web' END, 'E' || n, 1,
       '{"name": "SECRET"}', 'h' || n, '2024-01-01', 'accepted'
FROM generate_series(1, 9) AS n;

INSERT INTO catalog.products (sku, name, category, weight_g, unit_cost_minor, list_price_minor,
                              currency)
VALUES ('A', 'Apple press', 'kitchen', 900, 600, 1000, 'EUR'),
       ('B', 'Bread tin', 'kitchen', NULL, 200, 500, 'EUR'),
       ('C', 'Cast pan', 'kitchen', 2500, NULL, 4000, 'GBP');

INSERT INTO customers.customers (customer_key, name, email, phone, country, first_order_at,
                                 last_order_at, orders_count)
VALUES ('ann@SECRET.example', 'Ann SECRET', 'ann@SECRET.example', '0SECRET', 'DE',
        '2024-01-01 10:00+00', '2024-01-09 10:00+00', 3),
       ('bob@SECRET.example', 'Bob SECRET', 'bob@SECRET.example', NULL, 'GB',
        '2024-01-05 10:00+00', '2024-01-07 23:30+00', 3),
       ('eve@SECRET.example', 'Eve SECRET', 'eve@SECRET.example', NULL, 'FR',
        '2024-01-03 10:00+00', '2024-01-08 10:00+00', 3);

INSERT INTO orders.orders (order_id, channel, external_id, revision, inbox_id, customer_key, email,
    placed_at, decided_as_of, promised_at, currency, items_minor, discount_minor, shipping_minor,
    tax_minor, total_minor, ship_to_name, ship_to_line1, ship_to_city, ship_to_region,
    ship_to_postal_code, ship_to_country, ip_address, device_id, run_id)
SELECT n, CASE WHEN n BETWEEN 5 AND 8 THEN 'mall' ELSE 'web' END, 'E' || n, 1, n,
       who || '@SECRET.example', who || '@SECRET.example', placed, placed + interval '1 hour',
       placed + interval '7 days', money, items, 0, 300, 0, items + 300, 'SECRET', 'SECRET street',
       'SECRET city', 'R1', 'SECRET', 'DE', 'SECRET', 'SECRET', 'test'
FROM (VALUES
    (1, 'ann', '2024-01-01 10:00+00'::timestamptz, 'EUR', 2500),
    (2, 'ann', '2024-01-02 10:00+00', 'EUR', 1000),
    (3, 'eve', '2024-01-03 10:00+00', 'EUR', 1000),
    (4, 'eve', '2024-01-04 10:00+00', 'EUR', 9000),
    (5, 'bob', '2024-01-05 10:00+00', 'GBP', 8000),
    (6, 'bob', '2024-01-06 10:00+00', 'GBP', 4000),
    (7, 'bob', '2024-01-07 23:30+00', 'GBP', 4000),
    (8, 'eve', '2024-01-08 10:00+00', 'EUR', 1000),
    (9, 'ann', '2024-01-09 10:00+00', 'EUR', 500)
) AS given (n, who, placed, money, items);

INSERT INTO orders.order_lines (order_line_id, order_id, line_no, sku, quantity, unit_price_minor,
                                discount_minor, tax_minor, line_total_minor)
VALUES (11, 1, 1, 'A', 2, 1000, 0, 0, 2000), (12, 1, 2, 'B', 1, 500, 0, 0, 500),
       (21, 2, 1, 'A', 1, 1000, 0, 0, 1000), (31, 3, 1, 'A', 1, 1000, 0, 0, 1000),
       (41, 4, 1, 'A', 9, 1000, 0, 0, 9000), (51, 5, 1, 'C', 2, 4000, 0, 0, 8000),
       (61, 6, 1, 'C', 1, 4000, 0, 0, 4000), (71, 7, 1, 'C', 1, 4000, 0, 0, 4000),
       (81, 8, 1, 'A', 1, 1000, 0, 0, 1000), (91, 9, 1, 'B', 1, 500, 0, 0, 500);

-- Orders further on their way than the database lets new ones be.
SET session_replication_role = replica;
INSERT INTO flow.order_states (order_id, payment_state, risk_state, fulfilment_state, hold_state,
                               changed_at)
VALUES (1, 'authorised', 'accepted', 'shipped', 'none', '2024-01-01'),
       (2, 'authorised', 'accepted', 'shipped', 'none', '2024-01-02'),
       (3, 'authorised', 'accepted', 'shipped', 'none', '2024-01-03'),
       (4, 'authorised', 'rejected', 'new', 'none', '2024-01-04'),
       (5, 'overpaid', 'accepted', 'partly_shipped', 'none', '2024-01-05'),
       (6, 'awaiting', 'awaiting_payment', 'new', 'none', '2024-01-06'),
       (7, 'authorised', 'accepted', 'backordered', 'none', '2024-01-07'),
       (8, 'authorised', 'review', 'new', 'held', '2024-01-08'),
       (9, 'unchecked', 'undecided', 'new', 'none', '2024-01-09');
SET session_replication_role = origin;

INSERT INTO payments.transactions (transaction_id, order_id, sequence, method, installments,
    amount_minor, currency, state, authorised_at, card_fingerprint, run_id)
VALUES (1, 1, 1, 'voucher', 1, 300, 'EUR', 'authorised', '2024-01-01 10:00+00', NULL, 'test'),
       (2, 1, 2, 'card', 3, 2500, 'EUR', 'authorised', '2024-01-01 11:00+00', 'SECRET', 'test'),
       (3, 2, 1, 'card', 1, 1300, 'EUR', 'authorised', '2024-01-02 11:00+00', 'SECRET', 'test'),
       (4, 3, 1, 'card', 1, 1300, 'EUR', 'authorised', '2024-01-03 11:00+00', 'SECRET', 'test'),
       (5, 4, 1, 'card', 1, 9300, 'EUR', 'authorised', '2024-01-04 11:00+00', 'SECRET', 'test'),
       (6, 5, 1, 'wallet', 1, 8400, 'GBP', 'authorised', '2024-01-05 11:00+00', NULL, 'test'),
       (7, 6, 1, 'boleto', 1, 4300, 'GBP', 'pending', NULL, NULL, 'test'),
       (8, 7, 1, 'wallet', 1, 4300, 'GBP', 'authorised', '2024-01-08 00:30+00', NULL, 'test'),
       (9, 8, 1, 'card', 1, 1300, 'EUR', 'authorised', '2024-01-08 11:00+00', 'SECRET', 'test');

INSERT INTO payments.order_payments (order_id, due_minor, authorised_minor, pending_minor,
    difference_minor, currency, payment_state, rule_version, decided_as_of, run_id)
SELECT order_id, o.total_minor, t.authorised, t.pending, t.authorised - o.total_minor, o.currency,
       s.payment_state, 'v1', o.decided_as_of, 'test'
FROM orders.orders AS o
JOIN flow.order_states AS s USING (order_id)
JOIN (SELECT order_id, coalesce(sum(amount_minor) FILTER (WHERE state = 'authorised'), 0)
                 AS authorised,
             coalesce(sum(amount_minor) FILTER (WHERE state = 'pending'), 0) AS pending
      FROM payments.transactions GROUP BY order_id) AS t USING (order_id);

INSERT INTO fraud.order_scores (order_id, probability, method, version, features, reasons,
                                scored_as_of, run_id)
SELECT n, CASE n WHEN 4 THEN 0.95 WHEN 8 THEN 0.5 ELSE n / 100.0 END, 'rules', 'r1', '{}', '{}',
       '2024-01-01', 'test'
FROM generate_series(1, 8) AS n;

INSERT INTO fraud.labels (channel, external_id, label, known_at, source)
VALUES ('web', 'E4', 'fraud', '2024-02-01', 'chargeback');

INSERT INTO risk.decisions (order_id, outcome, reasons, probability, expected_loss_minor,
                            rule_version, decided_as_of, run_id)
SELECT order_id, risk_state, '{some_reason}', 0.1, 100, 'v1', '2024-01-01', 'test'
FROM flow.order_states WHERE risk_state <> 'undecided';

INSERT INTO warehouse.sites (site_code, name, country, latitude, longitude, handling_minor, currency)
VALUES ('N', 'North', 'DE', 53.5, 10.0, 100, 'EUR'), ('S', 'South', 'DE', 48.1, 11.6, 100, 'EUR');

INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
VALUES ('A', 'N', 0, 2, '2024-01-01'), ('A', 'S', 4, 2, '2024-01-02'),
       ('B', 'S', 5, 1, '2024-01-01'), ('C', 'N', 0, 1, '2024-01-05');

INSERT INTO inventory.reservations (order_line_id, order_id, sku, requested, reserved, backordered,
                                    shipped, reserved_as_of, run_id)
VALUES (11, 1, 'A', 2, 2, 0, 2, '2024-01-01', 'test'), (12, 1, 'B', 1, 1, 0, 1, '2024-01-01', 'test'),
       (21, 2, 'A', 1, 1, 0, 1, '2024-01-02', 'test'), (31, 3, 'A', 1, 1, 0, 1, '2024-01-03', 'test'),
       (51, 5, 'C', 2, 1, 1, 1, '2024-01-05', 'test'), (71, 7, 'C', 1, 0, 1, 0, '2024-01-07', 'test');

INSERT INTO warehouse.allocations (order_id, order_line_id, sku, site_code, quantity, distance_km,
    policy, available_at, allocated_as_of, run_id)
VALUES (1, 11, 'A', 'N', 2, 100, 'split_by_line', '2024-01-01', '2024-01-01', 'test'),
       (1, 12, 'B', 'S', 1, 300, 'split_by_line', '2024-01-01', '2024-01-01', 'test'),
       (2, 21, 'A', 'S', 1, 300, 'single_site', '2024-01-02', '2024-01-02', 'test'),
       (3, 31, 'A', 'S', 1, 300, 'single_site', '2024-01-03', '2024-01-03', 'test'),
       (5, 51, 'C', 'N', 1, 100, 'single_site', '2024-01-05', '2024-01-05', 'test');

INSERT INTO transport.carriers (carrier_code, name) VALUES ('quick', 'Quick'), ('slow', 'Slow');
INSERT INTO transport.services (service_code, carrier_code, name, max_weight_g, dim_divisor, quality)
VALUES ('quick-day', 'quick', 'Quick day', 30000, 0, 0.99),
       ('slow-road', 'slow', 'Slow road', 30000, 0, 0.97);

INSERT INTO transport.carrier_choices (order_id, site_code, service_code, zone_code,
    billable_weight_g, cost_minor, currency, eta_at, on_time_probability, score, is_eligible, is_chosen, reason)
SELECT order_id, site_code, service_code, 'Z1', 1000, cost, 'EUR', '2024-01-03', 0.9, cost,
       true, service_code = 'slow-road', 'cheapest'
FROM (VALUES (1, 'N'), (1, 'S'), (2, 'S'), (3, 'S'), (5, 'N')) AS parcels (order_id, site_code)
CROSS JOIN (VALUES ('quick-day', 900), ('slow-road', 400)) AS offers (service_code, cost);

INSERT INTO transport.shipments (shipment_id, order_id, site_code, service_code, units, weight_g,
    is_weight_estimated, cost_minor, currency, shipped_at, eta_at, promised_at, run_id)
VALUES (1, 1, 'N', 'slow-road', 2, 1800, false, 400, 'EUR', '2024-01-02', '2024-01-05',
        '2024-01-08 10:00+00', 'test'),
       (2, 1, 'S', 'slow-road', 1, 500, true, 400, 'EUR', '2024-01-02', '2024-01-06',
        '2024-01-08 10:00+00', 'test'),
       (3, 2, 'S', 'slow-road', 1, 900, false, 400, 'EUR', '2024-01-03', '2024-01-06',
        '2024-01-09 10:00+00', 'test'),
       (4, 3, 'S', 'slow-road', 1, 900, false, 400, 'EUR', '2024-01-04', '2024-01-07',
        '2024-01-10 10:00+00', 'test'),
       (5, 5, 'N', 'slow-road', 1, 2500, false, 400, 'EUR', '2024-01-06', '2024-01-09',
        '2024-01-12 10:00+00', 'test');

INSERT INTO documents.series (series, next_number) VALUES ('INV-2024', 5);
INSERT INTO documents.invoices (series, number, order_id, issued_at, currency, goods_minor,
    shipping_minor, total_minor, content, template_version, pdf, sha256, run_id)
VALUES ('INV-2024', 1, 1, '2024-01-02', 'EUR', 2500, 300, 2800, '{"name": "SECRET"}', 't', 'SECRET',
        's', 'test'),
       ('INV-2024', 2, 2, '2024-01-03', 'EUR', 1000, 300, 1300, '{}', 't', 'SECRET', 's', 'test'),
       ('INV-2024', 3, 3, '2024-01-04', 'EUR', 1000, 300, 1300, '{}', 't', 'SECRET', 's', 'test'),
       ('INV-2024', 4, 5, '2024-01-06', 'GBP', 4000, 300, 4300, '{}', 't', 'SECRET', 's', 'test');

INSERT INTO orders.observed_events (channel, external_id, kind, reference, happened_at, detail)
VALUES ('web', 'E1', 'handed_over', '', '2024-01-02 09:00+00', '{}'),
       ('web', 'E1', 'delivered', '', '2024-01-06 10:00+00', '{}'),
       ('web', 'E1', 'reviewed', 'r1', '2024-01-07', '{"score": 5, "comment": "SECRET"}'),
       ('web', 'E1', 'reviewed', 'r2', '2024-01-08', '{"score": "4"}'),
       ('web', 'E2', 'delivered', '', '2024-01-11 10:00+00', '{}'),
       ('web', 'E2', 'reviewed', 'r1', '2024-01-12', '{"score": "n/a"}'),
       ('web', 'E3', 'cancelled', '', NULL, '{}'),
       ('web', 'E3', 'delivered', '', '2024-01-06', '{}'),
       ('web', 'E4', 'cancelled', '', '2024-01-05', '{}'),
       ('mall', 'E5', 'handed_over', '', '2024-01-06', '{}'),
       ('mall', 'E6', 'source_status', '', NULL, '{"status": "created"}'),
       ('mall', 'E7', 'delivered', '', '2024-01-12', '{}'),
       ('mall', 'E7', 'returned', '', '2024-01-15', '{}'),
       ('mall', 'E8', 'source_status', '', NULL, '{"status": "processing"}');
