"""`ecom import-messages`: order messages and cancellations from a file of JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from ecom.problems import Problem
from ecom_assets.orders import store
from ecom_assets.orders.delivery import Delivery, IntakeReport, Policy
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.storable import MOST_PAYLOAD_CHARACTERS

MOST_SHOWN = 100
"""Bad lines that are named one by one."""

_MOST_BYTES = 8 * MOST_PAYLOAD_CHARACTERS
"""Longest line that is read; a good one is shorter even where all its letters are escapes."""


def take_file(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    file: Path,
    policy: str,
    received_at: datetime | None,
) -> IntakeReport:
    """Take a file of JSON lines into the inbox in one transaction; row numbers are line numbers.

    Args:
        begin: opens a transaction that commits on success (`DatabaseResource.begin`).
        file: the file, or `-` for standard input.
        policy: park, reject-row or reject-batch.
        received_at: moment of arrival of lines that name none.

    Raises:
        Problem: the file cannot be read, or there is no such policy.
    """
    try:
        chosen = Policy(policy.replace("-", "_"))
    except ValueError:
        raise Problem(f"no policy {policy}; it is park, reject-row or reject-batch") from None
    with _opened(file) as lines, begin() as conn:
        rows = _rows(lines, received_at)
        return store.take_deliveries(conn, rows, chosen, file.name, "import-messages")


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        lines = file.open("rb")
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}") from error
    with lines:
        yield lines


def _rows(lines: IO[bytes], received_at: datetime | None) -> Iterator[Delivery]:
    number = 0
    while line := lines.readline(_MOST_BYTES):
        number += 1
        kept = line
        # The rest of a line that no message needs is passed over, so that it fits the memory.
        while line and not line.endswith(b"\n"):
            line = lines.readline(_MOST_BYTES)
        if kept.strip():
            yield read_envelope(kept.rstrip(b"\r\n"), number, received_at)


def bad_lines(report: IntakeReport) -> Iterator[str]:
    """A line for people per bad row, up to `MOST_SHOWN`."""
    for fault in report.faults[:MOST_SHOWN]:
        yield f"line {fault.row}: {fault.detail} ({fault.reason})"
    if len(report.faults) > MOST_SHOWN:
        yield f"and {len(report.faults) - MOST_SHOWN:,} more"


def in_words(report: IntakeReport) -> str:
    """The account of a delivery in a line."""
    return (
        f"{report.given:,} rows = {report.added:,} new + {report.repeated:,} repeated"
        f" + {report.rejected:,} rejected + {report.parked:,} parked"
    )
