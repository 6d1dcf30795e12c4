"""`ecom consume`: a Kafka topic into the inbox, every record exactly once.

The offset after a batch is written by the transaction that takes the batch, and only from the
offset the batch was read at. So a consumer that is killed leaves no half batch, and one that was
taken for dead and comes back cannot take what another has taken since.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from ecom.messages import in_words
from ecom.platform import Platform
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.serve import told_to_stop
from ecom_assets.orders import store
from ecom_assets.orders.delivery import Delivery, IntakeReport, Policy
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.store.offsets import ConsumedTopic
from resources.database import DatabaseResource, be_impatient
from resources.kafka import Kafka, KafkaMissing

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition

BATCH = 500
"""Most records of a transaction."""

WAIT_SECONDS = 0.5
"""How long a batch may gather, and the longest a signal waits."""

PATIENCE_SECONDS = 300.0
"""How long a lost database is waited for; then the process ends and says so."""

ANSWER_SECONDS = 30.0
"""How long the first answer of the brokers may take."""

SAY_SECONDS = 10.0
"""How often a running consumer tells how far it is."""

_Result = TypeVar("_Result")


class _Overtaken(Exception):
    """Another consumer has moved the partition on; rolls the transaction back."""


class TopicIntake:
    """A member of a consumer group that takes its partitions of a topic into the inbox."""

    def __init__(
        self,
        kafka: Kafka,
        database: DatabaseResource,
        topic: str,
        group: str,
        say: Callable[[str], object],
        stop: Event,
    ) -> None:
        self.report = IntakeReport()
        self._kafka, self._database, self._stop, self._say = kafka, database, stop, say
        self._topic = ConsumedTopic(group, topic, "")
        self._offsets: dict[int, int | None] = {}
        self._at_end: set[int] = set()
        self._is_assigned = False
        self._failure: Exception | None = None
        self._said, self._said_at = "", time.monotonic()
        try:
            self._consumer: Consumer = kafka.consumer(group, self._say_once)
        except KafkaMissing as error:
            raise Problem(str(error)) from error

    def run(self, once: bool) -> IntakeReport:
        """Take records until told to stop or, with `once`, until the partitions' ends are reached.

        Raises:
            Problem: with `once`, the brokers do not answer or do not know the topic.
        """
        self._consumer.subscribe(
            [self._topic.topic], on_assign=self._assigned, on_revoke=self._revoked
        )
        began = time.monotonic()
        try:
            while not self._stop.is_set():
                self._take(self._consumer.consume(BATCH, WAIT_SECONDS))
                if self._failure:
                    raise self._failure
                if once and self._is_assigned and self._at_end >= self._offsets.keys():
                    break
                if once and not self._is_assigned and time.monotonic() - began > ANSWER_SECONDS:
                    reason = self._said or "no broker answered"
                    raise Problem(f"topic {self._topic.topic} cannot be read: {reason}")
        finally:
            self._consumer.close()
        return self.report

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # An error that leaves a callback leaves the client in the middle of a change of hands; it
        # could not even be closed.
        try:
            self._begin_where_we_stood(consumer, partitions)
        except Exception as error:
            self._failure = error
            consumer.assign([])

    def _begin_where_we_stood(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        from confluent_kafka import OFFSET_BEGINNING

        self._topic = replace(self._topic, topic_id=self._patiently(self._topic_id) or "")
        known = self._patiently(self._known) or {}
        self._offsets = {each.partition: known.get(each.partition) for each in partitions}
        self._at_end, self._is_assigned = set(), True
        for each in partitions:
            each.offset = known.get(each.partition, OFFSET_BEGINNING)
        consumer.assign(partitions)
        self._say(f"{self._topic.topic}: {len(partitions)} partitions are ours")

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._offsets, self._at_end, self._is_assigned = {}, set(), False

    def _topic_id(self) -> str:
        return self._kafka.topic_id(self._topic.topic)

    def _known(self) -> dict[int, int]:
        with self._database.begin() as conn:
            return store.next_offsets(conn, self._topic)

    def _take(self, records: list[Message]) -> None:
        from confluent_kafka import KafkaError

        batches: dict[int, list[Message]] = {}
        for record in records:
            error, partition = record.error(), record.partition()
            if error is None and partition in self._offsets:
                # What was fetched before a partition came back to us may reach back.
                if int(record.offset() or 0) >= (self._offsets[partition] or 0):
                    batches.setdefault(partition, []).append(record)
                self._at_end.discard(partition)
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                self._at_end.add(int(partition or 0))
            elif error is not None:
                self._say_once(error.str())
        # A transaction per partition: rows of two of them need not go in by one order of keys.
        for partition, batch in batches.items():
            self._take_batch(partition, batch)

    def _take_batch(self, partition: int, batch: list[Message]) -> None:
        reached = int(batch[-1].offset() or 0) + 1

        def take() -> IntakeReport:
            rows = [_delivery(record) for record in batch]
            source = f"kafka:{self._topic.topic}/{partition}"
            with self._database.begin() as conn:
                # Stopped here, it would keep the partition from the consumer that gets it next.
                be_impatient(conn)
                expected = self._offsets[partition]
                if not store.advance(conn, self._topic, partition, expected, reached):
                    raise _Overtaken
                return store.take_deliveries(conn, rows, Policy.PARK, source, self._topic.group)

        try:
            taken = self._patiently(take)
        except _Overtaken:
            self._catch_up(partition)
            return
        if taken is not None:
            self._offsets[partition] = reached
            self._tell(taken, batch[-1])

    def _catch_up(self, partition: int) -> None:
        """Go on where the other consumer stands; should the partition be ours after all."""
        from confluent_kafka import KafkaException, TopicPartition

        reached = (self._patiently(self._known) or {}).get(partition)
        self._say(f"another consumer has partition {partition}; it stands at {reached}")
        if reached is None:
            return
        self._offsets[partition] = reached
        try:
            self._consumer.seek(TopicPartition(self._topic.topic, partition, reached))
        except KafkaException:
            self._offsets.pop(partition)

    def _patiently(self, work: Callable[[], _Result]) -> _Result | None:
        """Do something again while the database or the brokers are away; None if told to stop."""
        from confluent_kafka import KafkaException

        # A transaction that slept too long is ended by the database with an internal error.
        lost = sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, KafkaException
        began, pause = time.monotonic(), 0.5
        while True:
            try:
                return work()
            except lost as error:
                if time.monotonic() - began > PATIENCE_SECONDS:
                    raise
                self._say_once(f"waiting: {(str(error).strip().splitlines() or ['?'])[0]}")
            if self._stop.wait(pause):
                return None
            pause = min(2 * pause, 10.0)

    def _tell(self, taken: IntakeReport, last: Message) -> None:
        from confluent_kafka import KafkaException

        # Without the faults, which are in the quarantine: a consumer may run for months.
        self.report = self.report + replace(taken, faults=())
        try:
            self._consumer.store_offsets(last)
        except KafkaException:
            self._say_once("the partition was given to another consumer meanwhile")
        if time.monotonic() - self._said_at > SAY_SECONDS:
            self._said_at = time.monotonic()
            self._say(in_words(self.report))

    def _say_once(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._say(line)


def _delivery(record: Message) -> Delivery:
    _, milliseconds = record.timestamp()
    # Without a timestamp it is negative; a record that names no moment itself is then parked.
    at = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds >= 0 else None
    value = record.value()
    return read_envelope(
        value.encode() if isinstance(value, str) else value, int(record.offset() or 0), at
    )


def run(platform: Platform, topic: str, group: str, once: bool, progress: Progress) -> IntakeReport:
    """Take a topic in until a signal comes or, with `once`, its end is reached.

    Raises:
        Problem: the brokers are not named or do not answer, or the client is not installed.
    """
    brokers = os.environ.get("ECOM_KAFKA_BROKERS")
    if not brokers:
        raise Problem("set ECOM_KAFKA_BROKERS to host:port of a Kafka broker")
    with told_to_stop() as stop:
        intake = TopicIntake(Kafka(brokers), platform.database, topic, group, progress.say, stop)
        return intake.run(once)
