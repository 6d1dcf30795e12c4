"""feed syncs, lots, transfers, counts, buffers, units and valuation of stock"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The rule of `inventory.valuing.moving_average`. State: units, value, cost in, cost out, last cost.
AVERAGE_STEP = """
    CREATE FUNCTION inventory.average_step(state bigint[], quantity bigint, unit_cost bigint)
    RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
        units bigint := state[1];
        value bigint := state[2];
        taken bigint := -quantity;
        cost bigint := quantity * unit_cost;
        worth bigint;
    BEGIN
        IF quantity > 0 THEN
            worth := value + cost;
            IF units < 0 THEN
                worth := (units + quantity) * unit_cost;
            END IF;
            RETURN ARRAY[units + quantity, worth, state[3] + cost, state[4] + value + cost - worth,
                unit_cost];
        END IF;
        IF taken < units THEN
            cost := div(2 * CAST(value AS numeric) * taken + units, 2 * units);
        ELSE
            cost := CASE WHEN units > 0 THEN value ELSE 0 END
                + (taken - greatest(0, units)) * state[5];
        END IF;
        RETURN ARRAY[units - taken, value - cost, state[3], state[4] + cost, state[5]];
    END
    $$
"""
MOVING_AVERAGE = """
    CREATE AGGREGATE inventory.moving_average(quantity bigint, unit_cost bigint) (
        SFUNC = inventory.average_step, STYPE = bigint[], INITCOND = '{0,0,0,0,0}'
    )
