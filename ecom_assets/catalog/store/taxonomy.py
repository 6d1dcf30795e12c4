"""Categories of a published taxonomy, such as Google's, from its text file."""

from __future__ import annotations

import re
from collections.abc import Iterable

import sqlalchemy as sa

from ecom_assets.catalog.reading import BadFile

_LINE = re.compile(r"^([0-9]{1,9}) - (\S.*)$")
_VERSION = re.compile(r"^#\s*Google_Product_Taxonomy_Version:\s*(\S+)")

_TAKE = sa.text("""
    WITH given AS (
        SELECT category_id, path, regexp_replace(path, '^.* > ', '') AS name,
            nullif(regexp_replace(path, '( > )?[^>]*$', ''), '') AS parent_path
        FROM unnest(CAST(:ids AS bigint[]), CAST(:paths AS text[])) AS line (category_id, path)
    )
    INSERT INTO catalog.categories AS c (category_id, parent_id, name, path, version)
    SELECT g.category_id, parent.category_id, g.name, g.path, :version
    FROM given AS g LEFT JOIN given AS parent ON parent.path = g.parent_path
    ON CONFLICT (category_id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name,
        path = excluded.path, version = excluded.version, recorded_at = clock_timestamp()
    WHERE (c.parent_id, c.name, c.path, c.version) IS DISTINCT FROM
        (excluded.parent_id, excluded.name, excluded.path, excluded.version)
""")


def take_taxonomy(conn: sa.Connection, lines: Iterable[str]) -> int:
    """Bring the categories up to date with a taxonomy; those it no longer names stay.

    Args:
        conn: connection inside a transaction.
        lines: `1 - Animals & Pet Supplies` and so on, as Google publishes it with ids.

    Returns:
        How many categories are new or changed.

    Raises:
        BadFile: a line is no category, a number or path comes twice, or a parent is missing.
    """
    paths: dict[int, str] = {}
    version = ""
    for number, line in enumerate(lines, 1):
        if found := _VERSION.match(line):
            version = found[1]
        elif line.strip() and not line.startswith("#"):
            category = _LINE.match(line.rstrip())
            if category is None or int(category[1]) in paths:
                raise BadFile(f"line {number} is no category of a taxonomy: {line.strip()[:80]!r}")
            paths[int(category[1])] = category[2]
    _require_whole(paths)
    given = {"ids": list(paths), "paths": list(paths.values()), "version": version}
    return conn.execute(_TAKE, given).rowcount


def _require_whole(paths: dict[int, str]) -> None:
    known = set(paths.values())
    if not known:
        raise BadFile("the file names no category")
    if len(known) < len(paths):
        raise BadFile("two categories of the file have the same path")
    for path in paths.values():
        parent = path.rpartition(" > ")[0]
        if parent and parent not in known:
            raise BadFile(f"the category above {path!r} is missing from the file")
