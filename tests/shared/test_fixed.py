"""Statements of constants reach the server as they were written."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.shared.fixed import _fixed, execute_fixed

WORDS = sa.Table(
    "words", sa.MetaData(), sa.Column("word", sa.Text), sa.Column("matches", sa.Boolean),
    prefixes=["TEMPORARY"],
)  # fmt: skip


@pytest.fixture
def words(conn: sa.Connection) -> sa.Connection:
    """A transaction with an empty table of words."""
    WORDS.create(conn)
    return conn


def insert(word: str, pattern: str = "") -> sa.Insert:
    literal = sa.literal(word, sa.Text)
    return sa.insert(WORDS).from_select(
        ["word", "matches"], sa.select(literal, literal.like(sa.literal(pattern, sa.Text)))
    )


@pytest.mark.parametrize(
    "word",
    [
        "100 %",
        "%s",
        "%%",
        "%(word)s",
        "%%%d",
        r"C:\new\table",
        r"\\",
        "it's",
        "a:b",
        ":word",
        "€ 😀",
    ],
)
def test_literals_survive(words: sa.Connection, word: str) -> None:
    assert execute_fixed(words, insert(word)) == 1
    assert words.execute(sa.select(WORDS.c.word)).scalar_one() == word


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(st.sampled_from("%s\\':(){}$1a\n"), max_size=12))
def test_any_literal_survives(words: sa.Connection, word: str) -> None:
    words.execute(sa.delete(WORDS))
    execute_fixed(words, insert(word))
    assert words.execute(sa.select(WORDS.c.word)).scalar_one() == word


@pytest.mark.parametrize(
    ("pattern", "matches"), [("1__ %", True), ("%", True), (r"100\%", False), (r"1%\%", True)]
)
def test_patterns_mean_what_they_did(words: sa.Connection, pattern: str, matches: bool) -> None:
    execute_fixed(words, insert("100 %", pattern))
    assert words.execute(sa.select(WORDS.c.matches)).scalar_one() is matches


def test_a_modulo_stays_one(words: sa.Connection) -> None:
    seven = sa.literal(7) % sa.literal(4)
    rest = sa.select(sa.cast(seven, sa.Text))
    execute_fixed(words, sa.insert(WORDS).from_select(["word"], rest))
    assert words.execute(sa.select(WORDS.c.word)).scalar_one() == "3"


@pytest.mark.parametrize("rows", [0, 1, 250])
def test_the_rows_written_are_counted(words: sa.Connection, rows: int) -> None:
    series = sa.func.generate_series(1, rows).column_valued("n")
    source = sa.select(sa.cast(series, sa.Text))
    assert execute_fixed(words, sa.insert(WORDS).from_select(["word"], source)) == rows


def test_a_statement_is_made_once(words: sa.Connection) -> None:
    statement = insert("again")
    execute_fixed(words, statement)
    hits = _fixed.cache_info().hits
    execute_fixed(words, statement)
    assert _fixed.cache_info().hits == hits + 1
