"""Allocations: the sites of all claimed orders, chosen over arrays and written in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from ecom_assets.shared.flow import NEXT, PENDING, Stage, hand_on
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    LEDGER,
    record_decisions,
)
from ecom_assets.shared.states import MOVE_COLUMNS, Dimension, hold_claimed, move_each
from ecom_assets.shared.versions import Version, by_version
from ecom_assets.shared.working import analyse
from ecom_assets.warehouse.rules import KIND, NotCovered, Routing
from ecom_assets.warehouse.store.problem import hold_stock, read_problem

if TYPE_CHECKING:
    import psycopg

    from ecom_assets.warehouse.allocation.result import Allocation, Lines

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS allotted (
            line_no bigint, site_no bigint, quantity integer, distance_km double precision,
            policy text, available_us bigint
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS considered_sites (
            place bigint, order_no bigint, site_no bigint, distance_km double precision,
            cost_minor double precision, covers integer
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS allocated_orders (
            order_id bigint, due_at timestamptz, policy text, waits boolean, units bigint,
            parcels bigint, is_whole boolean, inputs jsonb
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        WITH a AS (DELETE FROM allotted),
            b AS (DELETE FROM considered_sites)
        DELETE FROM allocated_orders
    """),
)
# COPY, not INSERT: a chunk has tens of thousands of rows, and COPY takes them in one go.
_COPY_ALLOTTED = "COPY allotted FROM STDIN"
_COPY_CONSIDERED = "COPY considered_sites FROM STDIN"

_WRITE = (
    sa.text("""
        INSERT INTO warehouse.allocations (
            order_id, order_line_id, sku, site_code, quantity, distance_km, policy, available_at,
            allocated_as_of, run_id
        )
        SELECT o.order_id, l.order_line_id, l.sku, s.site_code, a.quantity,
            nullif(a.distance_km, 'NaN'), a.policy,
            timestamptz 'epoch' + a.available_us * interval '1 microsecond', o.due_at, :run
        FROM allotted AS a
        JOIN allocating_lines AS l ON l.line_no = a.line_no
        JOIN allocating_orders AS o ON o.order_no = l.order_no
        JOIN allocating_sites AS s ON s.site_no = a.site_no
        ORDER BY a.line_no, a.site_no
    """),
    sa.text("""
        INSERT INTO warehouse.site_loads AS known (sku, site_code, allocated)
        SELECT l.sku, s.site_code, sum(a.quantity)
        FROM allotted AS a
        JOIN allocating_lines AS l ON l.line_no = a.line_no
        JOIN allocating_sites AS s ON s.site_no = a.site_no
        GROUP BY l.sku, s.site_code
        ORDER BY l.sku, s.site_code
        ON CONFLICT (sku, site_code) DO UPDATE SET allocated = known.allocated + excluded.allocated
    """),
    sa.text("""
        WITH shares AS (
            SELECT l.order_no, a.site_no, sum(a.quantity) AS units, max(a.policy) AS policy,
                bool_or(a.policy = 'split_line') AS has_split_line,
                max(a.available_us) AS available_us
            FROM allotted AS a
            JOIN allocating_lines AS l ON l.line_no = a.line_no
            GROUP BY l.order_no, a.site_no
        ), chosen AS (
            SELECT s.order_no, sum(s.units) AS units, count(*) AS parcels,
                CASE WHEN bool_or(s.has_split_line) THEN 'split_line' ELSE max(s.policy) END
                    AS policy,
                timestamptz 'epoch' + max(s.available_us) * interval '1 microsecond' AS available_at
            FROM shares AS s
            GROUP BY s.order_no
        ), asked AS (
            SELECT order_no, count(DISTINCT sku_no) AS skus FROM allocating_lines GROUP BY order_no
        ), told AS (
            SELECT c.order_no, jsonb_agg(jsonb_build_object(
                'site', s.site_code,
                'km', round(CAST(nullif(c.distance_km, 'NaN') AS numeric), 1),
                'cost_minor', CAST(nullif(c.cost_minor, 'infinity') AS bigint),
                'currency', s.currency, 'covers', c.covers,
                'verdict', CASE
                    WHEN f.site_no IS NOT NULL THEN 'ships'
                    WHEN c.covers = a.skus THEN 'less preferred'
                    ELSE 'too little stock'
                END,
                'units', f.units,
                'available_at', timestamptz 'epoch' + f.available_us * interval '1 microsecond'
            ) ORDER BY c.place) AS candidates
            FROM considered_sites AS c
            JOIN asked AS a ON a.order_no = c.order_no
            JOIN allocating_sites AS n ON n.site_no = c.site_no
            JOIN warehouse.sites AS s ON s.site_code = n.site_code
            LEFT JOIN shares AS f ON f.order_no = c.order_no AND f.site_no = c.site_no
            GROUP BY c.order_no
        ), short AS (
            SELECT o.order_no, bool_or(r.backordered > 0) AS is_short,
                sum(r.backordered) AS backordered
            FROM allocating_orders AS o
            JOIN inventory.reservations AS r ON r.order_id = o.order_id
            GROUP BY o.order_no
        )
        INSERT INTO allocated_orders
        SELECT o.order_id, o.due_at, c.policy, c.available_at > o.due_at, c.units, c.parcels,
            NOT s.is_short, jsonb_build_object(
                'skus', a.skus, 'ranking', CAST(:ranking AS text[]), 'candidates', t.candidates,
                'promised_at', h.promised_at, 'backordered', s.backordered
            )
        FROM chosen AS c
        JOIN allocating_orders AS o ON o.order_no = c.order_no
        JOIN orders.orders AS h ON h.order_id = o.order_id
        JOIN asked AS a ON a.order_no = c.order_no
        JOIN told AS t ON t.order_no = c.order_no
        JOIN short AS s ON s.order_no = c.order_no
    """),
)