"""


def upgrade() -> None:
    """Make the tables, and the aggregate that values stock."""
    op.alter_column('movements', 'kind', schema='inventory', comment='opening, receipt, sale, return, transfer, adjustment, count or assembly')
    op.drop_constraint('movements_kind_known_check', 'movements', schema='inventory')
    op.create_check_constraint(op.f('movements_kind_known_check'), 'movements', "kind IN ('opening', 'receipt', 'sale', 'return', 'transfer', 'adjustment', 'count', 'assembly')", schema='inventory')
    op.create_index('quarantine_place_idx', 'quarantine', ['source', 'row_number', sa.literal_column('left(subject, 64)')], unique=False, schema='flow')
    op.create_table('feed_syncs',
    sa.Column('sync_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key; movements of the feed are named feed:<sync_id>'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='location that the feed speaks of'),
    sa.Column('kind', sa.Text(), nullable=False, comment='snapshot (every SKU), delta (some SKUs) or changes (units more or less)'),
    sa.Column('feed_key', sa.Text(), nullable=False, comment='what makes a feed the same feed: its id, or the digest of its content'),
    sa.Column('attempt', sa.Integer(), nullable=False, comment='1, or one more where a feed came again for the sake of parked rows'),
    sa.Column('observed_as_of', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='moment at which the levels were so'),
    sa.Column('state', sa.Text(), nullable=False, comment='applied, or refused as a whole'),
    sa.Column('reason', sa.Text(), nullable=True, comment='why it was refused'),
    sa.Column('origins', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='files or tables it came from, with what tells one version from another'),
    sa.Column('rows_read', sa.BigInteger(), nullable=False, comment='rows of the feed, without the header'),
    sa.Column('rows_applied', sa.BigInteger(), nullable=False, comment='rows that moved stock'),
    sa.Column('rows_unchanged', sa.BigInteger(), nullable=False, comment='rows that say what the ledger says'),
    sa.Column('rows_parked', sa.BigInteger(), nullable=False, comment='rows in the quarantine'),
    sa.Column('skus_absent', sa.Integer(), server_default='0', nullable=False, comment='SKUs with stock that a snapshot does not name'),
    sa.Column('absent_parked', sa.Integer(), server_default='0', nullable=False, comment='of those, the ones whose stock is promised'),
    sa.Column('units_in', sa.BigInteger(), server_default='0', nullable=False, comment='units that the feed added'),
    sa.Column('units_out', sa.BigInteger(), server_default='0', nullable=False, comment='units that the feed took away'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'applied' AND reason IS NULL AND observed_as_of IS NOT NULL) OR (state = 'refused' AND reason IS NOT NULL)", name=op.f('feed_syncs_state_explained_check')),
    sa.CheckConstraint("(state = 'refused' AND rows_applied + rows_unchanged + rows_parked = 0) OR rows_read = rows_applied + rows_unchanged + rows_parked", name=op.f('feed_syncs_balanced_check')),
    sa.CheckConstraint("kind IN ('snapshot', 'delta', 'changes')", name=op.f('feed_syncs_kind_known_check')),
    sa.CheckConstraint('attempt > 0 AND rows_read >= 0 AND units_in >= 0 AND units_out >= 0 AND absent_parked BETWEEN 0 AND skus_absent', name=op.f('feed_syncs_counts_in_range_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('feed_syncs_site_code_fkey')),
    sa.PrimaryKeyConstraint('sync_id', name=op.f('feed_syncs_pkey')),
    sa.UniqueConstraint('site_code', 'feed_key', 'attempt', name=op.f('feed_syncs_site_code_feed_key_attempt_key')),
    schema='inventory',
    comment='Feeds of stock levels or changes that a location sent, with their exact accounts.'
    )
    op.create_index(op.f('feed_syncs_origins_idx'), 'feed_syncs', ['origins'], unique=False, schema='inventory', postgresql_using='gin')
    op.create_table('counts',
    sa.Column('count_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('reference', sa.Text(), nullable=False, comment='counting session; with site and SKU it makes a count happen once'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where was counted'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what was counted'),
    sa.Column('counted_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='moment of the count: what moved afterwards is taken into account'),
    sa.Column('counted', sa.Integer(), nullable=False, comment='units found'),
    sa.Column('expected', sa.Integer(), nullable=False, comment='units the ledger says there were at that moment'),
    sa.Column('difference', sa.Integer(), nullable=False, comment='units found beyond those expected; negative where some are missing'),
    sa.Column('tolerance', sa.Double(), nullable=False, comment='units by which a count may differ without an approval'),
    sa.Column('state', sa.Text(), nullable=False, comment='equal, posted, needs_approval, rejected or refused (promised to orders)'),
    sa.Column('decided_by', sa.Text(), nullable=False, comment='who approved or rejected; the rule itself within its tolerance'),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment of that, if it was decided'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'needs_approval') = (decided_at IS NULL)", name=op.f('counts_decided_once_check')),
    sa.CheckConstraint("state <> 'equal' OR difference = 0", name=op.f('counts_equal_is_equal_check')),
    sa.CheckConstraint("state IN ('equal', 'posted', 'needs_approval', 'rejected', 'refused')", name=op.f('counts_state_known_check')),
    sa.CheckConstraint('counted >= 0 AND tolerance >= 0', name=op.f('counts_counts_not_negative_check')),
    sa.CheckConstraint('difference = counted - expected', name=op.f('counts_difference_adds_up_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('counts_site_code_fkey')),
    sa.PrimaryKeyConstraint('count_id', name=op.f('counts_pkey')),
    sa.UniqueConstraint('reference', 'site_code', 'sku', name=op.f('counts_reference_site_code_sku_key')),
    schema='inventory',
    comment='What people counted, beside what the ledger said for that moment.'
    )
    op.create_index('counts_waiting_idx', 'counts', ['site_code'], unique=False, schema='inventory', postgresql_where=sa.text("state = 'needs_approval'"))
    op.create_table('units',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('unit', sa.Text(), nullable=False, comment='unit as feeds write it, in lower case, such as carton'),
    sa.Column('pieces', sa.Integer(), nullable=False, comment='pieces in one of it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("unit = lower(unit) AND unit <> ''", name=op.f('units_unit_lower_case_check')),
    sa.CheckConstraint('pieces > 0', name=op.f('units_pieces_positive_check')),
    sa.PrimaryKeyConstraint('sku', 'unit', name=op.f('units_pkey')),
    schema='inventory',
    comment='How many pieces other units of a SKU hold; stock is always kept in pieces.'
    )
    op.create_table('receipt_costs',
    sa.Column('reference', sa.Text(), nullable=False, comment="reference of the receipt's movement"),
    sa.Column('sku', sa.Text(), nullable=False, comment='what came'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where it came'),
    sa.Column('unit_cost_minor', sa.BigInteger(), nullable=False, comment='cost of one unit'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('unit_cost_minor >= 0', name=op.f('receipt_costs_unit_cost_minor_not_negative_check')),
    sa.PrimaryKeyConstraint('reference', 'sku', 'site_code', name=op.f('receipt_costs_pkey')),
    schema='inventory',
    comment="What a unit of a receipt cost; receipts without a row are valued at the product's cost."
    )
    op.create_table('lots',
    sa.Column('lot_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where'),
    sa.Column('lot_code', sa.Text(), nullable=False, comment='name of the batch'),
    sa.Column('received', sa.Integer(), nullable=False, comment='units that came with it'),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the first of them'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when it may not be sold; never, if empty'),
    sa.Column('written_off', sa.Integer(), server_default='0', nullable=False, comment='units left when it expired and taken out'),
    sa.Column('written_off_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when that was done'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('(written_off_at IS NULL AND written_off = 0) OR written_off_at >= expires_at', name=op.f('lots_written_off_after_expiry_check')),
    sa.CheckConstraint('received > 0 AND written_off BETWEEN 0 AND received', name=op.f('lots_units_in_range_check')),
    sa.PrimaryKeyConstraint('lot_id', name=op.f('lots_pkey')),
    sa.UniqueConstraint('sku', 'site_code', 'lot_code', name=op.f('lots_sku_site_code_lot_code_key')),
    schema='inventory',
    comment='Batches of a SKU at a site; what is left of each follows from the stock, first expired first.'
    )
    op.create_index('lots_expiring_idx', 'lots', ['expires_at'], unique=False, schema='inventory', postgresql_where=sa.text('written_off_at IS NULL'))
    op.create_table('serials',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('serial', sa.Text(), nullable=False, comment='number of the unit, unique per SKU'),
    sa.Column('site_code', sa.Text(), nullable=True, comment='where it is, while it is in stock'),
    sa.Column('state', sa.Text(), nullable=False, comment='in_stock, sold or written_off'),
    sa.Column('came_with', sa.Text(), nullable=False, comment='reference of the receipt'),
    sa.Column('came_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the receipt'),
    sa.Column('left_with', sa.Text(), nullable=True, comment='reference of what took it out'),
    sa.Column('left_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment of that'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("CASE state WHEN 'in_stock' THEN site_code IS NOT NULL AND left_with IS NULL AND left_at IS NULL ELSE site_code IS NULL AND left_with IS NOT NULL AND left_at IS NOT NULL END", name=op.f('serials_is_somewhere_or_left_check')),
    sa.CheckConstraint("state IN ('in_stock', 'sold', 'written_off')", name=op.f('serials_state_known_check')),
    sa.CheckConstraint('left_at >= came_at', name=op.f('serials_left_after_it_came_check')),
    sa.PrimaryKeyConstraint('sku', 'serial', name=op.f('serials_pkey')),
    schema='inventory',
    comment='Single units known by a number: where each is, or how it left.'
    )
    op.create_index('serials_in_stock_idx', 'serials', ['sku', 'site_code'], unique=False, schema='inventory', postgresql_where=sa.text("state = 'in_stock'"))
    op.create_table('transfers',
    sa.Column('transfer_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('reference', sa.Text(), nullable=False, comment='name of the transfer; with SKU and sites it happens once'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('from_site', sa.Text(), nullable=False, comment='site they left'),
    sa.Column('to_site', sa.Text(), nullable=False, comment='site they go to'),
    sa.Column('quantity', sa.Integer(), nullable=False, comment='units that left'),
    sa.Column('sent_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of leaving'),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when they are expected'),
    sa.Column('arrived', sa.Integer(), nullable=True, comment='units that came, the rest was lost; empty on the way'),
    sa.Column('arrived_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment of the arrival'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('arrived_at >= sent_at', name=op.f('transfers_arrived_after_sent_check')),
    sa.CheckConstraint('from_site <> to_site', name=op.f('transfers_sites_differ_check')),
    sa.CheckConstraint('num_nulls(arrived, arrived_at) <> 1', name=op.f('transfers_arrival_has_moment_check')),
    sa.CheckConstraint('quantity > 0 AND arrived BETWEEN 0 AND quantity', name=op.f('transfers_units_in_range_check')),
    sa.ForeignKeyConstraint(['from_site'], ['warehouse.sites.site_code'], name=op.f('transfers_from_site_fkey')),
    sa.ForeignKeyConstraint(['to_site'], ['warehouse.sites.site_code'], name=op.f('transfers_to_site_fkey')),
    sa.PrimaryKeyConstraint('transfer_id', name=op.f('transfers_pkey')),
    sa.UniqueConstraint('reference', 'sku', 'from_site', 'to_site', name=op.f('transfers_reference_sku_from_site_to_site_key')),
    schema='inventory',
    comment='Units on their way between sites: they left one and came, or will come, to the other.'
    )
    op.create_index('transfers_in_transit_idx', 'transfers', ['sku'], unique=False, schema='inventory', postgresql_where=sa.text('arrived_at IS NULL'))
    op.create_table('expected_receipts',
    sa.Column('reference', sa.Text(), nullable=False, comment='purchase order or advice; its receipt carries the same'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where it is to come'),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it is expected'),
    sa.Column('quantity', sa.Integer(), nullable=False, comment='units ordered'),
    sa.Column('received', sa.Integer(), server_default='0', nullable=False, comment='units that came'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('quantity > 0 AND received >= 0', name=op.f('expected_receipts_units_in_range_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('expected_receipts_site_code_fkey')),
    sa.PrimaryKeyConstraint('reference', 'sku', 'site_code', name=op.f('expected_receipts_pkey')),
    schema='inventory',
    comment='Units that were ordered from suppliers and have not all come yet.'
    )
    op.create_index('expected_receipts_open_idx', 'expected_receipts', ['sku', 'due_at'], unique=False, schema='inventory', postgresql_where=sa.text('received < quantity'))
    op.create_table('safety_stocks',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='where'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units kept back'),
    sa.Column('service_level', sa.Double(), nullable=True, comment='share of demand they are meant to cover, 0 to 1'),
    sa.Column('source', sa.Text(), nullable=False, comment='who set them: a person or a policy'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('service_level > 0 AND service_level < 1', name=op.f('safety_stocks_service_level_in_range_check')),
    sa.CheckConstraint('units >= 0', name=op.f('safety_stocks_units_not_negative_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('safety_stocks_site_code_fkey')),
    sa.PrimaryKeyConstraint('sku', 'site_code', name=op.f('safety_stocks_pkey')),
    schema='inventory',
    comment='Units that are kept back and promised to nobody.'
    )
    op.create_table('channel_buffers',
    sa.Column('channel', sa.Text(), nullable=False, comment='channel'),
    sa.Column('sku', sa.Text(), nullable=False, comment='SKU, or empty for all that have no row of their own'),
    sa.Column('most_listed', sa.Integer(), nullable=True, comment='units shown at most'),
    sa.Column('stop_units', sa.Integer(), server_default='0', nullable=False, comment='nothing is shown at or below so many units'),
    sa.Column('share_percent', sa.Double(), server_default='100', nullable=False, comment='share of the available units shown, in percent'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('most_listed >= 0 AND stop_units >= 0', name=op.f('channel_buffers_units_not_negative_check')),
    sa.CheckConstraint('share_percent >= 0 AND share_percent <= 100', name=op.f('channel_buffers_share_in_range_check')),
    sa.PrimaryKeyConstraint('channel', 'sku', name=op.f('channel_buffers_pkey')),
    schema='inventory',
    comment='How much of what is available a channel is told.'
    )
    op.create_table('atp',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('step', sa.Integer(), nullable=False, comment='0 at once, then 1, 2, ... by date'),
    sa.Column('available_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when; empty at once'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units that may be promised for then'),
    sa.Column('cause', sa.Text(), nullable=False, comment='stock, receipt, expiry or kit: what makes the step'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("cause IN ('stock', 'receipt', 'expiry', 'kit')", name=op.f('atp_cause_known_check')),
    sa.CheckConstraint('step >= 0 AND (step = 0) = (available_at IS NULL)', name=op.f('atp_step_has_moment_check')),
    sa.CheckConstraint('units >= 0', name=op.f('atp_units_not_negative_check')),
    sa.PrimaryKeyConstraint('sku', 'step', name=op.f('atp_pkey')),
    schema='inventory',
    comment='Units available to promise per SKU: at once, and from each moment at which that changes.'
    )
    op.create_table('valuations',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('method', sa.Text(), nullable=False, comment='fifo or average'),
    sa.Column('units', sa.BigInteger(), nullable=False, comment='units owned: on hand at all sites and on the way between them'),
    sa.Column('units_in', sa.BigInteger(), nullable=False, comment='units that ever came in'),
    sa.Column('units_out', sa.BigInteger(), nullable=False, comment='units that ever left'),
    sa.Column('cost_in_minor', sa.BigInteger(), nullable=False, comment='what all that came in cost'),
    sa.Column('cost_out_minor', sa.BigInteger(), nullable=False, comment='what all that left cost, by this method'),
    sa.Column('value_minor', sa.BigInteger(), nullable=False, comment='what is left is worth, by this method'),
    sa.Column('lowest_unit_cost_minor', sa.BigInteger(), nullable=False, comment='least that a unit ever cost'),
    sa.Column('highest_unit_cost_minor', sa.BigInteger(), nullable=False, comment='most that a unit ever cost'),
    sa.Column('units_uncosted', sa.BigInteger(), nullable=False, comment='units that came in without any known cost, valued at nothing'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('changed_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='moment of the valuation that last changed the row'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("method IN ('fifo', 'average')", name=op.f('valuations_method_known_check')),
    sa.CheckConstraint('cost_in_minor = cost_out_minor + value_minor', name=op.f('valuations_cost_minor_conserved_check')),
    sa.CheckConstraint('units = units_in - units_out', name=op.f('valuations_units_conserved_check')),
    sa.CheckConstraint('units > 0 OR value_minor = 0', name=op.f('valuations_nothing_is_worth_value_minor_zero_check')),
    sa.CheckConstraint('units >= 0', name=op.f('valuations_units_not_negative_check')),
    sa.CheckConstraint('value_minor BETWEEN units * lowest_unit_cost_minor AND units * highest_unit_cost_minor', name=op.f('valuations_value_minor_within_costs_check')),
    sa.PrimaryKeyConstraint('sku', 'method', name=op.f('valuations_pkey')),
    schema='inventory',
    comment='Stock at cost per SKU, by first-in-first-out and by moving average.'
    )
    op.create_table('sku_classes',
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('abc', sa.Text(), nullable=False, comment='A, B or C by value of units sold in the window'),
    sa.Column('xyz', sa.Text(), nullable=True, comment='X, Y or Z by spread of weekly sales; empty without sales'),
    sa.Column('units_sold', sa.BigInteger(), nullable=False, comment='units sold in the window'),
    sa.Column('sold_at_cost_minor', sa.BigInteger(), nullable=False, comment='their cost, or list price where no cost is known'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('weekly_units', sa.Double(), nullable=False, comment='mean units sold per week of the window'),
    sa.Column('weekly_spread', sa.Double(), nullable=True, comment='standard deviation over mean of weekly sales'),
    sa.Column('on_hand', sa.BigInteger(), nullable=False, comment='units over all sites'),
    sa.Column('days_of_cover', sa.Double(), nullable=True, comment='days that free stock lasts; empty without sales'),
    sa.Column('turnover', sa.Double(), nullable=True, comment='units sold per year over mean stock; empty without stock'),
    sa.Column('last_sold_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='last sale, if any'),
    sa.Column('is_dead', sa.Boolean(), nullable=False, comment='stock that nobody bought for long, and that has lain as long'),
    sa.Column('version', sa.Text(), nullable=False, comment='version of the rule'),
    sa.Column('classified_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='moment of the classification that last changed the row'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("abc IN ('A', 'B', 'C')", name=op.f('sku_classes_abc_known_check')),
    sa.CheckConstraint("xyz IN ('X', 'Y', 'Z')", name=op.f('sku_classes_xyz_known_check')),
    sa.CheckConstraint('(xyz IS NULL) = (weekly_spread IS NULL)', name=op.f('sku_classes_xyz_has_spread_check')),
    sa.CheckConstraint('NOT is_dead OR on_hand > 0', name=op.f('sku_classes_dead_is_in_stock_check')),
    sa.CheckConstraint('sold_at_cost_minor >= 0', name=op.f('sku_classes_sold_at_cost_minor_not_negative_check')),
    sa.CheckConstraint('units_sold >= 0 AND on_hand >= 0', name=op.f('sku_classes_units_not_negative_check')),
    sa.PrimaryKeyConstraint('sku', name=op.f('sku_classes_pkey')),
    schema='inventory',
    comment='How SKUs sell: ABC by value, XYZ by steadiness, cover, dead stock and turnover.'
    )
    op.create_index('sku_classes_dead_idx', 'sku_classes', ['sku'], unique=False, schema='inventory', postgresql_where=sa.text('is_dead'))
    op.create_index('movements_moved_at_idx', 'movements', ['moved_at'], unique=False, schema='inventory', postgresql_using='brin')
    # A feed may change every row: its new versions then find room beside the old ones.
    op.execute("ALTER TABLE inventory.positions SET (fillfactor = 50)")
    op.execute("ALTER TABLE inventory.balances SET (fillfactor = 75)")
    op.execute(AVERAGE_STEP)
    op.execute(MOVING_AVERAGE)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index('quarantine_place_idx', table_name='quarantine', schema='flow')
    op.drop_constraint('movements_kind_known_check', 'movements', schema='inventory')
    op.create_check_constraint(op.f('movements_kind_known_check'), 'movements', "kind IN ('opening', 'receipt', 'sale', 'return', 'transfer', 'adjustment', 'count')", schema='inventory')
    op.alter_column('movements', 'kind', schema='inventory', comment='opening, receipt, sale, return, transfer, adjustment or count')
    op.execute("DROP AGGREGATE inventory.moving_average(bigint, bigint)")
    op.execute("DROP FUNCTION inventory.average_step(bigint[], bigint, bigint)")
    op.execute("ALTER TABLE inventory.balances RESET (fillfactor)")
    op.execute("ALTER TABLE inventory.positions RESET (fillfactor)")
    op.drop_index('movements_moved_at_idx', table_name='movements', schema='inventory', postgresql_using='brin')
    op.drop_index('sku_classes_dead_idx', table_name='sku_classes', schema='inventory', postgresql_where=sa.text('is_dead'))
    op.drop_table('sku_classes', schema='inventory')
    op.drop_table('valuations', schema='inventory')
    op.drop_table('atp', schema='inventory')
    op.drop_table('channel_buffers', schema='inventory')
    op.drop_table('safety_stocks', schema='inventory')
    op.drop_index('expected_receipts_open_idx', table_name='expected_receipts', schema='inventory', postgresql_where=sa.text('received < quantity'))
    op.drop_table('expected_receipts', schema='inventory')
    op.drop_index('transfers_in_transit_idx', table_name='transfers', schema='inventory', postgresql_where=sa.text('arrived_at IS NULL'))
    op.drop_table('transfers', schema='inventory')
    op.drop_index('serials_in_stock_idx', table_name='serials', schema='inventory', postgresql_where=sa.text("state = 'in_stock'"))
    op.drop_table('serials', schema='inventory')
    op.drop_index('lots_expiring_idx', table_name='lots', schema='inventory', postgresql_where=sa.text('written_off_at IS NULL'))
    op.drop_table('lots', schema='inventory')
    op.drop_table('receipt_costs', schema='inventory')
    op.drop_table('units', schema='inventory')
    op.drop_index('counts_waiting_idx', table_name='counts', schema='inventory', postgresql_where=sa.text("state = 'needs_approval'"))
    op.drop_table('counts', schema='inventory')
    op.drop_index(op.f('feed_syncs_origins_idx'), table_name='feed_syncs', schema='inventory', postgresql_using='gin')
    op.drop_table('feed_syncs', schema='inventory')
