"""what is archived stays and is chosen no more; uploaded price lists; when sites work"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

AUDITED = {
    "warehouse.site_closures": ("site_code", "closed_date"),
    "warehouse.site_hours": ("site_code", "weekday"),
}


def upgrade() -> None:
    """Make the tables of price lists and working hours; let carriers and sites be archived."""
    op.create_table('rate_lists',
    sa.Column('rate_list_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('file_name', sa.Text(), nullable=False, comment='as the caller named the file'),
    sa.Column('content_hash', sa.Text(), nullable=False, comment='SHA-256 of the file, hexadecimal'),
    sa.Column('plan_hash', sa.Text(), nullable=False, comment='SHA-256 of what the preview says it would do, hexadecimal'),
    sa.Column('state', sa.Text(), nullable=False, comment='previewed, applied or discarded'),
    sa.Column('created', sa.Integer(), nullable=False, comment='rows that add a rate'),
    sa.Column('changed', sa.Integer(), nullable=False, comment='rows that end a rate and begin another'),
    sa.Column('unchanged', sa.Integer(), nullable=False, comment='rows that the rate card says already'),
    sa.Column('failed', sa.Integer(), nullable=False, comment='rows that cannot be used; a list with one is not applied'),
    sa.Column('previewed_by', sa.Text(), nullable=False, comment='who uploaded it'),
    sa.Column('previewed_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was uploaded'),
    sa.Column('decided_by', sa.Text(), nullable=True, comment='who applied or discarded it'),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was applied or discarded'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'previewed') = (decided_at IS NULL) AND num_nulls(decided_at, decided_by) IN (0, 2)", name=op.f('rate_lists_decided_whole_check')),
    sa.CheckConstraint("state <> 'applied' OR failed = 0", name=op.f('rate_lists_applied_without_failures_check')),
    sa.CheckConstraint("state IN ('previewed', 'applied', 'discarded')", name=op.f('rate_lists_state_known_check')),
    sa.PrimaryKeyConstraint('rate_list_id', name=op.f('rate_lists_pkey')),
    schema='transport',
    comment='Price lists of carriers as they were uploaded: first a preview, then applied once.'
    )
    op.create_table('rate_list_rows',
    sa.Column('rate_list_id', sa.BigInteger(), nullable=False, comment='price list'),
    sa.Column('row_number', sa.Integer(), nullable=False, comment='line of the file, the header is 1'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='create, change, unchanged or error'),
    sa.Column('field', sa.Text(), nullable=False, comment='column that is wrong; empty unless it is an error'),
    sa.Column('problem', sa.Text(), nullable=False, comment='code of what is wrong; empty unless it is an error'),
    sa.Column('message', sa.Text(), nullable=False, comment='what is wrong, in words; empty unless it is an error'),
    sa.Column('service_code', sa.Text(), nullable=True, comment='service'),
    sa.Column('zone_code', sa.Text(), nullable=True, comment='zone'),
    sa.Column('from_g', sa.BigInteger(), nullable=True, comment='lightest billable weight, excluded'),
    sa.Column('to_g', sa.BigInteger(), nullable=True, comment='heaviest billable weight, included'),
    sa.Column('price_minor', sa.BigInteger(), nullable=True, comment='price of a parcel in the band'),
    sa.Column('currency', sa.CHAR(length=3), nullable=True, comment='ISO 4217 code'),
    sa.Column('transit_days', sa.Double(), nullable=True, comment='mean days from hand-over to delivery'),
    sa.Column('transit_spread_days', sa.Double(), nullable=True, comment='standard deviation of it in days'),
    sa.Column('valid_from_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='first moment the rate holds'),
    sa.Column('valid_to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='moment the rate ends, excluded'),
    sa.Column('replaces', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='rates that it ends: key, band, price, currency and end of each'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(outcome = 'error') = (problem <> '') AND (outcome = 'error') = (message <> '')", name=op.f('rate_list_rows_error_has_cause_check')),
    sa.CheckConstraint("outcome = 'error' OR num_nulls(service_code, zone_code, from_g, to_g, price_minor, currency, transit_days, transit_spread_days, valid_from_at) = 0", name=op.f('rate_list_rows_usable_is_whole_check')),
    sa.CheckConstraint("outcome IN ('create', 'change', 'unchanged', 'error')", name=op.f('rate_list_rows_outcome_known_check')),
    sa.ForeignKeyConstraint(['rate_list_id'], ['transport.rate_lists.rate_list_id'], name=op.f('rate_list_rows_rate_list_id_fkey')),
    sa.PrimaryKeyConstraint('rate_list_id', 'row_number', name=op.f('rate_list_rows_pkey')),
    schema='transport',
    comment='Rows of uploaded price lists, and what each does to the rate card.'
    )
    op.create_table('site_closures',
    sa.Column('site_code', sa.Text(), nullable=False, comment='site'),
    sa.Column('closed_date', sa.Date(), nullable=False, comment='local day'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, such as the name of the holiday'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("reason <> ''", name=op.f('site_closures_reason_given_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('site_closures_site_code_fkey')),
    sa.PrimaryKeyConstraint('site_code', 'closed_date', name=op.f('site_closures_pkey')),
    schema='warehouse',
    comment='Days on which a site does not work whatever the weekday, such as holidays.'
    )
    op.create_table('site_hours',
    sa.Column('site_code', sa.Text(), nullable=False, comment='site'),
    sa.Column('weekday', sa.Integer(), nullable=False, comment='ISO 8601: 1 is Monday, 7 is Sunday'),
    sa.Column('opens', sa.Time(), nullable=False, comment='local time work begins'),
    sa.Column('cut_off', sa.Time(), nullable=False, comment='local time until which a parcel that is ready leaves the same day'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('opens < cut_off', name=op.f('site_hours_opens_before_cut_off_check')),
    sa.CheckConstraint('weekday BETWEEN 1 AND 7', name=op.f('site_hours_weekday_known_check')),
    sa.ForeignKeyConstraint(['site_code'], ['warehouse.sites.site_code'], name=op.f('site_hours_site_code_fkey')),
    sa.PrimaryKeyConstraint('site_code', 'weekday', name=op.f('site_hours_pkey')),
    schema='warehouse',
    comment='When a site works, by weekday; a site without any row works always.'
    )
    op.add_column('carriers', sa.Column('archived_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when no new choice takes it; empty while it is in use'), schema='transport')
    op.add_column('services', sa.Column('archived_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when no new choice takes it; empty while it is in use'), schema='transport')
    op.create_index(op.f('shipments_shipped_at_idx'), 'shipments', ['shipped_at'], unique=False, schema='transport', postgresql_using='brin')
    op.add_column('zones', sa.Column('archived_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when no new choice takes it; empty while it is in use'), schema='transport')
    op.add_column('sites', sa.Column('time_zone', sa.Text(), server_default=sa.text("'UTC'"), nullable=False, comment='IANA name; days and hours of the site are told in it'), schema='warehouse')
    op.add_column('sites', sa.Column('archived_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when nothing new is allocated to it; empty while it is in use'), schema='warehouse')
    for table, names in AUDITED.items():
        arguments = ", ".join(f"'{name}'" for name in names)
        op.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION backoffice.audit_change({arguments})"
        )


def downgrade() -> None:
    """Take the schema back to the revision before; what was archived is in use again."""
    op.drop_column('sites', 'archived_at', schema='warehouse')
    op.drop_column('sites', 'time_zone', schema='warehouse')
    op.drop_column('zones', 'archived_at', schema='transport')
    op.drop_index(op.f('shipments_shipped_at_idx'), table_name='shipments', schema='transport', postgresql_using='brin')
    op.drop_column('services', 'archived_at', schema='transport')
    op.drop_column('carriers', 'archived_at', schema='transport')
    op.drop_table('site_hours', schema='warehouse')
    op.drop_table('site_closures', schema='warehouse')
    op.drop_table('rate_list_rows', schema='transport')
    op.drop_table('rate_lists', schema='transport')
