"""Temporary tables a plan is made in: rows as they came, as understood, and what was found."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from psycopg import Connection, sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ecom_assets.catalog.reading.staged import FIELDS, PLAIN

_TABLES = sa.MetaData()

PRODUCT_VALUES: dict[str, sa.types.TypeEngine[Any]] = {
    "name": sa.Text(), "category": sa.Text(), "brand": sa.Text(), "gtin": sa.Text(),
    "weight_g": sa.Integer(), "length_mm": sa.Integer(), "width_mm": sa.Integer(),
    "height_mm": sa.Integer(), "currency": sa.Text(), "unit_cost_minor": sa.BigInteger(),
    "list_price_minor": sa.BigInteger(), "supplier_key": sa.Text(), "description": sa.Text(),
    "group_key": sa.Text(), "options": JSONB(), "family": sa.Text(),
    "category_id": sa.BigInteger(), "status": sa.Text(), "is_active": sa.Boolean(),
    "is_kit": sa.Boolean(),
}  # fmt: skip
"""Columns of the products that plans change, with their types."""

NOT_ATTRIBUTES = (*PRODUCT_VALUES, "group_name", "media", "components")
"""Keys of a row's values that are no attributes."""


def _temporary(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(name, _TABLES, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


STAGED = _temporary(
    "catalog_staged",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    *(sa.Column(name, sa.Text if name in PLAIN else JSONB) for name in FIELDS),
)
"""Rows of the file as texts."""

NUMBERS = _temporary(
    "catalog_numbers",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("cell", sa.Text, nullable=False),
    sa.Column("parts", ARRAY(sa.Text)),
    sa.Column("amount", sa.Numeric),
    sa.Column("whole", sa.Integer),
)
"""Weights and sides of the rows, taken apart into number and unit; in g and mm."""

PRICES = _temporary(
    "catalog_prices",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("cell", sa.Text, nullable=False),
    sa.Column("stated", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("amount", sa.Numeric),
    sa.Column("minor", sa.Numeric),
    sa.Column("whole", sa.BigInteger),
)
"""Money of the rows: the currency beside the amount, the one that holds, and the amount."""

PROPOSED = _temporary(
    "catalog_proposed",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("sku", sa.Text),
    *(sa.Column(name, kind) for name, kind in PRODUCT_VALUES.items()),
    sa.Column("group_name", sa.Text),
    sa.Column("media", JSONB),
    sa.Column("components", JSONB),
    sa.Column("attributes", JSONB),
)
"""The same rows as values; what they do not state is empty."""

FINDINGS = _temporary(
    "catalog_findings",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("is_error", sa.Boolean, nullable=False),
    sa.Column("is_skip", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""What was found of the rows; one that is an error keeps its row out."""

GIVEN_VALUES = _temporary(
    "catalog_given_values",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("sku", sa.Text),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("attribute", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
)
"""The attributes of the rows, one row each; without a value where it is to be emptied."""

ACTIONS = _temporary(
    "catalog_actions",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
)
"""What each row does."""

MOVES = _temporary(
    "catalog_moves",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("sku", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("was", JSONB, nullable=False),
    sa.Column("becomes", JSONB, nullable=False),
    sa.Column("fields", JSONB, nullable=False),
)
"""What a plan's application or reversal writes: values there must be, and those that follow."""

DETAILS = _temporary(
    "catalog_details",
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("sku", sa.Text),
    sa.Column("is_error", sa.Boolean, nullable=False),
    sa.Column("is_skip", sa.Boolean, nullable=False),
    sa.Column("findings", JSONB, nullable=False),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB, nullable=False),
    sa.Column("group_after", JSONB, nullable=False),
)
"""Every row with what was found of it, and what its attributes, media and kit would change."""

_LOCK = sa.text(
    "SELECT pg_advisory_xact_lock(CAST(CAST('catalog.products' AS regclass) AS bigint))"
)
_SESSION = sa.text("SELECT set_config('work_mem', '128MB', true)")
_ANALYZE = {
    "catalog_staged": sa.text("ANALYZE catalog_staged"),
    "catalog_numbers": sa.text("ANALYZE catalog_numbers"),
    "catalog_prices": sa.text("ANALYZE catalog_prices"),
    "catalog_proposed": sa.text("ANALYZE catalog_proposed"),
    "catalog_findings": sa.text("ANALYZE catalog_findings"),
    "catalog_details": sa.text("ANALYZE catalog_details"),
    "catalog_actions": sa.text("ANALYZE catalog_actions"),
    "catalog_moves": sa.text("ANALYZE catalog_moves"),
    "catalog_given_values": sa.text("ANALYZE catalog_given_values"),
}


def lock_products(conn: sa.Connection) -> None:
    """Let nobody else change products until the transaction ends: feeds, plans, reversals."""
    conn.execute(_LOCK)


def open_tables(conn: sa.Connection) -> None:
    """Make the tables, empty, for the rest of the transaction."""
    conn.execute(_SESSION)
    _TABLES.drop_all(conn, checkfirst=True)
    _TABLES.create_all(conn, checkfirst=False)


def analyze(conn: sa.Connection, *tables: sa.Table) -> None:
    """Count tables for the planner; nothing else would before they are joined."""
    for table in tables:
        conn.execute(_ANALYZE[table.name])


def copy_rows(conn: sa.Connection, data: bytes) -> None:
    """Add rows of CSV, the number first, to `STAGED`."""
    statement = sql.SQL("COPY catalog_staged ({}) FROM STDIN (FORMAT csv)").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in ("row_no", *FIELDS))
    )
    # SQLAlchemy has no COPY; the driver below it shares the transaction.
    driver = conn.connection.driver_connection
    if not isinstance(driver, Connection):
        raise TypeError("COPY needs psycopg 3")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(data)
