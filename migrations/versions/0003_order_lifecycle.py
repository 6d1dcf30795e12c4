"""order lifecycle: legal moves, holds, changes of accepted orders, orders as of any moment"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As `shared.states` lists them at this revision; a test holds both equal.
TRANSITIONS = (
    ('fulfilment_state', '', 'new'),
    ('fulfilment_state', 'allocated', 'cancelled'),
    ('fulfilment_state', 'allocated', 'new'),
    ('fulfilment_state', 'allocated', 'shipped'),
    ('fulfilment_state', 'backordered', 'cancelled'),
    ('fulfilment_state', 'backordered', 'new'),
    ('fulfilment_state', 'backordered', 'partly_reserved'),
    ('fulfilment_state', 'backordered', 'reserved'),
    ('fulfilment_state', 'new', 'backordered'),
    ('fulfilment_state', 'new', 'cancelled'),
    ('fulfilment_state', 'new', 'partly_reserved'),
    ('fulfilment_state', 'new', 'reserved'),
    ('fulfilment_state', 'partly_allocated', 'cancelled'),
    ('fulfilment_state', 'partly_allocated', 'new'),
    ('fulfilment_state', 'partly_allocated', 'partly_shipped'),
    ('fulfilment_state', 'partly_reserved', 'cancelled'),
    ('fulfilment_state', 'partly_reserved', 'new'),
    ('fulfilment_state', 'partly_reserved', 'partly_allocated'),
    ('fulfilment_state', 'partly_shipped', 'shipped'),
    ('fulfilment_state', 'reserved', 'allocated'),
    ('fulfilment_state', 'reserved', 'cancelled'),
    ('fulfilment_state', 'reserved', 'new'),
    ('hold_state', '', 'none'),
    ('hold_state', 'held', 'none'),
    ('hold_state', 'none', 'held'),
    ('payment_state', '', 'unchecked'),
    ('payment_state', 'authorised', 'unchecked'),
    ('payment_state', 'awaiting', 'authorised'),
    ('payment_state', 'awaiting', 'overpaid'),
    ('payment_state', 'awaiting', 'unchecked'),
    ('payment_state', 'awaiting', 'underpaid'),
    ('payment_state', 'overpaid', 'unchecked'),
    ('payment_state', 'unchecked', 'authorised'),
    ('payment_state', 'unchecked', 'awaiting'),
    ('payment_state', 'unchecked', 'overpaid'),
    ('payment_state', 'unchecked', 'underpaid'),
    ('payment_state', 'underpaid', 'unchecked'),
    ('risk_state', '', 'undecided'),
    ('risk_state', 'accepted', 'undecided'),
    ('risk_state', 'awaiting_payment', 'accepted'),
    ('risk_state', 'awaiting_payment', 'rejected'),
    ('risk_state', 'awaiting_payment', 'review'),
    ('risk_state', 'awaiting_payment', 'undecided'),
    ('risk_state', 'rejected', 'undecided'),
    ('risk_state', 'review', 'accepted'),
    ('risk_state', 'review', 'rejected'),
    ('risk_state', 'review', 'undecided'),
    ('risk_state', 'undecided', 'accepted'),
    ('risk_state', 'undecided', 'awaiting_payment'),
    ('risk_state', 'undecided', 'rejected'),
    ('risk_state', 'undecided', 'review'),
)

# Transition tables: one check per statement, however many orders it moves. The few distinct moves
# are found first and looked up then. No nested loop over orders: the plan is kept for the session,
# and the first statement a session sees may move a single one.
REFUSE_STARTS = """
    CREATE FUNCTION flow.refuse_starts() RETURNS trigger
    LANGUAGE plpgsql SET enable_nestloop = off AS $$
    DECLARE wrong record;
    BEGIN
        SELECT m.order_id, m.dimension, m.becomes INTO wrong
        FROM (
            SELECT v.dimension, v.becomes, min(o.order_id) AS order_id
            FROM opened AS o CROSS JOIN LATERAL (VALUES
                ('payment_state', o.payment_state), ('risk_state', o.risk_state),
                ('fulfilment_state', o.fulfilment_state), ('hold_state', o.hold_state)
            ) AS v (dimension, becomes)
            GROUP BY v.dimension, v.becomes
        ) AS m
        WHERE NOT EXISTS (
            SELECT FROM flow.transitions AS t
            WHERE (t.dimension, t.from_state, t.to_state) = (m.dimension, '', m.becomes))
        ORDER BY m.order_id LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'order %: % cannot start as %',
                wrong.order_id, wrong.dimension, wrong.becomes
                USING ERRCODE = '23514', TABLE = 'order_states', SCHEMA = 'flow';
        END IF;
        RETURN NULL;
    END
    $$
