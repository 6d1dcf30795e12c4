"""answers that are given again, and who asked for what a person decides about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of answers; let counts and plans of products say who asked for them."""
    op.create_table('idempotency_keys',
    sa.Column('user_id', sa.BigInteger(), nullable=False, comment='who sent it'),
    sa.Column('key', sa.Text(), nullable=False, comment='what the caller named the request'),
    sa.Column('request_hash', sa.Text(), nullable=False, comment='SHA-256 of method, path, query and body'),
    sa.Column('status', sa.Integer(), nullable=False, comment='HTTP status of the answer'),
    sa.Column('headers', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='headers of the answer that belong to what was done'),
    sa.Column('body', sa.Text(), nullable=False, comment='the answer, to the byte'),
    sa.Column('answered_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was given first'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='from when the key may be used for something else'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('expires_at > answered_at', name=op.f('idempotency_keys_expires_after_answer_check')),
    sa.ForeignKeyConstraint(['user_id'], ['backoffice.users.user_id'], name=op.f('idempotency_keys_user_id_fkey')),
    sa.PrimaryKeyConstraint('user_id', 'key', name=op.f('idempotency_keys_pkey')),
    schema='backoffice',
    comment='Requests of the API that must happen once, with the answer that a repetition gets.'
    )
    op.create_index(op.f('idempotency_keys_expires_at_idx'), 'idempotency_keys', ['expires_at'], unique=False, schema='backoffice')
    op.add_column('counts', sa.Column('counted_by', sa.Text(), server_default='', nullable=False, comment='who brought it; empty for a file or a program'), schema='inventory')
    op.create_check_constraint(op.f('counts_four_eyes_check'), 'counts', "counted_by = '' OR decided_by <> counted_by", schema='inventory')
    op.add_column('import_plans', sa.Column('requested_by', sa.Text(), server_default='', nullable=False, comment='who asked for it; empty for a file or a program'), schema='catalog')
    op.add_column('import_plans', sa.Column('decided_by', sa.Text(), server_default='', nullable=False, comment='who approved or rejected it; empty where nobody was asked'), schema='catalog')
    op.add_column('import_plans', sa.Column('decision_note', sa.Text(), server_default='', nullable=False, comment='why, as that person says'), schema='catalog')
    op.create_check_constraint(op.f('import_plans_four_eyes_check'), 'import_plans', "requested_by = '' OR decided_by <> requested_by", schema='catalog')
    op.drop_constraint(op.f('import_plans_state_known_check'), 'import_plans', schema='catalog')
    op.create_check_constraint(op.f('import_plans_state_known_check'), 'import_plans', "state IN ('planned', 'applied', 'reverted', 'rejected')", schema='catalog')
    op.drop_constraint(op.f('import_plans_applied_whole_check'), 'import_plans', schema='catalog')
    op.create_check_constraint(op.f('import_plans_applied_whole_check'), 'import_plans', "(state IN ('planned', 'rejected')) = (applied_at IS NULL) AND num_nulls(applied_at, applied_no, applied_run_id) IN (0, 3)", schema='catalog')
    op.alter_column('import_plans', 'state', existing_type=sa.Text(), comment='planned, applied, reverted or rejected', schema='catalog')


def downgrade() -> None:
    """Take the schema back to the revision before; rejected plans wait again."""
    op.execute("UPDATE catalog.import_plans SET state = 'planned' WHERE state = 'rejected'")
    op.alter_column('import_plans', 'state', existing_type=sa.Text(), comment='planned, applied or reverted', schema='catalog')
    op.drop_constraint(op.f('import_plans_applied_whole_check'), 'import_plans', schema='catalog')
    op.create_check_constraint(op.f('import_plans_applied_whole_check'), 'import_plans', "(state = 'planned') = (applied_at IS NULL) AND num_nulls(applied_at, applied_no, applied_run_id) IN (0, 3)", schema='catalog')
    op.drop_constraint(op.f('import_plans_state_known_check'), 'import_plans', schema='catalog')
    op.create_check_constraint(op.f('import_plans_state_known_check'), 'import_plans', "state IN ('planned', 'applied', 'reverted')", schema='catalog')
    op.drop_constraint(op.f('import_plans_four_eyes_check'), 'import_plans', schema='catalog')
    for name in ('decision_note', 'decided_by', 'requested_by'):
        op.drop_column('import_plans', name, schema='catalog')
    op.drop_constraint(op.f('counts_four_eyes_check'), 'counts', schema='inventory')
    op.drop_column('counts', 'counted_by', schema='inventory')
    op.drop_table('idempotency_keys', schema='backoffice')
