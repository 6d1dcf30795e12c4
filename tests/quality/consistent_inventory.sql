-- Nine units of C-RED came, eight are left: five at N, two at S and one between them. Article A is
-- forecast and about to be ordered again.
INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
VALUES ('C-RED', 'N', 'receipt', 6, '2018-01-02Z', 'PO-1'),
    ('C-RED', 'N', 'receipt', 2, '2018-01-03Z', 'PO-2'),
    ('C-RED', 'N', 'adjustment', 1, '2018-01-04Z', 'feed:1'),
    ('C-RED', 'N', 'count', -1, '2018-01-05Z', 'count:JAN'),
    ('C-RED', 'N', 'transfer', -2, '2018-01-06Z', 'transfer:T1'),
    ('C-RED', 'S', 'transfer', 2, '2018-01-07Z', 'transfer_in:T1/N'),
    ('C-RED', 'N', 'transfer', -1, '2018-01-08Z', 'transfer:T2');
INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
VALUES ('C-RED', 'N', 5, 0, '2018-01-08Z'), ('C-RED', 'S', 2, 0, '2018-01-07Z');
INSERT INTO inventory.positions (sku, on_hand, reserved) VALUES ('C-RED', 7, 0);

INSERT INTO inventory.feed_syncs
    (site_code, kind, feed_key, attempt, observed_as_of, state, reason, rows_read, rows_applied,
     rows_unchanged, rows_parked, units_in, units_out, run_id)
VALUES ('N', 'delta', 'january', 1, '2018-01-04Z', 'applied', NULL, 2, 1, 1, 0, 1, 0, 'feed-1'),
    ('N', 'snapshot', 'cut short', 1, NULL, 'refused', 'too_few_rows', 1, 0, 0, 0, 0, 0, 'feed-2');
INSERT INTO inventory.counts
    (reference, site_code, sku, counted_at, counted, expected, difference, tolerance, state,
     decided_by, decided_at, run_id)
VALUES ('JAN', 'N', 'C-RED', '2018-01-05Z', 8, 9, -1, 2, 'posted', 'tolerance', '2018-01-05Z', 'count-1');
INSERT INTO inventory.units (sku, unit, pieces) VALUES ('C-RED', 'carton', 6);
INSERT INTO inventory.receipt_costs (reference, sku, site_code, unit_cost_minor, currency, run_id)
VALUES ('PO-1', 'C-RED', 'N', 400, 'BRL', 'receipt-1'), ('PO-2', 'C-RED', 'N', 500, 'BRL', 'receipt-2');
INSERT INTO inventory.lots (sku, site_code, lot_code, received, received_at, expires_at)
VALUES ('C-RED', 'N', 'L1', 6, '2018-01-02Z', '2019-01-01Z');
INSERT INTO inventory.serials (sku, serial, site_code, state, came_with, came_at, left_with, left_at)
VALUES ('C-RED', '0001', 'N', 'in_stock', 'PO-1', '2018-01-02Z', NULL, NULL),
    ('C-RED', '0002', NULL, 'written_off', 'PO-1', '2018-01-02Z', 'count:JAN', '2018-01-05Z');
INSERT INTO inventory.transfers
    (reference, sku, from_site, to_site, quantity, sent_at, due_at, arrived, arrived_at, run_id)
VALUES ('T1', 'C-RED', 'N', 'S', 2, '2018-01-06Z', '2018-01-07Z', 2, '2018-01-07Z', 'transfer-1'),
    ('T2', 'C-RED', 'N', 'S', 1, '2018-01-08Z', '2018-01-10Z', NULL, NULL, 'transfer-2');

INSERT INTO inventory.expected_receipts (reference, sku, site_code, due_at, quantity)
VALUES ('PO-3', 'C-RED', 'N', '2018-01-20Z', 10);
INSERT INTO inventory.safety_stocks (sku, site_code, units, service_level, source)
VALUES ('C-RED', 'N', 1, 0.95, 'policy');
INSERT INTO inventory.channel_buffers (channel, sku, most_listed, stop_units, share_percent)
VALUES ('web', '', 100, 0, 80);
INSERT INTO inventory.atp (sku, step, available_at, units, cause, run_id)
VALUES ('C-RED', 0, NULL, 6, 'stock', 'atp-1'), ('C-RED', 1, '2018-01-10Z', 7, 'receipt', 'atp-1'),
    ('C-RED', 2, '2018-01-20Z', 17, 'receipt', 'atp-1');
