"""Cancelling parts of orders: what is left is written as a new document of the order.

So a partial cancellation is carried out like an edit, and nothing else has to know of it. Reference
of a line that loses units: `rules.keep_units`.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.orders.store import changes
from ecom_assets.shared.working import open_empty, working_table

TAKEN = working_table(
    "cancelled_lines",
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("line_no", sa.Integer),
    sa.Column("quantity", sa.Integer),
)
"""What changes in `starting_changes` take of which line; null where it is no such number."""

KEPT = working_table(
    "kept_lines",
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.Column("line_no", sa.Integer, nullable=False),
    sa.Column("ordered", sa.BigInteger, nullable=False),
    sa.Column("kept", sa.BigInteger, nullable=False),
)
"""What changes leave of every line of their orders; none where nothing is left of the order."""

# A path in strict mode yields a value only where it is such a number: no cast can fail.
_READ = sa.text("""
    INSERT INTO cancelled_lines (change_id, position, line_no, quantity)
    SELECT c.change_id, e.position,
        CAST(jsonb_path_query_first(e.value, 'strict $.line_no ?
            (@.type() == "number" && @ >= 1 && @ <= 1000000 && @ % 1 == 0)', '{}', true)
            AS integer),
        CAST(jsonb_path_query_first(e.value, 'strict $.quantity ?
            (@.type() == "number" && @ >= 1 && @ <= 1000000 && @ % 1 == 0)', '{}', true)
            AS integer)
    FROM starting_changes AS c
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(c.document -> 'lines')
        WHEN 'array' THEN c.document -> 'lines' ELSE '[]' END
    ) WITH ORDINALITY AS e (value, position)
    WHERE c.kind = 'cancel' AND c.refusal IS NULL
""")
_REFUSE = sa.text("""
    WITH compared AS (
        SELECT t.*, l.quantity AS ordered,
            count(*) OVER (PARTITION BY t.change_id, t.line_no) AS uses
        FROM cancelled_lines AS t
        JOIN starting_changes AS c USING (change_id)
        LEFT JOIN orders.order_lines AS l ON l.order_id = c.order_id AND l.line_no = t.line_no
    ), faults AS (
        SELECT change_id, position, CASE
            WHEN line_no IS NULL OR quantity IS NULL THEN 'malformed_cancellation: entry '
                || position || ': line_no and quantity must be whole numbers from 1'
            WHEN uses > 1 THEN 'malformed_cancellation: line_no ' || line_no || ' is given twice'
            WHEN ordered IS NULL THEN 'unknown_line: the order has no line ' || line_no
            WHEN quantity > ordered THEN 'more_than_ordered: line ' || line_no || ' has '
                || ordered || ' units, ' || quantity || ' were to be cancelled'
            END AS fault
        FROM compared
    ), first_faults AS (
        SELECT DISTINCT ON (change_id) change_id, fault FROM faults
        WHERE fault IS NOT NULL ORDER BY change_id, position
    )
    UPDATE starting_changes AS c SET refusal = CASE
        WHEN jsonb_typeof(c.document -> 'lines') NOT IN ('array', 'null')
                OR c.document -> 'lines' = '[]'
            THEN 'malformed_cancellation: lines must be a list with at least one entry'
        ELSE (SELECT fault FROM first_faults AS f WHERE f.change_id = c.change_id) END
    WHERE c.kind = 'cancel' AND c.refusal IS NULL
""")
# What has left the house stays on the order; of any other order what was not cancelled.
_KEEP = sa.text("""
    INSERT INTO kept_lines (change_id, line_no, ordered, kept)
    SELECT c.change_id, l.line_no, l.quantity, l.quantity - coalesce(t.quantity, 0)
    FROM starting_changes AS c
    JOIN orders.order_lines AS l USING (order_id)
    LEFT JOIN cancelled_lines AS t ON t.change_id = c.change_id AND t.line_no = l.line_no
    WHERE c.kind = 'cancel' AND c.refusal IS NULL AND jsonb_typeof(c.document -> 'lines') = 'array'
    UNION ALL
    SELECT c.change_id, l.line_no, l.quantity, coalesce((
        SELECT sum(a.quantity)
        FROM warehouse.allocations AS a JOIN transport.shipments AS s USING (order_id, site_code)
        WHERE a.order_line_id = l.order_line_id), 0)
    FROM starting_changes AS c
    JOIN orders.order_lines AS l USING (order_id)
    WHERE c.kind = 'cancel' AND c.refusal IS NULL AND c.fulfilment_state = 'partly_shipped'
""")
_FORGET_WHOLE = sa.text("""
    DELETE FROM kept_lines WHERE change_id IN (
        SELECT change_id FROM kept_lines GROUP BY change_id HAVING sum(kept) = 0)
""")
# The stated total goes: it is that of all the lines. A share is rounded half up, as invoices do.
_REVISE = sa.text("""
    INSERT INTO revised_documents (order_id, payload, received_at)
    SELECT c.order_id, (m.payload - 'total_minor') || jsonb_build_object('lines', left_over.lines),
        c.effective_as_of
    FROM starting_changes AS c
    JOIN orders.orders AS o USING (order_id)
    JOIN orders.inbox AS m ON m.inbox_id = o.inbox_id
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(e.value || jsonb_build_object('quantity', k.kept,
            'discount_minor', (2 * l.discount_minor * k.kept + k.ordered) / (2 * k.ordered),
            'tax_minor', (2 * l.tax_minor * k.kept + k.ordered) / (2 * k.ordered)
        ) ORDER BY e.position) AS lines
        FROM jsonb_array_elements(m.payload -> 'lines') WITH ORDINALITY AS e (value, position)
        JOIN orders.order_lines AS l
            ON l.order_id = o.order_id AND l.line_no = CAST(e.value ->> 'line_no' AS numeric)
        JOIN kept_lines AS k ON k.change_id = c.change_id AND k.line_no = l.line_no
        WHERE k.kept > 0
    ) AS left_over
    WHERE left_over.lines IS NOT NULL
""")
_NAME_MESSAGES = sa.text("""
    UPDATE starting_changes AS c SET revised_inbox_id = d.inbox_id
    FROM revised_documents AS d WHERE d.order_id = c.order_id AND c.kind = 'cancel'
""")


def revise(conn: sa.Connection, run: str) -> None:
    """Refuse cancellations that cannot be; write what partial ones leave as a message each.

    Args:
        conn: connection with `starting_changes` filled and `revised_documents` empty.
        run: Dagster run id.
    """
    open_empty(conn, TAKEN, KEPT)
    for statement in (_READ, _REFUSE, _KEEP, _FORGET_WHOLE, _REVISE):
        conn.execute(statement)
    changes.add_messages(conn, run)
    conn.execute(_NAME_MESSAGES)
