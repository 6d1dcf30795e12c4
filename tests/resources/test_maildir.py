"""The archive: found is found; not found is told from could not look."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources import maildir

NOW = datetime.now(UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
    return tmp_path


def deliver(archive: Path, message_id: str, folder: str = "new", age: int = 0) -> Path:
    file = archive / folder / f"{len(list(archive.glob('*/*')))}.host"
    file.write_bytes(f"Message-ID: {message_id}\r\nSubject: s\r\n\r\nbody".encode())
    moment = (NOW - timedelta(hours=age)).timestamp()
    os.utime(file, (moment, moment))
    return file


def test_messages_are_found_read_or_unread(archive: Path) -> None:
    deliver(archive, "<a@x>")
    deliver(archive, "<b@x>", "cur")
    found = maildir.find(archive, ["<a@x>", "<b@x>", "<c@x>"], NOW)
    assert found == frozenset({"<a@x>", "<b@x>"})


def test_a_folded_message_id_is_found(archive: Path) -> None:
    deliver(archive, "\r\n <a@x>")
    assert maildir.find(archive, ["<a@x>"], NOW) == frozenset({"<a@x>"})


def test_a_message_that_only_names_another_is_not_it(archive: Path) -> None:
    file = archive / "new" / "1"
    file.write_bytes(b"Message-ID: <bounce@x>\r\nIn-Reply-To: <a@x>\r\n\r\nMessage-ID: <a@x>\r\n")
    assert maildir.find(archive, ["<a@x>"], NOW) == frozenset()


def test_what_is_still_being_delivered_is_not_there_yet(archive: Path) -> None:
    deliver(archive, "<a@x>", "tmp")
    deliver(archive, "<b@x>")
    assert maildir.find(archive, ["<a@x>"], NOW) == frozenset()


def test_files_from_before_the_attempt_are_not_opened(archive: Path) -> None:
    old = deliver(archive, "<a@x>", age=3)
    assert maildir.find(archive, ["<a@x>"], NOW) == frozenset()
    os.utime(old, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    assert maildir.find(archive, ["<a@x>"], NOW) == frozenset({"<a@x>"}), "clocks differ a little"


def test_an_archive_that_never_got_a_message_proves_nothing(archive: Path) -> None:
    assert maildir.find(archive, ["<a@x>"], NOW) is None


def test_a_folder_that_is_no_maildir_proves_nothing(tmp_path: Path) -> None:
    assert maildir.find(tmp_path, ["<a@x>"], NOW) is None
    assert maildir.find(tmp_path / "missing", ["<a@x>"], NOW) is None
