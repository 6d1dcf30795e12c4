-- Ann and Bob may come in, Bob by a key too; Ann drafted a stricter risk rule that Bob approved and
-- that is in force since February. Order 2 came with the tax of its day, order 1 without.
INSERT INTO backoffice.users (name, full_name, roles, password_hash, created_at)
VALUES ('ann', 'Ann', '{operator}', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', '2018-01-01Z'),
    ('bob', 'Bob', '{approver}', NULL, '2018-01-01Z');
INSERT INTO backoffice.sessions
    (token_hash, user_id, started_at, seen_at, ends_at, ended_at, ended_because, address, agent)
VALUES (repeat('1', 64), 1, '2018-01-02Z', '2018-01-02Z', '2018-01-03Z', '2018-01-02 12:00Z', 'logout',
    '127.0.0.1', 'browser');
INSERT INTO backoffice.links (token_hash, user_id, made_at, expires_at)
VALUES (repeat('2', 64), 2, '2018-01-01Z', '2018-01-02Z');
INSERT INTO backoffice.api_keys
    (key_name, secret_hash, user_id, purpose, scopes, created_at, expires_at)
VALUES ('abc', repeat('3', 64), 2, 'the warehouse', '{orders:read}', '2018-01-01Z', '2019-01-01Z');
INSERT INTO backoffice.idempotency_keys
    (user_id, key, request_hash, status, headers, body, answered_at, expires_at)
VALUES (2, 'adjust-1', repeat('4', 64), 200, '{}', '{}', '2018-01-02Z', '2018-01-03Z');

INSERT INTO backoffice.business_rules (kind, version, label, parameters, examples, based_on, state, created_by,
    created_at, proposed_by, proposed_at, decided_by, decided_at)
SELECT kind, 2, 'risk/2', parameters || '{"review_from": 0.1}',
    '[{"name": "x", "given": {"probability": 0.2}, "expected": {"outcome": "review"}}]', 'risk/1',
    'in_force', 'ann', '2018-01-20Z', 'ann', '2018-01-21Z', 'bob', '2018-01-22Z'
FROM backoffice.business_rules WHERE label = 'risk/1';
UPDATE backoffice.rule_periods SET valid_to_at = '2018-02-01Z', ended_because = 'superseded'
WHERE kind = 'risk';
UPDATE backoffice.business_rules SET state = 'superseded' WHERE label = 'risk/1';
INSERT INTO backoffice.rule_periods (kind, rule_id, valid_from_at, begun_by)
SELECT kind, rule_id, '2018-02-01Z', 'bob' FROM backoffice.business_rules WHERE label = 'risk/2';
INSERT INTO backoffice.rule_trials
    (rule_id, stage, subjects, changed, summary, tried_as_of, run_id)
SELECT rule_id, 'test', 1, 0, '{"failed": []}', '2018-01-20Z', 'command'
FROM backoffice.business_rules WHERE label = 'risk/2';

INSERT INTO backoffice.tax_rates
    (country, tax_category, rate_bps, valid_from_date, valid_to_date, source, created_by)
VALUES ('BR', 'standard', 1700, '2010-01-01', '2018-01-02', 'law', 'ann'),
    ('BR', 'standard', 1800, '2018-01-02', NULL, 'law', 'ann');
INSERT INTO backoffice.tax_categories (product_category, sku, tax_category)
VALUES ('', 'B', 'books');
INSERT INTO backoffice.tax_settings
    (channel, seller_country, is_tax_in_prices, rounding, rounding_mode, tax_point)
VALUES ('web', 'BR', true, 'line', 'half_up', 'order');
INSERT INTO backoffice.exchange_rates (currency, rate_date, per_eur, source)
VALUES ('BRL', '2018-01-02', 3.9504, 'ECB');
INSERT INTO backoffice.vat_checks (vat_id, state, asked_as_of, answered_at, attempts, run_id)
VALUES ('FR40303265045', 'valid', '2018-01-02Z', '2018-01-02 00:01Z', 1, 'vat-1');
INSERT INTO backoffice.order_taxes (order_id, revision, channel, country, tax_date, treatment, outcome,
    stated_minor, expected_minor, currency, lines, run_id)
VALUES (1, 1, 'web', 'BR', '2018-01-01', 'domestic', 'not_stated', 0, 320, 'BRL', '[]', 'taxes-1'),
    (2, 1, 'web', 'BR', '2018-01-02', 'domestic', 'agrees', 336, 336, 'BRL', '[]', 'taxes-1');
INSERT INTO backoffice.oss_turnover (year, seller_country, country, currency, orders, net_minor,
    eur_minor, unconverted, counted_as_of, run_id)
VALUES (2018, 'DE', 'FR', 'EUR', 2, 20000, 20000, 0, '2018-12-31Z', 'taxes-1');
INSERT INTO backoffice.settings (name, value, set_by, set_at)
VALUES ('backoffice.history_days', '30', 'ann', '2018-01-02Z');
