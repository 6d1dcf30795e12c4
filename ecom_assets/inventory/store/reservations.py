"""Reservations: the formula of `inventory.rules` over all lines of the claimed orders at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa

from ecom_assets.inventory.rules import KIND, RESERVATION_VERSION, Policy
from ecom_assets.inventory.store.restocks import note_freed, open_freed
from ecom_assets.shared.flow import NEXT, PENDING, TAKE_BACK, Stage, hand_on
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    LEDGER,
    record_decisions,
)
from ecom_assets.shared.states import MOVE_COLUMNS, Dimension, hold_claimed, move_each
from ecom_assets.shared.versions import Version, by_version
from ecom_assets.shared.working import analyse

OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS held_positions (
            sku text PRIMARY KEY, free bigint NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS reserving (
            order_line_id bigint, order_id bigint, due_at timestamptz, line_no integer, sku text,
            had integer, requested integer, reserved integer, free bigint
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS reserved_orders (
            order_id bigint, due_at timestamptz, outcome text, is_news boolean, requested bigint,
            reserved bigint, gained bigint, lines jsonb
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        WITH a AS (DELETE FROM held_positions),
            b AS (DELETE FROM reserving)
        DELETE FROM reserved_orders
    """),
)

# A statement of its own: the next one then sees every movement committed before the locks were
# granted. A position made after that is not held, so its stock is not used yet.
_HOLD = sa.text("""
    WITH held AS (
        SELECT p.sku, p.on_hand - p.reserved AS free
        FROM inventory.positions AS p
        WHERE p.sku IN (
            SELECT l.sku FROM claimed AS c JOIN orders.order_lines AS l ON l.order_id = c.order_id
        )
        ORDER BY p.sku
        FOR UPDATE
    )
    INSERT INTO held_positions SELECT sku, free FROM held
""")

# An order that is being changed is settled anew afterwards, and one that stands elsewhere on the
# path has nothing to ask: both were handed here by somebody who could not know.
_DROP_STALE = sa.text("""
    DELETE FROM claimed AS c
    WHERE EXISTS (
        SELECT FROM flow.pending AS p WHERE p.order_id = c.order_id AND p.stage = ANY(:in_change)
    ) OR EXISTS (
        SELECT FROM flow.order_states AS s
        WHERE s.order_id = c.order_id AND s.fulfilment_state NOT IN ('new', 'backordered')
    )
""").bindparams(in_change=[stage.value for stage in TAKE_BACK])

# Two running sums and one running maximum per SKU; `inventory.rules` derives the formula. `free` is
# what the line's own moment left it, kept for the ledger even where it gets less.
RESERVE = sa.text("""
    WITH asked AS (
        -- A line that kept units, such as those that left before a change, asks for the rest.
        SELECT l.order_line_id, l.order_id, c.due_at, l.line_no, l.sku,
            coalesce(r.reserved, 0) AS had,
            greatest(0, l.quantity - coalesce(r.reserved, 0)) AS requested
        FROM claimed AS c
        JOIN orders.order_lines AS l ON l.order_id = c.order_id
        LEFT JOIN inventory.reservations AS r
            ON r.order_line_id = l.order_line_id AND NOT CAST(:anew AS boolean)
    ), first_asked AS (
        SELECT sku, min(due_at) AS due_at FROM asked GROUP BY sku
    ), later_moves AS (
        SELECT m.sku, m.moved_at, sum(m.quantity) OVER (
            PARTITION BY m.sku ORDER BY m.moved_at DESC
        ) AS came_since
        FROM first_asked AS f
        JOIN held_positions AS p ON p.sku = f.sku
        JOIN inventory.movements AS m ON m.sku = f.sku AND m.moved_at > f.due_at
        WHERE m.kind <> 'sale'
    ), events AS (
        SELECT sku, due_at AS at, 0 AS is_move, order_line_id, 0 AS came_since FROM asked
        UNION ALL
        SELECT sku, moved_at, 1, NULL, came_since FROM later_moves
    ), swept AS (
        -- From the last event back: a line sees the moves after its own moment, not those at it.
        SELECT order_line_id, max(came_since) OVER (
            PARTITION BY sku ORDER BY at DESC, is_move ROWS UNBOUNDED PRECEDING
        ) AS most_later
        FROM events
    ), offered AS (
        SELECT a.*, greatest(0, coalesce(p.free, 0) - greatest(0, s.most_later)) AS free,
            sum(a.requested) OVER turn AS demand
        FROM asked AS a
        JOIN swept AS s ON s.order_line_id = a.order_line_id
        LEFT JOIN held_positions AS p ON p.sku = a.sku
        WINDOW turn AS (
            PARTITION BY a.sku ORDER BY a.due_at, a.order_id, a.line_no ROWS UNBOUNDED PRECEDING
        )
    ), counted AS (
        SELECT *, greatest(0, max(demand - free) OVER turn) AS lost
        FROM offered
        WINDOW turn AS (
            PARTITION BY sku ORDER BY due_at, order_id, line_no ROWS UNBOUNDED PRECEDING
        )
    ), compared AS (
        SELECT *, lag(lost, 1, CAST(0 AS bigint)) OVER (
            PARTITION BY sku ORDER BY due_at, order_id, line_no
        ) AS lost_before
        FROM counted
    )
    INSERT INTO reserving
    SELECT order_line_id, order_id, due_at, line_no, sku, had, requested,
        requested - (lost - lost_before),
        greatest(0, free - (demand - requested - lost_before))
    FROM compared
""")

