"""Folders below a root that no path leaves, neither by dots nor by links.

Every folder and file is opened from the folder it is in, and links are not followed, so what was
judged is what is used.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

from resources.inbox import UNFINISHED

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without waiting: a pipe that nobody writes to would hold its reader for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderUnusable(OSError):
    """A folder or file cannot be used; the message names it below the root."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a folder.

    Attributes:
        name: its name.
        size: bytes.
        written_at: when it was last written, seconds since 1970.
    """

    name: str
    size: int
    written_at: float


class Folder:
    """An open folder."""

    def __init__(self, handle: int, shown: str) -> None:
        """Use an open handle; `shown` is what messages call the folder."""
        self._handle, self._shown = handle, shown

    def files(self, suffixes: tuple[str, ...]) -> list[Found]:
        """Whole files with one of some endings, the oldest first; links and others are passed over.

        Raises:
            FolderUnusable: the folder cannot be read.
        """
        try:
            names = sorted(os.listdir(self._handle))
        except OSError as error:
            raise self._unusable(error) from None
        wanted = (
            name for name in names
            if not name.startswith(".") and name.lower().endswith(suffixes)
            and not name.endswith(UNFINISHED)
        )  # fmt: skip
        found = [file for name in wanted if (file := self._found(name)) is not None]
        return sorted(found, key=lambda file: (file.written_at, file.name))

    def _found(self, name: str) -> Found | None:
        try:
            state = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except OSError:
            return None
        return Found(name, state.st_size, state.st_mtime) if stat.S_ISREG(state.st_mode) else None

    @contextmanager
    def reading(self, name: str) -> Iterator[BufferedReader]:
        """A file of the folder.

        Raises:
            FolderUnusable: it cannot be read, or is no plain file.
        """
        try:
            handle = os.open(name, _FILE, dir_fd=self._handle)
        except OSError as error:
            raise self._unusable(error, name) from None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise FolderUnusable(f"{self._shown}/{name} is no plain file")
            yield file

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """A file that takes a name when it is whole, and never before.

        Raises:
            FolderUnusable: it cannot be written.
        """
        unfinished = f".{name}.{os.getpid()}{UNFINISHED[0]}"
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=self._handle)
        try:
            handle = os.open(unfinished, _NEW, 0o640, dir_fd=self._handle)
            try:
                with os.fdopen(handle, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(handle)
                os.rename(unfinished, name, src_dir_fd=self._handle, dst_dir_fd=self._handle)
            except BaseException:
                with suppress(OSError):
                    os.unlink(unfinished, dir_fd=self._handle)
                raise
        except OSError as error:
            raise self._unusable(error, name) from None

    def move(self, name: str, to: Folder) -> None:
        """Put a file into another folder, over one of the same name; none is no error.

        Raises:
            FolderUnusable: it cannot be moved.
        """
        try:
            os.rename(name, name, src_dir_fd=self._handle, dst_dir_fd=to._handle)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error, name) from None

    def check_writable(self) -> None:
        """Write a file and take it away.

        Raises:
            FolderUnusable: that cannot be done.
        """
        with suppress(OSError):
            os.unlink(".writable", dir_fd=self._handle)
        try:
            os.close(os.open(".writable", _NEW, 0o600, dir_fd=self._handle))
            os.unlink(".writable", dir_fd=self._handle)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError, name: str = "") -> FolderUnusable:
        place = f"{self._shown}/{name}" if name else self._shown
        return FolderUnusable(f"{place}: {(error.strerror or str(error)).lower()}")


@contextmanager
def opened(root: Path, path: str) -> Iterator[Folder]:
    """A folder below a root; missing ones are made, the root itself must be there.

    Args:
        root: where every path begins.
        path: folders with / between them.

    Raises:
        FolderUnusable: there is no root, or a part of the path is no folder of its own.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\x00" in part for part in parts):
        raise FolderUnusable(f"{path} is no path below the folder of channels")
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        said = f"the server's folder of channels cannot be used: {error.strerror}"
        raise FolderUnusable(said) from None
    try:
        for part in parts:
            handle = _step(handle, part, path)
        yield Folder(handle, path)
    finally:
        os.close(handle)


def _step(above: int, name: str, path: str) -> int:
    try:
        with suppress(FileExistsError):
            os.mkdir(name, 0o750, dir_fd=above)
        below = os.open(name, _FOLDER, dir_fd=above)
    except OSError as error:
        said = "is a link or no folder" if isinstance(error, NotADirectoryError) or (
            error.errno == 40) else (error.strerror or "").lower()  # fmt: skip
        raise FolderUnusable(f"{path}: {name}: {said}") from None
    os.close(above)
    return below