"""
REFUSE_MOVES = """
    CREATE FUNCTION flow.refuse_moves() RETURNS trigger
    LANGUAGE plpgsql SET enable_nestloop = off AS $$
    DECLARE wrong record;
    BEGIN
        SELECT m.order_id, m.dimension, m.was, m.becomes INTO wrong
        FROM (
            SELECT v.dimension, v.was, v.becomes, min(n.order_id) AS order_id
            FROM after_move AS n LEFT JOIN before_move AS o ON o.order_id = n.order_id
            CROSS JOIN LATERAL (VALUES
                ('payment_state', o.payment_state, n.payment_state),
                ('risk_state', o.risk_state, n.risk_state),
                ('fulfilment_state', o.fulfilment_state, n.fulfilment_state),
                ('hold_state', o.hold_state, n.hold_state)
            ) AS v (dimension, was, becomes)
            -- A row that was given another order has no state before, which is no legal one.
            WHERE v.was IS DISTINCT FROM v.becomes
            GROUP BY v.dimension, v.was, v.becomes
        ) AS m
        WHERE m.was IS NULL OR NOT EXISTS (
            SELECT FROM flow.transitions AS t
            WHERE (t.dimension, t.from_state, t.to_state) = (m.dimension, m.was, m.becomes))
        ORDER BY m.order_id LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'order %: % cannot go from % to %',
                wrong.order_id, wrong.dimension, coalesce(wrong.was, 'nothing'), wrong.becomes
                USING ERRCODE = '23514', TABLE = 'order_states', SCHEMA = 'flow';
        END IF;
        RETURN NULL;
    END
    $$
"""
REFUSE_LOSS = """
    CREATE FUNCTION flow.refuse_loss() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%.% keeps what it has: % is refused',
            TG_TABLE_SCHEMA, TG_TABLE_NAME, lower(TG_OP)
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END
    $$