_DECISIONS = sa.text("""
    SELECT order_id, '' AS subject, inputs, CAST(:version AS text) AS version, policy AS outcome,
        array_remove(ARRAY[
            CASE policy
                WHEN 'single_site' THEN 'one_site_ships_all'
                WHEN 'split_by_line' THEN 'no_site_has_all'
                ELSE 'no_site_has_a_line'
            END,
            CASE WHEN waits THEN 'waits_for_stock' END
        ], NULL) AS reasons,
        due_at AS decided_as_of
    FROM allocated_orders
    ORDER BY due_at, order_id
""").columns(*(LEDGER.c[name] for name in DECISION_COLUMNS))

_MOVES = sa.text("""
    SELECT order_id, due_at AS happened_at,
        jsonb_build_object('policy', policy, 'units', units, 'parcels', parcels) AS detail,
        CASE WHEN is_whole THEN 'allocated' ELSE 'partly_allocated' END AS to_state,
        CASE WHEN is_whole THEN 'order_allocated' ELSE 'order_partly_allocated' END AS event
    FROM allocated_orders
    ORDER BY due_at, order_id
""").columns(*(sa.column(name) for name in MOVE_COLUMNS))

# What is allotted passes even if its stock is yet to come: the parcel waits, the order does not.
_PASSING = sa.text("SELECT order_id, due_at FROM allocated_orders").columns(
    PENDING.c.order_id, PENDING.c.due_at
)

_TOTALS = sa.text("""
    SELECT coalesce(sum(units), 0) AS units, coalesce(sum(parcels), 0) AS parcels,
        count(*) FILTER (WHERE parcels > 1) AS split_orders,
        count(*) FILTER (WHERE waits) AS waiting_orders
    FROM allocated_orders
""")


def allocate(conn: sa.Connection, run: str) -> Mapping[str, int]:
    """Choose the sites that ship what is reserved for the claimed orders.

    Sites are ranked as the version of the routing in force at each order's moment says.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.

    Returns:
        `units`, `parcels`, `split_orders` and `waiting_orders`, whose stock is yet to come.

    Raises:
        NotCovered: the stock of all sites is less than what is reserved; nothing is written.
    """
    return by_version(conn, KIND, Routing, partial(_allocate, conn, run), _hold)


def _hold(conn: sa.Connection) -> None:
    hold_stock(conn)
    hold_claimed(conn)


def _allocate(conn: sa.Connection, run: str, version: Version[Routing]) -> dict[str, int]:
    allocation, lines = _choose_sites(conn, version.policy)
    hold_claimed(conn)
    _write(conn, allocation, lines, run, version.policy)
    record_decisions(conn, "allocation", _DECISIONS.bindparams(version=version.label), run)
    move_each(conn, Dimension.FULFILMENT, _MOVES, run)
    hand_on(conn, NEXT[Stage.ALLOCATE], _PASSING)
    totals = conn.execute(_TOTALS).mappings().one()
    return {name: int(value) for name, value in totals.items()}


def _choose_sites(conn: sa.Connection, routing: Routing) -> tuple[Allocation, Lines]:
    # Imports NumPy, which a process that only loads the definitions must not pay for.
    from ecom_assets.warehouse.allocation.result import allocate as choose_sites

    given = read_problem(conn, routing)
    try:
        return choose_sites(*given), given[2]
    except NotCovered:
        # What an archived site still holds was promised like all stock; the promise is kept.
        given = read_problem(conn, routing, with_archived=True)
        return choose_sites(*given), given[2]


def _write(
    conn: sa.Connection, allocation: Allocation, lines: Lines, run: str, routing: Routing
) -> None:
    for statement in _OPEN:
        conn.execute(statement)
    rows, told = allocation.rows(lines), allocation.considered()
    columns = rows.line, rows.site, rows.quantity, rows.distance, rows.policy, rows.available
    copy_columns(conn, _COPY_ALLOTTED, columns)
    place = range(len(told.order))
    copy_columns(
        conn,
        _COPY_CONSIDERED,
        (place, told.order, told.site, told.distance, told.cost, told.covers),
    )
    analyse(conn, sa.text("ANALYZE allotted, considered_sites"), len(place))
    for statement in _WRITE:
        conn.execute(statement, {"run": run, "ranking": list(routing.ranking)})


def copy_columns(conn: sa.Connection, statement: str, columns: Iterable[Any]) -> None:
    """Send columns to the server as the rows of a COPY."""
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    lists = [column.tolist() if hasattr(column, "tolist") else column for column in columns]
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in zip(*lists, strict=True):
            copy.write_row(row)
