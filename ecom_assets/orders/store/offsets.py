"""How far a Kafka topic was taken into the inbox, kept beside the messages themselves.

A batch of records and the offset after it commit together, so no record is taken twice and none is
skipped, whatever the broker remembers of the group.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.orders.tables import CONSUMED_OFFSETS


@dataclass(frozen=True, slots=True)
class ConsumedTopic:
    """A topic as a group of consumers takes it.

    Attributes:
        group: name of the group.
        topic: name of the topic.
        topic_id: the broker's id of it; a topic that is deleted and made again has another.
    """

    group: str
    topic: str
    topic_id: str


def next_offsets(conn: sa.Connection, topic: ConsumedTopic) -> dict[int, int]:
    """Offset of the first record not yet taken, by partition; empty partitions are left out."""
    columns = CONSUMED_OFFSETS.c.partition, CONSUMED_OFFSETS.c.next_offset
    return dict(conn.execute(sa.select(*columns).where(_is_of(topic))).tuples().all())


# A consumer that was stopped in the middle of a transaction would hold its partition's row until it
# wakes up; the database ends the transaction instead, and the next consumer goes on.
_GIVE_WAY = sa.text("SELECT set_config('idle_in_transaction_session_timeout', '5s', true)")


def advance(
    conn: sa.Connection, topic: ConsumedTopic, partition: int, expected: int | None, reached: int
) -> bool:
    """Say that the records before `reached` are taken by this transaction.

    Args:
        conn: connection inside the transaction that takes them.
        topic: the topic.
        partition: its partition.
        expected: the offset it stood at when the records were read; None before the first.
        reached: offset after the last record.

    Returns:
        False if another consumer moved on meanwhile; the caller must let the transaction roll back.
    """
    conn.execute(_GIVE_WAY)
    if expected is None:
        row = {
            "consumer_group": topic.group, "topic": topic.topic, "topic_id": topic.topic_id,
            "partition": partition, "next_offset": reached,
        }  # fmt: skip
        return bool(
            conn.execute(insert(CONSUMED_OFFSETS).values(row).on_conflict_do_nothing()).rowcount
        )
    stands_there = sa.and_(
        CONSUMED_OFFSETS.c.partition == partition, CONSUMED_OFFSETS.c.next_offset == expected
    )
    moved = sa.update(CONSUMED_OFFSETS).where(_is_of(topic), stands_there)
    return bool(conn.execute(moved.values(next_offset=reached)).rowcount)


def _is_of(topic: ConsumedTopic) -> sa.ColumnElement[bool]:
    return sa.and_(
        CONSUMED_OFFSETS.c.consumer_group == topic.group,
        CONSUMED_OFFSETS.c.topic == topic.topic,
        CONSUMED_OFFSETS.c.topic_id == topic.topic_id,
    )
