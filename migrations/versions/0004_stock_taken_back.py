"""stock that is held, released, taken back and asked for again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = "0003"
branch_labels = None
depends_on = None

RAN_OUT = sa.text("""
    INSERT INTO flow.transitions VALUES
        ('fulfilment_state', 'reserved', 'backordered'),
        ('fulfilment_state', 'partly_reserved', 'backordered')
""")
NO_LONGER_RUNS_OUT = sa.text("""
    DELETE FROM flow.transitions WHERE dimension = 'fulfilment_state' AND to_state = 'backordered'
        AND from_state IN ('reserved', 'partly_reserved')
""")


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.execute(RAN_OUT)
    op.create_table('releases',
    sa.Column('release_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order'),
    sa.Column('order_line_id', sa.BigInteger(), nullable=False, comment='line'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units that were promised and are no longer'),
    sa.Column('cause', sa.Text(), nullable=False, comment='order_changed or expired'),
    sa.Column('released_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("cause IN ('order_changed', 'expired')", name=op.f('releases_cause_known_check')),
    sa.CheckConstraint('units > 0', name=op.f('releases_units_positive_check')),
    sa.PrimaryKeyConstraint('release_id', name=op.f('releases_pkey')),
    schema='inventory',
    comment='Units of promises that were given back; append-only.'
    )
    op.create_index(op.f('releases_order_id_idx'), 'releases', ['order_id'], unique=False, schema='inventory')
    op.create_table('restocks',
    sa.Column('restock_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what became free'),
    sa.Column('freed_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment; empty where an order found stock that came after its own moment'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.PrimaryKeyConstraint('restock_id', name=op.f('restocks_pkey')),
    schema='inventory',
    comment='Stock that became free while orders wait for it, until they are called to reserve again.'
    )
    op.create_table('stock_holds',
    sa.Column('stock_hold_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('holder', sa.Text(), nullable=False, comment='who holds, such as a basket; all its SKUs are held or none'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('units', sa.Integer(), nullable=False, comment='units kept'),
    sa.Column('held_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment: stock received later was not used'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when the hold ends by itself'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('expires_at > held_at', name=op.f('stock_holds_expires_after_held_check')),
    sa.CheckConstraint('units > 0', name=op.f('stock_holds_units_positive_check')),
    sa.PrimaryKeyConstraint('stock_hold_id', name=op.f('stock_holds_pkey')),
    sa.UniqueConstraint('holder', 'sku', name=op.f('stock_holds_holder_sku_key')),
    schema='inventory',
    comment='Units kept for a basket or another holder before an order exists.'
    )
    op.create_index(op.f('stock_holds_expires_at_idx'), 'stock_holds', ['expires_at'], unique=False, schema='inventory')
    op.create_index(op.f('stock_holds_sku_idx'), 'stock_holds', ['sku'], unique=False, schema='inventory')
    op.create_table('withdrawals',
    sa.Column('withdrawal_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order'),
    sa.Column('order_line_id', sa.BigInteger(), nullable=False, comment='line'),
    sa.Column('sku', sa.Text(), nullable=False, comment='what'),
    sa.Column('site_code', sa.Text(), nullable=False, comment='site that was to ship'),
    sa.Column('quantity', sa.Integer(), nullable=False, comment='units'),
    sa.Column('allocated_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the allocation'),
    sa.Column('withdrawn_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of taking it back'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('quantity > 0', name=op.f('withdrawals_quantity_positive_check')),
    sa.PrimaryKeyConstraint('withdrawal_id', name=op.f('withdrawals_pkey')),
    schema='warehouse',
    comment='Allocations taken back because their order was changed before its parcel left; append-only.'
    )
    op.create_index(op.f('withdrawals_order_id_idx'), 'withdrawals', ['order_id'], unique=False, schema='warehouse')
    op.add_column('reservations', sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the promise ends if no site was chosen by then; never, if empty'), schema='inventory')
    op.create_index('reservations_backordered_idx', 'reservations', ['sku', 'order_id'], unique=False, schema='inventory', postgresql_where=sa.text('backordered > 0'))
    op.create_index('reservations_expires_at_idx', 'reservations', ['expires_at'], unique=False, schema='inventory', postgresql_where=sa.text('expires_at IS NOT NULL'))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.execute(NO_LONGER_RUNS_OUT)
    op.drop_index('reservations_expires_at_idx', table_name='reservations', schema='inventory')
    op.drop_index('reservations_backordered_idx', table_name='reservations', schema='inventory', postgresql_where=sa.text('backordered > 0'))
    op.drop_column('reservations', 'expires_at', schema='inventory')
    op.drop_index(op.f('withdrawals_order_id_idx'), table_name='withdrawals', schema='warehouse')
    op.drop_table('withdrawals', schema='warehouse')
    op.drop_index(op.f('stock_holds_sku_idx'), table_name='stock_holds', schema='inventory')
    op.drop_index(op.f('stock_holds_expires_at_idx'), table_name='stock_holds', schema='inventory')
    op.drop_table('stock_holds', schema='inventory')
    op.drop_table('restocks', schema='inventory')
    op.drop_index(op.f('releases_order_id_idx'), table_name='releases', schema='inventory')
    op.drop_table('releases', schema='inventory')
