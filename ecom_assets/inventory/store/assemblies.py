"""Kits that orders ask for are put together from components on the shelves.

A kit in an order is promised, sent and invoiced like any product. What is missing of it is made
before the order reserves, or when its components came. An assembly is a set of movements of one
reference, components out and kits in, which happen together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from ecom_assets.inventory.assembling import Assembly, assemblies
from ecom_assets.inventory.availability import explode
from ecom_assets.inventory.store.kits import kits_of
from ecom_assets.inventory.store.movements import open_posting, post_covered
from ecom_assets.shared.flow import TAKE_BACK, Stage

# One at a time: two would both make the kits of one order.
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtext('inventory.assemblies'))")
# Of orders that are about to reserve, and of those that wait for kits since.
_WANTED = sa.text("""
    WITH asked AS (
        SELECT l.sku, l.quantity - coalesce(r.reserved, 0) AS units, w.due_at AS judged_as_of
        FROM flow.pending AS w
        JOIN orders.order_lines AS l ON l.order_id = w.order_id
        JOIN (SELECT DISTINCT kit_sku FROM catalog.kits) AS k ON k.kit_sku = l.sku
        LEFT JOIN inventory.reservations AS r ON r.order_line_id = l.order_line_id
        WHERE w.stage = :reserve AND NOT w.is_held
        UNION ALL
        SELECT r.sku, r.backordered, r.reserved_as_of
        FROM inventory.reservations AS r
        JOIN (SELECT DISTINCT kit_sku FROM catalog.kits) AS k ON k.kit_sku = r.sku
        JOIN flow.order_states AS s ON s.order_id = r.order_id
        WHERE r.backordered > 0 AND s.fulfilment_state = 'backordered' AND NOT EXISTS (
            SELECT FROM flow.pending AS w
            WHERE w.order_id = r.order_id AND w.stage = ANY(:not_while)
        )
    )
    SELECT a.sku, sum(a.units) - greatest(0, coalesce(min(p.on_hand - p.reserved), 0)) AS units,
        max(a.judged_as_of) AS judged_as_of
    FROM asked AS a LEFT JOIN inventory.positions AS p ON p.sku = a.sku
    GROUP BY a.sku ORDER BY a.sku
""").bindparams(
    reserve=Stage.RESERVE.value,
    not_while=[stage.value for stage in (Stage.RESERVE, *TAKE_BACK)],
)
_ON_SHELVES = sa.text("""
    SELECT b.sku, b.site_code, b.on_hand + b.sold - coalesce(l.allocated, 0) AS units,
        p.on_hand - p.reserved AS unpromised, (
            SELECT max(m.moved_at) FROM inventory.movements AS m
            WHERE m.sku = b.sku AND m.site_code = b.site_code AND m.kind <> 'sale'
                AND m.quantity > 0
        ) AS came_at
    FROM inventory.balances AS b
    JOIN inventory.positions AS p ON p.sku = b.sku
    LEFT JOIN warehouse.site_loads AS l ON l.sku = b.sku AND l.site_code = b.site_code
    WHERE b.sku = ANY(CAST(:skus AS text[])) AND b.on_hand > 0
""")
_ARE_ASKED = sa.text("""
    SELECT EXISTS (
        SELECT FROM flow.pending AS w
        JOIN orders.order_lines AS l ON l.order_id = w.order_id
        JOIN catalog.kits AS k ON k.kit_sku = l.sku
        WHERE w.stage = :reserve AND NOT w.is_held
    )
""").bindparams(reserve=Stage.RESERVE.value)
_MOVES = sa.values(
    *(sa.column(name, sa.Text) for name in ("sku", "site_code", "kind")),
    sa.column("quantity", sa.BigInteger),
    sa.column("moved_at", sa.DateTime(timezone=True)),
    sa.column("reference", sa.Text),
    name="moves",
)


def are_kits_asked(conn: sa.Connection) -> bool:
    """Whether an order that is about to reserve asks for a kit."""
    return bool(conn.execute(_ARE_ASKED).scalar_one())


def assemble_kits(conn: sa.Connection) -> int:
    """Put together the kits that orders ask for, as far as components are free.

    The moves are of the moment at which the orders are judged, or at which the last component
    came, if that was later.

    Args:
        conn: connection in a transaction of its own.

    Returns:
        Movements posted.
    """
    conn.execute(_TURN)
    wanted = {row.sku: row for row in conn.execute(_WANTED) if row.units > 0}
    if not wanted:
        return 0
    kits = kits_of(conn, list(wanted))
    parts = {kit: explode({kit: 1}, kits) for kit in wanted}
    shelves = conn.execute(_ON_SHELVES, {"skus": sorted({p for of in parts.values() for p in of})})
    rows = shelves.all()
    at_sites: dict[str, dict[str, int]] = {}
    for row in rows:
        at_sites.setdefault(row.site_code, {})[row.sku] = row.units
    units = {kit: int(row.units) for kit, row in wanted.items()}
    made = assemblies(units, parts, at_sites, {row.sku: row.unpromised for row in rows})
    if not made:
        return 0
    came = {(row.site_code, row.sku): row.came_at for row in rows}
    moments = [
        max([wanted[each.kit].judged_as_of, *(came[each.site, part] for part in each.parts)])
        for each in made
    ]
    open_posting(conn, _moves_of(made, moments))
    return post_covered(conn)[0]


def _moves_of(made: Sequence[Assembly], moments: Sequence[datetime]) -> sa.Select[Any]:
    rows = [move for each, at in zip(made, moments, strict=True) for move in _moves(each, at)]
    return sa.select(_MOVES.data(rows))


def _moves(each: Assembly, at: datetime) -> list[tuple[str, str, str, int, datetime, str]]:
    reference = f"assembly:{uuid4()}"
    units = {part: -each.units * takes for part, takes in each.parts.items()}
    return [
        (sku, each.site, "assembly", quantity, at, reference)
        for sku, quantity in {**units, each.kit: each.units}.items()
    ]
