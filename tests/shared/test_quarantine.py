"""The quarantine keeps the row, the reason and the run; settled rows stay on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared.imports import IMPORT_ACCOUNTS, IMPORTS
from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park, settle
from fixtures.given import given


def _rows(*numbers: int, source: str = "orders.csv") -> sa.Select[Any]:
    rows = [
        (source, number, f"web/E{number}", "order_without_lines", "lines: none", {"id": number})
        for number in numbers
    ]
    return _parked(rows)


def _parked(rows: Sequence[Sequence[Any]]) -> sa.Select[Any]:
    # `detail` is a sentence here and a document in the timeline
    return given(PARKED_COLUMNS, rows, detail=sa.Text())


def _numbers(*numbers: int) -> sa.Select[Any]:
    return given(("row_number",), [(number,) for number in numbers])


def _states(conn: sa.Connection) -> dict[int, str]:
    rows = sa.select(QUARANTINE.c.row_number, QUARANTINE.c.state)
    return dict(conn.execute(rows).tuples().all())


def test_a_parked_row_says_all_that_is_needed_to_mend_it(conn: sa.Connection) -> None:
    assert park(conn, _rows(5), "run 7") == 1
    row = conn.execute(sa.select(QUARANTINE)).mappings().one()
    expected = {
        "source": "orders.csv", "row_number": 5, "subject": "web/E5",
        "reason": "order_without_lines", "detail": "lines: none", "row": {"id": 5},
        "state": "parked", "run_id": "run 7",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_no_rows_park_nothing(conn: sa.Connection) -> None:
    assert park(conn, _rows(), "run") == 0


def test_the_same_row_may_be_parked_by_two_runs(conn: sa.Connection) -> None:
    park(conn, _rows(5), "first")
    assert park(conn, _rows(5), "second") == 1
    assert settle(conn, "orders.csv", _numbers(5)) == 2


@pytest.mark.parametrize(
    "row",
    [
        {"text": "日本語 \U0001f4e6", "empty": "", "none": None},
        {"long": "x" * 200_000},
        [1, "bare list", {"deep": [[[]]]}],
        "just a line of text",
    ],
    ids=["non-latin", "long", "list", "text"],
)
def test_the_row_is_kept_as_it_came(conn: sa.Connection, row: Any) -> None:
    park(conn, _parked([("s", 1, "", "odd", "odd", row)]), "run")
    assert conn.execute(sa.select(QUARANTINE.c.row)).scalar_one() == row


@pytest.mark.parametrize("column", PARKED_COLUMNS)
def test_a_row_without_a_reason_or_place_is_refused(conn: sa.Connection, column: str) -> None:
    rows = _rows(1).subquery()
    parts = [
        sa.null().cast(part.type).label(part.name) if part.name == column else part
        for part in rows.c
    ]
    with pytest.raises(sa.exc.IntegrityError, match=f'null value in column "{column}"'):
        park(conn, sa.select(*parts), "run")


@pytest.mark.parametrize("state", ["replayed", "discarded"])
def test_settled_rows_leave_the_list_and_stay_on_record(conn: sa.Connection, state: str) -> None:
    park(conn, _rows(1, 2, 3), "run")
    assert settle(conn, "orders.csv", _numbers(1, 3, 9), state) == 2
    assert _states(conn) == {1: state, 2: "parked", 3: state}


def test_settling_again_settles_nothing(conn: sa.Connection) -> None:
    park(conn, _rows(1), "run")
    settle(conn, "orders.csv", _numbers(1), "discarded")
    # what a person gave up stays given up
    assert settle(conn, "orders.csv", _numbers(1)) == 0
    assert _states(conn) == {1: "discarded"}


def test_rows_of_another_source_are_left_alone(conn: sa.Connection) -> None:
    park(conn, _rows(1, source="lines.csv"), "run")
    assert settle(conn, "orders.csv", _numbers(1)) == 0
    assert settle(conn, "lines.csv", _numbers()) == 0
    assert _states(conn) == {1: "parked"}


def test_a_state_nobody_knows_is_refused(conn: sa.Connection) -> None:
    park(conn, _rows(1), "run")
    with pytest.raises(sa.exc.IntegrityError, match="quarantine_state_known_check"):
        settle(conn, "orders.csv", _numbers(1), "forgotten")


@pytest.mark.parametrize(
    ("account", "is_balanced"),
    [((0, 0, 0, 0), True), ((9, 4, 3, 2), True), ((9, 9, 1, 0), False), ((9, 4, 3, 1), False)],
)
def test_an_account_that_loses_or_invents_a_row_is_refused(
    conn: sa.Connection, account: tuple[int, int, int, int], is_balanced: bool
) -> None:
    import_id = conn.execute(
        sa.insert(IMPORTS)
        .values(format="olist", digest="d", run_id="run")
        .returning(IMPORTS.c.import_id)
    ).scalar_one()
    names = ("rows_read", "rows_accepted", "rows_parked", "rows_superseded")
    values = dict(zip(names, account, strict=True))
    entry = sa.insert(IMPORT_ACCOUNTS).values(import_id=import_id, source="orders.csv", **values)
    if is_balanced:
        assert conn.execute(entry).rowcount == 1
        return
    with pytest.raises(sa.exc.IntegrityError, match="import_accounts_balanced_check"):
        conn.execute(entry)


def test_the_same_files_are_taken_once_per_format(conn: sa.Connection) -> None:
    taken = {"digest": "d", "run_id": "run"}
    conn.execute(sa.insert(IMPORTS), [{"format": "olist", **taken}, {"format": "uci", **taken}])
    with pytest.raises(sa.exc.IntegrityError, match="imports_format_digest_key"):
        conn.execute(sa.insert(IMPORTS).values(format="uci", **taken))
