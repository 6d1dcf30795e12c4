"""Families with their attributes, and what channels ask for: taken from one document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

_FAMILIES = sa.text("""
    INSERT INTO catalog.families (family, name)
    SELECT family, name FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS f (family text, name text)
    ON CONFLICT (family) DO UPDATE SET name = excluded.name
""")
_NO_ATTRIBUTES = sa.text("""
    DELETE FROM catalog.family_attributes WHERE family = ANY (
        SELECT family FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS f (family text)
    )
""")
_ATTRIBUTES = sa.text("""
    INSERT INTO catalog.family_attributes (family, attribute, is_required)
    SELECT family, attribute, is_required FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS a (family text, attribute text, is_required boolean)
""")
_NO_REQUIREMENTS = sa.text("""
    DELETE FROM catalog.channel_requirements WHERE channel = ANY (CAST(:channels AS text[]))
""")
_REQUIREMENTS = sa.text("""
    INSERT INTO catalog.channel_requirements
        (channel, locale, family, attribute, is_localised, is_blocking)
    SELECT channel, locale, family, attribute, is_localised, is_blocking
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        channel text, locale text, family text, attribute text, is_localised boolean,
        is_blocking boolean
    )
""")

Row = Mapping[str, Any]


def set_families(conn: sa.Connection, families: Sequence[Row], attributes: Sequence[Row]) -> None:
    """Make or change families; the attributes of those named are replaced.

    Args:
        conn: connection inside a transaction.
        families: `family`, `name`.
        attributes: `family`, `attribute`, `is_required`.
    """
    named = {"rows": json.dumps(list(families))}
    conn.execute(_FAMILIES, named)
    conn.execute(_NO_ATTRIBUTES, named)
    conn.execute(_ATTRIBUTES, {"rows": json.dumps(list(attributes))})


def set_requirements(
    conn: sa.Connection, channels: Sequence[str], requirements: Sequence[Row]
) -> None:
    """Replace what channels ask for.

    Args:
        conn: connection inside a transaction.
        channels: the channels named, also those that ask for nothing any more.
        requirements: `channel`, `locale`, `family`, `attribute`, `is_localised`, `is_blocking`.
    """
    conn.execute(_NO_REQUIREMENTS, {"channels": list(channels)})
    conn.execute(_REQUIREMENTS, {"rows": json.dumps(list(requirements))})
