"""Words of the database are heard, silence ends, and a lost server is an error that passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Timer

import psycopg
import pytest
import sqlalchemy as sa

from resources.database import DatabaseResource
from resources.listening import Listener, listening

CHANNEL = "test_words"
SOON, LONG = 0.05, 20.0


def say(database: DatabaseResource, channel: str = CHANNEL) -> None:
    with database.begin() as conn:
        conn.execute(sa.select(sa.func.pg_notify(channel, "")))


@pytest.fixture
def ear(module_database: DatabaseResource) -> Iterator[Listener]:
    """Somebody who listens."""
    with listening(module_database.url, CHANNEL, 'odd "channel"') as listener:
        yield listener


def cut_off(database: DatabaseResource) -> None:
    """Let the server end every connection that listens."""
    end = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ecom listener' AND datname = current_database()"
    )
    with database.begin() as conn:
        # the connection of the test before may still be on its way out
        assert conn.execute(end).all()


def test_silence_ends(ear: Listener) -> None:
    assert not ear.wait(SOON)
    assert not ear.wait(0)


@pytest.mark.parametrize("channel", [CHANNEL, 'odd "channel"'])
def test_a_word_is_heard_once(
    ear: Listener, module_database: DatabaseResource, channel: str
) -> None:
    say(module_database, channel)
    assert ear.wait(LONG)
    assert not ear.wait(SOON)


def test_a_word_on_another_channel_is_not_for_us(
    ear: Listener, module_database: DatabaseResource
) -> None:
    say(module_database, "elsewhere")
    assert not ear.wait(SOON)


def test_a_word_is_heard_at_once_and_not_at_the_end(
    ear: Listener, module_database: DatabaseResource
) -> None:
    speaker = Timer(SOON, say, (module_database,))
    speaker.start()
    begun = time.monotonic()
    assert ear.wait(LONG)
    assert time.monotonic() - begun < LONG / 2
    speaker.join()


def test_what_is_rolled_back_was_never_said(
    ear: Listener, module_database: DatabaseResource
) -> None:
    with module_database.engine.connect() as conn:
        conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
        conn.rollback()
    assert not ear.wait(SOON)


def test_nothing_said_between_two_waits_is_missed(
    ear: Listener, module_database: DatabaseResource
) -> None:
    for _ in range(3):
        say(module_database)
    assert ear.wait(LONG)
    # Several words may be one: whoever hears looks at the tables, where all is.
    while ear.wait(SOON):
        continue


def test_a_lost_connection_is_an_error_and_then_made_again(
    ear: Listener, module_database: DatabaseResource
) -> None:
    cut_off(module_database)
    with pytest.raises(psycopg.OperationalError):
        ear.wait(LONG)
    ear.open()
    say(module_database)
    assert ear.wait(LONG)


def test_a_connection_lost_in_a_wait_ends_the_wait(
    ear: Listener, module_database: DatabaseResource
) -> None:
    killer = Timer(SOON, cut_off, (module_database,))
    killer.start()
    with pytest.raises(psycopg.OperationalError):
        ear.wait(LONG)
    killer.join()
    assert not ear.wait(SOON)


def test_a_server_that_is_away_is_an_error_every_time() -> None:
    listener = Listener("postgresql+psycopg://nobody@127.0.0.1:1/none", (CHANNEL,))
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            listener.wait(LONG)
    listener.close()


def test_a_listener_may_be_closed_twice_and_used_again(ear: Listener) -> None:
    ear.close()
    ear.close()
    assert not ear.wait(SOON)


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_the_end_of_the_block_closes_the_connection(
    database: DatabaseResource, error: type[Exception] | None
) -> None:
    def listen() -> None:
        with listening(database.url, CHANNEL):
            if error:
                raise error

    if error:
        with pytest.raises(error):
            listen()
    else:
        listen()
    ears = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'ecom listener' AND datname = current_database()"
    )
    deadline = time.monotonic() + 10
    while True:
        with database.begin() as conn:
            left = conn.execute(ears).scalar_one()
        if not left or time.monotonic() > deadline:
            break
        time.sleep(SOON)
    assert left == 0
