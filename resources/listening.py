"""Words from PostgreSQL: LISTEN on channels, over a connection of its own.

A notification is a hint and never the truth: one sent while nobody listens is lost. Whoever waits
here looks at the tables before the first wait and after every one, also after one without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url


class Listener:
    """Listens on channels; a lost connection is made again at the next wait."""

    def __init__(self, url: str, channels: tuple[str, ...]) -> None:
        """Describe what to listen to; `listening` opens the connection."""
        self._address = make_url(url).set(drivername="postgresql")
        self._channels = channels
        self._conn: psycopg.Connection | None = None

    def wait(self, seconds: float) -> bool:
        """Wait until somebody says something; False after `seconds` of silence.

        Raises:
            psycopg.OperationalError: the server cannot be reached, now or any more.
        """
        conn = self._open()
        try:
            return any(True for _ in conn.notifies(timeout=seconds, stop_after=1))
        except psycopg.OperationalError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next wait opens another."""
        if self._conn is not None:
            with suppress(psycopg.Error):
                self._conn.close()
            self._conn = None

    def _open(self) -> psycopg.Connection:
        if self._conn is None or self._conn.closed:
            address = self._address.render_as_string(hide_password=False)
            conn = psycopg.connect(address, autocommit=True, application_name="ecom listener")
            for channel in self._channels:
                conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._conn = conn
        return self._conn

    def open(self) -> None:
        """Begin to listen, so that nothing said from now on is missed.

        Raises:
            psycopg.OperationalError: the server cannot be reached.
        """
        self._open()


@contextmanager
def listening(url: str, *channels: str) -> Iterator[Listener]:
    """Listen while the block runs."""
    listener = Listener(url, channels)
    listener.open()
    try:
        yield listener
    finally:
        listener.close()
