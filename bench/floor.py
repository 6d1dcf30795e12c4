"""The floor of the order path: the rows it wrote, moved by hand-written SQL alone.

Every table the path writes gets a twin with the same columns, constraints and indexes, without
foreign keys and triggers. The finished rows are copied into the twins, as many transactions per
table as the path has chunks. What a path must do beyond that (claim, decide, move states, record
why) is not in the floor.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from ecom_assets.shared.flow import CHUNK

DECIDING = (
    "orders.inbox", "orders.orders", "orders.order_lines", "flow.order_states",
    "decisions.ledger", "decisions.timeline", "customers.customers", "customers.addresses",
    "payments.transactions", "payments.order_payments", "fraud.sightings", "fraud.order_scores",
    "risk.decisions", "inventory.reservations", "warehouse.allocations", "warehouse.site_loads",
    "transport.carrier_choices", "transport.shipments", "inventory.movements", "effects.outbox",
)  # fmt: skip
"""Tables that the stages up to the letters write; events of documents count here too."""

DOCUMENTS = ("documents.packing_slips", "documents.invoices")

_TWIN = sql.SQL("CREATE TABLE floor.{} (LIKE {} INCLUDING ALL)")
_COPY = sql.SQL("""
    INSERT INTO floor.{} OVERRIDING SYSTEM VALUE
    SELECT * FROM {} WHERE ctid >= %s::tid AND ctid < %s::tid
""")
_EXTENT = """
    SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::bigint,
        (SELECT count(*) FROM orders.orders)
"""


@dataclass(frozen=True)
class Floor:
    """What moving the rows took.

    Attributes:
        deciding_rows: rows of `DECIDING`.
        deciding_s: seconds they took.
        documents_rows: rows of `DOCUMENTS`.
        documents_s: seconds they took.
    """

    deciding_rows: int
    deciding_s: float
    documents_rows: int
    documents_s: float


def floor_seconds(url: str) -> Floor:
    """Copy the rows the path wrote into twins of its tables; the twins are dropped again."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA floor")
        deciding, documents = (
            [_move(conn, *name.split(".")) for name in names] for names in (DECIDING, DOCUMENTS)
        )
        conn.execute("DROP SCHEMA floor CASCADE")
    rows = [sum(rows for rows, _ in moved) for moved in (deciding, documents)]
    seconds = [sum(seconds for _, seconds in moved) for moved in (deciding, documents)]
    return Floor(rows[0], seconds[0], rows[1], seconds[1])


def _move(conn: psycopg.Connection, area: str, name: str) -> tuple[int, float]:
    """Rows of a table and the seconds that copying them takes, each chunk in a transaction."""
    twin, table = sql.Identifier(name), sql.Identifier(area, name)
    # As it stands in the database: indexes and constraints are those that the path had to keep.
    conn.execute(_TWIN.format(twin, table))
    blocks, orders = conn.execute(_EXTENT, [f"{area}.{name}"]).fetchone() or (0, 0)
    chunks = max(1, -(-orders // CHUNK))
    per_chunk = max(1, -(-blocks // chunks))
    rows, begun = 0, time.perf_counter()
    # By the pages they lie on, so that finding the rows of a chunk costs next to nothing.
    for first in range(0, blocks, per_chunk):
        pages = [f"({first},0)", f"({first + per_chunk},0)"]
        rows += conn.execute(_COPY.format(twin, table), pages).rowcount
    return rows, time.perf_counter() - begun
