"""The shop's archive of its own mail: a Maildir that gets a copy of every accepted message."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path

_FOLDERS = ("new", "cur")
# Another machine may have written the files, by its own clock.
_CLOCKS_APART = timedelta(hours=1)


def find(archive: Path, message_ids: Collection[str], since: datetime) -> frozenset[str] | None:
    """Which messages are in the archive.

    Args:
        archive: folder of the Maildir, with `new` and `cur`.
        message_ids: Message-IDs with their angle brackets.
        since: moment before which none of them was sent; older files are not opened.

    Returns:
        Those found, or None where looking proves nothing: no such folder, one that cannot be read,
        or one that never got a message.
    """
    wanted, oldest = set(message_ids), (since - _CLOCKS_APART).timestamp()
    found: set[str] = set()
    is_fed = False
    try:
        for file in _files(archive):
            is_fed = True
            if file.stat().st_mtime >= oldest:
                found.add(_message_id(Path(file)))
    except OSError:
        return None
    return frozenset(found & wanted) if is_fed else None


def _files(archive: Path) -> Iterator[os.DirEntry[str]]:
    # `cur` last: a message moves from `new` to `cur` and must not slip through between the looks.
    for folder in _FOLDERS:
        with os.scandir(archive / folder) as entries:
            yield from (entry for entry in entries if entry.is_file())


def _message_id(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            # The body is left alone: it may be many times as long.
            head = b"".join(iter(lambda: stream.readline().rstrip(b"\r\n") + b"\n", b"\n"))
        return str(BytesHeaderParser().parsebytes(head)["Message-ID"] or "").strip()
    except FileNotFoundError:
        return ""  # moved meanwhile; seen again in the folder it went to
