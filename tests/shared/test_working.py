"""Working tables: made once per session, empty for whoever opens them, gone when many rows were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ecom_assets.shared.working import FEW, analyse, open_empty, working_table
from resources.database import SWOLLEN, DatabaseResource

SLIPS = working_table("slips", sa.Column("slip", sa.BigInteger, primary_key=True))
STAMPS = working_table("stamps", sa.Column("stamp", sa.Text))
ANALYSE = sa.text("ANALYZE slips")
IS_THERE = sa.text("SELECT to_regclass('pg_temp.slips') IS NOT NULL")
FIGURES = sa.text("SELECT reltuples FROM pg_class WHERE oid = 'slips'::regclass")


@pytest.fixture
def session(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A session of the test's own, whose temporary tables nobody else meets."""
    with module_database.engine.connect() as conn:
        yield conn
        conn.invalidate()


def fill(conn: sa.Connection, rows: int) -> None:
    source = sa.text("SELECT n FROM generate_series(1, :rows) AS n").columns(sa.column("n"))
    conn.execute(sa.insert(SLIPS).from_select(["slip"], source.bindparams(rows=rows)))


def count(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(SLIPS)).scalar_one()


def test_a_table_is_empty_for_whoever_opens_it(session: sa.Connection) -> None:
    for _ in range(2):
        open_empty(session, SLIPS, STAMPS)
        assert count(session) == 0
        fill(session, 3)
        session.commit()
        assert count(session) == 3, "a commit must not cost the emptying of every table"
    open_empty(session, SLIPS)
    session.rollback()
    assert count(session) == 3


def test_a_table_belongs_to_its_session(
    session: sa.Connection, module_database: DatabaseResource
) -> None:
    open_empty(session, SLIPS)
    fill(session, 2)
    session.commit()
    with module_database.engine.connect() as other:
        open_empty(other, SLIPS)
        assert count(other) == 0
        other.invalidate()
    assert count(session) == 2


@pytest.mark.parametrize(("rows", "is_many"), [(0, False), (FEW, False), (FEW + 1, True)])
def test_the_planner_is_told_once_and_again_of_many_rows(
    session: sa.Connection, rows: int, is_many: bool
) -> None:
    for count in (3, rows):
        open_empty(session, SLIPS)
        fill(session, count)
        analyse(session, ANALYSE, count)
    assert session.execute(FIGURES).scalar_one() == (rows if is_many else 3)
    assert session.info.get(SWOLLEN, False) == is_many


def test_a_session_that_held_many_rows_starts_afresh(database: DatabaseResource) -> None:
    session_of = sa.text("SELECT pg_backend_pid()").columns(sa.column("pid", sa.Integer))

    def work(rows: int) -> tuple[int, bool]:
        with database.begin() as conn:
            was_there = conn.execute(IS_THERE).scalar_one()
            open_empty(conn, SLIPS)
            fill(conn, rows)
            analyse(conn, ANALYSE, rows)
            return conn.execute(session_of).scalar_one(), was_there

    seen = [work(rows) for rows in (5, 5, FEW + 1, 5, 5)]
    assert len({process for process, _ in seen}) == 1
    assert [was_there for _, was_there in seen] == [False, True, True, False, True]


def test_a_transaction_that_failed_leaves_the_session_usable(database: DatabaseResource) -> None:
    def fail() -> None:
        with database.begin() as conn:
            open_empty(conn, SLIPS)
            fill(conn, FEW + 1)
            analyse(conn, ANALYSE, FEW + 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    # What the failed transaction made is undone with it; afresh is then no error either.
    with database.begin() as conn:
        assert not conn.execute(IS_THERE).scalar_one()
        open_empty(conn, SLIPS)
        assert count(conn) == 0
