"""price lists, rules, plans and elasticities"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.execute(sa.schema.CreateSchema("pricing"))
    # Trusted: the owner of the database may add it. Ranges and texts in one exclusion need it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table('elasticities',
    sa.Column('channel', sa.Text(), nullable=False, comment='sales channel'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('estimated_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='orders until then were used'),
    sa.Column('category', sa.Text(), nullable=False, comment='category its estimate is drawn towards'),
    sa.Column('raw', sa.Double(), nullable=True, comment='estimate from the product alone'),
    sa.Column('raw_error', sa.Double(), nullable=True, comment="standard error of the product's own estimate"),
    sa.Column('category_mean', sa.Double(), nullable=False, comment='mean of the category'),
    sa.Column('weight', sa.Double(), nullable=False, comment="weight of the product's own estimate, 0 to 1"),
    sa.Column('elasticity', sa.Double(), nullable=False, comment='estimate after shrinkage'),
    sa.Column('low', sa.Double(), nullable=False, comment='lower end of the 95% interval'),
    sa.Column('high', sa.Double(), nullable=False, comment='upper end of the 95% interval'),
    sa.Column('weeks', sa.Integer(), nullable=False, comment='weeks with a price'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units sold in them'),
    sa.Column('method', sa.Text(), nullable=False, comment='how it was estimated, see pricing.elasticity'),
    sa.Column('is_usable', sa.Boolean(), nullable=False, comment='whether the interval is narrow enough to price by'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('low <= elasticity AND elasticity <= high', name=op.f('elasticities_within_interval_check')),
    sa.CheckConstraint('weeks >= 0 AND units >= 0', name=op.f('elasticities_counts_not_negative_check')),
    sa.CheckConstraint('weight BETWEEN 0 AND 1', name=op.f('elasticities_weight_in_range_check')),
    sa.PrimaryKeyConstraint('channel', 'currency', 'sku', 'estimated_as_of', name=op.f('elasticities_pkey')),
    schema='pricing',
    comment='How demand answers to price: percent more units for one percent more price, per product.'
    )
    op.create_table('feeds',
    sa.Column('feed_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('kind', sa.Text(), nullable=False, comment='prices, costs or offers'),
    sa.Column('source', sa.Text(), nullable=False, comment='file or table it came from'),
    sa.Column('digest', sa.Text(), nullable=False, comment='SHA-256 of its contents and how it was read, hexadecimal'),
    sa.Column('state', sa.Text(), nullable=False, comment='taken, or held back as a whole by a gate'),
    sa.Column('reason', sa.Text(), nullable=True, comment='why it was held back'),
    sa.Column('entries', sa.BigInteger(), nullable=False, comment='amounts in the source; a row of a wide file holds several'),
    sa.Column('accepted', sa.BigInteger(), nullable=False, comment='entries that took effect or wait in a plan'),
    sa.Column('unchanged', sa.BigInteger(), nullable=False, comment='entries that say what was known'),
    sa.Column('flagged', sa.BigInteger(), nullable=False, comment='entries that a gate of sanity set apart'),
    sa.Column('parked', sa.BigInteger(), nullable=False, comment='entries in the quarantine'),
    sa.Column('taken_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment it was taken at'),
    sa.Column('repriced_as_of', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='moment of the repricing that saw it; waits, if empty'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'held') = (reason IS NOT NULL)", name=op.f('feeds_reason_when_held_check')),
    sa.CheckConstraint("kind IN ('prices', 'costs', 'offers')", name=op.f('feeds_kind_known_check')),
    sa.CheckConstraint("state IN ('taken', 'held')", name=op.f('feeds_state_known_check')),
    sa.CheckConstraint('entries = accepted + unchanged + flagged + parked', name=op.f('feeds_balanced_check')),
    sa.PrimaryKeyConstraint('feed_id', name=op.f('feeds_pkey')),
    sa.UniqueConstraint('kind', 'digest', name=op.f('feeds_kind_digest_key')),
    schema='pricing',
    comment='Files and tables of costs, offers and prices that came, and what became of their entries.'
    )
    op.create_index('feeds_waiting_idx', 'feeds', ['feed_id'], unique=False, schema='pricing', postgresql_where=sa.text("repriced_as_of IS NULL AND state = 'taken'"))
    op.create_table('price_lists',
    sa.Column('price_list_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('channel', sa.Text(), nullable=False, comment='sales channel'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('customer_group', sa.Text(), nullable=False, comment="group of customers; 'all' serves every group without a price of its own"),
    sa.Column('tax_bps', sa.Integer(), nullable=False, comment='tax contained in the prices, basis points of the net price; 0 if net'),
    sa.Column('offer_max_age_hours', sa.Integer(), nullable=False, comment='older offers of competitors are not followed'),
    sa.Column('approve_above_bps', sa.Integer(), nullable=False, comment='a line that moves more, basis points, asks for approval'),
    sa.Column('most_moved_bps', sa.Integer(), nullable=False, comment='share of lines that may move without approval, basis points'),
    sa.Column('is_automatic', sa.Boolean(), nullable=False, comment='whether plans that pass and need no approval are applied by themselves'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('approve_above_bps BETWEEN 0 AND 1000000 AND most_moved_bps BETWEEN 0 AND 10000', name=op.f('price_lists_shares_in_range_check')),
    sa.CheckConstraint('offer_max_age_hours > 0', name=op.f('price_lists_age_positive_check')),
    sa.CheckConstraint('tax_bps BETWEEN 0 AND 10000', name=op.f('price_lists_tax_in_range_check')),
    sa.PrimaryKeyConstraint('price_list_id', name=op.f('price_lists_pkey')),
    sa.UniqueConstraint('channel', 'currency', 'customer_group', name=op.f('price_lists_channel_currency_customer_group_key')),
    schema='pricing',
    comment='Who pays by which prices: one list per channel, currency and customer group.'
    )
    op.create_table('backtests',
    sa.Column('backtest_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('from_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment of the range'),
    sa.Column('to_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end of the range, excluded'),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='rules that were tried, with settings'),
    sa.Column('moments', sa.Integer(), nullable=False, comment='moments the list was repriced at'),
    sa.Column('moved', sa.Integer(), nullable=False, comment='prices that would have been others'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units sold in the range at prices that would have been others'),
    sa.Column('margin_change_minor', sa.BigInteger(), nullable=False, comment='change of margin had the same units been sold'),
    sa.Column('expected_change_minor', sa.BigInteger(), nullable=True, comment='the same with the demand that elasticities expect'),
    sa.Column('low_change_minor', sa.BigInteger(), nullable=True, comment='lower end of its 95% interval'),
    sa.Column('high_change_minor', sa.BigInteger(), nullable=True, comment='upper end of its 95% interval'),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='counts by rule and limit, and the products that change most'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('moments >= 0 AND moved >= 0 AND units >= 0', name=op.f('backtests_counts_not_negative_check')),
    sa.CheckConstraint('to_at > from_at', name=op.f('backtests_ends_after_start_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('backtests_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('backtest_id', name=op.f('backtests_pkey')),
    schema='pricing',
    comment='Rules tried on the past of a list, with what they would have moved.'
    )
    op.create_table('competitor_offers',
    sa.Column('offer_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('competitor', sa.Text(), nullable=False, comment='who asks'),
    sa.Column('sku', sa.Text(), nullable=False, comment='our product it is compared with'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('price_minor', sa.BigInteger(), nullable=False, comment='price of one unit, delivery included'),
    sa.Column('observed_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was seen'),
    sa.Column('state', sa.Text(), nullable=False, comment='accepted or flagged'),
    sa.Column('reason', sa.Text(), nullable=True, comment='gate that flagged it and what it saw'),
    sa.Column('feed_id', sa.BigInteger(), nullable=False, comment='feed that brought it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'flagged') = (reason IS NOT NULL)", name=op.f('competitor_offers_reason_when_flagged_check')),
    sa.CheckConstraint("state IN ('accepted', 'flagged')", name=op.f('competitor_offers_state_known_check')),
    sa.CheckConstraint('price_minor > 0', name=op.f('competitor_offers_price_minor_positive_check')),
    sa.ForeignKeyConstraint(['feed_id'], ['pricing.feeds.feed_id'], name=op.f('competitor_offers_feed_id_fkey')),
    sa.PrimaryKeyConstraint('offer_id', name=op.f('competitor_offers_pkey')),
    sa.UniqueConstraint('competitor', 'sku', 'currency', 'observed_at', name=op.f('competitor_offers_competitor_sku_currency_observed_at_key')),
    schema='pricing',
    comment='What competitors asked for a product; flagged ones are seen and never followed.'
    )
    op.create_index('competitor_offers_fresh_idx', 'competitor_offers', ['currency', 'observed_at'], unique=False, schema='pricing', postgresql_where=sa.text("state = 'accepted'"))
    op.create_table('constraints',
    sa.Column('constraint_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('category', sa.Text(), server_default='', nullable=False, comment="category as in catalog.products; '' is any"),
    sa.Column('sku', sa.Text(), server_default='', nullable=False, comment="product; '' is any"),
    sa.Column('minimum_minor', sa.BigInteger(), nullable=True, comment='lowest price'),
    sa.Column('margin_bps', sa.Integer(), nullable=True, comment='least margin, basis points of the net price'),
    sa.Column('ceiling_minor', sa.BigInteger(), nullable=True, comment='highest price'),
    sa.Column('map_minor', sa.BigInteger(), nullable=True, comment='lowest price the maker lets advertise (MAP)'),
    sa.Column('step_bps', sa.Integer(), nullable=True, comment='most change within a day, basis points'),
    sa.Column('charm_modulus', sa.Integer(), nullable=True, comment='prices end alike within so many minor units, such as 100'),
    sa.Column('charm_ending', sa.Integer(), nullable=True, comment='what they end with, such as 99'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("category = '' OR sku = ''", name=op.f('constraints_one_scope_check')),
    sa.CheckConstraint('(charm_modulus IS NULL) = (charm_ending IS NULL) AND (charm_modulus IS NULL OR charm_modulus > 1 AND charm_ending >= 0 AND charm_ending < charm_modulus)', name=op.f('constraints_charm_whole_check')),
    sa.CheckConstraint('margin_bps BETWEEN 0 AND 9500', name=op.f('constraints_margin_in_range_check')),
    sa.CheckConstraint('minimum_minor > 0 AND ceiling_minor > 0 AND map_minor > 0', name=op.f('constraints_limits_minor_positive_check')),
    sa.CheckConstraint('step_bps BETWEEN 1 AND 10000', name=op.f('constraints_step_in_range_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('constraints_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('constraint_id', name=op.f('constraints_pkey')),
    sa.UniqueConstraint('price_list_id', 'category', 'sku', name=op.f('constraints_price_list_id_category_sku_key')),
    schema='pricing',
    comment='Limits of prices, applied last. The most specific row says the minimum, blank means that the product is not repriced; other columns are those of the most specific row that has one.'
    )
    op.create_table('costs',
    sa.Column('cost_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('cost_minor', sa.BigInteger(), nullable=False, comment='net cost of one unit'),
    sa.Column('valid_from_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment'),
    sa.Column('valid_to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end, excluded; open, if empty'),
    sa.Column('feed_id', sa.BigInteger(), nullable=False, comment='feed that brought it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    postgresql.ExcludeConstraint((sa.column('sku'), '='), (sa.column('currency'), '='), (sa.text('tstzrange(valid_from_at, valid_to_at)'), '&&'), using='gist', name='costs_never_overlap'),
    sa.CheckConstraint('cost_minor >= 0', name=op.f('costs_cost_minor_not_negative_check')),
    sa.CheckConstraint('valid_to_at > valid_from_at', name=op.f('costs_ends_after_start_check')),
    sa.ForeignKeyConstraint(['feed_id'], ['pricing.feeds.feed_id'], name=op.f('costs_feed_id_fkey')),
    sa.PrimaryKeyConstraint('cost_id', name=op.f('costs_pkey')),
    schema='pricing',
    comment='What a unit costs the shop, with the time it holds; two costs never hold at once.'
    )
    op.create_index(op.f('costs_sku_currency_valid_from_at_idx'), 'costs', ['sku', 'currency', 'valid_from_at'], unique=False, schema='pricing')
    op.create_table('coupons',
    sa.Column('code', sa.Text(), nullable=False, comment='what the customer enters'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=True, comment='list; every list, if empty'),
    sa.Column('category', sa.Text(), server_default='', nullable=False, comment="category as in catalog.products; '' is any"),
    sa.Column('sku', sa.Text(), server_default='', nullable=False, comment="product; '' is any"),
    sa.Column('discount_bps', sa.Integer(), nullable=True, comment='discount, basis points'),
    sa.Column('discount_minor', sa.BigInteger(), nullable=True, comment='discount on the basket'),
    sa.Column('least_basket_minor', sa.BigInteger(), server_default='0', nullable=False, comment='smallest basket it counts for'),
    sa.Column('is_combinable', sa.Boolean(), nullable=False, comment='counts beside others that are'),
    sa.Column('starts_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment'),
    sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end, excluded'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('discount_bps BETWEEN 1 AND 10000', name=op.f('coupons_discount_in_range_check')),
    sa.CheckConstraint('discount_minor > 0 AND least_basket_minor >= 0', name=op.f('coupons_amounts_minor_positive_check')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('coupons_ends_after_start_check')),
    sa.CheckConstraint('num_nonnulls(discount_bps, discount_minor) = 1', name=op.f('coupons_one_discount_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('coupons_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('code', name=op.f('coupons_pkey')),
    schema='pricing',
    comment='Codes that lower a basket at the check-out.'
    )
    op.create_table('markdown_plans',
    sa.Column('markdown_plan_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('planned_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment'),
    sa.Column('weeks', sa.Integer(), nullable=False, comment='weeks until the end of the season'),
    sa.Column('stock', sa.Integer(), nullable=False, comment='units to clear'),
    sa.Column('weekly_units', sa.Double(), nullable=False, comment='expected units a week at the present price'),
    sa.Column('elasticity', sa.Double(), nullable=False, comment='elasticity it was planned with'),
    sa.Column('interval_width', sa.Double(), nullable=False, comment='width of its 95% interval'),
    sa.Column('prices', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='planned price of each week in minor units'),
    sa.Column('expected_minor', sa.BigInteger(), nullable=False, comment='expected takings, with what is left at salvage value'),
    sa.Column('ladder_minor', sa.BigInteger(), nullable=False, comment='the same by the fixed ladder of 20, 40 and 50 percent'),
    sa.Column('is_automated', sa.Boolean(), nullable=False, comment='whether it may be carried out without a person'),
    sa.Column('reasons', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='why, in codes'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('expected_minor >= 0 AND ladder_minor >= 0', name=op.f('markdown_plans_takings_minor_positive_check')),
    sa.CheckConstraint('weeks > 0 AND stock >= 0', name=op.f('markdown_plans_task_sensible_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('markdown_plans_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('markdown_plan_id', name=op.f('markdown_plans_pkey')),
    sa.UniqueConstraint('price_list_id', 'sku', 'planned_as_of', name=op.f('markdown_plans_price_list_id_sku_planned_as_of_key')),
    schema='pricing',
    comment='Prices by week that clear a stock by its end of season, against a fixed ladder.'
    )
    op.create_table('price_plans',
    sa.Column('plan_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('kind', sa.Text(), nullable=False, comment='reprice, import or rollback'),
    sa.Column('state', sa.Text(), nullable=False, comment='planned, blocked, awaiting (approval), ready, refused, stale, applied, verified, drifted or undone'),
    sa.Column('planned_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment the inputs are of'),
    sa.Column('effective_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when its prices begin'),
    sa.Column('requested_by', sa.Text(), nullable=False, comment='who or what asked for it'),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='the rules that made it, each with version and settings'),
    sa.Column('inputs', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='what else it was made from'),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False, comment='what the checks of the plan saw'),
    sa.Column('lines', sa.Integer(), nullable=False, comment='lines of the plan'),
    sa.Column('moved', sa.Integer(), nullable=False, comment='lines that move a price'),
    sa.Column('held', sa.Integer(), nullable=False, comment='lines that were not repriced, each with its reason'),
    sa.Column('is_approval_needed', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='whether a person must approve it'),
    sa.Column('approved_by', sa.Text(), nullable=True, comment='who approved it'),
    sa.Column('undoes_plan_id', sa.BigInteger(), nullable=True, comment='plan it takes back'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("NOT is_approval_needed OR approved_by IS NOT NULL OR state NOT IN ('ready', 'applied', 'verified', 'drifted', 'undone')", name=op.f('price_plans_approved_before_effect_check')),
    sa.CheckConstraint("kind = 'import' OR effective_at >= planned_as_of", name=op.f('price_plans_effective_after_planned_check')),
    sa.CheckConstraint("kind IN ('reprice', 'import', 'rollback')", name=op.f('price_plans_kind_known_check')),
    sa.CheckConstraint("state IN ('planned', 'blocked', 'awaiting', 'ready', 'refused', 'stale', 'applied', 'verified', 'drifted', 'undone')", name=op.f('price_plans_state_known_check')),
    sa.CheckConstraint('approved_by <> requested_by', name=op.f('price_plans_four_eyes_check')),
    sa.CheckConstraint('lines >= 0 AND moved >= 0 AND held >= 0 AND moved + held <= lines', name=op.f('price_plans_counts_add_up_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('price_plans_price_list_id_fkey')),
    sa.ForeignKeyConstraint(['undoes_plan_id'], ['pricing.price_plans.plan_id'], name=op.f('price_plans_undoes_plan_id_fkey')),
    sa.PrimaryKeyConstraint('plan_id', name=op.f('price_plans_pkey')),
    schema='pricing',
    comment='Proposed changes of one price list, checked, approved where that is asked, and applied.'
    )
    op.create_index(op.f('price_plans_price_list_id_planned_as_of_idx'), 'price_plans', ['price_list_id', 'planned_as_of'], unique=False, schema='pricing')
    op.create_table('price_tests',
    sa.Column('name', sa.Text(), nullable=False, comment='name of the test'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('sku', sa.Text(), nullable=False, comment='product'),
    sa.Column('starts_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment of the deviation'),
    sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end, excluded'),
    sa.Column('arm_bps', sa.Integer(), nullable=False, comment='deviation drawn, basis points of the price without it; 0 is the control'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('arm_bps BETWEEN -1500 AND 1500', name=op.f('price_tests_arm_small_check')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('price_tests_ends_after_start_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('price_tests_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('name', 'price_list_id', 'sku', 'starts_at', name=op.f('price_tests_pkey')),
    schema='pricing',
    comment='Small deliberate deviations of a price, drawn by lot: what shows how demand answers.'
    )
    op.create_table('prices',
    sa.Column('price_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=False, comment='list'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('min_quantity', sa.Integer(), nullable=False, comment='units of a line from which the price holds; 1 is the plain price'),
    sa.Column('price_minor', sa.BigInteger(), nullable=False, comment='price of one unit'),
    sa.Column('regular_minor', sa.BigInteger(), nullable=False, comment='price before markdowns and promotions'),
    sa.Column('reference_minor', sa.BigInteger(), nullable=True, comment='lowest price of the 30 days before a reduction, to be shown beside it; none, if empty'),
    sa.Column('valid_from_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment'),
    sa.Column('valid_to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end, excluded; open, if empty'),
    sa.Column('rule', sa.Text(), nullable=False, comment='rule and version that made it, or import'),
    sa.Column('plan_id', sa.BigInteger(), nullable=False, comment='plan that made it effective'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    postgresql.ExcludeConstraint((sa.column('sku'), '='), (sa.column('price_list_id'), '='), (sa.column('min_quantity'), '='), (sa.text('tstzrange(valid_from_at, valid_to_at)'), '&&'), using='gist', name='prices_never_overlap'),
    sa.CheckConstraint('min_quantity >= 1', name=op.f('prices_quantity_positive_check')),
    sa.CheckConstraint('price_minor > 0 AND regular_minor > 0', name=op.f('prices_price_minor_positive_check')),
    sa.CheckConstraint('reference_minor > price_minor', name=op.f('prices_reference_minor_above_price_check')),
    sa.CheckConstraint('valid_to_at > valid_from_at', name=op.f('prices_ends_after_start_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('prices_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('price_id', name=op.f('prices_pkey')),
    schema='pricing',
    comment='Prices of a list with the time they hold; two never hold at once.'
    )
    op.create_index(op.f('prices_plan_id_idx'), 'prices', ['plan_id'], unique=False, schema='pricing')
    op.create_index(op.f('prices_price_list_id_sku_min_quantity_valid_from_at_idx'), 'prices', ['price_list_id', 'sku', 'min_quantity', 'valid_from_at'], unique=False, schema='pricing')
    op.create_table('promotions',
    sa.Column('promotion_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('name', sa.Text(), nullable=False, comment='name of the promotion'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=True, comment='list; every list, if empty'),
    sa.Column('category', sa.Text(), server_default='', nullable=False, comment="category as in catalog.products; '' is any"),
    sa.Column('sku', sa.Text(), server_default='', nullable=False, comment="product; '' is any"),
    sa.Column('discount_bps', sa.Integer(), nullable=False, comment='discount, basis points of the price before it'),
    sa.Column('is_combinable', sa.Boolean(), nullable=False, comment='adds up with others that are; else the best one counts alone'),
    sa.Column('starts_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment'),
    sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end, excluded'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('discount_bps BETWEEN 1 AND 9500', name=op.f('promotions_discount_in_range_check')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('promotions_ends_after_start_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('promotions_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('promotion_id', name=op.f('promotions_pkey')),
    sa.UniqueConstraint('name', name=op.f('promotions_name_key')),
    schema='pricing',
    comment='Dated discounts that the rule of kind promotion gives.'
    )
    op.create_table('rules',
    sa.Column('rule_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('name', sa.Text(), nullable=False, comment='name of the rule'),
    sa.Column('version', sa.Integer(), nullable=False, comment='counts from 1 per name'),
    sa.Column('kind', sa.Text(), nullable=False, comment='what the rule does, see pricing.model.RuleKind'),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='settings of the kind'),
    sa.Column('price_list_id', sa.BigInteger(), nullable=True, comment='list; every list, if empty'),
    sa.Column('category', sa.Text(), server_default='', nullable=False, comment="category as in catalog.products; '' is any"),
    sa.Column('sku', sa.Text(), server_default='', nullable=False, comment="product; '' is any"),
    sa.Column('priority', sa.Integer(), nullable=False, comment='rules are asked in this order, lowest first'),
    sa.Column('is_approved_by_hand', sa.Boolean(), nullable=False, comment='whether lines it made ask for approval'),
    sa.Column('valid_from_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='first moment'),
    sa.Column('valid_to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end, excluded; open, if empty'),
    sa.Column('created_by', sa.Text(), nullable=False, comment='who wrote it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    postgresql.ExcludeConstraint((sa.column('name'), '='), (sa.text('tstzrange(valid_from_at, valid_to_at)'), '&&'), using='gist', name='rules_one_version_at_a_time'),
    sa.CheckConstraint("kind IN ('cost_plus', 'follow_competitor', 'follow_list', 'margin_optimal', 'cover_markdown', 'ageing_markdown', 'promotion')", name=op.f('rules_kind_known_check')),
    sa.CheckConstraint('valid_to_at >= valid_from_at', name=op.f('rules_ends_after_start_check')),
    sa.CheckConstraint('version >= 1', name=op.f('rules_version_positive_check')),
    sa.ForeignKeyConstraint(['price_list_id'], ['pricing.price_lists.price_list_id'], name=op.f('rules_price_list_id_fkey')),
    sa.PrimaryKeyConstraint('rule_id', name=op.f('rules_pkey')),
    sa.UniqueConstraint('name', 'version', name=op.f('rules_name_version_key')),
    schema='pricing',
    comment='Pricing rules by version; what a version says never changes, only when it holds.'
    )
    op.create_table('approvals',
    sa.Column('plan_id', sa.BigInteger(), nullable=False, comment='plan'),
    sa.Column('requested_by', sa.Text(), nullable=False, comment='who or what asked for the plan'),
    sa.Column('decision', sa.Text(), nullable=False, comment='approved or refused'),
    sa.Column('decided_by', sa.Text(), nullable=False, comment='who decided'),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment'),
    sa.Column('comment', sa.Text(), nullable=False, comment='what the person said'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("decision IN ('approved', 'refused')", name=op.f('approvals_decision_known_check')),
    sa.CheckConstraint('decided_by <> requested_by', name=op.f('approvals_four_eyes_check')),
    sa.ForeignKeyConstraint(['plan_id'], ['pricing.price_plans.plan_id'], name=op.f('approvals_plan_id_fkey')),
    sa.PrimaryKeyConstraint('plan_id', name=op.f('approvals_pkey')),
    schema='pricing',
    comment='Who approved or refused a plan; never the one who asked for it.'
    )
    op.create_table('plan_lines',
    sa.Column('plan_id', sa.BigInteger(), nullable=False, comment='plan, see pricing.price_plans'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('min_quantity', sa.Integer(), nullable=False, comment='units of a line from which the price holds'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='change, new, keep, hold or end'),
    sa.Column('old_minor', sa.BigInteger(), nullable=True, comment='price before'),
    sa.Column('proposed_minor', sa.BigInteger(), nullable=True, comment='what the rules proposed before the limits'),
    sa.Column('new_minor', sa.BigInteger(), nullable=True, comment='price after'),
    sa.Column('regular_minor', sa.BigInteger(), nullable=True, comment='price before markdowns and promotions'),
    sa.Column('reference_minor', sa.BigInteger(), nullable=True, comment='lowest price of the last 30 days, where a reduction is announced'),
    sa.Column('base_price_id', sa.BigInteger(), nullable=True, comment='price row it was planned on'),
    sa.Column('rule', sa.Text(), nullable=False, comment='rule and version; empty where none applied'),
    sa.Column('bound', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='limits that shaped the price, see pricing.model.Limit'),
    sa.Column('reasons', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='why, in codes'),
    sa.Column('is_approval_needed', sa.Boolean(), nullable=False, comment='whether the line asks for approval'),
    sa.CheckConstraint("(outcome <> 'change' OR old_minor IS NOT NULL AND new_minor IS NOT NULL AND base_price_id IS NOT NULL) AND (outcome <> 'new' OR old_minor IS NULL AND new_minor IS NOT NULL) AND (outcome NOT IN ('keep', 'hold') OR new_minor IS NOT DISTINCT FROM old_minor) AND (outcome <> 'end' OR new_minor IS NULL AND base_price_id IS NOT NULL)", name=op.f('plan_lines_prices_minor_as_outcome_check')),
    sa.CheckConstraint("outcome IN ('change', 'new', 'keep', 'hold', 'end')", name=op.f('plan_lines_outcome_known_check')),
    sa.CheckConstraint('new_minor > 0 AND old_minor > 0', name=op.f('plan_lines_prices_minor_positive_check')),
    sa.PrimaryKeyConstraint('plan_id', 'sku', 'min_quantity', name=op.f('plan_lines_pkey')),
    schema='pricing',
    comment='What a plan does to each price, by which rule, which limit bound, and why.'
    )


def downgrade() -> None:
    """Take the schema back to the revision before; the extension stays, others may use it."""
    op.drop_table('plan_lines', schema='pricing')
    op.drop_table('approvals', schema='pricing')
    op.drop_table('rules', schema='pricing')
    op.drop_table('promotions', schema='pricing')
    op.drop_index(op.f('prices_price_list_id_sku_min_quantity_valid_from_at_idx'), table_name='prices', schema='pricing')
    op.drop_index(op.f('prices_plan_id_idx'), table_name='prices', schema='pricing')
    op.drop_table('prices', schema='pricing')
    op.drop_table('price_tests', schema='pricing')
    op.drop_index(op.f('price_plans_price_list_id_planned_as_of_idx'), table_name='price_plans', schema='pricing')
    op.drop_table('price_plans', schema='pricing')
    op.drop_table('markdown_plans', schema='pricing')
    op.drop_table('coupons', schema='pricing')
    op.drop_index(op.f('costs_sku_currency_valid_from_at_idx'), table_name='costs', schema='pricing')
    op.drop_table('costs', schema='pricing')
    op.drop_table('constraints', schema='pricing')
    op.drop_index('competitor_offers_fresh_idx', table_name='competitor_offers', schema='pricing', postgresql_where=sa.text("state = 'accepted'"))
    op.drop_table('competitor_offers', schema='pricing')
    op.drop_table('backtests', schema='pricing')
    op.drop_table('price_lists', schema='pricing')
    op.drop_index('feeds_waiting_idx', table_name='feeds', schema='pricing', postgresql_where=sa.text("repriced_as_of IS NULL AND state = 'taken'"))
    op.drop_table('feeds', schema='pricing')
    op.drop_table('elasticities', schema='pricing')
    op.execute(sa.schema.DropSchema("pricing"))