_PROMISE = RESERVE.bindparams(anew=False)

_SUM_UP = sa.text("""
    WITH summed AS (
        SELECT order_id, due_at, sum(had + requested) AS requested, sum(had + reserved) AS reserved,
            sum(reserved) AS gained,
            jsonb_agg(jsonb_build_object(
                'line_no', line_no, 'sku', sku, 'requested', requested, 'free', free
            ) ORDER BY line_no) AS lines
        FROM reserving
        GROUP BY order_id, due_at
    ), judged AS (
        SELECT *, CASE
            WHEN reserved = requested THEN 'reserved'
            WHEN reserved > 0 THEN 'partly_reserved'
            ELSE 'backordered'
        END AS outcome
        FROM summed
    )
    INSERT INTO reserved_orders
    -- Called in vain, an order goes on waiting; each such call would swell ledger and timeline.
    SELECT j.order_id, j.due_at, j.outcome, s.fulfilment_state IS DISTINCT FROM j.outcome,
        j.requested, j.reserved, j.gained, j.lines
    FROM judged AS j LEFT JOIN flow.order_states AS s ON s.order_id = j.order_id
""")

_WRITE = (
    sa.text("""
        INSERT INTO inventory.reservations AS known (
            order_line_id, order_id, sku, requested, reserved, backordered, reserved_as_of,
            expires_at, run_id
        )
        SELECT order_line_id, order_id, sku, had + requested, had + reserved, requested - reserved,
            due_at, CASE WHEN reserved > 0 THEN due_at + CAST(:stands AS interval) END, :run
        FROM reserving
        ORDER BY due_at, order_id, line_no
        ON CONFLICT (order_line_id) DO UPDATE SET requested = excluded.requested,
            reserved = excluded.reserved, backordered = excluded.backordered,
            reserved_as_of = excluded.reserved_as_of, expires_at = excluded.expires_at,
            run_id = excluded.run_id, recorded_at = excluded.recorded_at
    """),
    sa.text("""
        WITH promised AS (
            SELECT sku, sum(reserved) AS units FROM reserving GROUP BY sku HAVING sum(reserved) > 0
        )
        UPDATE inventory.positions AS p SET reserved = p.reserved + promised.units
        FROM promised
        WHERE p.sku = promised.sku
    """),
)

