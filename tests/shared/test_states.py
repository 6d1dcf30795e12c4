"""The four states of an order: exactly the listed moves, each with its event, or none at all."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread

import pytest
import sqlalchemy as sa

from ecom_assets.quality.expectations import EXPECTATIONS
from ecom_assets.shared.journal import EVENT_COLUMNS, TIMELINE
from ecom_assets.shared.states import (
    ORDER_STATES,
    START,
    TRANSITIONS,
    Dimension,
    IllegalTransition,
    move,
    open_states,
)
from fixtures.given import NEW_YEAR, given
from fixtures.unguarded import unguarded
from resources.database import DatabaseResource


def _known(dimension: Dimension) -> list[str]:
    reached = {to for next_ in TRANSITIONS[dimension].values() for to in next_}
    return sorted(reached | {START[dimension]})


EVERY_PAIR = [
    (dimension, of, to)
    for dimension in Dimension
    for of in _known(dimension)
    for to in _known(dimension)
]
LEGAL = {
    (dimension, of, to)
    for dimension, moves in TRANSITIONS.items()
    for of, next_ in moves.items()
    for to in next_
}


def _events(*order_ids: int) -> sa.Select[tuple[object, ...]]:
    return given(EVENT_COLUMNS, [(number, NEW_YEAR, {"n": number}) for number in order_ids])


def _put(conn: sa.Connection, order_id: int, **states: str) -> None:
    """An order in the given states, and in the first ones otherwise."""
    start = {dimension.value: state for dimension, state in START.items()}
    values = {**start, **states, "order_id": order_id, "changed_at": NEW_YEAR}
    with unguarded(conn):
        conn.execute(sa.insert(ORDER_STATES).values(values))


def _states(conn: sa.Connection, order_id: int) -> Mapping[str, object]:
    query = sa.select(ORDER_STATES).where(ORDER_STATES.c.order_id == order_id)
    return dict(conn.execute(query).mappings().one())


def _timeline(conn: sa.Connection) -> list[tuple[int, str]]:
    query = sa.select(TIMELINE.c.order_id, TIMELINE.c.event).order_by(TIMELINE.c.event_id)
    return [(order_id, event) for order_id, event in conn.execute(query)]


@pytest.mark.parametrize(("dimension", "of", "to"), EVERY_PAIR)
def test_a_move_happens_exactly_where_it_is_listed(
    conn: sa.Connection, dimension: Dimension, of: str, to: str
) -> None:
    _put(conn, 1, **{dimension.value: of})
    before = _states(conn, 1)
    if (dimension, of, to) in LEGAL:
        assert move(conn, dimension, to, "moved", _events(1), "run") == 1
        assert _states(conn, 1) == {**before, dimension.value: to}
        assert _timeline(conn) == [(1, "moved")]
        return
    with pytest.raises(IllegalTransition, match=f"order 1: {dimension.value} .* {of} to {to}"):
        move(conn, dimension, to, "moved", _events(1), "run")
    assert _states(conn, 1) == before
    assert _timeline(conn) == []


@pytest.mark.parametrize("dimension", Dimension)
def test_a_state_nobody_knows_is_refused(conn: sa.Connection, dimension: Dimension) -> None:
    _put(conn, 1)
    with pytest.raises(IllegalTransition, match="to typing_error"):
        move(conn, dimension, "typing_error", "moved", _events(1), "run")


@pytest.mark.parametrize("dimension", Dimension)
def test_every_state_is_reached_from_the_first_one(dimension: Dimension) -> None:
    reached, ahead = {START[dimension]}, [START[dimension]]
    while ahead:
        new = TRANSITIONS[dimension].get(ahead.pop(), frozenset()) - reached
        reached |= new
        ahead += new
    assert reached == set(_known(dimension))


@pytest.mark.parametrize("dimension", Dimension)
def test_the_table_describes_each_state_and_the_checks_know_it(dimension: Dimension) -> None:
    (declared,) = [item for item in EXPECTATIONS if item.table is ORDER_STATES]
    (check,) = [i for i in declared.expectations if i.property == f"{dimension.value}_known"]
    assert sorted(check.arguments["value_set"]) == _known(dimension)
    comment = str(ORDER_STATES.c[dimension.value].comment)
    assert sorted(comment.replace(" or ", ", ").split(", ")) == _known(dimension)


def test_new_orders_stand_at_the_start(conn: sa.Connection) -> None:
    rows = given(("order_id", "changed_at"), [(1, NEW_YEAR), (2, NEW_YEAR)])
    assert open_states(conn, rows) == 2
    start = {dimension.value: state for dimension, state in START.items()}
    assert _states(conn, 2) == {**start, "order_id": 2, "changed_at": NEW_YEAR}


def test_an_order_is_opened_once(conn: sa.Connection) -> None:
    _put(conn, 1)
    with pytest.raises(sa.exc.IntegrityError, match="order_states_pkey"):
        open_states(conn, given(("order_id", "changed_at"), [(1, NEW_YEAR)]))


def test_one_refusal_stops_the_whole_set(conn: sa.Connection) -> None:
    _put(conn, 1)
    _put(conn, 2, payment_state="authorised")
    with pytest.raises(IllegalTransition, match="order 2: payment_state"):
        move(conn, Dimension.PAYMENT, "awaiting", "moved", _events(1, 2), "run")
    assert _states(conn, 1)["payment_state"] == "unchecked"
    assert _timeline(conn) == []


def test_only_the_orders_given_move_and_each_has_its_own_event(conn: sa.Connection) -> None:
    for number in (1, 2, 3):
        _put(conn, number)
    assert move(conn, Dimension.RISK, "review", "held_for_review", _events(1, 3), "run 7") == 2
    assert [_states(conn, number)["risk_state"] for number in (1, 2, 3)] == [
        "review", "undecided", "review",
    ]  # fmt: skip
    rows = conn.execute(sa.select(TIMELINE.c.order_id, TIMELINE.c.detail, TIMELINE.c.run_id))
    moved = {"dimension": "risk_state", "from": "undecided", "to": "review"}
    assert sorted(map(tuple, rows), key=str) == [
        (number, {"n": number, "moved": moved}, "run 7") for number in (1, 3)
    ]


def test_nothing_given_moves_nothing(conn: sa.Connection) -> None:
    _put(conn, 1)
    assert move(conn, Dimension.HOLD, "held", "held", _events(), "run") == 0
    assert _timeline(conn) == []


def test_rows_may_ask_for_the_state_that_changes(conn: sa.Connection) -> None:
    _put(conn, 1)
    _put(conn, 2, hold_state="held")
    free = sa.select(
        ORDER_STATES.c.order_id,
        ORDER_STATES.c.changed_at.label("happened_at"),
        sa.literal({}, sa.JSON).cast(TIMELINE.c.detail.type).label("detail"),
    ).where(ORDER_STATES.c.hold_state == "none")
    assert move(conn, Dimension.HOLD, "held", "held", free, "run") == 1
    assert _timeline(conn) == [(1, "held")]


@pytest.mark.parametrize(
    ("given_orders", "message"),
    [((1, 2), "2 orders .* but 0 could"), ((1, 1), "2 orders .* but 1 could"), ((2,), "but 0")],
    ids=["one order without states", "one order twice", "only an order without states"],
)
def test_an_event_is_never_left_without_its_move(
    conn: sa.Connection, given_orders: tuple[int, ...], message: str
) -> None:
    _put(conn, 1)
    with pytest.raises(IllegalTransition, match=message):
        move(conn, Dimension.RISK, "accepted", "accepted", _events(*given_orders), "run")


def test_of_two_workers_that_move_one_order_the_later_is_refused(
    database: DatabaseResource,
) -> None:
    refused: list[str] = []

    def move_late() -> None:
        try:
            with database.begin() as other:
                move(other, Dimension.RISK, "rejected", "rejected", _events(1), "late")
        except IllegalTransition as error:
            refused.append(str(error))

    with database.begin() as conn:
        _put(conn, 1)
    with database.begin() as first:
        move(first, Dimension.RISK, "accepted", "accepted", _events(1), "early")
        late = Thread(target=move_late)
        late.start()
        late.join(0.3)
        assert late.is_alive(), "the later move must wait for the first"
    late.join(10)
    assert refused == ["order 1: risk_state cannot go from accepted to rejected"]
    with database.begin() as conn:
        assert _states(conn, 1)["risk_state"] == "accepted"
        assert _timeline(conn) == [(1, "accepted")]
