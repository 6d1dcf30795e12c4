"""Records of delimited text in blocks; one that cannot be a row is set apart with its line.

Nothing here knows what the columns mean.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

BATCH_RECORDS = 10_000
"""Records held in memory at a time."""

_EXCERPT = 2_000
"""Characters kept of a record that could not be read."""

Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no row of its file.

    Attributes:
        row_no: number of the record, counted from 1 without the header; 0 before it is known.
        reason: `wrong_field_count`, `bad_quoting`, `not_utf8` or `nul_character`.
        detail: what is wrong, with the line of the file where it has lines.
        text: the record as it came, shortened.
    """

    row_no: int
    reason: str
    detail: str
    text: str


Records = list[Row | Unreadable]


def read_header(lines: Lines, delimiter: str = ",") -> list[str]:
    """The names of the columns, without blanks around them; empty for an empty file."""
    return [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]


def read_records(
    lines: Lines,
    width: int,
    pick: Callable[[Row], Row],
    delimiter: str = ",",
    most: int = BATCH_RECORDS,
) -> Iterator[Records]:
    """Blocks of records behind the header.

    Args:
        lines: the file behind its header.
        width: number of fields of a record.
        pick: what becomes of the fields of a record.
        delimiter: what parts the fields.
        most: lines of a block.
    """
    while block := lines.take(most):
        rows = _whole_rows(block, width, delimiter)
        if rows is None:
            lines.give_back(block)
            yield list(_one_by_one(lines, width, len(block), pick, delimiter))
        else:
            yield list(map(pick, rows))


def shown(record: str) -> str:
    """A record as a person may look at it: one line, shortened, without what cannot be stored."""
    text = record.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:_EXCERPT]


class Lines:
    """The lines of a file, which can be given back to be read once more."""

    def __init__(self, stream: IO[str]) -> None:
        """Read from `stream`, opened without translation of line ends."""
        self._stream = stream
        self._again: deque[str] = deque()
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self.record.append(line)
        self.number += 1
        return line

    def take(self, most: int) -> list[str]:
        """The next lines, fewer at the end of the file."""
        lines = [self._again.popleft() for _ in range(min(most, len(self._again)))]
        lines += islice(self._stream, most - len(lines))
        self.number += len(lines)
        return lines

    def give_back(self, lines: list[str]) -> None:
        """Let lines be read once more."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def _whole_rows(block: list[str], width: int, delimiter: str) -> list[list[str]] | None:
    """The rows of a block without multi-line or wrong records; None if there are any.

    This is the fast way: the csv module sees the whole block at once.
    """
    try:
        # A record that goes on behind the block is an open quote at the end, which is no CSV.
        rows = list(csv.reader(block, strict=True, delimiter=delimiter))
    except csv.Error:
        return None
    return rows if len(rows) == len(block) and set(map(len, rows)) == {width} else None


def _one_by_one(
    lines: Lines, width: int, most: int, pick: Callable[[Row], Row], delimiter: str
) -> Iterator[Row | Unreadable]:
    """Records that begin in the next `most` lines, wrong ones as what was wrong with them.

    An unclosed quote swallows the lines behind it. So only the first line of a wrong record is set
    apart, and the lines behind it are read again as records of their own.
    """
    # Strict, since a lenient reader glues lines together at a stray quote without a word.
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    end = lines.number + most
    while lines.number < end:
        lines.record.clear()
        reason, problem = "wrong_field_count", ""
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            record, reason, problem = [""], "bad_quoting", str(error)
        if len(record) == width and not problem:
            yield pick(record)
        elif record:
            problem = problem or f"{len(record)} fields, the header has {width}"
            lines.give_back(lines.record[1:])
            text = shown(lines.record[0])
            yield Unreadable(0, reason, f"line {lines.number}: {problem}", text)
