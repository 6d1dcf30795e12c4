"""A mail server that all tests of a module share; each test looks for its own messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.mail import Sink, running_sink


@pytest.fixture(scope="module")
def shared_sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    """A mail server."""
    with running_sink(tmp_path_factory.mktemp("mail") / "archive") as sink:
        yield sink


@pytest.fixture
def sink(shared_sink: Sink) -> Sink:
    """The mail server, with an archive as if it had just begun but for one old message."""
    for message in list(shared_sink.archive.glob("new/*"))[1:]:
        message.unlink()
    return shared_sink
