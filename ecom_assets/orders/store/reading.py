"""Reading members out of JSON in SQL, without a cast that can fail.

A malformed document must not stop the good ones beside it, so every cast stands inside a CASE that
lets only castable texts through. The SQL is made from the declarations in `document`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from ecom_assets.orders import document as spec
from ecom_assets.orders.document import Kind, Member

Column = sa.ColumnElement[Any]

_MOMENT = TIMESTAMP(timezone=True)


def text_of(value: Column) -> Column:
    """A JSON value as text: the content of a string, the JSON text of anything else."""
    return value.op("#>>")(sa.literal_column("'{}'", sa.Text))


def list_of(value: Column) -> Column:
    """A JSON value where it is a list, else an empty list."""
    empty = sa.literal_column("'[]'::jsonb", JSONB)
    return sa.case((sa.func.jsonb_typeof(value) == "array", value), else_=empty)


def record(value: Column, members: Iterable[Member], name: str, *more: str) -> sa.FromClause:
    """The named members of a JSON object as columns of JSON; all are null if it is no object.

    A record unpacks a large document once, however many members are read.
    """
    empty = sa.literal_column("'{}'::jsonb", JSONB)
    source = sa.case((sa.func.jsonb_typeof(value) == "object", value), else_=empty)
    columns = [sa.column(each, JSONB) for each in (*(member.name for member in members), *more)]
    return (
        sa.func.jsonb_to_record(source)
        .table_valued(*columns, name=name)
        .render_derived(name=name, with_types=True)
        .lateral()
    )


def columns_of(
    source: sa.FromClause, members: Iterable[Member], prefix: str = ""
) -> list[sa.Label[Any]]:
    """Per member its value, null where it is missing or wrong, and what it was read from."""
    columns = []
    for member in members:
        raw = source.c[member.name]
        columns.append(value_of(member, raw).label(f"{prefix}{member.name}"))
        columns.append(raw.label(f"{prefix}{member.name}_raw"))
    return columns


def value_of(member: Member, raw: Column) -> Column:
    """The typed value of a member; null where it is missing or not what it must be."""
    if member.kind in (Kind.WHOLE, Kind.DEGREES):
        return _number(member, raw)
    content = text_of(raw)
    value: Column
    if member.kind is Kind.TEXT:
        is_fit: Column = sa.func.length(content) <= spec.MOST_CHARACTERS
        value = sa.func.nullif(sa.func.btrim(content), "")
    elif member.kind is Kind.MOMENT:
        is_fit = _matches(content, spec.MOMENT_PATTERN)
        value = sa.cast(content, _MOMENT)
    else:
        is_fit = _matches(content, "[A-Z]{2}")
        value = content
    return sa.case((sa.func.jsonb_typeof(raw) == "string", sa.case((is_fit, value))))


def _matches(content: Column, pattern: str) -> Column:
    return content.op("~")(sa.literal(f"^({pattern})$"))


def _number(member: Member, raw: Column) -> Column:
    number = sa.cast(text_of(raw), sa.Numeric)
    in_range = number.between(member.least, member.most)
    # 2.0 is a whole number to JSON; the cast to bigint comes last, when it can no longer overflow.
    if member.kind is Kind.WHOLE:
        value: Column = sa.case((sa.and_(in_range, number == sa.func.trunc(number)), number))
        return sa.case((sa.func.jsonb_typeof(raw) == "number", sa.cast(value, sa.BigInteger)))
    # Rounded first: a number too small for a double would be an error, not zero.
    value = sa.case((in_range, sa.cast(sa.func.round(number, 9), sa.Double)))
    return sa.case((sa.func.jsonb_typeof(raw) == "number", value))


def wrong_members(
    source: sa.FromClause, members: Sequence[Member], prefix: str = ""
) -> list[tuple[Column, Member]]:
    """Per member the condition under which it is not what it must be, in order.

    Args:
        source: has the columns of `columns_of` for the same members and prefix.
        members: the members.
        prefix: the prefix of the columns.
    """
    return [(_is_wrong(source, member, f"{prefix}{member.name}"), member) for member in members]


def _is_wrong(source: sa.FromClause, member: Member, column: str) -> Column:
    is_unread = source.c[column].is_(None)
    # Nobody asks why a required member has no value: missing and unusable are both wrong.
    if member.is_required:
        return is_unread
    content = sa.func.coalesce(text_of(source.c[f"{column}_raw"]), "")
    return sa.and_(is_unread, sa.func.btrim(content) != "")
