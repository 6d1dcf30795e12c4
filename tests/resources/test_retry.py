"""Transactions begun anew: only where that may help, and never more often than said."""

from __future__ import annotations

from threading import Barrier, Thread

import psycopg
import pytest
import sqlalchemy as sa

from resources.database import DatabaseResource
from resources.retry import ATTEMPTS, FIRST_PAUSE_S, is_passing, retried


def failure(state: str | None) -> sa.exc.OperationalError:
    """An error as SQLAlchemy raises it for a SQLSTATE; `None` for a connection that broke."""
    kind = psycopg.OperationalError if state is None else psycopg.errors.lookup(state)
    return sa.exc.OperationalError(None, None, kind("said"))


class Work:
    """A transaction that fails with each of the states in turn and then succeeds."""

    def __init__(self, *states: str | None) -> None:
        self.states, self.tries = list(states), 0

    def __call__(self) -> str:
        self.tries += 1
        if self.states:
            raise failure(self.states.pop(0))
        return "done"


@pytest.mark.parametrize(
    "state", ["40001", "40P01", "25P03", "25P04", "08006", "57P01", "57P03", None]
)
def test_what_may_pass_is_tried_again(state: str | None) -> None:
    pauses: list[float] = []
    work = Work(state, state)
    assert retried(work, sleep=pauses.append) == "done"
    assert work.tries == 3
    assert [0 <= pause <= FIRST_PAUSE_S * 2**n for n, pause in enumerate(pauses)] == [True] * 2


@pytest.mark.parametrize("state", ["23505", "23514", "42601", "53100", "22012"])
def test_what_would_fail_again_is_raised_at_once(state: str) -> None:
    work = Work(state)
    with pytest.raises(sa.exc.OperationalError):
        retried(work, sleep=lambda _: pytest.fail("no pause"))
    assert work.tries == 1


def test_tries_end() -> None:
    work, pauses = Work(*["40001"] * 9), list[float]()
    with pytest.raises(sa.exc.OperationalError):
        retried(work, sleep=pauses.append)
    assert (work.tries, len(pauses)) == (ATTEMPTS, ATTEMPTS - 1)


def test_errors_of_the_work_itself_are_not_the_databases() -> None:
    assert not is_passing(ValueError("no"))

    def wrong() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        retried(wrong, sleep=lambda _: pytest.fail("no pause"))


@pytest.fixture
def notes(database: DatabaseResource) -> DatabaseResource:
    """A database with two rows to quarrel about."""
    with database.begin() as conn:
        conn.execute(
            sa.text("INSERT INTO warehouse.site_loads VALUES ('A', 'N', 0), ('B', 'N', 0)")
        )
    return database


ADD = sa.text("UPDATE warehouse.site_loads SET allocated = allocated + 1 WHERE sku = :sku")
LOADS = sa.text("SELECT allocated FROM warehouse.site_loads ORDER BY sku")


def loads(database: DatabaseResource) -> list[int]:
    with database.begin() as conn:
        return list(conn.execute(LOADS).scalars())


def test_a_real_deadlock_ends_with_both_done(notes: DatabaseResource) -> None:
    meeting, errors = Barrier(2, timeout=20), list[Exception]()

    def work(first: str, second: str) -> None:
        tries = []

        def transaction() -> None:
            with notes.begin() as conn:
                conn.execute(ADD, {"sku": first})
                # They meet on their first try only; who lost goes alone the second time.
                tries.append(1)
                if len(tries) == 1:
                    meeting.wait()
                conn.execute(ADD, {"sku": second})

        try:
            retried(transaction)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=work, args=names) for names in (("A", "B"), ("B", "A"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert loads(notes) == [2, 2]


def test_a_connection_the_server_ended_is_replaced(notes: DatabaseResource) -> None:
    tries: list[int] = []

    def transaction() -> None:
        with notes.begin() as conn:
            conn.execute(ADD, {"sku": "A"})
            tries.append(1)
            if len(tries) == 1:
                conn.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    retried(transaction)
    assert len(tries) == 2
    assert loads(notes) == [1, 0]
