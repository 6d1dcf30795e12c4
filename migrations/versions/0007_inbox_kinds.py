"""messages of two kinds, and how far a Kafka topic was taken in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PAYLOAD = "the canonical document of its kind, see orders.model"
STATE = (
    "pending, accepted, parked, superseded or changing (waits as a change of an accepted order);"
    " a cancellation is also waiting (for its order) or applied"
)
STATE_BEFORE = (
    "pending, accepted, parked, superseded, changing (waits as a change of an accepted order)"
    " or applied (a cancellation that was carried out)"
)
STATES = (
    "state IN ('pending', 'parked', 'superseded', 'changing')"
    " OR (kind = 'order' AND state = 'accepted')"
    " OR (kind = 'cancellation' AND state IN ('waiting', 'applied'))"
)
STATES_BEFORE = "state IN ('pending', 'accepted', 'parked', 'superseded', 'changing', 'applied')"
# Messages that asked for the cancellation of an accepted order had no kind before.
NAME_CANCELLATIONS = """
    UPDATE orders.inbox AS m SET kind = 'cancellation'
    FROM orders.changes AS c WHERE c.inbox_id = m.inbox_id AND c.kind = 'cancel'
"""
# Those that changed an accepted order are known by that.
FORGET_CANCELLATIONS = """
    DELETE FROM orders.inbox AS m WHERE m.kind = 'cancellation'
        AND NOT EXISTS (SELECT FROM orders.changes AS c WHERE c.inbox_id = m.inbox_id)
"""
STATE_CHECK, KIND_CHECK = "inbox_state_known_check", "inbox_kind_known_check"
INDEXES = {
    "inbox_cancellation_idx": (["channel", "external_id"], "kind = 'cancellation'"),
    "inbox_waiting_idx": (["received_at"], "state = 'waiting'"),
}


def upgrade() -> None:
    """Give messages a kind, two more states, and topics their offsets."""
    kind = sa.Column(
        "kind", sa.Text(), server_default="order", nullable=False, comment="order or cancellation"
    )
    op.add_column("inbox", kind, schema="orders")
    op.execute(NAME_CANCELLATIONS)
    _check(KIND_CHECK, "kind IN ('order', 'cancellation')")
    op.drop_constraint(op.f(STATE_CHECK), "inbox", schema="orders")
    _check(STATE_CHECK, STATES)
    _describe(PAYLOAD, STATE)
    for name, (columns, condition) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, "inbox", columns, schema="orders", postgresql_where=where)
    op.create_index(
        "changes_revised_idx",
        "changes",
        ["revised_inbox_id"],
        schema="orders",
        postgresql_where=sa.text("revised_inbox_id IS NOT NULL"),
    )
    op.create_table('consumed_offsets',
    sa.Column('consumer_group', sa.Text(), nullable=False, comment='group of consumers that share the topic'),
    sa.Column('topic', sa.Text(), nullable=False, comment='Kafka topic'),
    sa.Column('topic_id', sa.Text(), nullable=False, comment="the broker's id of the topic; one made anew has another"),
    sa.Column('partition', sa.Integer(), autoincrement=False, nullable=False, comment='partition of the topic'),
    sa.Column('next_offset', sa.BigInteger(), nullable=False, comment='offset of the first record not yet taken'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('next_offset >= 0', name=op.f('consumed_offsets_next_offset_not_negative_check')),
    sa.PrimaryKeyConstraint('consumer_group', 'topic', 'topic_id', 'partition', name=op.f('consumed_offsets_pkey')),
    schema='orders',
    comment='How far each consumer group has taken the partitions of a Kafka topic into the inbox.'
    )


def downgrade() -> None:
    """Forget offsets and cancellations: without a kind they would be read as orders."""
    op.drop_table("consumed_offsets", schema="orders")
    op.drop_index("changes_revised_idx", "changes", schema="orders")
    op.execute(FORGET_CANCELLATIONS)
    for name in INDEXES:
        op.drop_index(name, "inbox", schema="orders")
    op.drop_constraint(op.f(STATE_CHECK), "inbox", schema="orders")
    _check(STATE_CHECK, STATES_BEFORE)
    _describe("the canonical order document, see orders.model", STATE_BEFORE)
    op.drop_constraint(op.f(KIND_CHECK), "inbox", schema="orders")
    op.drop_column("inbox", "kind", schema="orders")


def _check(name: str, condition: str) -> None:
    op.create_check_constraint(op.f(name), "inbox", sa.text(condition), schema="orders")


def _describe(payload: str, state: str) -> None:
    op.alter_column("inbox", "payload", comment=payload, schema="orders")
    op.alter_column("inbox", "state", comment=state, schema="orders")
