"""Rows of a table whose columns are known, made into staged rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ecom_assets.catalog.reading.layout import Layout, plain
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
    pick = [_picker(layout, name) for name in PLAIN]
    group = _picker(layout, "group_key")
    options, media = list(layout.options.items()), layout.media
    attributes = list(layout.attributes.items())

    def stage(row_no: int, record: Row) -> Staged:
        others = _named(attributes, record) if attributes else {}
        told_apart = _named(options, record) if options else {}
        # Only variants of a group are told apart; of a single product options are attributes.
        if told_apart and not group(record):
            others |= {plain(name): value for name, value in told_apart.items()}
            told_apart = {}
        return (
            row_no,
            *[each(record) for each in pick],
            as_json(told_apart),
            as_json([url for at in media for url in urls(record[at] or "")]) if media else None,
            as_json(others),
            None,
        )

    return stage


def _picker(layout: Layout, name: str) -> Callable[[Row], str | None]:
    if name not in layout.fields:
        return lambda record: None
    at, unit = layout.fields[name]
    if not unit:
        return lambda record: record[at]

    def with_unit(record: Row) -> str | None:
        value = record[at]
        return f"{value} {unit}" if value else None

    return with_unit


def _named(places: list[tuple[str, int]], record: Row) -> dict[str, str]:
    return {name: value for name, at in places if (value := record[at])}
