"""Categories, attributes, families and demands of channels, one at a time as people set them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.catalog.model import TermRefused
from ecom_assets.catalog.tables import (
    ATTRIBUTE_VALUES,
    ATTRIBUTES,
    CHANNEL_REQUIREMENTS,
    FAMILIES,
    FAMILY_ATTRIBUTES,
    PRODUCTS,
)

Rows = Sequence[sa.RowMapping]

_ATTRIBUTE = [column for column in ATTRIBUTES.c if column.name != "recorded_at"]
_LISTED_ATTRIBUTES = sa.text("""
    SELECT n.attribute, coalesce(a.name, n.attribute) AS name, coalesce(a.about, '') AS about,
        coalesce(a.unit, '') AS unit, coalesce(a.is_archived, false) AS is_archived,
        a.attribute IS NOT NULL AS is_described, (
            SELECT coalesce(array_agg(f.family ORDER BY f.family), '{}')
            FROM catalog.family_attributes AS f WHERE f.attribute = n.attribute) AS families, (
            SELECT coalesce(array_agg(DISTINCT r.channel ORDER BY r.channel), '{}')
            FROM catalog.channel_requirements AS r WHERE r.attribute = n.attribute) AS channels
    FROM (
        SELECT attribute FROM catalog.attributes
        UNION SELECT attribute FROM catalog.family_attributes
        UNION SELECT attribute FROM catalog.channel_requirements
    ) AS n LEFT JOIN catalog.attributes AS a USING (attribute)
    WHERE (CAST(:name AS text) IS NULL OR n.attribute = :name)
        AND (CAST(:after AS text) IS NULL OR n.attribute > :after)
        AND (CAST(:is_archived AS boolean) IS NULL
            OR coalesce(a.is_archived, false) = :is_archived)
    ORDER BY n.attribute LIMIT :most
""")


def attributes(
    conn: sa.Connection, is_archived: bool | None, after: str | None, most: int
) -> Rows:  # fmt: skip
    """Attributes that are described, or that a family or channel asks for, by name."""
    given = {"name": None, "after": after, "is_archived": is_archived, "most": most}
    return conn.execute(_LISTED_ATTRIBUTES, given).mappings().all()


def attribute(conn: sa.Connection, name: str) -> sa.RowMapping | None:
    """An attribute that is described, or that a family or channel asks for."""
    given = {"name": name, "after": None, "is_archived": None, "most": 1}
    return conn.execute(_LISTED_ATTRIBUTES, given).mappings().one_or_none()


def describe_attribute(conn: sa.Connection, key: str, **values: Any) -> None:
    """Say what an attribute is called and means.

    Raises:
        TermRefused: it is to be archived while something asks for it.
    """
    if values.get("is_archived"):
        _refuse_used(conn, key)
    made = insert(ATTRIBUTES).values({"attribute": key, **values})
    conn.execute(made.on_conflict_do_update(index_elements=["attribute"], set_=values))


def archived_attributes(conn: sa.Connection, names: Sequence[str]) -> set[str]:
    """Which of these are to be used no more."""
    asked = sa.select(ATTRIBUTES.c.attribute).where(
        ATTRIBUTES.c.is_archived, ATTRIBUTES.c.attribute.in_(names)
    )
    return set(conn.scalars(asked))


def _refuse_used(conn: sa.Connection, name: str) -> None:
    for table, by in ((FAMILY_ATTRIBUTES, "family"), (CHANNEL_REQUIREMENTS, "channel")):
        asked = sa.select(table.c[by]).where(table.c.attribute == name).limit(1)
        if (user := conn.scalar(asked)) is not None:
            raise TermRefused(f"the {by} {user} asks for it")
    value = sa.select(ATTRIBUTE_VALUES.c.sku).where(ATTRIBUTE_VALUES.c.attribute == name).limit(1)
    if (sku := conn.scalar(value)) is not None:
        raise TermRefused(f"the product {sku} has a value of it")


_FAMILIES = sa.text("""
    SELECT f.family, f.name, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('attribute', a.attribute,
            'is_required', a.is_required) ORDER BY a.attribute), '[]')
        FROM catalog.family_attributes AS a WHERE a.family = f.family) AS attributes
    FROM catalog.families AS f
    WHERE (CAST(:name AS text) IS NULL OR f.family = :name)
        AND (CAST(:after AS text) IS NULL OR f.family > :after)
    ORDER BY f.family LIMIT :most
""")


def families(conn: sa.Connection, after: str | None, most: int) -> Rows:
    """Families with their attributes, by key."""
    return conn.execute(_FAMILIES, {"name": None, "after": after, "most": most}).mappings().all()


def family(conn: sa.Connection, key: str) -> sa.RowMapping | None:
    """A family with its attributes."""
    given = {"name": key, "after": None, "most": 1}
    return conn.execute(_FAMILIES, given).mappings().one_or_none()


def forget_family(conn: sa.Connection, key: str) -> None:
    """Remove a family that nothing uses.

    Raises:
        TermRefused: products are of it, or a channel asks something of them.
    """
    for table, by in ((PRODUCTS, "sku"), (CHANNEL_REQUIREMENTS, "channel")):
        used = sa.select(table.c[by]).where(table.c.family == key).limit(1)
        if (user := conn.scalar(used)) is not None:
            raise TermRefused(f"{'product' if by == 'sku' else by} {user} uses it")
    conn.execute(sa.delete(FAMILY_ATTRIBUTES).where(FAMILY_ATTRIBUTES.c.family == key))
    conn.execute(sa.delete(FAMILIES).where(FAMILIES.c.family == key))


_C = CHANNEL_REQUIREMENTS.c
_PLACE = (_C.channel, _C.locale, _C.family, _C.attribute)


def requirements(conn: sa.Connection, channel: str | None, after: Any, most: int) -> Rows:
    """What channels ask for, by channel, locale, family and attribute."""
    shown = (*_PLACE, _C.is_localised, _C.is_blocking)
    query = sa.select(*shown).order_by(*_PLACE).limit(most)
    if channel is not None:
        query = query.where(_C.channel == channel)
    if after:
        query = query.where(sa.tuple_(*_PLACE) > sa.tuple_(*(sa.literal(each) for each in after)))
    return conn.execute(query).mappings().all()


_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('catalog.terms/' || :name, 0))")


def lock_term(conn: sa.Connection, name: str) -> None:
    """Let nobody else change a family or a channel's demands until the transaction ends."""
    conn.execute(_LOCK, {"name": name})
