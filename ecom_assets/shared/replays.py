"""Replays: the form in which the areas hand a past range of orders to each other to decide it anew.

Temporary tables of one transaction, each filled by one area's store and read by the next. No live
table is written, so a replay is seen by nobody and leaves nothing but its result.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

REPLAYS = sa.MetaData()
"""The shapes of all tables of a replay. They are temporary and belong to no schema."""

CHUNK = 20_000
"""Orders that are held in memory at once."""


def _at(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=False, **options)


def _id(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, autoincrement=False, nullable=False, **options)


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(
        f"replay_{name}", REPLAYS, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )


RANGE = _table("range", _id("order_id", primary_key=True), _at("decided_as_of"))
"""The orders of the range."""

SCORES = _table("scores", _id("order_id", primary_key=True), sa.Column("probability", sa.Double))
"""Fraud probabilities by another model or other rules; empty where the recorded ones hold."""

PAYMENTS = _table(
    "payments",
    _id("order_id", primary_key=True),
    sa.Column("payment_state", sa.Text, nullable=False),
)
"""Payment states by another tolerance; empty where the recorded ones hold."""

RISKS = _table(
    "risks",
    _id("order_id", primary_key=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("reasons_before", ARRAY(sa.Text), nullable=False),
    sa.Column("reasons_after", ARRAY(sa.Text), nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.CHAR(3), nullable=False),
)
"""The risk decision of every order of the range, as recorded and anew."""

ORDERS = _table(
    "orders",
    _id("order_id", primary_key=True),
    _at("due_at"),
    _id("turn"),
    sa.Index(None, "turn", "due_at", "order_id"),
)
"""Orders that get sites anew; `turn` is the order in which they were served."""

LINES = _table(
    "lines",
    _id("order_line_id"),
    _id("order_id", index=True),
    sa.Column("sku", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
)
"""Units promised to the lines of those orders."""

ALLOCATIONS = _table(
    "allocations",
    _id("order_id", index=True),
    _id("order_line_id"),
    sa.Column("sku", sa.Text, nullable=False),
    sa.Column("site_code", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("distance_km", sa.Double),
    _at("available_at"),
)
"""Which site would ship what."""

CHOICES = _table(
    "choices",
    _id("order_id"),
    sa.Column("site_code", sa.Text, nullable=False),
    sa.Column("service_code", sa.Text),
    sa.Column("cost_minor", sa.BigInteger),
    sa.Column("currency", sa.CHAR(3)),
    sa.Column("eta_at", TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("order_id", "site_code"),
)
"""Which service would carry each parcel; no service where none can."""


def open_tables(conn: sa.Connection) -> None:
    """Create all tables of a replay, empty, for the rest of the transaction."""
    # Without a look first: what is there already belongs to another replay, an error.
    REPLAYS.create_all(conn, checkfirst=False)


def analyze(conn: sa.Connection) -> None:
    """Give the planner figures of the tables as they are; nobody else does for temporary ones."""
    conn.execute(
        sa.text(
            "ANALYZE replay_range, replay_scores, replay_payments, replay_risks, replay_orders,"
            " replay_lines, replay_allocations, replay_choices"
        )
    )
