"""`fraud.labels`: what orders turned out to be, taken from the feed."""

from __future__ import annotations

import sqlalchemy as sa

_TAKE = sa.text("""
    INSERT INTO fraud.labels AS known (channel, external_id, label, known_at, source, import_id)
    SELECT DISTINCT ON (channel, external_id)
        channel, external_id, label, known_at, source, CAST(:import_id AS bigint)
    FROM feed_labels
    ORDER BY channel, external_id, known_at DESC, label
    ON CONFLICT (channel, external_id) DO UPDATE
    SET label = EXCLUDED.label, known_at = EXCLUDED.known_at, source = EXCLUDED.source,
        import_id = EXCLUDED.import_id
    WHERE (known.label, known.known_at, known.source)
        IS DISTINCT FROM (EXCLUDED.label, EXCLUDED.known_at, EXCLUDED.source)
""")


def take_labels(conn: sa.Connection, import_id: int | None) -> int:
    """Take the labels of `feeds.LABELS`; of several about one order the latest known wins.

    Args:
        conn: connection inside the import's transaction, with the feeds open.
        import_id: the import that brings them.

    Returns:
        How many labels were inserted or changed; unchanged ones are not rewritten.
    """
    return conn.execute(_TAKE, {"import_id": import_id}).rowcount
