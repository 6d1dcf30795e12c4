"""families, variants, kits, import plans and completeness of the catalogue"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Weights 3 and 1 in turn from the left, see the GS1 General Specifications, section 7.9.
IS_GTIN_14 = """
    CREATE FUNCTION catalog.is_gtin_14(gtin text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT length(gtin) = 14 AND gtin !~ '[^0-9]' AND gtin <> '00000000000000' AND (
            3 * (ascii(substr(gtin, 1, 1)) + ascii(substr(gtin, 3, 1)) + ascii(substr(gtin, 5, 1))
                + ascii(substr(gtin, 7, 1)) + ascii(substr(gtin, 9, 1))
                + ascii(substr(gtin, 11, 1)) + ascii(substr(gtin, 13, 1)) - 7 * 48)
            + ascii(substr(gtin, 2, 1)) + ascii(substr(gtin, 4, 1)) + ascii(substr(gtin, 6, 1))
            + ascii(substr(gtin, 8, 1)) + ascii(substr(gtin, 10, 1)) + ascii(substr(gtin, 12, 1))
            + ascii(substr(gtin, 14, 1)) - 7 * 48
        ) % 10 = 0
    $$
"""

# The lock first: of two transactions that close a circle together, the second then sees the first.
REFUSE_CYCLES = """
    CREATE FUNCTION catalog.refuse_cyclic_kits() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        circle text;
    BEGIN
        PERFORM pg_advisory_xact_lock(CAST(CAST('catalog.kits' AS regclass) AS bigint));
        WITH RECURSIVE contained (kit_sku, sku) AS (
            SELECT kit_sku, component_sku FROM changed
            UNION
            SELECT c.kit_sku, k.component_sku
            FROM contained AS c JOIN catalog.kits AS k ON k.kit_sku = c.sku
        )
        SELECT kit_sku INTO circle FROM contained WHERE sku = kit_sku LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'kit % would contain itself', circle
                USING ERRCODE = 'check_violation', CONSTRAINT = 'kits_acyclic';
        END IF;
        RETURN NULL;
    END
    $$
"""
TRIGGERS = [
    """
    CREATE TRIGGER kits_refuse_cycles_added AFTER INSERT ON catalog.kits
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.refuse_cyclic_kits()
    """,
    """
    CREATE TRIGGER kits_refuse_cycles_changed AFTER UPDATE ON catalog.kits
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION catalog.refuse_cyclic_kits()
    """,
]

# The last change of each value that still stands; a reverted plan gives way to the one before.
LINEAGE = """
    CREATE VIEW catalog.lineage AS
    SELECT DISTINCT ON (r.sku, f.field)
        r.sku, f.field, r.after -> f.field AS value, p.source, p.plan_id, r.row_no,
        p.applied_run_id AS run_id, p.applied_at
    FROM catalog.plan_rows AS r
        JOIN catalog.import_plans AS p USING (plan_id)
        CROSS JOIN LATERAL jsonb_object_keys(coalesce(r.before, '{}') || r.after) AS f (field)
    WHERE r.action IN ('create', 'update') AND p.applied_no IS NOT NULL
        AND (p.state = 'applied' OR r.kept_because IS NOT NULL)
    ORDER BY r.sku, f.field, p.applied_no DESC
"""
CHANNEL_PRODUCTS = """
    CREATE VIEW catalog.channel_products AS
    SELECT c.sku, c.channel, p.is_active AND bool_and(c.is_ready) AS is_listable,
        coalesce(
            string_agg(
                concat_ws(': ', nullif(c.locale, ''), array_to_string(c.blocking, ', ')), '; '
                ORDER BY c.locale
            ) FILTER (WHERE NOT c.is_ready),
            CASE WHEN p.is_active THEN '' ELSE 'not for sale' END
        ) AS held_back_by
    FROM catalog.completeness AS c JOIN catalog.products AS p USING (sku)
    GROUP BY c.sku, c.channel, p.is_active
"""


def upgrade() -> None:
    """Make the tables, what holds them and what shows them."""
    op.execute(IS_GTIN_14)
    op.create_table('product_groups',
    sa.Column('group_key', sa.Text(), nullable=False, comment="natural key, such as a shop's handle or a style number"),
    sa.Column('name', sa.Text(), nullable=False, comment='name shown to people'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.PrimaryKeyConstraint('group_key', name=op.f('product_groups_pkey')),
    schema='catalog',
    comment='Groups of variants that differ in their options only.'
    )
    op.create_table('categories',
    sa.Column('category_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='number the taxonomy gives the category'),
    sa.Column('parent_id', sa.BigInteger(), nullable=True, comment='category above; none for a root'),
    sa.Column('name', sa.Text(), nullable=False, comment='last part of the path'),
    sa.Column('path', sa.Text(), nullable=False, comment="names from the root down, parted by ' > '"),
    sa.Column('version', sa.Text(), nullable=False, comment="version the taxonomy's file states; empty where it states none"),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('parent_id <> category_id', name=op.f('categories_parent_differs_check')),
    sa.ForeignKeyConstraint(['parent_id'], ['catalog.categories.category_id'], name=op.f('categories_parent_id_fkey')),
    sa.PrimaryKeyConstraint('category_id', name=op.f('categories_pkey')),
    sa.UniqueConstraint('path', name=op.f('categories_path_key')),
    schema='catalog',
    comment="Categories of a published taxonomy, such as Google's product taxonomy."
    )
    op.create_table('families',
    sa.Column('family', sa.Text(), nullable=False, comment='natural key'),
    sa.Column('name', sa.Text(), nullable=False, comment='name shown to people'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.PrimaryKeyConstraint('family', name=op.f('families_pkey')),
    schema='catalog',
    comment='Families of products that are described by the same attributes.'
    )
    op.create_table('family_attributes',
    sa.Column('family', sa.Text(), nullable=False, comment='family'),
    sa.Column('attribute', sa.Text(), nullable=False, comment='attribute, or column of the products'),
    sa.Column('is_required', sa.Boolean(), nullable=False, comment='whether a product of the family must have it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.ForeignKeyConstraint(['family'], ['catalog.families.family'], name=op.f('family_attributes_family_fkey')),
    sa.PrimaryKeyConstraint('family', 'attribute', name=op.f('family_attributes_pkey')),
    schema='catalog',
    comment='Attributes of each family; the required ones count for completeness on every channel.'
    )
    op.create_table('import_plans',
    sa.Column('plan_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('hash', sa.Text(), nullable=False, comment='SHA-256 over the source, its settings and every planned change'),
    sa.Column('source', sa.Text(), nullable=False, comment="name of the file, 'feed' for imports of whole shops, or the command"),
    sa.Column('format', sa.Text(), nullable=False, comment='csv, xlsx, shopify, merchant, feed or command'),
    sa.Column('file_digest', sa.Text(), nullable=False, comment='SHA-256 of the file; empty where there was none'),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='how the file was read: columns, currency, what was not read'),
    sa.Column('state', sa.Text(), server_default='planned', nullable=False, comment='planned, applied or reverted'),
    sa.Column('rows_read', sa.BigInteger(), nullable=False, comment='records of the source'),
    sa.Column('rows_create', sa.BigInteger(), nullable=False, comment='rows that make a product'),
    sa.Column('rows_update', sa.BigInteger(), nullable=False, comment='rows that change a product'),
    sa.Column('rows_skip', sa.BigInteger(), nullable=False, comment='rows that change nothing'),
    sa.Column('rows_error', sa.BigInteger(), nullable=False, comment='rows that cannot be used'),
    sa.Column('applied_no', sa.BigInteger(), nullable=True, comment='place among all applications, in their order'),
    sa.Column('planned_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when the plan was asked for'),
    sa.Column('applied_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was applied'),
    sa.Column('reverted_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was reverted'),
    sa.Column('applied_run_id', sa.Text(), nullable=True, comment='run or command that applied it'),
    sa.Column('reverted_run_id', sa.Text(), nullable=True, comment='run or command that reverted it'),
    sa.Column('import_id', sa.BigInteger(), nullable=True, comment='import whose feed it records'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'planned') = (applied_at IS NULL) AND num_nulls(applied_at, applied_no, applied_run_id) IN (0, 3)", name=op.f('import_plans_applied_whole_check')),
    sa.CheckConstraint("(state = 'reverted') = (reverted_at IS NOT NULL) AND num_nulls(reverted_at, reverted_run_id) IN (0, 2)", name=op.f('import_plans_reverted_whole_check')),
    sa.CheckConstraint("state IN ('planned', 'applied', 'reverted')", name=op.f('import_plans_state_known_check')),
    sa.CheckConstraint('rows_read = rows_create + rows_update + rows_skip + rows_error', name=op.f('import_plans_balanced_check')),
    sa.PrimaryKeyConstraint('plan_id', name=op.f('import_plans_pkey')),
    sa.UniqueConstraint('applied_no', name=op.f('import_plans_applied_no_key')),
    sa.UniqueConstraint('hash', name=op.f('import_plans_hash_key')),
    schema='catalog',
    comment='Plans of changes to the catalogue; a plan is applied by its hash and can be reverted.'
    )
    op.create_index(op.f('import_plans_file_digest_idx'), 'import_plans', ['file_digest'], unique=False, schema='catalog')
    op.create_table('plan_rows',
    sa.Column('plan_id', sa.BigInteger(), nullable=False, comment='plan'),
    sa.Column('row_no', sa.BigInteger(), autoincrement=False, nullable=False, comment='record of the source, from 1 without the header'),
    sa.Column('sku', sa.Text(), nullable=True, comment='product; empty where the row names none'),
    sa.Column('action', sa.Text(), nullable=False, comment='create, update, skip or error'),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='values the change replaces, by field; without those not set'),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='values the change sets, by field; without those it empties'),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False, comment='what was found: field, code, value and whether it is an error'),
    sa.Column('kept_because', sa.Text(), nullable=True, comment="why the row's change outlived the plan's reversal: changed_since, in_use or gtin_taken"),
    sa.CheckConstraint("(action = 'update') = (before IS NOT NULL)", name=op.f('plan_rows_update_has_before_check')),
    sa.CheckConstraint("(action IN ('create', 'update')) = (after IS NOT NULL)", name=op.f('plan_rows_change_has_values_check')),
    sa.CheckConstraint("action = 'error' OR sku IS NOT NULL", name=op.f('plan_rows_sku_known_check')),
    sa.CheckConstraint("action IN ('create', 'update', 'skip', 'error')", name=op.f('plan_rows_action_known_check')),
    sa.CheckConstraint("kept_because IN ('changed_since', 'in_use', 'gtin_taken')", name=op.f('plan_rows_reason_known_check')),
    sa.CheckConstraint("kept_because IS NULL OR action IN ('create', 'update')", name=op.f('plan_rows_only_changes_kept_check')),
    sa.ForeignKeyConstraint(['plan_id'], ['catalog.import_plans.plan_id'], name=op.f('plan_rows_plan_id_fkey')),
    sa.PrimaryKeyConstraint('plan_id', 'row_no', name=op.f('plan_rows_pkey')),
    schema='catalog',
    comment='Rows of plans: what each does, the values before and after, and what was found.'
    )
    op.create_index('plan_rows_changes_idx', 'plan_rows', ['sku'], unique=False, schema='catalog', postgresql_where=sa.text("action IN ('create', 'update')"))
    op.create_index('plan_rows_errors_idx', 'plan_rows', ['plan_id'], unique=False, schema='catalog', postgresql_where=sa.text("action = 'error'"))
    op.add_column('products', sa.Column('gtin', sa.Text(), nullable=True, comment='global trade item number as GTIN-14, zeros in front'), schema='catalog')
    op.add_column('products', sa.Column('description', sa.Text(), nullable=True, comment='description shown to people, without markup'), schema='catalog')
    op.add_column('products', sa.Column('group_key', sa.Text(), nullable=True, comment='group of variants the product belongs to'), schema='catalog')
    op.add_column('products', sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False, comment='what tells the variant from others of its group, by option name'), schema='catalog')
    op.add_column('products', sa.Column('family', sa.Text(), nullable=True, comment='attribute family'), schema='catalog')
    op.add_column('products', sa.Column('category_id', sa.BigInteger(), nullable=True, comment='category of the taxonomy'), schema='catalog')
    op.add_column('products', sa.Column('status', sa.Text(), server_default='active', nullable=False, comment='active or archived; what is archived may not be sold'), schema='catalog')
    op.add_column('products', sa.Column('is_kit', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='whether it is made of other products'), schema='catalog')
    for column, target in (
        ("group_key", "product_groups"), ("family", "families"), ("category_id", "categories"),
    ):
        op.create_foreign_key(
            op.f(f"products_{column}_fkey"), "products", target, [column], [column],
            source_schema="catalog", referent_schema="catalog",
        )
    for name, rule in (
        ("gtin_valid", "catalog.is_gtin_14(gtin)"),
        ("status_known", "status IN ('active', 'archived')"),
        ("archived_not_sold", "status = 'active' OR NOT is_active"),
    ):
        op.create_check_constraint(
            op.f(f"products_{name}_check"), "products", rule, schema="catalog"
        )
    op.create_index(
        op.f("products_gtin_idx"), "products", ["gtin"], unique=True, schema="catalog",
        postgresql_where=sa.text("gtin IS NOT NULL"),
    )
    op.create_index(
        op.f("products_group_key_idx"), "products", ["group_key"], unique=False, schema="catalog",
        postgresql_where=sa.text("group_key IS NOT NULL"),
    )
    op.create_table('attribute_values',
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('attribute', sa.Text(), nullable=False, comment='attribute, in lower case with underscores'),
    sa.Column('channel', sa.Text(), nullable=False, comment='channel the value is for; empty for all'),
    sa.Column('locale', sa.Text(), nullable=False, comment='locale the value is in, such as de or pt-BR; empty for all'),
    sa.Column('value', sa.Text(), nullable=False, comment='the value as text'),
    sa.Column('source', sa.Text(), nullable=False, comment='file, feed or command that stated the value'),
    sa.Column('plan_id', sa.BigInteger(), nullable=False, comment='plan that set the value'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("attribute <> '' AND value <> ''", name=op.f('attribute_values_not_empty_check')),
    sa.ForeignKeyConstraint(['plan_id'], ['catalog.import_plans.plan_id'], name=op.f('attribute_values_plan_id_fkey')),
    sa.ForeignKeyConstraint(['sku'], ['catalog.products.sku'], name=op.f('attribute_values_sku_fkey')),
    sa.PrimaryKeyConstraint('sku', 'attribute', 'channel', 'locale', name=op.f('attribute_values_pkey')),
    schema='catalog',
    comment='Values of attributes per product, channel and locale, each with where it came from.'
    )
    op.create_table('media',
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('position', sa.Integer(), nullable=False, comment="place among the product's media, from 1"),
    sa.Column('url', sa.Text(), nullable=False, comment='address of the file; it is never fetched'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("url ~ '^https?://'", name=op.f('media_url_is_web_check')),
    sa.CheckConstraint('position >= 1', name=op.f('media_position_positive_check')),
    sa.ForeignKeyConstraint(['sku'], ['catalog.products.sku'], name=op.f('media_sku_fkey')),
    sa.PrimaryKeyConstraint('sku', 'position', name=op.f('media_pkey')),
    schema='catalog',
    comment='Links to pictures and other media of a product, in the order they are shown.'
    )
    op.create_table('kits',
    sa.Column('kit_sku', sa.Text(), nullable=False, comment='product that is sold as a kit'),
    sa.Column('component_sku', sa.Text(), nullable=False, comment='product it contains'),
    sa.Column('quantity', sa.Integer(), nullable=False, comment='units of the component in one kit'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('kit_sku <> component_sku', name=op.f('kits_not_of_itself_check')),
    sa.CheckConstraint('quantity > 0', name=op.f('kits_quantity_positive_check')),
    sa.ForeignKeyConstraint(['component_sku'], ['catalog.products.sku'], name=op.f('kits_component_sku_fkey')),
    sa.ForeignKeyConstraint(['kit_sku'], ['catalog.products.sku'], name=op.f('kits_kit_sku_fkey')),
    sa.PrimaryKeyConstraint('kit_sku', 'component_sku', name=op.f('kits_pkey')),
    schema='catalog',
    comment='What kits are made of; a trigger refuses a kit that contains itself.'
    )
    op.create_index(op.f('kits_component_sku_idx'), 'kits', ['component_sku'], unique=False, schema='catalog')
    op.create_table('channel_requirements',
    sa.Column('channel', sa.Text(), nullable=False, comment='channel'),
    sa.Column('locale', sa.Text(), nullable=False, comment='locale; empty where the channel has one only'),
    sa.Column('family', sa.Text(), nullable=False, comment='family it is asked of; empty for all products'),
    sa.Column('attribute', sa.Text(), nullable=False, comment="attribute, column of the products, or 'image'"),
    sa.Column('is_localised', sa.Boolean(), nullable=False, comment='whether only a value in this very locale counts'),
    sa.Column('is_blocking', sa.Boolean(), nullable=False, comment='whether a product without it is held back'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("channel <> '' AND attribute <> ''", name=op.f('channel_requirements_named_check')),
    sa.PrimaryKeyConstraint('channel', 'locale', 'family', 'attribute', name=op.f('channel_requirements_pkey')),
    schema='catalog',
    comment='What a channel asks of a product before it may be listed, per locale.'
    )
    op.create_table('completeness',
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('channel', sa.Text(), nullable=False, comment='channel'),
    sa.Column('locale', sa.Text(), nullable=False, comment='locale'),
    sa.Column('required', sa.Integer(), nullable=False, comment='values the channel asks for'),
    sa.Column('present', sa.Integer(), nullable=False, comment='those the product has'),
    sa.Column('missing', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='those it lacks, in order of their names'),
    sa.Column('blocking', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='those of the missing that hold it back'),
    sa.Column('is_ready', sa.Boolean(), nullable=False, comment='whether it may go to the channel in this locale'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('NOT is_ready OR cardinality(blocking) = 0', name=op.f('completeness_ready_lacks_nothing_check')),
    sa.CheckConstraint('blocking <@ missing', name=op.f('completeness_blocking_is_missing_check')),
    sa.CheckConstraint('present BETWEEN 0 AND required AND required - present = cardinality(missing)', name=op.f('completeness_adds_up_check')),
    sa.ForeignKeyConstraint(['sku'], ['catalog.products.sku'], name=op.f('completeness_sku_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('sku', 'channel', 'locale', name=op.f('completeness_pkey')),
    schema='catalog',
    comment='How complete each product is for each channel and locale, and whether it may go there.'
    )
    op.create_table('product_scores',
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('score', sa.Integer(), nullable=False, comment='points of 100'),
    sa.Column('lacking', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='what would raise the score, in order of points'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('score BETWEEN 0 AND 100', name=op.f('product_scores_score_in_range_check')),
    sa.ForeignKeyConstraint(['sku'], ['catalog.products.sku'], name=op.f('product_scores_sku_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('sku', name=op.f('product_scores_pkey')),
    schema='catalog',
    comment='How well each product is described, from 0 to 100, whatever a channel asks for.'
    )
    op.create_table('copy_drafts',
    sa.Column('draft_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('locale', sa.Text(), nullable=False, comment='locale the draft is written in'),
    sa.Column('text', sa.Text(), nullable=False, comment='the draft'),
    sa.Column('writer', sa.Text(), nullable=False, comment="model that wrote it, or 'template'"),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the instructions or of the template'),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='attributes the writer was given'),
    sa.Column('problems', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='what the draft says that is in no fact; empty for one that may be used'),
    sa.Column('state', sa.Text(), nullable=False, comment='offered or refused'),
    sa.Column('degraded', sa.Text(), nullable=True, comment='why no model wrote it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'refused') = (cardinality(problems) > 0)", name=op.f('copy_drafts_refused_for_a_reason_check')),
    sa.CheckConstraint("state IN ('offered', 'refused')", name=op.f('copy_drafts_state_known_check')),
    sa.ForeignKeyConstraint(['sku'], ['catalog.products.sku'], name=op.f('copy_drafts_sku_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('draft_id', name=op.f('copy_drafts_pkey')),
    schema='catalog',
    comment='Drafts of product copy, with the facts they were made from and what was found wrong.'
    )
    op.create_index(op.f('copy_drafts_sku_locale_idx'), 'copy_drafts', ['sku', 'locale'], unique=False, schema='catalog')
    for statement in (REFUSE_CYCLES, *TRIGGERS, LINEAGE, CHANNEL_PRODUCTS):
        op.execute(statement)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.execute("DROP VIEW catalog.channel_products, catalog.lineage")
    for table in (
        "copy_drafts", "product_scores", "completeness", "channel_requirements", "kits", "media",
        "attribute_values",
    ):
        op.drop_table(table, schema="catalog")
    op.execute("DROP FUNCTION catalog.refuse_cyclic_kits()")
    # With their indexes, constraints and references.
    for column in (
        "is_kit", "status", "category_id", "family", "options", "group_key", "description", "gtin",
    ):
        op.execute(f"ALTER TABLE catalog.products DROP COLUMN {column} CASCADE")
    for table in (
        "plan_rows", "import_plans", "family_attributes", "families", "categories",
        "product_groups",
    ):
        op.drop_table(table, schema="catalog")
    op.execute("DROP FUNCTION catalog.is_gtin_14(text)")
