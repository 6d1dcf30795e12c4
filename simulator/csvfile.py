"""Write columns to CSV files and keep count of what the importer must make of the rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.draws import Ints, Texts, Words

Column = npt.NDArray[Any] | Sequence[object]


@dataclass(slots=True)
class Account:
    """What is to become of the rows of a file.

    Attributes:
        parked: rows that cannot be used.
        superseded: rows that another row repeats or replaces.
        rows: all rows, without the header.
    """

    rows: int = 0
    parked: int = 0
    superseded: int = 0

    def as_dict(self) -> dict[str, int]:
        """For the manifest, with the accepted rows, which are all others."""
        accepted = self.rows - self.parked - self.superseded
        return {"rows": self.rows, "accepted": accepted, "parked": self.parked,
                "superseded": self.superseded}  # fmt: skip


class CsvFile:
    """A CSV file with a header, written in blocks of columns or rows.

    Lines end in a line feed and text is UTF-8; a lone surrogate writes the byte it stands for, so
    that bytes which are not UTF-8 can be written on purpose.
    """

    def __init__(self, folder: Path, stem: str, header: Sequence[str]) -> None:
        self.name = f"{stem}.csv"
        self.account = Account()
        self._stream = (folder / self.name).open(
            "w", encoding="utf-8", errors="surrogateescape", newline=""
        )
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(header)

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file."""
        self._stream.close()

    def columns(self, *columns: Column) -> None:
        """Write rows given as columns of equal length."""
        self.rows(rows_of(*columns))

    def rows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write rows."""
        listed = list(rows)
        self._writer.writerows(listed)
        self.account.rows += len(listed)


def rows_of(*columns: Column) -> list[tuple[object, ...]]:
    """Turn columns into rows of plain Python values, which `csv` writes fastest."""
    lists = [each.tolist() if isinstance(each, np.ndarray) else each for each in columns]
    return list(zip(*lists, strict=True))


def moments(second: Ints, without: int | None = None) -> Texts:
    """Moments in UTC, such as 2025-01-06 08:00:00; empty where the second is `without`."""
    plain = np.datetime_as_string(second.astype("datetime64[s]")).tolist()
    shown: Texts = np.array([each.replace("T", " ") for each in plain], dtype=object)
    return shown if without is None else np.where(second == without, "", shown)


def tokens(prefix: str, word: Words) -> Texts:
    """Opaque identifiers of 64 bits, such as those of devices and cards."""
    return np.array([f"{prefix}{each:016x}" for each in word.tolist()], dtype=object)


def addresses_of_network(word: Words) -> Texts:
    """IPv4 addresses in the private range 10.0.0.0/8, which belongs to nobody."""
    parts = [(word >> np.uint64(shift)) & np.uint64(255) for shift in (8, 16, 24)]
    triples = zip(*(part.tolist() for part in parts), strict=True)
    return np.array([f"10.{a}.{b}.{c}" for a, b, c in triples], dtype=object)
