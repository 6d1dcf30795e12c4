"""Connections to a Kafka broker; the client is an optional package, imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import Consumer

ANSWER_SECONDS = 10.0
"""How long a broker may take to answer a question."""


class KafkaMissing(Exception):
    """The client is not installed; the message is one line that says how to install it."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """The brokers of a Kafka cluster.

    Attributes:
        brokers: `host:port`, several separated by commas.
    """

    brokers: str

    def consumer(self, group: str, say: Callable[[str], object]) -> Consumer:
        """A consumer of a group that keeps its offsets elsewhere.

        What it stores (`store_offsets`) is told to the broker now and then, for people who watch
        how far a group lags; nothing depends on it.

        Args:
            group: the group that shares the partitions.
            say: told what is wrong with the connection, in a short line.
        """
        try:
            from confluent_kafka import Consumer
        except ImportError as error:
            raise KafkaMissing(
                "Kafka needs the package confluent-kafka: "
                ".venv/bin/python -m pip install 'ecom-operations[kafka]'"
            ) from error
        return Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": group,
                "client.id": "ecom",
                # A killed consumer's partitions go to another one this soon.
                "session.timeout.ms": 6000,
                "auto.offset.reset": "earliest",
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                # Not every broker keeps unfinished transactions back, so nothing relies on it.
                "isolation.level": "read_uncommitted",
                # Its own log lines would stand between ours; what matters comes by error_cb.
                "log_level": 0,
                "error_cb": lambda error: say(error.str()),
            }
        )

    def topic_id(self, topic: str) -> str:
        """The cluster's id of a topic; a topic that is deleted and made again has another.

        Raises:
            KafkaException: no broker answered in time, or there is no such topic.
        """
        from confluent_kafka import TopicCollection
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_SECONDS)
        return str(asked[topic].result(ANSWER_SECONDS).topic_id)
