"""A transaction whose process falls silent is ended by the server."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from resources.database import DatabaseResource, be_impatient
from resources.retry import is_passing, retried

LOCK = sa.text("SELECT pg_advisory_xact_lock(1)")
IS_FREE = sa.text("SELECT pg_try_advisory_xact_lock(1)")


def is_free(database: DatabaseResource) -> bool:
    with database.begin() as conn:
        return bool(conn.execute(IS_FREE).scalar_one())


def test_a_silent_transaction_lets_go_and_may_be_tried_again(database: DatabaseResource) -> None:
    tries = []

    def work() -> int:
        tries.append(1)
        with database.begin() as conn:
            be_impatient(conn, 0.2)
            conn.execute(LOCK)
            if len(tries) == 1:
                assert not is_free(database)
                deadline = time.monotonic() + 30
                while not is_free(database):
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            return int(conn.execute(sa.text("SELECT 7")).scalar_one())

    assert retried(work) == 7
    assert len(tries) == 2


def test_the_loss_is_one_that_may_pass(database: DatabaseResource) -> None:
    def fall_silent() -> None:
        with database.begin() as conn:
            be_impatient(conn, 0.1)
            conn.execute(LOCK)
            time.sleep(1)
            conn.execute(LOCK)

    with pytest.raises(sa.exc.DBAPIError) as raised:
        fall_silent()
    assert is_passing(raised.value)


def test_it_lasts_no_longer_than_the_transaction(database: DatabaseResource) -> None:
    setting = sa.text("SHOW idle_in_transaction_session_timeout")
    with database.begin() as conn:
        be_impatient(conn, 5)
        assert conn.execute(setting).scalar_one() == "5s"
    with database.begin() as conn:
        assert conn.execute(setting).scalar_one() == "1min"


def test_a_transaction_that_takes_too_long_in_all_is_ended(database: DatabaseResource) -> None:
    def go_on() -> None:
        with database.begin() as conn:
            version = conn.execute(sa.text("SHOW server_version_num")).scalar_one()
            if int(version) < 170_000:
                pytest.skip("the server limits no whole transaction before version 17")
            be_impatient(conn, 0.3)
            for _ in range(50):
                conn.execute(sa.text("SELECT pg_sleep(0.1)"))

    with pytest.raises(sa.exc.DBAPIError) as raised:
        go_on()
    assert is_passing(raised.value)