-- Six at 400, two at 500, one more at the product's 400; the one that was missing left first.
INSERT INTO inventory.valuations
    (sku, method, units, units_in, units_out, cost_in_minor, cost_out_minor, value_minor,
     lowest_unit_cost_minor, highest_unit_cost_minor, units_uncosted, currency, changed_as_of, run_id)
VALUES ('C-RED', 'fifo', 8, 9, 1, 3800, 400, 3400, 400, 500, 0, 'BRL', '2018-01-08Z', 'worth-1'),
    ('C-RED', 'average', 8, 9, 1, 3800, 422, 3378, 400, 500, 0, 'BRL', '2018-01-08Z', 'worth-1');
INSERT INTO inventory.sku_classes
    (sku, abc, xyz, units_sold, sold_at_cost_minor, currency, weekly_units, weekly_spread, on_hand,
     days_of_cover, turnover, last_sold_at, is_dead, version, classified_as_of, run_id)
VALUES ('A', 'A', 'X', 3, 1500, 'BRL', 3, 0.2, 0, 0, NULL, '2018-01-02Z', false, '1', '2018-01-08Z', 'class-1'),
    ('C-RED', 'C', NULL, 0, 0, 'BRL', 0, NULL, 7, NULL, 0, NULL, true, '1', '2018-01-08Z', 'class-1');

INSERT INTO inventory.demand_history
    (sku, site_code, week_date, sold_units, order_lines, revenue_minor, currency, returned_units,
     stockout_share, is_censored, run_id)
VALUES ('A', 'N', '2018-01-01', 3, 2, 3000, 'BRL', 0, 0.7, true, 'demand-1');
INSERT INTO inventory.forecast_backtests
    (origin_date, segment, method, series, horizon_weeks, rmsse, weighted_rmsse, mase, pinball, bias,
     coverage, coverage_miss, version, run_id)
VALUES ('2018-01-01', 'smooth/core', 'ets', 1, 4, 0.8, 0.8, 0.7, 0.2, 0.01, '{}', 0.02, '1', 'demand-1');
INSERT INTO inventory.forecast_methods
    (decided_date, segment, method, is_passed, reasons, origins, series, weighted_rmsse, naive_rmsse,
     bias, coverage_miss, version, run_id)
VALUES ('2018-01-08', 'smooth/core', 'ets', true, '{better_than_naive}', 1, 1, 0.8, 1, 0.01, 0.02, '1', 'demand-1');
INSERT INTO inventory.forecasts
    (sku, site_code, origin_date, week_date, segment, method, mean_units, p05, p10, p25, p50, p75, p90,
     p95, p975, p99, version, run_id)
VALUES ('A', 'N', '2018-01-08', '2018-01-08', 'smooth/core', 'ets', 3, 1, 1, 2, 3, 4, 5, 5, 6, 7, '1', 'demand-1');
INSERT INTO inventory.reorder_terms (sku, pack_units, minimum_units, service_level)
VALUES ('A', 5, 5, 0.95);
INSERT INTO inventory.reorder_policies
    (sku, site_code, origin_date, segment, method, service_level, lead_days, lead_spread_days,
     review_days, protected_units, demand_spread_units, lead_spread_units, safety_units, daily_units,
     reorder_point, order_up_to, run_id)
VALUES ('A', 'N', '2018-01-08', 'smooth/core', 'ets', 0.95, 7, 1, 7, 6, 2, 0, 2, 0.43, 5, 8, 'order-1');
INSERT INTO inventory.purchase_proposals
    (supplier_key, site_code, currency, proposed_as_of, state, reasons, total_minor, minimum_minor,
     lead_days, version, run_id)
VALUES ('S1', 'N', 'BRL', '2018-01-08 06:00Z', 'proposed', '{due}', 5000, 0, 7, '1', 'order-1');
INSERT INTO inventory.purchase_proposal_lines
    (proposal_id, sku, available_units, on_order_units, reorder_point, order_up_to, protected_units,
     safety_units, service_level, needed_units, pack_units, minimum_units, quantity, unit_cost_minor,
     line_total_minor, segment, method, reasons, explanation)
VALUES (1, 'A', 0, 0, 5, 8, 6, 2, 0.95, 8, 5, 5, 10, 500, 5000, 'smooth/core', 'ets', '{whole_packs}',
    'Eight are needed, which is two packs of five.');
INSERT INTO inventory.policy_simulations
    (origin_date, policy, service_level, series, weeks, lead_weeks, fill_rate, value_fill_rate,
     stock_units, stock_value, run_id)
VALUES ('2018-01-08', 'quantile', 0.95, 1, 26, 1, 0.97, 0.96, 4, 2000, 'demand-1');
