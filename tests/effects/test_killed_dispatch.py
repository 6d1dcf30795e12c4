"""Dispatches killed at random moments under load: every letter arrives exactly once."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom_assets.effects.rules import Policy
from ecom_assets.shared.outbox import ATTEMPTS, OUTBOX
from fixtures.dispatching import dispatch_for_ever
from fixtures.mail import AT_ONCE, effects, plan_letters, running_sink, send
from resources.database import DatabaseResource
from resources.mail import MailResource

KILLS = 20
IMPORTED = ["ecom_assets.effects.dispatch", "ecom_assets.effects.mailing", "resources.mail"]
IMPORTED += ["jinja2", "resources.database", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"]
LETTERS = 800
SEED = 5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_every_letter_arrives_once_whatever_is_killed(
    database: DatabaseResource, tmp_path: Path
) -> None:
    # Of twenty each, one loses its answer and one is lost itself.
    words = ["cut", "lose", *["accept"] * 18]
    names = [f"{words[number % 20]}.{number}" for number in range(LETTERS)]
    with database.begin() as conn:
        plan_letters(conn, *(f"{name}@a.example" for name in names))
    with running_sink(tmp_path / "archive") as sink:
        mail, policy = sink.mail(archive_delay_s=1), replace(AT_ONCE, lease_s=2.0)
        _kill_again_and_again(database, mail, policy)
        assert "planned" in effects(database).values(), "there was work left at the last kill"
        _finish(database, mail, policy)
        assert sink.taken() == Counter(f"<{name}@shop.example>" for name in names)
    assert Counter(effects(database).values()) == {"confirmed": LETTERS}
    with database.begin() as conn:
        rows = sa.select(ATTEMPTS.c.outcome, sa.func.count()).group_by(ATTEMPTS.c.outcome)
        outcomes = dict(conn.execute(rows).tuples().all())
    assert outcomes["confirmed"] == LETTERS
    assert outcomes["abandoned"] > 0, "some were killed with a letter in hand"
    assert "late" not in outcomes


def _kill_again_and_again(database: DatabaseResource, mail: MailResource, policy: Policy) -> None:
    """Kill one dispatch, or two at once, at a random moment of its work, `KILLS` times."""
    draws = random.Random(SEED)
    given = (database.url, mail.model_dump(), policy)
    # The fork server imports once; a new interpreter for each kill would take most of the time.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    for number in range(KILLS):
        workers = [context.Process(target=dispatch_for_ever, args=given) for _ in range(2)]
        workers = workers[: 1 + number % 2]
        for worker in workers:
            worker.start()
        _wait_for_progress(database)
        time.sleep(draws.uniform(0, 0.3))
        for worker in workers:
            worker.kill()
            worker.join()


def _wait_for_progress(database: DatabaseResource) -> None:
    """Until a process that has just started has begun to send."""
    begun = sa.select(sa.func.max(OUTBOX.c.claimed_at))
    with database.begin() as conn:
        before = conn.execute(begun).scalar_one()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with database.begin() as conn:
            if conn.execute(begun).scalar_one() != before:
                return
        time.sleep(0.005)
    raise AssertionError("no dispatch began")


def _finish(database: DatabaseResource, mail: MailResource, policy: Policy) -> None:
    deadline = time.monotonic() + 60
    while set(effects(database).values()) != {"confirmed"}:
        assert time.monotonic() < deadline
        send(database, mail, policy)
        time.sleep(0.1)
