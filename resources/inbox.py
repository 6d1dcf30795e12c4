"""A folder that files are dropped into: which of them are whole, and what is in them.

A file that is still being written changes between two looks, or bears the name of a file that is
not finished; both are left alone until they are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", "~")
"""Endings of files that are not finished."""

Seen = Mapping[str, tuple[int, int]]
"""Size in bytes and time of the last change in nanoseconds, by name."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that is whole.

    Attributes:
        path: where it is.
        digest: SHA-256 of its bytes, hexadecimal.
    """

    path: Path
    digest: str


class FolderResource(dg.ConfigurableResource[None]):
    """A folder that is watched.

    Attributes:
        folder: the folder; empty where none is watched.
        currency: ISO 4217 code of prices that state none; empty where files say it.
    """

    folder: str = ""
    currency: str = ""

    @classmethod
    def of_environment(cls) -> FolderResource:
        """`ECOM_CATALOG_FOLDER` and `ECOM_CATALOG_CURRENCY`, read when they are needed."""
        variables = {"folder": "ECOM_CATALOG_FOLDER", "currency": "ECOM_CATALOG_CURRENCY"}
        given: dict[str, Any] = {
            field: dg.EnvVar(name) for field, name in variables.items() if os.environ.get(name)
        }
        return cls(**given)

    def files(self) -> Seen:
        """Files there are, without those whose names say that they are not finished.

        Raises:
            OSError: the folder cannot be read.
        """
        found = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                is_hidden = entry.name.startswith(".")
                if entry.is_file() and not is_hidden and not entry.name.endswith(UNFINISHED):
                    status = entry.stat()
                    found[entry.name] = (status.st_size, status.st_mtime_ns)
        return dict(sorted(found.items()))

    def read(self, name: str, expected: tuple[int, int]) -> Dropped | None:
        """What is in a file that did not change between two looks; None if it changes now.

        Args:
            name: name of the file.
            expected: its size and time of change as they were seen.
        """
        path = Path(self.folder) / name
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                status = os.fstat(stream.fileno())
        except OSError:
            return None
        is_whole = (status.st_size, status.st_mtime_ns) == expected and status.st_size > 0
        return Dropped(path, digest) if is_whole else None