"""
TRIGGERS = (
    """
    CREATE TRIGGER order_states_starts AFTER INSERT ON flow.order_states
    REFERENCING NEW TABLE AS opened FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_starts()
    """,
    """
    CREATE TRIGGER order_states_moves AFTER UPDATE ON flow.order_states
    REFERENCING OLD TABLE AS before_move NEW TABLE AS after_move
    FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_moves()
    """,
    """
    CREATE TRIGGER order_states_kept BEFORE DELETE OR TRUNCATE ON flow.order_states
    FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()
    """,
    """
    CREATE TRIGGER ledger_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions.ledger
    FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()
    """,
    """
    CREATE TRIGGER timeline_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions.timeline
    FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()
    """,
)

# What an order holds, as one document: events keep it as it was before an edit and after.
CONTENT_OF = """
    CREATE FUNCTION orders.content_of(of_order bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
        SELECT jsonb_build_object(
            'revision', o.revision, 'currency', o.currency, 'items_minor', o.items_minor,
            'discount_minor', o.discount_minor, 'shipping_minor', o.shipping_minor,
            'tax_minor', o.tax_minor, 'total_minor', o.total_minor,
            'lines', (
                SELECT jsonb_agg(jsonb_build_object(
                    'line_no', l.line_no, 'sku', l.sku, 'quantity', l.quantity,
                    'unit_price_minor', l.unit_price_minor, 'discount_minor', l.discount_minor,
                    'tax_minor', l.tax_minor, 'line_total_minor', l.line_total_minor,
                    'seller', l.seller
                ) ORDER BY l.line_no)
                FROM orders.order_lines AS l WHERE l.order_id = o.order_id
            ))
        FROM orders.orders AS o WHERE o.order_id = of_order
    $$
"""

# The timeline folded: of each dimension the last move until the moment, the start before it. Lines
# and amounts are those before the first edit after the moment, or those of today.
ORDER_AS_OF = """
    CREATE FUNCTION decisions.order_as_of(of_order bigint, moment timestamptz)
    RETURNS TABLE (
        order_id bigint, payment_state text, risk_state text, fulfilment_state text,
        hold_state text, changed_at timestamptz, revision integer, currency text,
        items_minor bigint, discount_minor bigint, shipping_minor bigint, tax_minor bigint,
        total_minor bigint, lines jsonb
    )
    LANGUAGE sql STABLE AS $$
        WITH known AS (
            SELECT t.event_id, t.event, t.happened_at, t.detail
            FROM decisions.timeline AS t WHERE t.order_id = of_order
        ), told AS (
            SELECT * FROM known WHERE known.happened_at <= moment
        ), folded AS (
            SELECT DISTINCT ON (x.dimension) x.dimension, x.state
            FROM (
                SELECT t.dimension, t.to_state AS state, '-infinity'::timestamptz AS happened_at,
                    0 AS event_id
                FROM flow.transitions AS t WHERE t.from_state = ''
                UNION ALL
                SELECT told.detail #>> '{moved,dimension}', told.detail #>> '{moved,to}',
                    told.happened_at, told.event_id
                FROM told WHERE told.detail ? 'moved'
            ) AS x
            ORDER BY x.dimension, x.happened_at DESC, x.event_id DESC
        ), states AS (
            SELECT jsonb_object_agg(folded.dimension, folded.state) AS at FROM folded
        ), content AS (
            SELECT coalesce((
                SELECT known.detail -> 'before' FROM known
                WHERE known.happened_at > moment AND known.detail ? 'before'
                ORDER BY known.happened_at, known.event_id LIMIT 1
            ), orders.content_of(of_order)) AS was
        )
        SELECT of_order, s.at ->> 'payment_state', s.at ->> 'risk_state',
            s.at ->> 'fulfilment_state', s.at ->> 'hold_state',
            (SELECT max(told.happened_at) FROM told WHERE told.detail ? 'moved'
                OR told.event = 'order_accepted'),
            (c.was ->> 'revision')::integer, c.was ->> 'currency',
            (c.was ->> 'items_minor')::bigint, (c.was ->> 'discount_minor')::bigint,
            (c.was ->> 'shipping_minor')::bigint, (c.was ->> 'tax_minor')::bigint,
            (c.was ->> 'total_minor')::bigint, c.was -> 'lines'
        FROM states AS s CROSS JOIN content AS c
        WHERE EXISTS (SELECT FROM told WHERE told.event = 'order_accepted')
    $$
"""

# Orders that were held before holds had rows of their own.
EXPLAIN_HOLDS = """
    INSERT INTO flow.holds (order_id, reason, placed_by, placed_at, run_id)
    SELECT order_id, CASE risk_state WHEN 'review' THEN 'review' ELSE 'no_carrier' END,
        CASE risk_state WHEN 'review' THEN 'risk' ELSE 'transport' END, changed_at, 'migration'
    FROM flow.order_states WHERE hold_state = 'held'
"""
HELD_CARRIERS = """
    INSERT INTO flow.pending (stage, order_id, due_at, is_held)
    SELECT 'carrier', order_id, placed_at, true FROM flow.holds WHERE reason = 'no_carrier'
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_table('holds',
    sa.Column('hold_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order that is held'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, a code such as review or address_check'),
    sa.Column('placed_by', sa.Text(), nullable=False, comment='person or area that placed it'),
    sa.Column('placed_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment from which the order is held'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it ends by itself; empty for never'),
    sa.Column('released_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment of its end; empty while it is open'),
    sa.Column('released_by', sa.Text(), nullable=True, comment='person or area that ended it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('(released_at IS NULL) = (released_by IS NULL)', name=op.f('holds_released_by_someone_check')),
    sa.CheckConstraint('expires_at > placed_at', name=op.f('holds_expires_after_placed_check')),
    sa.CheckConstraint('released_at >= placed_at', name=op.f('holds_released_after_placed_check')),
    sa.PrimaryKeyConstraint('hold_id', name=op.f('holds_pkey')),
    schema='flow',
    comment='Holds of orders, each with its reason and its end.'
    )
    op.create_index('holds_expiring_idx', 'holds', ['expires_at'], unique=False, schema='flow', postgresql_where=sa.text('released_at IS NULL'))
    op.create_index('holds_one_open_idx', 'holds', ['order_id'], unique=True, schema='flow', postgresql_where=sa.text('released_at IS NULL'))
    op.create_table('transitions',
    sa.Column('dimension', sa.Text(), nullable=False, comment='column of flow.order_states that moves'),
    sa.Column('from_state', sa.Text(), nullable=False, comment='state before; empty for an order that is new'),
    sa.Column('to_state', sa.Text(), nullable=False, comment='state after'),
    sa.PrimaryKeyConstraint('dimension', 'from_state', 'to_state', name=op.f('transitions_pkey')),
    schema='flow',
    comment='The legal moves of order states; triggers refuse every other, whoever writes.'
    )
    op.create_table('changes',
    sa.Column('change_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order to change'),
    sa.Column('inbox_id', sa.BigInteger(), nullable=True, comment='message that asks for it; empty if a person does'),
    sa.Column('kind', sa.Text(), nullable=False, comment='cancel or edit'),
    sa.Column('document', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='what to cancel: {lines: [{line_no, quantity}]}, or {} for all; the document of an edit is the message of revised_inbox_id'),
    sa.Column('requested_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the request'),
    sa.Column('requested_by', sa.Text(), nullable=False, comment='channel or person'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, as the channel or the person says'),
    sa.Column('state', sa.Text(), server_default='pending', nullable=False, comment='pending, started (what was decided is taken back), applied or refused'),
    sa.Column('refusal', sa.Text(), nullable=True, comment='why it was refused, a code'),
    sa.Column('refusal_detail', sa.Text(), nullable=True, comment='what is wrong, naming the line or field'),
    sa.Column('effective_as_of', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='business moment as of which it was carried out: not before what had happened to the order'),
    sa.Column('revised_inbox_id', sa.BigInteger(), nullable=True, comment='message the order is rewritten from; empty if all is cancelled'),
    sa.Column('run_id', sa.Text(), nullable=True, comment='Dagster run that started, applied or refused it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name=op.f('changes_refused_with_reason_check')),
    sa.CheckConstraint("kind = 'cancel' OR revised_inbox_id IS NOT NULL", name=op.f('changes_edit_with_message_check')),
    sa.CheckConstraint("kind IN ('cancel', 'edit')", name=op.f('changes_kind_known_check')),
    sa.CheckConstraint("state IN ('pending', 'started', 'applied', 'refused')", name=op.f('changes_state_known_check')),
    sa.CheckConstraint("state NOT IN ('started', 'applied') OR effective_as_of IS NOT NULL", name=op.f('changes_carried_out_as_of_check')),
    sa.ForeignKeyConstraint(['inbox_id'], ['orders.inbox.inbox_id'], name=op.f('changes_inbox_id_fkey')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.orders.order_id'], name=op.f('changes_order_id_fkey')),
    sa.ForeignKeyConstraint(['revised_inbox_id'], ['orders.inbox.inbox_id'], name=op.f('changes_revised_inbox_id_fkey')),
    sa.PrimaryKeyConstraint('change_id', name=op.f('changes_pkey')),
    schema='orders',
    comment='Cancellations and edits of accepted orders, one row each; one at a time is carried out.'
    )
    op.create_index('changes_message_idx', 'changes', ['inbox_id'], unique=True, schema='orders', postgresql_where=sa.text("state <> 'refused'"))
    op.create_index('changes_one_started_idx', 'changes', ['order_id'], unique=True, schema='orders', postgresql_where=sa.text("state = 'started'"))
    op.create_index(op.f('changes_order_id_idx'), 'changes', ['order_id'], unique=False, schema='orders')
    op.create_index('changes_pending_idx', 'changes', ['requested_at', 'change_id'], unique=False, schema='orders', postgresql_where=sa.text("state = 'pending'"))
    op.create_table('planned_releases',
    sa.Column('release_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order'),
    sa.Column('change_id', sa.BigInteger(), nullable=False, comment='change that frees the money'),
    sa.Column('kind', sa.Text(), nullable=False, comment='void: all that was authorised; refund: a part of it'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='what to give back, more than nothing'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('state', sa.Text(), nullable=False, comment='planned, or withdrawn when a later change made it void'),
    sa.Column('planned_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the plan'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("kind IN ('void', 'refund')", name=op.f('planned_releases_kind_known_check')),
    sa.CheckConstraint("state IN ('planned', 'withdrawn')", name=op.f('planned_releases_state_known_check')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('planned_releases_amount_positive_check')),
    sa.ForeignKeyConstraint(['change_id'], ['orders.changes.change_id'], name=op.f('planned_releases_change_id_fkey')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.orders.order_id'], name=op.f('planned_releases_order_id_fkey')),
    sa.PrimaryKeyConstraint('release_id', name=op.f('planned_releases_pkey')),
    sa.UniqueConstraint('order_id', 'change_id', name=op.f('planned_releases_order_id_change_id_key')),
    schema='payments',
    comment='Money to give back for cancelled and edited orders; what was planned and then changed again is withdrawn.'
    )
    op.create_index('planned_releases_one_planned_idx', 'planned_releases', ['order_id'], unique=True, schema='payments', postgresql_where=sa.text("state = 'planned'"))
    op.alter_column('order_states', 'fulfilment_state',
               existing_type=sa.TEXT(),
               comment='new, reserved, partly_reserved, backordered, allocated, partly_allocated, shipped, partly_shipped or cancelled',
               existing_comment='new, reserved, partly_reserved, backordered, allocated, partly_allocated, shipped or partly_shipped',
               existing_nullable=False,
               schema='flow')
    op.add_column('pending', sa.Column('is_held', sa.Boolean(), server_default='false', nullable=False, comment='whether a hold keeps the stage from advancing it'), schema='flow')
    op.drop_index(op.f('pending_stage_due_at_order_id_idx'), table_name='pending', schema='flow')
    op.create_index('pending_claimable_idx', 'pending', ['stage', 'due_at', 'order_id'], unique=False, schema='flow', postgresql_where=sa.text('NOT is_held'))
    op.alter_column('inbox', 'state',
               existing_type=sa.TEXT(),
               comment='pending, accepted, parked, superseded, changing (waits as a change of an accepted order) or applied (a cancellation that was carried out)',
               existing_comment='pending, accepted, parked or superseded',
               existing_nullable=False,
               existing_server_default=sa.text("'pending'::text"),
               schema='orders')
    op.alter_column('orders', 'decided_as_of',
               existing_type=postgresql.TIMESTAMP(timezone=True),
               comment='moment of decision: the later of placing and last authorisation, or of the last edit',
               existing_comment='moment of decision: the later of placing and last authorisation',
               existing_nullable=False,
               schema='orders')
    op.drop_constraint('inbox_state_known_check', 'inbox', schema='orders')
    op.create_check_constraint(op.f('inbox_state_known_check'), 'inbox', "state IN ('pending', 'accepted', 'parked', 'superseded', 'changing', 'applied')", schema='orders')
    for dimension, from_state, to_state in TRANSITIONS:
        op.execute(
            sa.text("INSERT INTO flow.transitions VALUES (:dimension, :was, :to)").bindparams(
                dimension=dimension, was=from_state, to=to_state
            )
        )
    op.execute(EXPLAIN_HOLDS)
    op.execute(HELD_CARRIERS)
    for statement in (REFUSE_STARTS, REFUSE_MOVES, REFUSE_LOSS, *TRIGGERS, CONTENT_OF, ORDER_AS_OF):
        op.execute(statement)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.execute("DROP FUNCTION decisions.order_as_of(bigint, timestamptz), orders.content_of(bigint)")
    # With the triggers that call them.
    op.execute("DROP FUNCTION flow.refuse_starts(), flow.refuse_moves(), flow.refuse_loss() CASCADE")
    # What the revision before cannot say: a change that waits is one a person must look at.
    op.execute("UPDATE orders.inbox SET state = 'superseded' WHERE state = 'applied'")
    op.execute(
        "UPDATE orders.inbox SET state = 'parked', reason = 'revision_after_acceptance'"
        " WHERE state = 'changing'"
    )
    op.drop_constraint('inbox_state_known_check', 'inbox', schema='orders')
    op.create_check_constraint(op.f('inbox_state_known_check'), 'inbox', "state IN ('pending', 'accepted', 'parked', 'superseded')", schema='orders')
    op.alter_column('orders', 'decided_as_of',
               existing_type=postgresql.TIMESTAMP(timezone=True),
               comment='moment of decision: the later of placing and last authorisation',
               existing_comment='moment of decision: the later of placing and last authorisation, or of the last edit',
               existing_nullable=False,
               schema='orders')
    op.alter_column('inbox', 'state',
               existing_type=sa.TEXT(),
               comment='pending, accepted, parked or superseded',
               existing_comment='pending, accepted, parked, superseded, changing (waits as a change of an accepted order) or applied (a cancellation that was carried out)',
               existing_nullable=False,
               existing_server_default=sa.text("'pending'::text"),
               schema='orders')
    op.drop_index('pending_claimable_idx', table_name='pending', schema='flow', postgresql_where=sa.text('NOT is_held'))
    op.create_index(op.f('pending_stage_due_at_order_id_idx'), 'pending', ['stage', 'due_at', 'order_id'], unique=False, schema='flow')
    op.drop_column('pending', 'is_held', schema='flow')
    op.alter_column('order_states', 'fulfilment_state',
               existing_type=sa.TEXT(),
               comment='new, reserved, partly_reserved, backordered, allocated, partly_allocated, shipped or partly_shipped',
               existing_comment='new, reserved, partly_reserved, backordered, allocated, partly_allocated, shipped, partly_shipped or cancelled',
               existing_nullable=False,
               schema='flow')
    op.drop_index('planned_releases_one_planned_idx', table_name='planned_releases', schema='payments', postgresql_where=sa.text("state = 'planned'"))
    op.drop_table('planned_releases', schema='payments')
    op.drop_index('changes_pending_idx', table_name='changes', schema='orders', postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(op.f('changes_order_id_idx'), table_name='changes', schema='orders')
    op.drop_index('changes_one_started_idx', table_name='changes', schema='orders', postgresql_where=sa.text("state = 'started'"))
    op.drop_index('changes_message_idx', table_name='changes', schema='orders')
    op.drop_table('changes', schema='orders')
    op.drop_table('transitions', schema='flow')
    op.drop_index('holds_one_open_idx', table_name='holds', schema='flow', postgresql_where=sa.text('released_at IS NULL'))
    op.drop_index('holds_expiring_idx', table_name='holds', schema='flow', postgresql_where=sa.text('released_at IS NULL'))
    op.drop_table('holds', schema='flow')
