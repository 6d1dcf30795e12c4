"""demand, forecasts, backtests and purchase proposals"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table('demand_history',
    sa.Column('sku', sa.Text(), nullable=False, comment='what was asked for'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='site that served it, or would have'),
    sa.Column('week_date', sa.Date(), nullable=False, comment='Monday of the week, UTC'),
    sa.Column('sold_units', sa.Integer(), nullable=False, comment='units ordered in the week and not taken back within it'),
    sa.Column('order_lines', sa.Integer(), nullable=False, comment='order lines behind them'),
    sa.Column('revenue_minor', sa.BigInteger(), nullable=False, comment="what they brought; lines in another currency than the product's: 0"),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code of the product'),
    sa.Column('returned_units', sa.Integer(), nullable=False, comment='units that came back to the site in the week'),
    sa.Column('stockout_share', sa.Double(), nullable=False, comment='share of the week, 0 to 1, in which the site had none'),
    sa.Column('is_censored', sa.Boolean(), nullable=False, comment='whether demand was hidden: no stock, and no orders taken without it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('NOT is_censored OR stockout_share > 0', name=op.f('demand_history_censored_by_stockout_check')),
    sa.CheckConstraint('extract(isodow FROM week_date) = 1', name=op.f('demand_history_week_from_monday_check')),
    sa.CheckConstraint('revenue_minor >= 0', name=op.f('demand_history_revenue_not_negative_check')),
    sa.CheckConstraint('sold_units >= 0 AND order_lines >= 0 AND returned_units >= 0', name=op.f('demand_history_units_not_negative_check')),
    sa.CheckConstraint('stockout_share BETWEEN 0 AND 1', name=op.f('demand_history_share_in_range_check')),
    sa.PrimaryKeyConstraint('sku', 'site_code', 'week_date', name=op.f('demand_history_pkey')),
    schema='inventory',
    comment='Units asked for per SKU, site and week; a week without a row had no demand and no stock-out.'
    )
    op.create_index(op.f('demand_history_week_date_idx'), 'demand_history', ['week_date'], unique=False, schema='inventory')
    op.create_table('forecast_backtests',
    sa.Column('origin_date', sa.Date(), nullable=False, comment='Monday the forecasts start at; only weeks before it were known'),
    sa.Column('segment', sa.Text(), nullable=False, comment='class and value of the series, such as lumpy/core'),
    sa.Column('method', sa.Text(), nullable=False, comment='method'),
    sa.Column('series', sa.Integer(), nullable=False, comment='SKUs at sites in the segment'),
    sa.Column('horizon_weeks', sa.Integer(), nullable=False, comment='weeks forecast'),
    sa.Column('rmsse', sa.Double(), nullable=False, comment='root mean squared error over the week-to-week change, mean over series'),
    sa.Column('weighted_rmsse', sa.Double(), nullable=False, comment='the same, weighted by revenue'),
    sa.Column('mase', sa.Double(), nullable=False, comment='mean absolute error in units of the mean week-to-week change'),
    sa.Column('pinball', sa.Double(), nullable=False, comment='mean quantile loss in units of the week-to-week change'),
    sa.Column('bias', sa.Double(), nullable=False, comment='forecast less truth, as a share of the truth'),
    sa.Column('coverage', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='per quantile: share of truths below it and share not above it'),
    sa.Column('coverage_miss', sa.Double(), nullable=False, comment="largest distance of a quantile's level from what was covered"),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the methods'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('coverage_miss BETWEEN 0 AND 1', name=op.f('forecast_backtests_miss_in_range_check')),
    sa.CheckConstraint('rmsse >= 0 AND weighted_rmsse >= 0 AND mase >= 0 AND pinball >= 0', name=op.f('forecast_backtests_errors_not_negative_check')),
    sa.CheckConstraint('series > 0 AND horizon_weeks > 0', name=op.f('forecast_backtests_counts_positive_check')),
    sa.PrimaryKeyConstraint('origin_date', 'segment', 'method', name=op.f('forecast_backtests_pkey')),
    schema='inventory',
    comment='How each method would have forecast from a past origin, per segment.'
    )
    op.create_table('forecast_methods',
    sa.Column('decided_date', sa.Date(), nullable=False, comment='Monday from which the method is used'),
    sa.Column('segment', sa.Text(), nullable=False, comment='class and value of the series'),
    sa.Column('method', sa.Text(), nullable=False, comment='method used'),
    sa.Column('is_passed', sa.Boolean(), nullable=False, comment='whether it did well enough for purchases to rely on it'),
    sa.Column('reasons', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='why it passed or failed, each a code'),
    sa.Column('origins', sa.Integer(), nullable=False, comment='backtests it was decided on'),
    sa.Column('series', sa.Integer(), nullable=False, comment='SKUs at sites in the newest of them'),
    sa.Column('weighted_rmsse', sa.Double(), nullable=False, comment='its error in them, in units of the week-to-week change'),
    sa.Column('naive_rmsse', sa.Double(), nullable=False, comment='that of the better naive method'),
    sa.Column('bias', sa.Double(), nullable=False, comment='its bias in them, as a share of the demand'),
    sa.Column('coverage_miss', sa.Double(), nullable=False, comment="largest miss of a quantile's coverage in them"),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the methods'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('cardinality(reasons) > 0', name=op.f('forecast_methods_decided_with_reasons_check')),
    sa.CheckConstraint('origins > 0 AND series > 0', name=op.f('forecast_methods_counts_positive_check')),
    sa.PrimaryKeyConstraint('decided_date', 'segment', name=op.f('forecast_methods_pkey')),
    schema='inventory',
    comment='The method that each segment is forecast with, decided by backtests; append-only.'
    )
    op.create_table('forecasts',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where'),
    sa.Column('origin_date', sa.Date(), nullable=False, comment='Monday the forecast starts at; only weeks before it were known'),
    sa.Column('week_date', sa.Date(), nullable=False, comment='Monday of the week that is forecast'),
    sa.Column('segment', sa.Text(), nullable=False, comment='class and value of the series'),
    sa.Column('method', sa.Text(), nullable=False, comment='method it was made with'),
    sa.Column('mean_units', sa.Double(), nullable=False, comment='units to expect'),
    sa.Column('p05', sa.Double(), nullable=False, comment='quantile 0.05 of the units'),
    sa.Column('p10', sa.Double(), nullable=False, comment='quantile 0.1 of the units'),
    sa.Column('p25', sa.Double(), nullable=False, comment='quantile 0.25 of the units'),
    sa.Column('p50', sa.Double(), nullable=False, comment='quantile 0.5 of the units'),
    sa.Column('p75', sa.Double(), nullable=False, comment='quantile 0.75 of the units'),
    sa.Column('p90', sa.Double(), nullable=False, comment='quantile 0.9 of the units'),
    sa.Column('p95', sa.Double(), nullable=False, comment='quantile 0.95 of the units'),
    sa.Column('p975', sa.Double(), nullable=False, comment='quantile 0.975 of the units'),
    sa.Column('p99', sa.Double(), nullable=False, comment='quantile 0.99 of the units'),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the methods'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('mean_units >= 0 AND p05 >= 0', name=op.f('forecasts_units_not_negative_check')),
    sa.CheckConstraint('p05 <= p10 AND p10 <= p25 AND p25 <= p50 AND p50 <= p75 AND p75 <= p90 AND p90 <= p95 AND p95 <= p975 AND p975 <= p99', name=op.f('forecasts_quantiles_never_fall_check')),
    sa.CheckConstraint('week_date >= origin_date', name=op.f('forecasts_forecasts_the_future_check')),
    sa.PrimaryKeyConstraint('sku', 'site_code', 'origin_date', 'week_date', name=op.f('forecasts_pkey')),
    schema='inventory',
    comment='Units expected per SKU, site and week to come, with quantiles; the newest origins are kept.'
    )
    op.create_index(op.f('forecasts_origin_date_idx'), 'forecasts', ['origin_date'], unique=False, schema='inventory')
    op.create_table('policy_simulations',
    sa.Column('origin_date', sa.Date(), nullable=False, comment='Monday after the last week that was played'),
    sa.Column('policy', sa.Text(), nullable=False, comment='how levels were set'),
    sa.Column('service_level', sa.Double(), nullable=False, comment='service level the policy aimed at'),
    sa.Column('series', sa.Integer(), nullable=False, comment='SKUs at sites that were played'),
    sa.Column('weeks', sa.Integer(), nullable=False, comment='weeks that were played'),
    sa.Column('lead_weeks', sa.Integer(), nullable=False, comment='weeks from order to receipt'),
    sa.Column('fill_rate', sa.Double(), nullable=False, comment='share of the units asked for that was served'),
    sa.Column('value_fill_rate', sa.Double(), nullable=False, comment='the same by value'),
    sa.Column('stock_units', sa.Double(), nullable=False, comment='mean units in stock per series'),
    sa.Column('stock_value', sa.Double(), nullable=False, comment="mean value of all stock, in minor units of the products' currencies"),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('fill_rate BETWEEN 0 AND 1 AND value_fill_rate BETWEEN 0 AND 1', name=op.f('policy_simulations_rates_in_range_check')),
    sa.CheckConstraint('stock_units >= 0 AND stock_value >= 0', name=op.f('policy_simulations_stock_not_negative_check')),
    sa.PrimaryKeyConstraint('origin_date', 'policy', 'service_level', name=op.f('policy_simulations_pkey')),
    schema='inventory',
    comment='Policies played through on the kept history: service against stock.'
    )
    op.create_table('purchase_proposals',
    sa.Column('proposal_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('supplier_key', sa.Text(), nullable=False, comment='supplier; empty where the products name none'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='site to deliver to'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('proposed_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the stock it was made from'),
    sa.Column('state', sa.Text(), nullable=False, comment='proposed, held, accepted, rejected or superseded'),
    sa.Column('reasons', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='why it was made so, each a code'),
    sa.Column('total_minor', sa.BigInteger(), nullable=False, comment='cost of all lines'),
    sa.Column('minimum_minor', sa.BigInteger(), nullable=False, comment='least the supplier takes; 0 if nothing is said'),
    sa.Column('lead_days', sa.Double(), nullable=False, comment='mean days from order to receipt'),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when a person accepted or rejected it'),
    sa.Column('decided_by', sa.Text(), nullable=True, comment='who did'),
    sa.Column('decision_note', sa.Text(), nullable=True, comment='why, as that person says'),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the rules'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state IN ('accepted', 'rejected')) = (decided_at IS NOT NULL AND decided_by IS NOT NULL)", name=op.f('purchase_proposals_decided_by_somebody_check')),
    sa.CheckConstraint("state IN ('proposed', 'held', 'accepted', 'rejected', 'superseded')", name=op.f('purchase_proposals_state_known_check')),
    sa.CheckConstraint("state NOT IN ('proposed', 'accepted') OR total_minor >= minimum_minor", name=op.f('purchase_proposals_proposed_from_minimum_minor_check')),
    sa.CheckConstraint('total_minor >= 0 AND minimum_minor >= 0', name=op.f('purchase_proposals_amounts_not_negative_check')),
    sa.PrimaryKeyConstraint('proposal_id', name=op.f('purchase_proposals_pkey')),
    schema='inventory',
    comment='What to order from a supplier for a site; one open proposal for each at a time.'
    )
    op.create_index('purchase_proposals_open_idx', 'purchase_proposals', ['supplier_key', 'site_code', 'currency'], unique=True, schema='inventory', postgresql_where=sa.text("state IN ('proposed', 'held')"))
    op.create_table('reorder_policies',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where'),
    sa.Column('origin_date', sa.Date(), nullable=False, comment='Monday the forecast starts at'),
    sa.Column('segment', sa.Text(), nullable=False, comment='class and value of the series'),
    sa.Column('method', sa.Text(), nullable=False, comment='method of the forecast'),
    sa.Column('service_level', sa.Double(), nullable=False, comment='chance, 0 to 1, that stock lasts until the goods come'),
    sa.Column('lead_days', sa.Double(), nullable=False, comment='mean days from order to receipt'),
    sa.Column('lead_spread_days', sa.Double(), nullable=False, comment='standard deviation of those days'),
    sa.Column('review_days', sa.Double(), nullable=False, comment='days between two reviews'),
    sa.Column('protected_units', sa.Double(), nullable=False, comment='units to expect over lead time and review'),
    sa.Column('demand_spread_units', sa.Double(), nullable=False, comment="what the forecast's quantile adds to them"),
    sa.Column('lead_spread_units', sa.Double(), nullable=False, comment='what the spread of the lead time adds'),
    sa.Column('safety_units', sa.Double(), nullable=False, comment='safety stock: both together'),
    sa.Column('daily_units', sa.Double(), nullable=False, comment='units to expect per day'),
    sa.Column('reorder_point', sa.Integer(), nullable=False, comment='order when the stock position is at or below it'),
    sa.Column('order_up_to', sa.Integer(), nullable=False, comment='order so many that the position reaches it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('order_up_to >= reorder_point AND reorder_point >= 0', name=op.f('reorder_policies_levels_ordered_check')),
    sa.CheckConstraint('protected_units >= 0 AND safety_units >= 0 AND daily_units >= 0', name=op.f('reorder_policies_units_not_negative_check')),
    sa.CheckConstraint('service_level > 0 AND service_level < 1', name=op.f('reorder_policies_level_in_range_check')),
    sa.PrimaryKeyConstraint('sku', 'site_code', name=op.f('reorder_policies_pkey')),
    schema='inventory',
    comment='Safety stock, reorder point and order-up-to level per SKU and site, as of the last forecast.'
    )
    op.create_table('reorder_terms',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('pack_units', sa.Integer(), server_default='1', nullable=False, comment='units per pack; orders are whole packs'),
    sa.Column('minimum_units', sa.Integer(), server_default='1', nullable=False, comment='fewest units the supplier sells at once'),
    sa.Column('service_level', sa.Double(), nullable=True, comment='chance, 0 to 1, that stock lasts until the goods come'),
    sa.Column('is_reordered', sa.Boolean(), server_default=sa.text('true'), nullable=False, comment='whether the SKU is proposed at all'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('pack_units > 0 AND minimum_units > 0', name=op.f('reorder_terms_units_positive_check')),
    sa.CheckConstraint('service_level > 0 AND service_level < 1', name=op.f('reorder_terms_level_in_range_check')),
    sa.PrimaryKeyConstraint('sku', name=op.f('reorder_terms_pkey')),
    schema='inventory',
    comment='What people or suppliers say about reordering a SKU; a SKU without a row has the usual terms.'
    )
    op.create_table('purchase_proposal_lines',
    sa.Column('proposal_id', sa.BigInteger(), nullable=False, comment='proposal'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what to order'),
    sa.Column('available_units', sa.Integer(), nullable=False, comment='in stock at the site and not promised, less what waits for stock'),
    sa.Column('on_order_units', sa.Integer(), nullable=False, comment='ordered earlier and not yet received'),
    sa.Column('reorder_point', sa.Integer(), nullable=False, comment='at or below it an order is due'),
    sa.Column('order_up_to', sa.Integer(), nullable=False, comment='level that the order fills up to'),
    sa.Column('protected_units', sa.Double(), nullable=False, comment='units to expect until an order of the next review would arrive'),
    sa.Column('safety_units', sa.Double(), nullable=False, comment='safety stock in the reorder point'),
    sa.Column('service_level', sa.Double(), nullable=False, comment='chance, 0 to 1, that stock lasts'),
    sa.Column('needed_units', sa.Integer(), nullable=False, comment='order-up-to less what is there and on order'),
    sa.Column('pack_units', sa.Integer(), nullable=False, comment='units per pack'),
    sa.Column('minimum_units', sa.Integer(), nullable=False, comment='fewest units at once'),
    sa.Column('quantity', sa.Integer(), nullable=False, comment='units to order'),
    sa.Column('unit_cost_minor', sa.BigInteger(), nullable=False, comment='cost of one unit'),
    sa.Column('line_total_minor', sa.BigInteger(), nullable=False, comment='cost of the line'),
    sa.Column('segment', sa.Text(), nullable=False, comment='segment whose method forecast it'),
    sa.Column('method', sa.Text(), nullable=False, comment='that method'),
    sa.Column('reasons', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='what made the quantity, each a code'),
    sa.Column('explanation', sa.Text(), nullable=False, comment='the same as a sentence for operators'),
    sa.CheckConstraint('available_units + on_order_units <= reorder_point', name=op.f('purchase_proposal_lines_due_at_reorder_point_check')),
    sa.CheckConstraint('line_total_minor = quantity * unit_cost_minor AND unit_cost_minor >= 0', name=op.f('purchase_proposal_lines_total_minor_adds_up_check')),
    sa.CheckConstraint('quantity % pack_units = 0', name=op.f('purchase_proposal_lines_whole_packs_check')),
    sa.CheckConstraint('quantity > 0', name=op.f('purchase_proposal_lines_quantity_positive_check')),
    sa.CheckConstraint('quantity >= minimum_units', name=op.f('purchase_proposal_lines_from_minimum_check')),
    sa.ForeignKeyConstraint(['proposal_id'], ['inventory.purchase_proposals.proposal_id'], name=op.f('purchase_proposal_lines_proposal_id_fkey')),
    sa.PrimaryKeyConstraint('proposal_id', 'sku', name=op.f('purchase_proposal_lines_pkey')),
    schema='inventory',
    comment='SKUs of purchase proposals, each with the figures it was made from.'
    )
    op.create_index(op.f('purchase_proposal_lines_sku_idx'), 'purchase_proposal_lines', ['sku'], unique=False, schema='inventory')


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index(op.f('purchase_proposal_lines_sku_idx'), table_name='purchase_proposal_lines', schema='inventory')
    op.drop_table('purchase_proposal_lines', schema='inventory')
    op.drop_table('reorder_terms', schema='inventory')
    op.drop_table('reorder_policies', schema='inventory')
    op.drop_index('purchase_proposals_open_idx', table_name='purchase_proposals', schema='inventory', postgresql_where=sa.text("state IN ('proposed', 'held')"))
    op.drop_table('purchase_proposals', schema='inventory')
    op.drop_table('policy_simulations', schema='inventory')
    op.drop_index(op.f('forecasts_origin_date_idx'), table_name='forecasts', schema='inventory')
    op.drop_table('forecasts', schema='inventory')
    op.drop_table('forecast_methods', schema='inventory')
    op.drop_table('forecast_backtests', schema='inventory')
    op.drop_index(op.f('demand_history_week_date_idx'), table_name='demand_history', schema='inventory')
    op.drop_table('demand_history', schema='inventory')
