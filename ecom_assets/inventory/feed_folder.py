"""Which files of a folder are stock feeds, and what their names say.

`<folder>/<site code>/<name>.csv`, `.csv.gz` or `.xlsx`. A name with `.delta.` is a delta, one with
`.changes.` holds changes, any other is a snapshot. A moment in the name, as in
`stock_2026-01-05T0600Z.csv`, is the moment of its levels; without one it is when the file was
written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ecom_assets.inventory.model import FeedKind

_SUFFIXES = (".csv", ".csv.gz", ".xlsx")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T_](\d{2}):?(\d{2}):?(\d{2})?Z")


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A file that is a stock feed.

    Attributes:
        path: where it is.
        site_code: its folder's name.
        kind: what it says.
        as_of: moment of its levels.
        is_stated: whether its name says so.
        origin: its place, size and time, which tell one version of it from the next.
    """

    path: Path
    site_code: str
    kind: FeedKind
    as_of: datetime
    is_stated: bool
    origin: str

    def as_config(self) -> dict[str, str]:
        """The file as a run is told of it."""
        as_of = self.as_of.isoformat()
        return {
            "path": str(self.path),
            "site_code": self.site_code,
            "kind": self.kind.value,
            "as_of": as_of,
            "stated_as_of": as_of if self.is_stated else "",
            "origin": self.origin,
        }


def find_feeds(folder: Path, written_before: datetime) -> list[FoundFeed]:
    """The feeds in a folder, in the order in which they are to be applied.

    Args:
        folder: folder of one folder per location; it may be missing.
        written_before: files written later may not be whole yet.
    """
    found = [feed for feed in _files(folder) if feed[1] < written_before]
    return sorted((feed for feed, _ in found), key=lambda f: (f.site_code, f.as_of, f.path))


def _files(folder: Path) -> Iterator[tuple[FoundFeed, datetime]]:
    for path in folder.glob("*/*"):
        if path.name.startswith(".") or not path.name.lower().endswith(_SUFFIXES):
            continue
        try:
            state = path.stat()
        except OSError:
            # Gone since the folder was listed.
            continue
        written = datetime.fromtimestamp(state.st_mtime, UTC)
        stated = stated_moment(path.name)
        place = f"{path.parent.name}/{path.name}"
        origin = f"{place}:{state.st_size}:{state.st_mtime_ns}"
        kind = _kind(path.name)
        yield (
            FoundFeed(path, path.parent.name, kind, stated or written, stated is not None, origin),
            written,
        )


def stated_moment(name: str) -> datetime | None:
    """The moment that a file's name states, in UTC."""
    match = _MOMENT.search(name)
    if match is None:
        return None
    day, hour, minute, second = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}+00:00")
    except ValueError:
        return None


def _kind(name: str) -> FeedKind:
    for kind in (FeedKind.DELTA, FeedKind.CHANGES):
        if f".{kind.value}." in name.lower():
            return kind
    return FeedKind.SNAPSHOT
