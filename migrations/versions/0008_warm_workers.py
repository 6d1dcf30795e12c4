"""warm workers, and a word to them when messages arrive"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = "0007"
branch_labels = None
depends_on = None

# Sent when the transaction commits, once however many statements inserted.
TELL = """
    CREATE FUNCTION orders.tell_of_arrivals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('ecom_orders', '');
        RETURN NULL;
    END $$
"""
TRIGGER = """
    CREATE TRIGGER inbox_arrivals AFTER INSERT ON orders.inbox
    FOR EACH STATEMENT EXECUTE FUNCTION orders.tell_of_arrivals()
"""


def upgrade() -> None:
    """Make the tables of workers and their runs, and the trigger."""
    op.create_table('workers',
    sa.Column('worker_id', sa.Text(), nullable=False, comment='host and process'),
    sa.Column('lane', sa.Text(), nullable=False, comment='decisions or chores'),
    sa.Column('process', sa.Integer(), nullable=False, comment='process id on its host'),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was ready'),
    sa.Column('seen_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='last sign of life'),
    sa.Column('runs', sa.Integer(), server_default='0', nullable=False, comment='runs it has ended'),
    sa.PrimaryKeyConstraint('worker_id', name=op.f('workers_pkey')),
    schema='flow',
    comment='Warm worker processes and when they were last heard of.'
    )
    op.create_table('run_claims',
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run'),
    sa.Column('lane', sa.Text(), nullable=False, comment='lane it is offered to'),
    sa.Column('offered_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was handed over'),
    sa.Column('worker_id', sa.Text(), nullable=True, comment='worker that took it; empty while it is on offer'),
    sa.Column('claimed_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was taken'),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when its worker was done with it'),
    sa.Column('is_cancelled', sa.Boolean(), server_default='false', nullable=False, comment='whether its worker is asked to end it'),
    sa.PrimaryKeyConstraint('run_id', name=op.f('run_claims_pkey')),
    schema='flow',
    comment='Runs that were handed to warm workers; each is taken by one worker, once.'
    )
    op.create_index('run_claims_open_idx', 'run_claims', ['lane', 'offered_at'], unique=False, schema='flow', postgresql_where=sa.text('worker_id IS NULL'))
    for statement in (TELL, TRIGGER):
        op.execute(statement)


def downgrade() -> None:
    """Remove what `upgrade` made; runs go on in processes of their own."""
    op.execute("DROP TRIGGER inbox_arrivals ON orders.inbox")
    op.execute("DROP FUNCTION orders.tell_of_arrivals()")
    op.drop_table("run_claims", schema="flow")
    op.drop_table("workers", schema="flow")
