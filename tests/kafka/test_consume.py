"""A topic goes into the inbox exactly once, whoever dies, comes back or starts anew meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from ecom.consume import TopicIntake
from ecom.problems import Problem
from ecom.settings import ROOT
from ecom_assets.orders.delivery import IntakeReport
from ecom_assets.orders.tables import CONSUMED_OFFSETS, INBOX
from ecom_assets.shared.quarantine import QUARANTINE
from fixtures.broker import Broker, running_broker
from resources.database import DatabaseResource
from resources.kafka import Kafka

TOPIC, GROUP = "orders", "shop"

PROGRAM = """
import sys
from ecom import consume
from ecom.serve import told_to_stop
from resources.database import DatabaseResource
from resources.kafka import Kafka
brokers, database, topic, group = sys.argv[1:]
consume.BATCH = 25
def say(line):
    print(line, flush=True)

with told_to_stop() as stop:
    print("ready", flush=True)
    intake = consume.TopicIntake(
        Kafka(brokers), DatabaseResource(url=database), topic, group, say, stop)
    print(intake.run(once=False), flush=True)
"""
"""A consumer with small batches, so that a kill finds it in the middle."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running_broker({TOPIC: 2}) as running:
        yield running


def message(order: int, revision: int = 0, **members: Any) -> dict[str, Any]:
    at = f"2024-05-01T12:{revision:02}:00Z"
    return {
        "channel": "web", "external_id": f"A-{order}", "received_at": at,
        "payload": {"revision": revision}, **members,
    }  # fmt: skip


def consume(broker: Broker, database: DatabaseResource) -> IntakeReport:
    said: list[str] = []
    intake = TopicIntake(Kafka(broker.address), database, TOPIC, GROUP, said.append, Event())
    return intake.run(once=True)


@contextmanager
def process(broker: Broker, database: DatabaseResource) -> Iterator[subprocess.Popen[str]]:
    """A consumer in a process of its own, killed at the end if it still lives."""
    given = [broker.address, database.url, TOPIC, GROUP]
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *given], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout
    assert started.stdout.readline() == "ready\n"
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def joined(consumer: subprocess.Popen[str]) -> None:
    """Read what the consumer says until it has partitions."""
    assert consumer.stdout
    while not (line := consumer.stdout.readline()).endswith("are ours\n"):
        assert line


def count(database: DatabaseResource, table: sa.Table = INBOX) -> int:
    with database.begin() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def offsets(database: DatabaseResource) -> int:
    """Records taken, over all partitions."""
    with database.begin() as conn:
        query = sa.select(sa.func.coalesce(sa.func.sum(CONSUMED_OFFSETS.c.next_offset), 0))
        return int(conn.execute(query).scalar_one())


