"""what was removed of the history of runs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the area's schema and table."""
    op.execute("CREATE SCHEMA IF NOT EXISTS backoffice")
    op.create_table('purges',
    sa.Column('purge_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('kept_from_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='runs that ended before this moment were too old'),
    sa.Column('most_runs', sa.Integer(), nullable=False, comment='runs kept of each job and ending, however young'),
    sa.Column('runs', sa.Integer(), nullable=False, comment='runs removed, with their tags and logs'),
    sa.Column('events', sa.BigInteger(), nullable=False, comment='events removed with them'),
    sa.Column('evaluations', sa.BigInteger(), nullable=False, comment='results of asset checks removed; the last one of each check stays'),
    sa.Column('bytes_before', sa.BigInteger(), nullable=False, comment="size of Dagster's database before, in bytes"),
    sa.Column('bytes_after', sa.BigInteger(), nullable=False, comment='size after; freed pages stay in it and are filled again first'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('runs >= 0 AND events >= 0 AND evaluations >= 0', name=op.f('purges_counts_not_negative_check')),
    sa.PrimaryKeyConstraint('purge_id', name=op.f('purges_pkey')),
    schema='backoffice',
    comment="Removals of old run history from Dagster's own database, one row each that removed anything."
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table('purges', schema='backoffice')
    op.execute("DROP SCHEMA backoffice")
