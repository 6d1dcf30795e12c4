"""Rows of a table whose columns are known, made into staged rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from ecom_assets.catalog.reading.layout import Layout
from ecom_assets.catalog.reading.layout import plain as key_of
from ecom_assets.catalog.reading.staged import PLAIN, Staged, as_json, encode, refused
from ecom_assets.shared.records import Records, Row, Unreadable

_PARTS = re.compile(r"[|\s]+|,(?=https?:)")


def urls(cell: str) -> list[str]:
    """Addresses in a cell, parted by bars, blanks or commas."""
    return [part for part in _PARTS.split(cell) if part]


def stage_table(layout: Layout, blocks: Iterable[Records]) -> Iterator[tuple[int, bytes]]:
    """Staged rows of a table, in blocks of CSV, with the number of records of each block.

    A record without any value is no record of anything and is not counted.
    """
    stage, done = _stager(layout), 0
    for records in blocks:
        rows: list[Staged] = []
        for record in records:
            if isinstance(record, Unreadable):
                done += 1
                rows.append(refused(done, record))
            elif any(record):
                done += 1
                rows.append(stage(done, record))
        yield len(rows), encode(rows)


def _stager(layout: Layout) -> Callable[[int, Row], Staged]:
    """A function made for the layout, since it is called for every row of a large file."""
    # What a table does not have is read behind its last column.
    places = [layout.fields.get(name, (-1, ""))[0] for name in PLAIN]
    pick = itemgetter(*places)
    units = [(at, f" {unit}") for at, name in enumerate(PLAIN) if (unit := _unit(layout, name))]
    options, media = list(layout.options.items()), layout.media
    attributes, group = list(layout.attributes.items()), PLAIN.index("group_key")

    def stage(row_no: int, record: Row) -> Staged:
        plain = list(pick([*record, None]))
        for at, unit in units:
            if plain[at]:
                plain[at] += unit
        others = _named(attributes, record) if attributes else {}
        told_apart = _named(options, record) if options else {}
        # Only variants of a group are told apart; of a single product options are attributes.
        if told_apart and not plain[group]:
            others |= {key_of(name): value for name, value in told_apart.items()}
            told_apart = {}
        pictures = [url for at in media for url in urls(record[at] or "")] if media else None
        return (
            row_no, *plain, as_json(told_apart), as_json(pictures), as_json(others), None,
        )  # fmt: skip

    return stage


def _unit(layout: Layout, name: str) -> str:
    return layout.fields.get(name, (0, ""))[1]


def _named(places: list[tuple[str, int]], record: Row) -> dict[str, str]:
    return {name: value for name, at in places if (value := record[at])}