# What is free although an order went without came after the order's own moment.
_CAME_LATER = sa.text("""
    INSERT INTO freed
    SELECT DISTINCT r.sku, CAST(NULL AS timestamptz)
    FROM reserved_orders AS o
    JOIN reserving AS r ON r.order_id = o.order_id
    JOIN inventory.positions AS p ON p.sku = r.sku
    WHERE o.outcome = 'backordered' AND p.on_hand > p.reserved
""")

_DECISIONS = sa.text("""
    SELECT order_id, '' AS subject, jsonb_build_object('lines', lines) AS inputs,
        CAST(:version AS text) AS version, outcome,
        ARRAY[CASE outcome
            WHEN 'reserved' THEN 'stock_covers_all'
            WHEN 'partly_reserved' THEN 'stock_covers_part'
            ELSE 'no_stock'
        END] AS reasons,
        due_at AS decided_as_of
    FROM reserved_orders
    WHERE is_news
    ORDER BY due_at, order_id
""").columns(*(LEDGER.c[name] for name in DECISION_COLUMNS))

_MOVES = sa.text("""
    SELECT order_id, due_at AS happened_at,
        jsonb_build_object('requested', requested, 'reserved', reserved) AS detail,
        outcome AS to_state, 'order_' || outcome AS event
    FROM reserved_orders
    WHERE is_news
    ORDER BY due_at, order_id
""").columns(*(sa.column(name) for name in MOVE_COLUMNS))

# An order without any unit has nothing to allocate; one with some ships those and waits for more.
_PASSING = sa.text("""
    SELECT order_id, due_at FROM reserved_orders WHERE gained > 0
""").columns(PENDING.c.order_id, PENDING.c.due_at)

_TOTALS = sa.text("""
    SELECT count(*) FILTER (WHERE outcome = 'reserved') AS reserved,
        count(*) FILTER (WHERE outcome = 'partly_reserved') AS partly_reserved,
        count(*) FILTER (WHERE outcome = 'backordered') AS backordered,
        coalesce(sum(gained), 0) AS units_reserved,
        coalesce(sum(requested - reserved), 0) AS units_backordered
    FROM reserved_orders
""")


def reserve(conn: sa.Connection, run: str, policy: Policy | None = None) -> Mapping[str, int]:
    """Promise stock to every line of the claimed orders, as of the moment each is due.

    That is an order's own moment, or the moment stock came where a backordered one was called.
    Claimed orders that are being changed, or that stand elsewhere on the path, are dropped.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.
        policy: how long a promise stands; the version in force at each order's moment, if not
            given.

    Returns:
        Orders `reserved`, `partly_reserved` and `backordered`, and units of both kinds.
    """
    if policy is not None:
        return _reserve(conn, run, Version(RESERVATION_VERSION, policy))
    return by_version(conn, KIND, Policy, partial(_reserve, conn, run), _hold_all)


def _hold_all(conn: sa.Connection) -> None:
    for statement in OPEN:
        conn.execute(statement)
    conn.execute(_HOLD)
    hold_claimed(conn)


def _reserve(conn: sa.Connection, run: str, version: Version[Policy]) -> dict[str, int]:
    for statement in OPEN:
        conn.execute(statement)
    held = conn.execute(_HOLD).rowcount
    hold_claimed(conn)
    analyse(conn, sa.text("ANALYZE held_positions"), held)
    for statement in (_DROP_STALE, _PROMISE, _SUM_UP):
        conn.execute(statement)
    for statement in _WRITE:
        conn.execute(statement, {"run": run, "stands": version.policy.promise_stands})
    _note_later_stock(conn)
    _record(conn, run, version.label)
    hand_on(conn, NEXT[Stage.RESERVE], _PASSING)
    totals = conn.execute(_TOTALS).mappings().one()
    return {name: int(value) for name, value in totals.items()}


def _note_later_stock(conn: sa.Connection) -> None:
    open_freed(conn)
    conn.execute(_CAME_LATER)
    note_freed(conn)


def _record(conn: sa.Connection, run: str, label: str) -> None:
    record_decisions(conn, "reservation", _DECISIONS.bindparams(version=label), run)
    move_each(conn, Dimension.FULFILMENT, _MOVES, run)
