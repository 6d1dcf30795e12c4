"""Labels from the feed."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.fraud.store import take_labels
from ecom_assets.fraud.tables import LABELS
from ecom_assets.shared import feeds


def feed(conn: sa.Connection, *labels: tuple[str, str, str]) -> None:
    conn.execute(sa.delete(feeds.LABELS))
    conn.execute(
        sa.insert(feeds.LABELS),
        [
            {"channel": "web", "external_id": key, "label": label, "known_at": at, "source": "test"}
            for key, label, at in labels
        ],
    )


def known(conn: sa.Connection) -> list[tuple[object, ...]]:
    statement = sa.select(LABELS.c.external_id, LABELS.c.label, LABELS.c.import_id)
    return [tuple(row) for row in conn.execute(statement.order_by(LABELS.c.external_id))]


def test_labels_are_taken_once_and_changed_where_they_differ(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    feed(conn, ("a", "legitimate", "2024-01-01Z"), ("b", "fraud", "2024-01-01Z"))
    assert take_labels(conn, 1) == 2
    assert take_labels(conn, 2) == 0
    feed(conn, ("a", "fraud", "2024-02-01Z"), ("b", "fraud", "2024-01-01Z"))
    assert take_labels(conn, 3) == 1
    assert known(conn) == [("a", "fraud", 3), ("b", "fraud", 1)]


def test_of_several_labels_the_latest_known_wins(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    feed(
        conn,
        ("a", "fraud", "2024-02-01Z"),
        ("a", "legitimate", "2024-01-01Z"),
        ("b", "legitimate", "2024-01-01Z"),
        ("b", "fraud", "2024-01-01Z"),
    )
    assert take_labels(conn, None) == 2
    assert known(conn) == [("a", "fraud", None), ("b", "fraud", None)]


def test_an_empty_feed_takes_nothing(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    assert take_labels(conn, 1) == 0
