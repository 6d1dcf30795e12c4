"""Broken rows of the catalogue: products, variants, kits, plans, readiness."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "catalog.suppliers",
        "suppliers_country_well_formed",
        "UPDATE catalog.suppliers SET country = 'b1'",
        ({"supplier_key": "S1"},),
    ),
    Broken(
        "catalog.products",
        "products_supplier_key_exists",
        "UPDATE catalog.products SET supplier_key = 'GONE' WHERE sku = 'B'",
        ({"sku": "B"},),
    ),
    Broken(
        "catalog.categories",
        "categories_parent_differs",
        "UPDATE catalog.categories SET parent_id = category_id WHERE category_id = 2",
        ({"category_id": "2"},),
        without="categories_parent_differs_check",
    ),
    Broken(
        "catalog.attributes",
        "attributes_well_named",
        "UPDATE catalog.attributes SET attribute = 'Pieces!'",
        ({"attribute": "Pieces!"},),
        without="attributes_well_named_check",
    ),
    Broken(
        "catalog.families",
        "families_required_values_present",
        "ALTER TABLE catalog.families ALTER COLUMN name DROP NOT NULL;"
        " UPDATE catalog.families SET name = NULL",
        ({"family": "puzzle"},),
    ),
    Broken(
        "catalog.family_attributes",
        "family_attributes_family_exists",
        "UPDATE catalog.family_attributes SET family = 'gone'",
        ({"family": "gone", "attribute": "pieces"},),
        without="foreign keys",
    ),
    Broken(
        "catalog.product_groups",
        "product_groups_told_apart",
        "UPDATE catalog.products AS blue SET options = red.options FROM catalog.products AS red"
        " WHERE red.sku = 'C-RED' AND blue.sku = 'C-BLUE'",
        ({"group_key": "C"},),
    ),
    Broken(
        "catalog.kits",
        "kits_acyclic",
        "INSERT INTO catalog.kits (kit_sku, component_sku, quantity) VALUES ('K1', 'K2', 1)",
        (
            {"kit_sku": "K1", "component_sku": "A"},
            {"kit_sku": "K1", "component_sku": "K2"},
            {"kit_sku": "K2", "component_sku": "B"},
            {"kit_sku": "K2", "component_sku": "K1"},
        ),
        without="triggers",
    ),
    Broken(
        "catalog.kits",
        "kits_kits_flagged",
        "UPDATE catalog.products SET is_kit = false WHERE sku = 'K1'",
        ({"kit_sku": "K1", "component_sku": "A"},),
    ),
    Broken(
        "catalog.media",
        "media_url_is_web",
        "UPDATE catalog.media SET url = 'file:///etc/hosts'",
        ({"sku": "C-RED", "position": "1"},),
        without="media_url_is_web_check",
    ),
    Broken(
        "catalog.attribute_values",
        "attribute_values_plan_id_exists",
        "UPDATE catalog.attribute_values SET plan_id = 99",
        ({"sku": "C-RED", "attribute": "pieces", "channel": "", "locale": ""},),
        without="foreign keys",
    ),
    Broken(
        "catalog.import_plans",
        "import_plans_rows_counted",
        "DELETE FROM catalog.plan_rows WHERE row_no = 2",
        ({"plan_id": "1"},),
    ),
    Broken(
        "catalog.plan_rows",
        "plan_rows_errors_named",
        "UPDATE catalog.plan_rows SET findings = '[]' WHERE action = 'error'",
        ({"plan_id": "1", "row_no": "3"},),
    ),
    Broken(
        "catalog.channel_requirements",
        "channel_requirements_named",
        "UPDATE catalog.channel_requirements SET channel = '' WHERE attribute = 'pieces'",
        ({"channel": "", "locale": "", "family": "puzzle", "attribute": "pieces"},),
        without="channel_requirements_named_check",
    ),
    Broken(
        "catalog.completeness",
        "completeness_adds_up",
        "UPDATE catalog.completeness SET present = required WHERE sku = 'C-BLUE'",
        ({"sku": "C-BLUE", "channel": "web", "locale": ""},),
        without="completeness_adds_up_check",
    ),
    Broken(
        "catalog.product_scores",
        "product_scores_score_in_range",
        "UPDATE catalog.product_scores SET score = 101 WHERE sku = 'C-RED'",
        ({"sku": "C-RED"},),
        without="product_scores_score_in_range_check",
    ),
    Broken(
        "catalog.copy_drafts",
        "copy_drafts_refused_for_a_reason",
        "UPDATE catalog.copy_drafts SET state = 'offered' WHERE draft_id = 2",
        ({"draft_id": "2"},),
        without="copy_drafts_refused_for_a_reason_check",
    ),
)