def wait(until: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def _is_taken(database: DatabaseResource, records: float) -> bool:
    return offsets(database) > records


def keys(database: DatabaseResource) -> set[tuple[str, int]]:
    with database.begin() as conn:
        body = sa.cast(INBOX.c.payload["revision"], sa.Integer)
        rows = conn.execute(sa.select(INBOX.c.external_id, body)).tuples().all()
    assert len(set(rows)) == len(rows), "a message is in the inbox twice"
    return set(rows)


def test_what_a_record_is_decides_where_it_goes(broker: Broker, database: DatabaseResource) -> None:
    broker.produce(
        TOPIC,
        [
            message(1), message(1), message(1, 1),
            message(2, kind="cancellation", payload={"cancel": {}}),
            {key: value for key, value in message(3).items() if key != "received_at"},
            b"{", b"\xff\x00", None, b"[1]", {"channel": "web"}, message(4, payload="\x00"),
            message(5, recieved_at="x"),
        ],
    )  # fmt: skip
    report = consume(broker, database)
    counts = (report.given, report.added, report.repeated, report.parked)
    assert counts == (12, 4, 1, 7)
    with database.begin() as conn:
        parked = conn.execute(sa.select(QUARANTINE).order_by(QUARANTINE.c.row_number)).all()
        kinds = conn.execute(sa.select(INBOX.c.kind).order_by(INBOX.c.external_id)).scalars().all()
        stamped = conn.execute(
            sa.select(INBOX.c.received_at).where(INBOX.c.external_id == "A-3")
        ).scalar_one()
    assert kinds == ["order", "order", "cancellation", "order"]
    # the third message names no moment: the broker's record does
    assert stamped.year > 2024
    assert {row.source for row in parked} <= {f"kafka:{TOPIC}/0", f"kafka:{TOPIC}/1"}
    assert {row.row["text"][:2] for row in parked} >= {"{", "\\x", "[1"}
    assert consume(broker, database).given == 0


@pytest.mark.slow
def test_killed_consumers_take_every_record_once(
    broker: Broker, database: DatabaseResource
) -> None:
    random = Random(3)
    good = [message(order, revision) for order in range(600) for revision in (0, 1)]
    garbage = [b"no JSON %d" % number for number in range(100)]
    values: list[Any] = [*good, *random.choices(good, k=700), *garbage]
    random.shuffle(values)
    broker.produce(TOPIC, values)
    for share in (0.1, 0.3, 0.5):
        with process(broker, database) as consumer:
            wait(partial(_is_taken, database, share * len(values)))
            consumer.send_signal(signal.SIGKILL)
    assert offsets(database) < len(values)
    consume(broker, database)
    assert offsets(database) == len(values) == 2000
    assert keys(database) == {(each["external_id"], each["payload"]["revision"]) for each in good}
    assert count(database, QUARANTINE) == len(garbage)


@pytest.mark.slow
def test_two_consumers_share_the_topic_and_one_takes_over(
    broker: Broker, database: DatabaseResource
) -> None:
    with process(broker, database) as first:
        broker.produce(TOPIC, [message(order) for order in range(300)])
        wait(lambda: offsets(database) > 0)
        with process(broker, database) as second:
            broker.produce(TOPIC, [message(order) for order in range(300, 600)])
            joined(second)
            wait(lambda: offsets(database) == 600)
            first.send_signal(signal.SIGTERM)
            assert first.wait(20) == 0
            broker.produce(TOPIC, [message(order) for order in range(600, 700)])
            wait(lambda: offsets(database) == 700)
            assert second.poll() is None
    assert len(keys(database)) == count(database) == 700


@pytest.mark.slow
def test_a_consumer_taken_for_dead_takes_nothing_that_another_took(
    broker: Broker, database: DatabaseResource
) -> None:
    """It is stopped with a batch in hand, and goes on when its partitions are another's."""
    broker.produce(TOPIC, [message(order) for order in range(400)] + [b"garbage"] * 20)
    with process(broker, database) as sleeper:
        joined(sleeper)
        wait(lambda: offsets(database) > 0)
        sleeper.send_signal(signal.SIGSTOP)
        with process(broker, database):
            # Stopped in a transaction, the server must end that first.
            wait(lambda: offsets(database) == 420, 90)
            sleeper.send_signal(signal.SIGCONT)
            broker.produce(TOPIC, [message(order) for order in range(400, 500)])
            wait(lambda: offsets(database) == 520)
            joined(sleeper)
            assert sleeper.poll() is None
    assert len(keys(database)) == 500
    assert count(database, QUARANTINE) == 20


def test_a_restarted_broker_with_a_topic_made_anew(
    broker: Broker, database: DatabaseResource
) -> None:
    """The old offsets say nothing of the new topic, and what it repeats is no news."""
    with process(broker, database):
        broker.produce(TOPIC, [message(order) for order in range(50)] + [b"garbage"])
        wait(lambda: offsets(database) == 51)
        broker.stop()
        broker.start({TOPIC: 2})
        broker.produce(TOPIC, [message(order) for order in range(60)])
        # Until it hears of it, the client reads the new topic from where it stood in the old one,
        # so that some records are read twice.
        wait(lambda: count(database) == 60)
    assert len(keys(database)) == 60
    assert count(database, QUARANTINE) == 1


def test_a_lost_database_is_waited_for(
    broker: Broker, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    stop = Event()
    intake = TopicIntake(Kafka(broker.address), database, TOPIC, GROUP, said.append, stop)
    begin, failures = intake._database.begin, [2]

    class Failing:
        def begin(self) -> Any:
            if failures[0]:
                failures[0] -= 1
                raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))
            return begin()

    monkeypatch.setattr(intake, "_database", Failing())
    broker.produce(TOPIC, [message(1)])
    assert intake.run(once=True).added == 1
    assert [line for line in said if line.startswith("waiting: ")]


def test_a_broker_that_does_not_answer(
    database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecom.consume.ANSWER_SECONDS", 1.0)
    intake = TopicIntake(Kafka("127.0.0.1:9"), database, TOPIC, GROUP, print, Event())
    with pytest.raises(Problem, match="topic orders cannot be read"):
        intake.run(once=True)


def test_without_the_client_one_line_says_how_to_install_it(
    database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(Problem, match="install 'ecom-operations"):
        TopicIntake(Kafka("127.0.0.1:9"), database, TOPIC, GROUP, print, Event())


def test_a_stopped_consumer_says_what_it_took(broker: Broker, database: DatabaseResource) -> None:
    with process(broker, database) as consumer:
        broker.produce(TOPIC, [message(order) for order in range(30)])
        wait(lambda: offsets(database) == 30)
        consumer.send_signal(signal.SIGTERM)
        out, _ = consumer.communicate(timeout=20)
    assert "given=30, added=30" in out
    assert consumer.returncode == 0
    assert os.environ.get("ECOM_KAFKA_BROKERS") is None
