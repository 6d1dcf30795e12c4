"""Ledger and timeline: append-only, attempts counted per subject, any text kept as it came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    LEDGER,
    TIMELINE,
    record_decisions,
    record_events,
)
from fixtures.given import NEW_YEAR, given


def _decisions(*subjects: tuple[int, str]) -> sa.Select[Any]:
    rows = [
        (order_id, subject, {"of": subject}, "v1", "yes", ["because"], NEW_YEAR)
        for order_id, subject in subjects
    ]
    return given(DECISION_COLUMNS, rows)


def _attempts(conn: sa.Connection) -> dict[tuple[str, int, str], list[int]]:
    columns = (LEDGER.c.kind, LEDGER.c.order_id, LEDGER.c.subject, LEDGER.c.attempt)
    found: dict[tuple[str, int, str], list[int]] = {}
    for kind, order_id, subject, attempt in conn.execute(
        sa.select(*columns).order_by(LEDGER.c.decision_id)
    ):
        found.setdefault((kind, order_id, subject), []).append(attempt)
    return found


def test_the_first_decision_is_attempt_one_and_keeps_what_it_was_given(
    conn: sa.Connection,
) -> None:
    assert record_decisions(conn, "risk_decision", _decisions((1, "")), "run 7") == 1
    row = conn.execute(sa.select(LEDGER)).mappings().one()
    expected = {
        "kind": "risk_decision", "order_id": 1, "subject": "", "attempt": 1, "inputs": {"of": ""},
        "version": "v1", "outcome": "yes", "reasons": ["because"], "decided_as_of": NEW_YEAR,
        "run_id": "run 7",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_attempts_count_per_kind_order_and_subject(conn: sa.Connection) -> None:
    record_decisions(conn, "choice", _decisions((1, "N"), (1, "S"), (2, "N")), "run")
    record_decisions(conn, "choice", _decisions((1, "N")), "run")
    record_decisions(conn, "score", _decisions((1, "N")), "run")
    record_decisions(conn, "choice", _decisions((1, "N"), (2, "N"), (3, "")), "run")
    assert _attempts(conn) == {
        ("choice", 1, "N"): [1, 2, 3],
        ("choice", 1, "S"): [1],
        ("choice", 2, "N"): [1, 2],
        ("choice", 3, ""): [1],
        ("score", 1, "N"): [1],
    }


# What the examples write is undone by a savepoint each, so they may share the connection.
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@drawn(
    batches=st.lists(
        st.sets(st.tuples(st.integers(1, 3), st.sampled_from(["", "N", "S"])), max_size=6),
        max_size=4,
    )
)
def test_attempts_have_no_gap_whatever_the_batches(
    conn: sa.Connection, batches: list[set[tuple[int, str]]]
) -> None:
    with conn.begin_nested() as undone:
        for batch in batches:
            written = record_decisions(conn, "choice", _decisions(*sorted(batch)), "run")
            assert written == len(batch)
        times = {key: sum(key in batch for batch in batches) for key in set().union(*batches)}
        assert _attempts(conn) == {
            ("choice", *key): list(range(1, count + 1)) for key, count in times.items()
        }
        undone.rollback()


def test_one_statement_decides_a_subject_once(conn: sa.Connection) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="ledger_kind_order_id_subject_attempt_key"):
        record_decisions(conn, "choice", _decisions((1, "N"), (1, "N")), "run")


def test_decisions_are_written_in_the_order_of_their_moments(conn: sa.Connection) -> None:
    days = {1: 3, 2: 1, 3: 2}
    rows: list[tuple[Any, ...]] = [
        (number, "", {}, "v1", "yes", [], NEW_YEAR + timedelta(days=day))
        for number, day in days.items()
    ]
    record_decisions(conn, "choice", given(DECISION_COLUMNS, rows), "run")
    found = conn.scalars(sa.select(LEDGER.c.order_id).order_by(LEDGER.c.decision_id))
    assert list(found) == [2, 3, 1]


def test_reasons_may_be_empty_but_not_missing(conn: sa.Connection) -> None:
    row: tuple[Any, ...] = (1, "", {}, "v1", "yes", [], NEW_YEAR)
    record_decisions(conn, "choice", given(DECISION_COLUMNS, [row]), "run")
    assert conn.scalars(sa.select(LEDGER.c.reasons)).all() == [[]]


@pytest.mark.parametrize("column", DECISION_COLUMNS)
def test_a_decision_without_one_of_its_parts_is_refused(conn: sa.Connection, column: str) -> None:
    rows = _decisions((1, "")).subquery()
    parts = [
        sa.null().cast(part.type).label(part.name) if part.name == column else part
        for part in rows.c
    ]
    with pytest.raises(sa.exc.IntegrityError, match=f'null value in column "{column}"'):
        record_decisions(conn, "choice", sa.select(*parts), "run")


def test_a_select_without_a_column_is_named_before_it_runs(conn: sa.Connection) -> None:
    with pytest.raises(KeyError, match="version"):
        record_decisions(conn, "choice", given(("order_id", "subject", "inputs"), []), "run")


@pytest.mark.parametrize(
    "text",
    ["", "日本語の商品", "Ünïcødé", "🚚" * 50, "x" * 100_000, 'it\'s "quoted" % :name \\ {batch}'],
    ids=["empty", "japanese", "accents", "emoji", "long", "special"],
)
def test_any_text_is_kept(conn: sa.Connection, text: str) -> None:
    detail = {"note": text, "nested": [{"text": text}]}
    record_events(conn, "noted", given(EVENT_COLUMNS, [(1, NEW_YEAR, detail)]), "run")
    assert conn.execute(sa.select(TIMELINE.c.detail)).scalar_one() == detail


def test_events_of_one_order_are_kept_apart_even_if_equal(conn: sa.Connection) -> None:
    rows = given(EVENT_COLUMNS, [(1, NEW_YEAR, {})] * 2)
    assert record_events(conn, "seen", rows, "run") == 2
    assert conn.execute(sa.select(sa.func.count(TIMELINE.c.event_id.distinct()))).scalar_one() == 2


def test_no_rows_record_nothing(conn: sa.Connection) -> None:
    assert record_decisions(conn, "choice", given(DECISION_COLUMNS, []), "run") == 0
    assert record_events(conn, "seen", given(EVENT_COLUMNS, []), "run") == 0


@pytest.mark.parametrize(
    "moment",
    ["2020-02-29T23:59:59.999999+00:00", "2019-12-31T23:30:00-05:00", "0001-01-01T00:00:00+00:00"],
)
def test_moments_are_kept_to_the_microsecond_in_utc(conn: sa.Connection, moment: str) -> None:
    given_at = type(NEW_YEAR).fromisoformat(moment)
    record_events(conn, "seen", given(EVENT_COLUMNS, [(1, given_at, {})]), "run")
    found = conn.execute(sa.select(TIMELINE.c.happened_at)).scalar_one()
    assert (found, found.utcoffset()) == (given_at, timedelta(0))
