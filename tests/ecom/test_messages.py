"""Files of JSON lines: every line is accounted for, and bad ones are named by their number."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom import cli
from ecom.messages import MOST_SHOWN, bad_lines, take_file
from ecom.problems import Problem
from ecom_assets.orders.delivery import IntakeReport, RowFault
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.storable import MOST_PAYLOAD_CHARACTERS
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared.quarantine import QUARANTINE
from resources.database import DatabaseResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def line(order: str, **members: Any) -> bytes:
    message = {"channel": "web", "external_id": order, "received_at": "2024-05-01T14:00:00+02:00",
               "payload": {}, **members}  # fmt: skip
    return json.dumps(message).encode()


LINES = [
    b"\xef\xbb\xbf" + line("1"),
    b"",
    b"{",
    line("2", received_at=None) + b"\r",
    line("1"),
    line("3", received_at="yesterday"),
    line("4", payload={"cancel": {}}, kind="cancellation"),
    b"\xff",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(LINES))
    return path


def taken(database: DatabaseResource, file: Path, policy: str = "park") -> IntakeReport:
    return take_file(database.begin, file, policy, NOON)


def numbers(report: IntakeReport) -> list[int]:
    return [fault.row for fault in report.faults]


def test_bad_lines_are_parked_under_the_files_name(database: DatabaseResource, file: Path) -> None:
    report = taken(database, file)
    assert (report.given, report.added, report.repeated, report.parked) == (7, 3, 1, 3)
    assert numbers(report) == [3, 6, 8]
    with database.begin() as conn:
        rows = conn.execute(sa.select(QUARANTINE).order_by(QUARANTINE.c.row_number)).all()
        moments = conn.execute(sa.select(INBOX.c.received_at).distinct()).scalars().all()
    assert [(row.source, row.row_number) for row in rows] == [
        ("orders.jsonl", 3), ("orders.jsonl", 6), ("orders.jsonl", 8),
    ]  # fmt: skip
    assert [row.row["text"][:4] for row in rows] == ["{", '{"ch', "\\xff"]
    assert moments == [NOON]
    again = taken(database, file)
    assert (again.given, again.repeated, again.added + again.parked) == (7, 7, 0)


def test_a_bad_line_rejects_itself_or_the_file(database: DatabaseResource, file: Path) -> None:
    batch = taken(database, file, "reject-batch")
    assert (batch.given, batch.rejected) == (7, 7)
    row = taken(database, file, "reject-row")
    # empty documents are no orders: the rules of acceptance say so before they are taken
    assert (row.given, row.rejected, row.added) == (7, 6, 1)
    assert numbers(batch) == numbers(row) == [1, 3, 4, 5, 6, 8]
    assert "received_at must be a moment" in " ".join(bad_lines(row))


def test_many_lines_are_one_transaction(database: DatabaseResource, tmp_path: Path) -> None:
    """A fault behind many good portions takes them all back."""
    good: dict[str, Any] = {"cancel": {}}
    lines = [line(str(order), kind="cancellation", payload=good) for order in range(1000)]
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"\n".join([*lines, b"{"]))
    assert taken(database, file, "reject-batch").rejected == 1001
    assert taken(database, file, "reject-row").added == 1000


def test_a_line_without_end_does_not_fill_the_memory(
    database: DatabaseResource, tmp_path: Path
) -> None:
    file = tmp_path / "wide.jsonl"
    file.write_bytes(b"x" * (20 * MOST_PAYLOAD_CHARACTERS) + b"\n" + line("1"))
    report = taken(database, file)
    assert (report.given, report.parked, report.added) == (2, 1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "value must be there"),
        (b"", "value must be JSON"),
        (b'"text"', "value must be a JSON object"),
        (b"[" * 100_000, "value must be JSON"),
        (b"1" * 5000, "value must be JSON"),
        (b'{"channel": "web", "external_id": "1"}', "payload must be there"),
        (line("1", recieved_at="x"), "member recieved_at is unknown"),
    ],
)
def test_what_holds_no_message_says_why(text: bytes | None, said: str) -> None:
    delivery = read_envelope(text, 7, NOON)
    assert (delivery.number, delivery.message, delivery.row) == (7, None, text)
    assert (delivery.fault or "").startswith(f"undecodable_row: {said}")


def test_only_so_many_bad_lines_are_shown() -> None:
    faults = tuple(RowFault(row, "payload", "x", "y") for row in range(MOST_SHOWN + 5))
    shown = list(bad_lines(IntakeReport(len(faults), rejected=len(faults), faults=faults)))
    assert (len(shown), shown[-1]) == (MOST_SHOWN + 1, "and 5 more")


@pytest.mark.parametrize(("name", "policy"), [("none.jsonl", "park"), ("orders.jsonl", "guess")])
def test_a_missing_file_and_an_unknown_policy(
    database: DatabaseResource, file: Path, name: str, policy: str
) -> None:
    with pytest.raises(Problem, match=r"cannot be read|no policy guess"):
        taken(database, file.parent / name, policy)


def test_the_command_line(
    database: DatabaseResource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)
    monkeypatch.delenv("ECOM_KAFKA_BROKERS", raising=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(LINES))))
    arguments = ["ecom", "import-messages", "-", "--policy", "reject-row"]
    monkeypatch.setattr("sys.argv", [*arguments, "--received-at", "2024-05-01T12:00:00Z"])
    assert cli.run() == 1
    out, err = capfd.readouterr()
    assert out == "7 rows = 1 new + 0 repeated + 6 rejected + 0 parked\n"
    assert "line 3: value must be JSON in UTF-8" in err
    monkeypatch.setattr("sys.argv", ["ecom", "consume", "--topic", "orders"])
    assert cli.run() == 1
    assert "ECOM_KAFKA_BROKERS" in capfd.readouterr().err
