"""Give rows of a raw table their fate: the checks that every importer needs, as statements.

Each function looks only at rows that have no fate yet, so the first that applies decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from importers.source import SourceFile, raw_table


class Form(StrEnum):
    """What a field must look like, as a regular expression of PostgreSQL.

    The forms are strict enough that the casts behind them cannot fail: `MOMENT` knows the days of
    the months and leap years, numbers fit their types. `KEY` is text whose length is limited.
    """

    TEXT = "."
    KEY = ".."
    MOMENT = (
        "^(?:(?:19|20)[0-9]{2}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
        "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
        "|(?:19|20)(?:0[48]|[2468][048]|[13579][26])-02-29|2000-02-29)"
        "(?: (?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,6})?)?)?$"
    )
    AMOUNT = "^[0-9]{1,10}(?:[.][0-9]{1,6})?$"
    SIGNED_AMOUNT = "^-?[0-9]{1,10}(?:[.][0-9]{1,6})?$"
    MEASURE = "^[0-9]{1,7}(?:[.][0-9]{1,6})?$"
    WHOLE = "^[0-9]{1,8}$"
    SIGNED_WHOLE = "^-?[0-9]{1,8}(?:[.]0+)?$"
    DEGREES = "^-?[0-9]{1,3}(?:[.][0-9]+)?$"


_REASONS = {
    Form.TEXT: "bad_text",
    Form.KEY: "key_too_long",
    Form.MOMENT: "bad_moment",
    Form.AMOUNT: "bad_amount",
    Form.SIGNED_AMOUNT: "bad_amount",
    Form.MEASURE: "bad_number",
    Form.WHOLE: "bad_number",
    Form.SIGNED_WHOLE: "bad_number",
    Form.DEGREES: "bad_number",
}


MOST_KEY_BYTES = 600
"""Longest key: an index entry holds 2,704 bytes, and up to four keys stand in one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a column must hold.

    Attributes:
        column: column of the file.
        form: what a value looks like.
        is_required: whether an empty field is wrong.
    """

    column: str
    form: Form = Form.KEY
    is_required: bool = True


def require(*columns: str, form: Form = Form.KEY) -> tuple[Rule, ...]:
    """Rules for columns that must be there; without a form they are keys or codes."""
    return tuple(Rule(column, form) for column in columns)


def permit(*columns: str, form: Form) -> tuple[Rule, ...]:
    """Rules for columns that may be empty."""
    return tuple(Rule(column, form, is_required=False) for column in columns)


def park_malformed(
    conn: sa.Connection, file: SourceFile, subject: str, rules: tuple[Rule, ...]
) -> None:
    """Park rows in which a field is missing or malformed; the first in order of `rules` is named.

    Args:
        conn: connection inside the import's transaction.
        file: whose rows are checked.
        subject: column that holds the row's business key.
        rules: what the columns must hold.
    """
    raw = raw_table(file)
    cases = [case for rule in rules for case in _cases(raw, rule)]
    conn.execute(
        sa.update(raw)
        .values(
            fate="parked",
            subject=raw.c[subject],
            reason=sa.case(*((where, sa.literal(reason)) for where, reason, _ in cases)),
            detail=sa.case(*((where, detail) for where, _, detail in cases)),
        )
        .where(raw.c.fate.is_(None), sa.or_(*(where for where, _, _ in cases)))
    )


_Case = tuple[sa.ColumnElement[bool], str, sa.ColumnElement[str]]


def _cases(raw: sa.Table, rule: Rule) -> list[_Case]:
    column = raw.c[rule.column]
    cases: list[_Case] = []
    if rule.is_required:
        empty = sa.literal(f"{rule.column}: empty")
        cases.append((column.is_(None), "field_missing", empty))
    if rule.form is not Form.TEXT:
        malformed = sa.literal(f"{rule.column}: ") + sa.func.left(column, 200)
        cases.append((_is_malformed(column, rule.form), _REASONS[rule.form], malformed))
    return cases


def _is_malformed(column: sa.ColumnElement[str], form: Form) -> sa.ColumnElement[bool]:
    # One absurd key would otherwise stop the whole import where an index cannot hold it. Bytes are
    # counted because that is what the index holds; no pattern, since those end at 255 repeats.
    if form is Form.KEY:
        return sa.func.octet_length(column) > MOST_KEY_BYTES
    is_malformed: sa.ColumnElement[bool] = column.op("!~", is_comparison=True)(form.value)
    if form is Form.MOMENT:
        return sa.case((_is_plain_moment(column), sa.false()), else_=is_malformed)
    return is_malformed


def _is_plain_moment(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a moment is one of the most usual, found without the slow pattern.

    Digits are compared as 9, and the days that not every month has are left to the pattern.
    """
    shape = sa.func.translate(column, "012345678", "999999999")
    parts = ((1, 2, "19", "20"), (6, 2, "01", "12"), (9, 2, "01", "28"), (12, 2, "00", "23"),
             (15, 2, "00", "59"), (18, 2, "00", "59"))  # fmt: skip
    return sa.and_(
        shape.in_(("9999-99-99 99:99:99", "9999-99-99 99:99:99.999999")),
        *(
            sa.func.substr(column, start, length).collate("C").between(low, high)
            for start, length, low, high in parts
        ),
    )


def supersede_earlier(conn: sa.Connection, file: SourceFile, *key: str) -> None:
    """Of rows with the same key the last one counts; those before it are superseded."""
    raw = raw_table(file)
    ranked = (
        sa.select(
            raw.c.row_no,
            sa.func.max(raw.c.row_no)
            .over(partition_by=[raw.c[name] for name in key])
            .label("last"),
        )
        .where(raw.c.fate.is_(None))
        .subquery()
    )
    conn.execute(
        sa.update(raw)
        .values(fate="superseded")
        .where(raw.c.row_no == ranked.c.row_no, ranked.c.row_no < ranked.c.last)
    )


def park_orphans(
    conn: sa.Connection, file: SourceFile, parent: SourceFile, key: str, thing: str
) -> None:
    """Park rows without a usable parent as `<thing>_missing`, or `<thing>_parked` if it is parked.

    Args:
        conn: connection inside the import's transaction.
        file: the rows that belong to something.
        parent: the file they belong to, whose own rows were checked before.
        key: the column both have.
        thing: what a row of `parent` is, in one word.
    """
    raw, owner = raw_table(file), raw_table(parent)
    same = owner.c[key] == raw.c[key]
    is_known = sa.exists().where(same).correlate(raw)
    is_usable = sa.exists().where(same, owner.c.fate.is_(None)).correlate(raw)
    shown = sa.literal(f"{key}: ") + raw.c[key]
    # Two statements, each an anti-join; as one with a CASE the planner probes row by row.
    for reason, what, is_lost in (
        (f"{thing}_missing", f" is no {thing} of the source", ~is_known),
        (f"{thing}_parked", " was parked", ~is_usable),
    ):
        conn.execute(
            sa.update(raw)
            .values(fate="parked", subject=raw.c[key], reason=reason, detail=shown + what)
            .where(raw.c.fate.is_(None), is_lost)
        )


def accept_rest(conn: sa.Connection, files: tuple[SourceFile, ...]) -> None:
    """Accept every row that has no fate yet."""
    for file in files:
        raw = raw_table(file)
        conn.execute(sa.update(raw).values(fate="accepted").where(raw.c.fate.is_(None)))
