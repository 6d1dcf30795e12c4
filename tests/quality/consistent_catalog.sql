-- What describes the products: two variants of article C, a kit within a kit, and the file that
-- brought them with one row nobody could use.
INSERT INTO catalog.categories (category_id, parent_id, name, path, version)
VALUES (1, NULL, 'Toys', 'Toys', '2021-09-21'), (2, 1, 'Puzzles', 'Toys > Puzzles', '2021-09-21');
INSERT INTO catalog.attributes (attribute, name) VALUES ('pieces', 'Pieces');
INSERT INTO catalog.families (family, name) VALUES ('puzzle', 'Puzzles');
INSERT INTO catalog.family_attributes (family, attribute, is_required)
VALUES ('puzzle', 'pieces', true);
INSERT INTO catalog.product_groups (group_key, name) VALUES ('C', 'Article C');
INSERT INTO catalog.products
    (sku, name, category, weight_g, shipping_weight_g, unit_cost_minor, list_price_minor, currency,
     group_key, options, family, category_id, is_kit)
VALUES ('C-RED', 'C, red', 'toys', 300, 300, 400, 800, 'BRL', 'C', '{"Colour": "red"}', 'puzzle', 2, false),
    ('C-BLUE', 'C, blue', 'toys', 300, 300, 400, 800, 'BRL', 'C', '{"Colour": "blue"}', 'puzzle', 2, false),
    ('K1', 'Two of A', 'toys', 1000, 1000, NULL, 1900, 'BRL', NULL, '{}', NULL, NULL, true),
    ('K2', 'Two of A and B', 'toys', 1500, 1500, NULL, 2100, 'BRL', NULL, '{}', NULL, NULL, true);
INSERT INTO catalog.kits (kit_sku, component_sku, quantity)
VALUES ('K1', 'A', 2), ('K2', 'K1', 1), ('K2', 'B', 1);
INSERT INTO catalog.media (sku, position, url) VALUES ('C-RED', 1, 'https://shop.example/c.jpg');

INSERT INTO catalog.import_plans
    (hash, source, format, file_digest, settings, state, rows_read, rows_create, rows_update,
     rows_skip, rows_error, applied_no, planned_at, applied_at, applied_run_id, run_id)
VALUES (repeat('1', 64), 'range.csv', 'csv', repeat('2', 64), '{}', 'applied', 3, 2, 0, 0, 1, 1,
    '2017-12-01Z', '2017-12-02Z', 'plan-1', 'plan-1');
INSERT INTO catalog.plan_rows (plan_id, row_no, sku, action, after, findings)
VALUES (1, 1, 'C-RED', 'create', '{"name": "C, red"}', '[]'),
    (1, 2, 'C-BLUE', 'create', '{"name": "C, blue"}', '[]'),
    (1, 3, 'C-PINK', 'error', NULL, '[{"field": "gtin", "code": "gtin_invalid", "is_error": true}]');
INSERT INTO catalog.attribute_values (sku, attribute, channel, locale, value, source, plan_id, run_id)
VALUES ('C-RED', 'pieces', '', '', '500', 'range.csv', 1, 'plan-1');

INSERT INTO catalog.channel_requirements
    (channel, locale, family, attribute, is_localised, is_blocking)
VALUES ('web', '', '', 'name', false, true), ('web', '', 'puzzle', 'pieces', false, false);
INSERT INTO catalog.completeness
    (sku, channel, locale, required, present, missing, blocking, is_ready, run_id)
VALUES ('C-RED', 'web', '', 2, 2, '{}', '{}', true, 'ready-1'),
    ('C-BLUE', 'web', '', 2, 1, '{pieces}', '{}', true, 'ready-1');
INSERT INTO catalog.product_scores (sku, score, lacking, run_id)
VALUES ('C-RED', 100, '{}', 'ready-1'), ('C-BLUE', 70, '{image}', 'ready-1');
INSERT INTO catalog.copy_drafts
    (sku, locale, text, writer, version, facts, problems, state, run_id)
VALUES ('C-RED', 'en', 'A red puzzle of 500 pieces.', 'template', '1', '{"pieces": "500"}', '{}',
        'offered', 'copy-1'),
    ('C-RED', 'en', 'A red puzzle for all ages.', 'model', '1', '{"pieces": "500"}', '{all_ages}',
        'refused', 'copy-1');
