"""Categories of the shop's own beside those of the published taxonomy, which are never changed."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.catalog.model import TermRefused
from ecom_assets.catalog.tables import CATEGORIES, PRODUCTS

FIRST_OWN = 1_000_000_000
"""Numbers of the shop's own categories begin here; those of a taxonomy have nine digits at most."""

OWN = "own"
"""What stands in the place of a taxonomy's version."""

Rows = Sequence[sa.RowMapping]

_C = CATEGORIES.c
_BELOW = CATEGORIES.alias()
_SHOWN = (
    _C.category_id, _C.parent_id, _C.name, _C.path, (_C.category_id >= FIRST_OWN).label("is_own"),
    sa.exists().where(_BELOW.c.parent_id == _C.category_id).label("has_children"),
)  # fmt: skip
# Two at once would be given the same number.
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('catalog.categories', 0))")
_RENAME = sa.text("""
    UPDATE catalog.categories SET path = :path || substr(path, length(CAST(:was AS text)) + 1)
    WHERE starts_with(path, :was || ' > ') OR path = :was
""")


def children(
    conn: sa.Connection, parent_id: int | None, after: str | None, most: int
) -> Rows:  # fmt: skip
    """Categories right below another one, or the roots, by name."""
    query = sa.select(*_SHOWN).order_by(_C.path).limit(most)
    query = query.where(_C.parent_id.is_(None) if parent_id is None else _C.parent_id == parent_id)
    return conn.execute(query.where(_C.path > after) if after else query).mappings().all()


def search(conn: sa.Connection, words: str, after: str | None, most: int) -> Rows:
    """Categories whose path holds some words, in any case, by path."""
    query = sa.select(*_SHOWN).order_by(_C.path).limit(most)
    query = query.where(sa.func.lower(_C.path).contains(words.lower(), autoescape=True))
    return conn.execute(query.where(_C.path > after) if after else query).mappings().all()


def category(conn: sa.Connection, category_id: int) -> sa.RowMapping | None:
    """A category by its number."""
    query = sa.select(*_SHOWN).where(_C.category_id == category_id)
    return conn.execute(query).mappings().one_or_none()


def add(conn: sa.Connection, name: str, parent_id: int | None) -> int:
    """Add a category of the shop's own; returns its number.

    Raises:
        TermRefused: there is one of this path, or none above.
    """
    conn.execute(_LOCK)
    path = _path(conn, name, parent_id)
    last = conn.scalar(sa.select(sa.func.max(_C.category_id))) or 0
    number = max(FIRST_OWN, last + 1)
    values = {"category_id": number, "parent_id": parent_id, "name": name, "path": path}
    conn.execute(sa.insert(CATEGORIES).values({**values, "version": OWN}))
    return number


def rename(conn: sa.Connection, category_id: int, name: str) -> None:
    """Call one of the shop's own otherwise; the paths below it follow.

    Raises:
        TermRefused: it is the taxonomy's, or there is one of this path.
    """
    row = _own(conn, category_id)
    if row["name"] == name:
        return
    path = _path(conn, name, row["parent_id"])
    conn.execute(_RENAME, {"was": row["path"], "path": path})
    conn.execute(sa.update(CATEGORIES).where(_C.category_id == category_id).values(name=name))


def forget(conn: sa.Connection, category_id: int) -> None:
    """Remove one of the shop's own that nothing uses.

    Raises:
        TermRefused: it is the taxonomy's, or products or categories are in it.
    """
    row = _own(conn, category_id)
    used = sa.select(PRODUCTS.c.sku).where(PRODUCTS.c.category_id == category_id).limit(1)
    if (sku := conn.scalar(used)) is not None:
        raise TermRefused(f"product {sku} is in it")
    if row["has_children"]:
        raise TermRefused("categories are below it")
    conn.execute(sa.delete(CATEGORIES).where(_C.category_id == category_id))


def _own(conn: sa.Connection, category_id: int) -> sa.RowMapping:
    conn.execute(_LOCK)
    row = category(conn, category_id)
    if row is None or not row["is_own"]:
        raise TermRefused("it belongs to the published taxonomy, which is not changed here")
    return row


def _path(conn: sa.Connection, name: str, parent_id: int | None) -> str:
    path = name
    if parent_id is not None:
        above = conn.scalar(sa.select(_C.path).where(_C.category_id == parent_id))
        if above is None:
            raise TermRefused(f"there is no category {parent_id}", "parent_id")
        path = f"{above} > {name}"
    if conn.scalar(sa.select(_C.category_id).where(_C.path == path)) is not None:
        raise TermRefused(f"there is a category {path!r}", "name")
    return path
