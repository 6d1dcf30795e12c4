"""the marketplace: connections to channels, their syncs, what is live"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What 0015 gives the entrance in every schema, for one that came later.
GRANT_APP = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_app') THEN
            RETURN;
        END IF;
        GRANT USAGE ON SCHEMA marketplace TO ecom_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA marketplace TO ecom_app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA marketplace TO ecom_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA marketplace
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ecom_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA marketplace GRANT USAGE ON SEQUENCES TO ecom_app;
    END
    $$
"""
AUDITED = {"marketplace.connections": ("name",)}


def upgrade() -> None:
    """Make the schema, its tables and what the entrance may do there."""
    op.execute(sa.schema.CreateSchema("marketplace"))
    op.create_table('connections',
    sa.Column('connection_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('name', sa.Text(), nullable=False, comment='what people call it'),
    sa.Column('channel', sa.Text(), nullable=False, comment='sales channel, as orders name it'),
    sa.Column('kind', sa.Text(), nullable=False, comment='file_feed or woocommerce: by what the channel is reached'),
    sa.Column('address', sa.Text(), nullable=False, comment='https address of the shop, or folder below the folder of channels'),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='further settings of the kind; none of them is secret'),
    sa.Column('credentials', sa.Text(), nullable=True, comment='secrets of the channel, sealed by a key outside the database'),
    sa.Column('credentials_set_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the credentials were entered'),
    sa.Column('state', sa.Text(), nullable=False, comment='active, paused or archived'),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False, comment='counts the changes, from 1'),
    sa.Column('created_by', sa.Text(), nullable=False, comment='who made it'),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was made'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(credentials IS NOT NULL) = (kind = 'woocommerce' AND state <> 'archived') AND (credentials IS NULL) = (credentials_set_at IS NULL)", name=op.f('connections_credentials_where_needed_check')),
    sa.CheckConstraint("kind IN ('file_feed', 'woocommerce')", name=op.f('connections_kind_known_check')),
    sa.CheckConstraint("name <> '' AND channel <> '' AND address <> ''", name=op.f('connections_named_check')),
    sa.CheckConstraint("state IN ('active', 'paused', 'archived')", name=op.f('connections_state_known_check')),
    sa.PrimaryKeyConstraint('connection_id', name=op.f('connections_pkey')),
    schema='marketplace',
    comment='Connections to sales channels, as people configured them.'
    )
    op.create_index('connections_one_per_channel_idx', 'connections', ['channel'], unique=True, schema='marketplace', postgresql_where=sa.text("state <> 'archived'"))
    op.create_index('connections_one_per_name_idx', 'connections', ['name'], unique=True, schema='marketplace', postgresql_where=sa.text("state <> 'archived'"))
    op.create_table('connection_states',
    sa.Column('connection_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='connection'),
    sa.Column('tested_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='last test; none, if empty'),
    sa.Column('test_trouble', sa.Text(), nullable=True, comment='what was wrong, as a code; nothing, if empty'),
    sa.Column('test_text', sa.Text(), server_default='', nullable=False, comment='what the test found, for operators'),
    sa.Column('wanted_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when a sync was asked for that has not begun'),
    sa.Column('claimed_by', sa.Text(), nullable=True, comment='run that syncs now'),
    sa.Column('claim_ends_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the claim ends if nobody renews it'),
    sa.Column('cursor', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False, comment='how far the channel was read'),
    sa.Column('synced_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the last sync that ended well began'),
    sa.Column('begun_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the last sync began'),
    sa.Column('trouble', sa.Text(), nullable=True, comment='why the last sync failed, as a code; it did not, if empty'),
    sa.Column('trouble_text', sa.Text(), server_default='', nullable=False, comment='the same for operators'),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False, comment='syncs in a row that failed'),
    sa.Column('parked', sa.Integer(), server_default='0', nullable=False, comment='rows that the last sync parked'),
    sa.Column('not_before_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it is tried again after a failure'),
    sa.Column('listings_read_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when all listings were last read'),
    sa.Column('compared_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when what is live was last compared with ours'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('(claimed_by IS NULL) = (claim_ends_at IS NULL)', name=op.f('connection_states_claim_whole_check')),
    sa.CheckConstraint('(trouble IS NULL) = (failures = 0)', name=op.f('connection_states_trouble_while_failing_check')),
    sa.CheckConstraint('failures >= 0 AND parked >= 0', name=op.f('connection_states_counts_not_negative_check')),
    sa.ForeignKeyConstraint(['connection_id'], ['marketplace.connections.connection_id'], name=op.f('connection_states_connection_id_fkey')),
    sa.PrimaryKeyConstraint('connection_id', name=op.f('connection_states_pkey')),
    schema='marketplace',
    comment='How each connection does: its last test, its sync, how far it has read.'
    )
    op.create_table('listings',
    sa.Column('listing_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('connection_id', sa.BigInteger(), nullable=False, comment='connection'),
    sa.Column('channel_listing_id', sa.Text(), nullable=False, comment="the channel's own id; of a variant behind that of its product"),
    sa.Column('channel_sku', sa.Text(), server_default='', nullable=False, comment='SKU as the channel has it; empty where it has none'),
    sa.Column('title', sa.Text(), server_default='', nullable=False, comment='name that customers read'),
    sa.Column('state', sa.Text(), nullable=False, comment='live, hidden or gone'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('live_price_minor', sa.BigInteger(), nullable=True, comment='price that customers see; none, if empty'),
    sa.Column('live_units', sa.Integer(), nullable=True, comment='stock of the channel; not counted there, if empty'),
    sa.Column('sku', sa.Text(), nullable=True, comment='our SKU; not mapped, if empty'),
    sa.Column('is_mapped_by_hand', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='whether a person mapped or unmapped it; no sync then does'),
    sa.Column('mapped_by', sa.Text(), nullable=True, comment='who'),
    sa.Column('our_price_minor', sa.BigInteger(), nullable=True, comment='our price when it was compared; none, if empty'),
    sa.Column('our_units', sa.Integer(), nullable=True, comment='units we would tell the channel then; unknown, if empty'),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False, comment='counts what people changed, from 1'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("state IN ('live', 'hidden', 'gone')", name=op.f('listings_state_known_check')),
    sa.CheckConstraint('NOT is_mapped_by_hand OR mapped_by IS NOT NULL', name=op.f('listings_hand_known_check')),
    sa.CheckConstraint('live_price_minor >= 0', name=op.f('listings_live_price_minor_not_negative_check')),
    sa.CheckConstraint('sku IS NOT NULL OR our_price_minor IS NULL AND our_units IS NULL', name=op.f('listings_ours_only_if_mapped_check')),
    sa.ForeignKeyConstraint(['connection_id'], ['marketplace.connections.connection_id'], name=op.f('listings_connection_id_fkey')),
    sa.PrimaryKeyConstraint('listing_id', name=op.f('listings_pkey')),
    sa.UniqueConstraint('connection_id', 'channel_listing_id', name=op.f('listings_connection_id_channel_listing_id_key')),
    schema='marketplace',
    comment='What is on each channel, whose SKU it is, and what we would have there.'
    )
    op.create_index(op.f('listings_connection_id_channel_sku_idx'), 'listings', ['connection_id', 'channel_sku'], unique=False, schema='marketplace')
    op.create_index(op.f('listings_connection_id_sku_idx'), 'listings', ['connection_id', 'sku'], unique=False, schema='marketplace')
    op.create_index(op.f('listings_sku_idx'), 'listings', ['sku'], unique=False, schema='marketplace')
    op.create_table('syncs',
    sa.Column('sync_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('connection_id', sa.BigInteger(), nullable=False, comment='connection'),
    sa.Column('begun_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the sync'),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it ended; runs, if empty'),
    sa.Column('state', sa.Text(), nullable=False, comment='running, done, failed or abandoned (its run was killed)'),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False, comment='what was read, taken, parked and written'),
    sa.Column('trouble', sa.Text(), nullable=True, comment='why it failed, as a code'),
    sa.Column('trouble_text', sa.Text(), server_default='', nullable=False, comment='the same for operators'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'failed') = (trouble IS NOT NULL)", name=op.f('syncs_failure_has_trouble_check')),
    sa.CheckConstraint("(state IN ('done', 'failed')) = (ended_at IS NOT NULL)", name=op.f('syncs_end_known_check')),
    sa.CheckConstraint("state IN ('running', 'done', 'failed', 'abandoned')", name=op.f('syncs_state_known_check')),
    sa.ForeignKeyConstraint(['connection_id'], ['marketplace.connections.connection_id'], name=op.f('syncs_connection_id_fkey')),
    sa.PrimaryKeyConstraint('sync_id', name=op.f('syncs_pkey')),
    schema='marketplace',
    comment='Syncs of connections, each with what it took and where it ended.'
    )
    op.create_index(op.f('syncs_connection_id_sync_id_idx'), 'syncs', ['connection_id', 'sync_id'], unique=False, schema='marketplace')
    op.create_index('syncs_one_running_idx', 'syncs', ['connection_id'], unique=True, schema='marketplace', postgresql_where=sa.text("state = 'running'"))
    op.create_table('taken_files',
    sa.Column('connection_id', sa.BigInteger(), nullable=False, comment='connection'),
    sa.Column('digest', sa.Text(), nullable=False, comment='SHA-256 of the file, hexadecimal'),
    sa.Column('name', sa.Text(), nullable=False, comment='name of the file'),
    sa.Column('given', sa.Integer(), nullable=False, comment='messages in it'),
    sa.Column('added', sa.Integer(), nullable=False, comment='messages that were new'),
    sa.Column('parked', sa.Integer(), nullable=False, comment='rows that could not be used'),
    sa.Column('taken_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was taken'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('added >= 0 AND parked >= 0 AND added + parked <= given', name=op.f('taken_files_rows_add_up_check')),
    sa.ForeignKeyConstraint(['connection_id'], ['marketplace.connections.connection_id'], name=op.f('taken_files_connection_id_fkey')),
    sa.PrimaryKeyConstraint('connection_id', 'digest', name=op.f('taken_files_pkey')),
    schema='marketplace',
    comment='Order files of file feeds that were taken, known by their content.'
    )
    op.execute(GRANT_APP)
    for table, names in AUDITED.items():
        arguments = ", ".join(f"'{name}'" for name in names)
        op.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION backoffice.audit_change({arguments})"
        )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table('taken_files', schema='marketplace')
    op.drop_index('syncs_one_running_idx', table_name='syncs', schema='marketplace', postgresql_where=sa.text("state = 'running'"))
    op.drop_index(op.f('syncs_connection_id_sync_id_idx'), table_name='syncs', schema='marketplace')
    op.drop_table('syncs', schema='marketplace')
    op.drop_index(op.f('listings_sku_idx'), table_name='listings', schema='marketplace')
    op.drop_index(op.f('listings_connection_id_sku_idx'), table_name='listings', schema='marketplace')
    op.drop_index(op.f('listings_connection_id_channel_sku_idx'), table_name='listings', schema='marketplace')
    op.drop_table('listings', schema='marketplace')
    op.drop_table('connection_states', schema='marketplace')
    op.drop_index('connections_one_per_name_idx', table_name='connections', schema='marketplace', postgresql_where=sa.text("state <> 'archived'"))
    op.drop_index('connections_one_per_channel_idx', table_name='connections', schema='marketplace', postgresql_where=sa.text("state <> 'archived'"))
    op.drop_table('connections', schema='marketplace')
    op.execute(sa.schema.DropSchema("marketplace"))
