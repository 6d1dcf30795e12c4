"""The floor of the order path: the rows it wrote, moved by hand-written SQL alone.

Every table the path writes gets a twin with the same columns, constraints and indexes, without
foreign keys and triggers. The finished rows are copied into the twins, as many transactions per
table as the path has chunks. What a path must do beyond that (claim, decide, move states, record
why) is not in the floor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, DropSchema

from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS
from ecom_assets.schema import schema
from ecom_assets.shared.flow import CHUNK
from resources.database import DatabaseResource

DECIDING = (
    "orders.inbox", "orders.orders", "orders.order_lines", "flow.order_states",
    "decisions.ledger", "decisions.timeline", "customers.customers", "customers.addresses",
    "payments.transactions", "payments.order_payments", "fraud.sightings", "fraud.order_scores",
    "risk.decisions", "inventory.reservations", "warehouse.allocations", "warehouse.site_loads",
    "transport.carrier_choices", "transport.shipments", "inventory.movements", "effects.outbox",
)  # fmt: skip
"""Tables that the stages up to the letters write; events of documents count here too."""

DOCUMENTS = (PACKING_SLIPS.fullname, INVOICES.fullname)

_SCHEMA = "floor"
_EXTENT = sa.text("""
    SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::bigint,
        (SELECT count(*) FROM orders.orders)
""")


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


def floor_seconds(database: DatabaseResource) -> Floor:
    """Copy the rows the path wrote into twins of its tables; the twins are dropped again."""
    with database.begin() as conn:
        conn.execute(CreateSchema(_SCHEMA))
    found = []
    for names in (DECIDING, DOCUMENTS):
        moved = [_move(database, schema().tables[name]) for name in names]
        found += [sum(rows for rows, _ in moved), sum(seconds for _, seconds in moved)]
    with database.begin() as conn:
        conn.execute(DropSchema(_SCHEMA, cascade=True))
    return Floor(int(found[0]), found[1], int(found[2]), found[3])


def _move(database: DatabaseResource, table: sa.Table) -> tuple[int, float]:
    """Rows of a table and the seconds that copying them takes."""
    # As it stands in the database, where indexes and constraints are those of the migrations.
    with database.begin() as conn:
        twin = sa.DDL(
            "CREATE TABLE floor.%(name)s (LIKE %(fullname)s INCLUDING ALL)",
            context={"name": table.name},
        )
        twin.against(table)(table, conn)
        blocks, orders = conn.execute(_EXTENT, {"name": table.fullname}).tuples().one()
    rows, begun = 0, time.perf_counter()
    for statement in _chunks(table, blocks, max(1, -(-orders // CHUNK))):
        with database.begin() as conn:
            rows += conn.execute(statement).rowcount
    return rows, time.perf_counter() - begun


def _chunks(table: sa.Table, blocks: int, chunks: int) -> Iterator[sa.Insert]:
    """Statements that copy a table, each so many of its pages."""
    names = [column.name for column in table.c]
    twin = sa.table(table.name, *(sa.column(name) for name in names), schema=_SCHEMA)
    place: sa.ColumnElement[str] = sa.literal_column("ctid")
    per_chunk = -(-blocks // chunks) or 1
    for first in range(0, blocks, per_chunk):
        begin, end = f"({first},0)", f"({first + per_chunk},0)"
        found = sa.select(*table.c).where(
            place >= sa.cast(begin, sa.Text).cast(_Tid), place < sa.cast(end, sa.Text).cast(_Tid)
        )
        yield sa.insert(twin).from_select(names, found)


class _Tid(sa.types.UserDefinedType[str]):
    """PostgreSQL's type of row addresses."""

    cache_ok = True

    def get_col_spec(self) -> str:
        """Its name."""
        return "tid"
