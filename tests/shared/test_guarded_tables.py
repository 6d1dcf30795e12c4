"""What the database refuses, whoever writes: illegal moves, lost states, rewritten records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from ecom_assets.shared.journal import EVENT_COLUMNS, record_events
from ecom_assets.shared.states import (
    ORDER_STATES,
    TRANSITION_ROWS,
    TRANSITIONS,
    Dimension,
    open_states,
    transition_rows,
)
from fixtures.given import NEW_YEAR, given
from fixtures.rolled_back import conn
from fixtures.unguarded import unguarded

__all__ = ["conn"]


@contextmanager
def refused(conn: sa.Connection, message: str) -> Iterator[None]:
    with pytest.raises(sa.exc.IntegrityError, match=message) as caught, conn.begin_nested():
        yield
    assert getattr(caught.value.orig, "sqlstate", None) == "23514"


def start(conn: sa.Connection, *orders: int) -> None:
    open_states(conn, given(("order_id", "changed_at"), [(each, NEW_YEAR) for each in orders]))


def run(conn: sa.Connection, statement: str) -> None:
    conn.execute(sa.text(statement))


def test_the_database_lists_the_moves_that_the_code_lists(conn: sa.Connection) -> None:
    found = conn.execute(sa.select(TRANSITION_ROWS)).tuples().all()
    assert sorted(map(tuple, found)) == transition_rows()


@pytest.mark.parametrize("dimension", Dimension)
def test_every_pair_of_states_is_refused_or_allowed_as_listed(
    conn: sa.Connection, dimension: Dimension
) -> None:
    states = sorted({to for _, _, to in transition_rows()})
    known = [state for state in states if any(
        row[0] == dimension.value and state in row[1:] for row in transition_rows())]  # fmt: skip
    start(conn, 1)
    for was in known:
        for to in known:
            with unguarded(conn):
                conn.execute(sa.update(ORDER_STATES).values({dimension.value: was}))
            move = sa.update(ORDER_STATES).values({dimension.value: to})
            if was == to or to in TRANSITIONS[dimension].get(was, ()):
                conn.execute(move)
                continue
            with refused(conn, f"order 1: {dimension.value} cannot go from {was} to {to}"):
                conn.execute(move)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE flow.order_states SET payment_state = 'typo'", "order 1: payment_state cannot go"),
        ("UPDATE flow.order_states SET order_id = 9 WHERE order_id = 1", "from nothing to"),
        ("DELETE FROM flow.order_states", "flow.order_states keeps what it has: delete"),
        ("TRUNCATE flow.order_states", "keeps what it has: truncate"),
        (
            "INSERT INTO flow.order_states VALUES"
            " (7, 'unchecked', 'accepted', 'new', 'none', '2020-01-01Z')",
            "order 7: risk_state cannot start as accepted",
        ),
        ("UPDATE decisions.timeline SET event = 'x'", "decisions.timeline keeps what it has: upd"),
        ("DELETE FROM decisions.timeline", "decisions.timeline keeps what it has: delete"),
        ("TRUNCATE decisions.timeline", "decisions.timeline keeps what it has: truncate"),
        ("UPDATE decisions.ledger SET outcome = 'x'", "decisions.ledger keeps what it has: update"),
        ("DELETE FROM decisions.ledger", "decisions.ledger keeps what it has: delete"),
        ("TRUNCATE decisions.ledger", "decisions.ledger keeps what it has: truncate"),
    ],
)
def test_plain_sql_is_refused(conn: sa.Connection, statement: str, message: str) -> None:
    start(conn, 1, 2)
    record_events(conn, "happened", given(EVENT_COLUMNS, [(1, NEW_YEAR, {})]), "run")
    with refused(conn, message):
        run(conn, statement)


def test_the_first_of_the_orders_that_cannot_move_is_named(conn: sa.Connection) -> None:
    start(conn, *range(1, 50))
    run(conn, "UPDATE flow.order_states SET risk_state = 'accepted' WHERE order_id IN (9, 30)")
    with refused(conn, "order 9: risk_state cannot go from accepted to review"):
        run(conn, "UPDATE flow.order_states SET risk_state = 'review'")


def test_what_changes_no_state_is_no_move(conn: sa.Connection) -> None:
    start(conn, 1)
    run(conn, "UPDATE flow.order_states SET changed_at = '2021-01-01Z'")
    run(conn, "UPDATE flow.order_states SET risk_state = 'lost' WHERE order_id = 99")
