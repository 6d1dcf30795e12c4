-- One list with the prices of a first import; a competitor asked less than 1000 for article A, so a
-- plan that Bob approved lowered it to 900 in February.
INSERT INTO pricing.price_lists
    (channel, currency, customer_group, tax_bps, offer_max_age_hours, approve_above_bps,
     most_moved_bps, is_automatic)
VALUES ('web', 'BRL', 'all', 1000, 72, 500, 2000, false);
INSERT INTO pricing.feeds
    (kind, source, digest, state, reason, entries, accepted, unchanged, flagged, parked, taken_as_of, run_id)
VALUES ('costs', 'costs.csv', repeat('3', 64), 'taken', NULL, 2, 2, 0, 0, 0, '2018-01-01Z', 'feed-1'),
    ('offers', 'offers.csv', repeat('4', 64), 'taken', NULL, 3, 1, 0, 1, 1, '2018-01-31Z', 'feed-2');
INSERT INTO pricing.costs (sku, currency, cost_minor, valid_from_at, valid_to_at, feed_id)
VALUES ('A', 'BRL', 500, '2018-01-01Z', '2018-02-01Z', 1), ('A', 'BRL', 520, '2018-02-01Z', NULL, 1);
INSERT INTO pricing.competitor_offers
    (competitor, sku, currency, price_minor, observed_at, state, reason, feed_id)
VALUES ('rival', 'A', 'BRL', 905, '2018-01-31Z', 'accepted', NULL, 2),
    ('rival', 'B', 'BRL', 9, '2018-01-31Z', 'flagged', 'far_below_ours', 2);

INSERT INTO pricing.rules
    (name, version, kind, parameters, priority, is_approved_by_hand, valid_from_at, valid_to_at,
     created_by)
VALUES ('follow', 1, 'follow_competitor', '{}', 1, false, '2018-01-01Z', '2018-01-15Z', 'ann'),
    ('follow', 2, 'follow_competitor', '{}', 1, true, '2018-01-15Z', NULL, 'ann');
INSERT INTO pricing.constraints (price_list_id, category, margin_bps, charm_modulus, charm_ending)
VALUES (1, 'toys', 500, 100, 0);
INSERT INTO pricing.promotions (name, category, discount_bps, is_combinable, starts_at, ends_at)
VALUES ('carnival', 'toys', 1000, false, '2018-02-09Z', '2018-02-14Z');
INSERT INTO pricing.coupons (code, discount_minor, is_combinable, starts_at, ends_at)
VALUES ('HELLO', 200, false, '2018-01-01Z', '2018-12-31Z');

INSERT INTO pricing.price_plans
    (price_list_id, kind, state, planned_as_of, effective_at, requested_by, rules, inputs, lines,
     moved, held, is_approval_needed, approved_by, run_id)
VALUES (1, 'import', 'verified', '2018-01-01Z', '2018-01-01Z', 'ann', '[]', '{}', 2, 2, 0, false, NULL, 'plan-1'),
    (1, 'reprice', 'verified', '2018-01-31Z', '2018-02-01Z', 'ann', '[]', '{}', 2, 1, 1, true, 'bob', 'plan-2');
INSERT INTO pricing.approvals (plan_id, requested_by, decision, decided_by, decided_at, comment)
VALUES (2, 'ann', 'approved', 'bob', '2018-01-31 12:00Z', 'as agreed');
INSERT INTO pricing.prices
    (price_list_id, sku, min_quantity, price_minor, regular_minor, reference_minor, valid_from_at,
     valid_to_at, rule, plan_id, run_id)
VALUES (1, 'A', 1, 1000, 1000, NULL, '2018-01-01Z', '2018-02-01Z', 'import', 1, 'plan-1'),
    (1, 'B', 1, 250, 250, NULL, '2018-01-01Z', NULL, 'import', 1, 'plan-1'),
    (1, 'A', 1, 900, 900, 1000, '2018-02-01Z', NULL, 'follow 2', 2, 'plan-2');
INSERT INTO pricing.plan_lines
    (plan_id, sku, min_quantity, outcome, old_minor, proposed_minor, new_minor, regular_minor,
     base_price_id, rule, bound, reasons, is_approval_needed)
VALUES (1, 'A', 1, 'new', NULL, 1000, 1000, 1000, NULL, 'import', '{}', '{}', false),
    (1, 'B', 1, 'new', NULL, 250, 250, 250, NULL, 'import', '{}', '{}', false),
    (2, 'A', 1, 'change', 1000, 905, 900, 900, 1, 'follow 2', '{charm}', '{offer_below}', true),
    (2, 'B', 1, 'hold', 250, NULL, 250, 250, 2, '', '{}', '{no_cost}', false);

INSERT INTO pricing.elasticities
    (channel, currency, sku, estimated_as_of, category, raw, raw_error, category_mean, weight,
     elasticity, low, high, weeks, units, method, is_usable, run_id)
VALUES ('web', 'BRL', 'A', '2018-02-01Z', 'toys', -2.2, 0.3, -1.8, 0.8, -2.1, -2.6, -1.6, 52, 400,
    'price_tests', true, 'analysis-1');
INSERT INTO pricing.price_tests (name, price_list_id, sku, starts_at, ends_at, arm_bps, run_id)
VALUES ('spring', 1, 'A', '2018-03-01Z', '2018-03-15Z', -500, 'analysis-1');
INSERT INTO pricing.markdown_plans
    (price_list_id, sku, planned_as_of, weeks, stock, weekly_units, elasticity, interval_width,
     prices, expected_minor, ladder_minor, is_automated, reasons, run_id)
VALUES (1, 'A', '2018-02-01Z', 4, 40, 8, -2.1, 1, '[900, 850, 800, 750]', 30000, 28000, true, '{}',
        'analysis-1'),
    (1, 'B', '2018-02-01Z', 4, 40, 8, -1.1, 3, '[250, 240, 230, 220]', 9000, 8900, false,
        '{interval_wide}', 'analysis-1');
INSERT INTO pricing.backtests
    (price_list_id, from_at, to_at, rules, moments, moved, units, margin_change_minor, summary, run_id)
VALUES (1, '2018-01-01Z', '2018-02-01Z', '[]', 31, 4, 20, -500, '{}', 'analysis-1');
