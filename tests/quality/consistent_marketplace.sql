-- A shop and a folder are connected; the shop was read, and shows A as one listing of ours.
INSERT INTO marketplace.connections (name, channel, kind, address, options, credentials,
    credentials_set_at, state, created_by, created_at)
VALUES ('Shop', 'shop', 'woocommerce', 'https://shop.example', '{"currency": "BRL"}',
    'gAAAAABsealed', '2018-01-01Z', 'active', 'ann', '2018-01-01Z'),
    ('Outlet', 'outlet', 'file_feed', 'outlet', '{"currency": "BRL"}', NULL, NULL, 'paused', 'ann',
    '2018-01-01Z');
INSERT INTO marketplace.connection_states (connection_id, synced_at, begun_at, listings_read_at)
VALUES (1, '2018-01-02Z', '2018-01-02Z', '2018-01-02Z'), (2, NULL, NULL, NULL);
INSERT INTO marketplace.syncs (connection_id, begun_at, ended_at, state, run_id)
VALUES (1, '2018-01-02Z', '2018-01-02 00:01Z', 'done', 'r1');
INSERT INTO marketplace.listings (connection_id, channel_listing_id, channel_sku, title, state,
    currency, live_price_minor, live_units, sku, run_id)
VALUES (1, '10', 'A', 'Article A', 'live', 'BRL', 1000, 0, 'A', 'r1');
INSERT INTO marketplace.taken_files (connection_id, digest, name, given, added, parked, taken_at,
    run_id)
VALUES (2, repeat('a', 64), 'a.csv', 2, 1, 1, '2018-01-02Z', 'r2');
