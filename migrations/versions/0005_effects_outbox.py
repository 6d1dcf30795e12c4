"""the outbox of effects and its attempts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = "0004"
branch_labels = None
depends_on = None

# The same moves as shared.outbox.TRANSITIONS, which a test compares. An effect begins as planned;
# what it is and what the outside world knows it by never change.
REFUSE_ILLEGAL_MOVES = """
    CREATE FUNCTION effects.refuse_illegal_moves() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        refused record;
    BEGIN
        SELECT o.effect_id, o.state AS was, n.state AS wanted INTO refused
        FROM old_rows AS o LEFT JOIN new_rows AS n USING (effect_id)
        WHERE n.effect_id IS NULL
            OR (o.kind, o.idempotency_key, o.reference, o.order_id, o.payload, o.due_at)
                IS DISTINCT FROM
                (n.kind, n.idempotency_key, n.reference, n.order_id, n.payload, n.due_at)
            OR (o.state <> n.state AND (o.state, n.state) NOT IN (
                ('planned', 'sending'),
                ('sending', 'confirmed'), ('sending', 'failed'), ('sending', 'unknown'),
                ('sending', 'planned'),
                ('unknown', 'confirmed'), ('unknown', 'planned'), ('unknown', 'failed')
            ))
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'effect %: may not go from % to %, and what it is may not change',
                refused.effect_id, refused.was, refused.wanted USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
REFUSE_BEGUN_EFFECTS = """
    CREATE FUNCTION effects.refuse_begun_effects() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM new_rows WHERE state <> 'planned') THEN
            RAISE EXCEPTION 'an effect begins as planned' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
REFUSE_CHANGE = """
    CREATE FUNCTION effects.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'attempts are only ever added' USING ERRCODE = 'check_violation';
    END
    $$
"""
# One look per statement at all rows it changed, not a call per row.
TRIGGERS = (
    """
    CREATE TRIGGER outbox_moves AFTER UPDATE ON effects.outbox
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION effects.refuse_illegal_moves()
    """,
    """
    CREATE TRIGGER outbox_begins AFTER INSERT ON effects.outbox
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION effects.refuse_begun_effects()
    """,
    """
    CREATE TRIGGER attempts_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON effects.attempts
    FOR EACH STATEMENT EXECUTE FUNCTION effects.refuse_change()
    """,
)


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.execute(sa.schema.CreateSchema('effects'))
    op.create_table('outbox',
    sa.Column('effect_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('kind', sa.Text(), nullable=False, comment='what kind of effect, such as email: decides who sends it'),
    sa.Column('idempotency_key', sa.Text(), nullable=False, comment='what makes the effect the only one of its sort; planned once'),
    sa.Column('reference', sa.Text(), nullable=False, comment='what the outside world knows it by, such as a Message-ID; fixed for ever'),
    sa.Column('order_id', sa.BigInteger(), nullable=True, comment='order it is about, if any'),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='all that is needed to send it'),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment from which it may happen'),
    sa.Column('state', sa.Text(), server_default='planned', nullable=False, comment='planned, sending, confirmed, failed or unknown'),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False, comment="attempts begun; the last one's number"),
    sa.Column('refusals', sa.Integer(), server_default='0', nullable=False, comment='times it was refused; too many, and it has failed'),
    sa.Column('not_before_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when to try next, or to look up next what became of it'),
    sa.Column('claimed_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the last attempt began'),
    sa.Column('lease_until_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='until when the last attempt may send anything'),
    sa.Column('worker', sa.Integer(), nullable=True, comment='who makes the last attempt; alive while it holds its lock'),
    sa.Column('last_error', sa.Text(), nullable=True, comment='what went wrong last'),
    sa.Column('sent_run_id', sa.Text(), nullable=True, comment='Dagster run of the last attempt'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("state = 'planned' OR num_nulls(claimed_at, lease_until_at, worker) = 0", name=op.f('outbox_claimed_before_sent_check')),
    sa.CheckConstraint("state IN ('planned', 'sending', 'confirmed', 'failed', 'unknown')", name=op.f('outbox_state_known_check')),
    sa.CheckConstraint('attempts >= 0 AND refusals BETWEEN 0 AND attempts', name=op.f('outbox_refusals_within_attempts_check')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.orders.order_id'], name=op.f('outbox_order_id_fkey')),
    sa.PrimaryKeyConstraint('effect_id', name=op.f('outbox_pkey')),
    sa.UniqueConstraint('idempotency_key', name=op.f('outbox_idempotency_key_key')),
    sa.UniqueConstraint('kind', 'reference', name=op.f('outbox_kind_reference_key')),
    schema='effects',
    comment='What is to leave the platform, once each, and where every effect stands.'
    )
    op.create_index('outbox_open_idx', 'outbox', ['state', 'not_before_at', 'effect_id'], unique=False, schema='effects', postgresql_where=sa.text("state <> 'confirmed'"))
    op.create_index(op.f('outbox_order_id_idx'), 'outbox', ['order_id'], unique=False, schema='effects')
    op.create_table('attempts',
    sa.Column('attempt_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('effect_id', sa.BigInteger(), nullable=False, comment='effect'),
    sa.Column('attempt', sa.Integer(), nullable=False, comment='number of the attempt to send, 1 for the first'),
    sa.Column('action', sa.Text(), nullable=False, comment='send, look_up (asked what became of it) or person (somebody decided)'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='confirmed, refused, failed, unreachable, unanswered, abandoned, not_sent or late'),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when the attempt or the look-up began'),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when its outcome was known or given up'),
    sa.Column('answer', sa.Text(), nullable=False, comment='what the other side or the person said'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.CheckConstraint("action IN ('send', 'look_up', 'person')", name=op.f('attempts_action_known_check')),
    sa.CheckConstraint("outcome IN ('confirmed', 'refused', 'failed', 'unreachable', 'unanswered', 'abandoned', 'not_sent', 'late')", name=op.f('attempts_outcome_known_check')),
    sa.CheckConstraint('ended_at >= started_at', name=op.f('attempts_ended_after_started_check')),
    sa.ForeignKeyConstraint(['effect_id'], ['effects.outbox.effect_id'], name=op.f('attempts_effect_id_fkey')),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('attempts_pkey')),
    schema='effects',
    comment='Every attempt at an effect and how it ended; append-only, which the database holds.'
    )
    op.create_index(op.f('attempts_effect_id_idx'), 'attempts', ['effect_id'], unique=False, schema='effects')
    for statement in (REFUSE_ILLEGAL_MOVES, REFUSE_BEGUN_EFFECTS, REFUSE_CHANGE, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index(op.f('attempts_effect_id_idx'), table_name='attempts', schema='effects')
    op.drop_table('attempts', schema='effects')
    op.drop_index(op.f('outbox_order_id_idx'), table_name='outbox', schema='effects')
    op.drop_index('outbox_open_idx', table_name='outbox', schema='effects', postgresql_where=sa.text("state <> 'confirmed'"))
    op.drop_table('outbox', schema='effects')
    for name in ('refuse_illegal_moves', 'refuse_begun_effects', 'refuse_change'):
        op.execute(f'DROP FUNCTION effects.{name}()')
    op.execute(sa.schema.DropSchema('effects'))
