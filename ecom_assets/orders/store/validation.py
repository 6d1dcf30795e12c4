"""Reading claimed documents and finding their faults, all at once.

Reference: `rules.find_fault` and `rules.amounts`. The result stands in two temporary tables, one
row per message and one per line; a row's fault is `problem: detail`, null where all is well.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, aggregate_order_by

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders import document as spec
from ecom_assets.orders.document import Kind, Member, fault
from ecom_assets.orders.model import Problem
from ecom_assets.orders.store import reading
from ecom_assets.orders.store.claims import CLAIMED
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared.fixed import execute_fixed
from ecom_assets.shared.money import CURRENCIES
from ecom_assets.shared.working import analyse, open_empty, working_table

_Column = sa.ColumnElement[Any]

_TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    Kind.TEXT: sa.Text(),
    Kind.COUNTRY: sa.Text(),
    Kind.WHOLE: sa.BigInteger(),
    Kind.DEGREES: sa.Double(),
    Kind.MOMENT: TIMESTAMP(timezone=True),
}


def _columns(members: Iterable[Member], prefix: str = "") -> list[sa.Column[Any]]:
    return [sa.Column(f"{prefix}{member.name}", _TYPES[member.kind]) for member in members]


def _prefix(part: str) -> str:
    return f"{part}_" if part else ""


_PARTS = {**spec.PARTS, "ship_to": (*spec.PARTS["ship_to"], spec.COUNTRY)}

LINES = working_table(
    "read_lines",
    sa.Column("inbox_id", sa.BigInteger),
    sa.Column("position", sa.BigInteger),
    *_columns(spec.LINE),
    sa.Column("fault", sa.Text),
)
"""Lines of claimed messages, typed; a value that is missing or wrong is null. They are always read
together, so that an index would only cost."""

MESSAGES = working_table(
    "read_messages",
    sa.Column("inbox_id", sa.BigInteger, primary_key=True, autoincrement=False),
    *(column for part in _PARTS for column in _columns(_PARTS[part], _prefix(part))),
    *(sa.Column(name, sa.BigInteger) for name in ("lines", "items_minor", "discount_minor")),
    sa.Column("tax_minor", sa.BigInteger),
    sa.Column("last_authorised_at", TIMESTAMP(timezone=True)),
    sa.Column("fault", sa.Text),
)
"""Claimed messages, typed, with sums over their lines."""


def read_claimed(conn: sa.Connection) -> None:
    """Fill `read_lines` and `read_messages` from the claimed messages."""
    open_empty(conn, LINES, MESSAGES)
    # Lines first: the messages' sums are read from them.
    lines = execute_fixed(conn, _fill_lines())
    analyse(conn, sa.text("ANALYZE read_lines"), lines)
    messages = execute_fixed(conn, _fill_messages())
    analyse(conn, sa.text("ANALYZE read_messages"), messages)


@cache
def _fill_lines() -> sa.Insert:
    return sa.insert(LINES).from_select([column.name for column in LINES.c], _lines())


@cache
def _fill_messages() -> sa.Insert:
    return sa.insert(MESSAGES).from_select([column.name for column in MESSAGES.c], _messages())


def _claimed_payloads() -> sa.Join:
    return CLAIMED.join(INBOX, INBOX.c.inbox_id == CLAIMED.c.inbox_id)


def _elements(member: str, members: Iterable[Member]) -> sa.CTE:
    """The elements of a list of the claimed documents, typed, with their position from 1."""
    listed = reading.list_of(INBOX.c.payload[member])
    element = (
        sa.func.jsonb_array_elements(listed)
        .table_valued(sa.column("value", INBOX.c.payload.type), with_ordinality="position")
        .render_derived(name="element")
        .lateral("element")
    )
    item = reading.record(element.c.value, members, "item")
    source = _claimed_payloads().join(element, sa.true()).join(item, sa.true())
    values = reading.columns_of(item, members)
    rows = sa.select(CLAIMED.c.inbox_id, element.c.position, *values).select_from(source)
    return rows.cte(f"typed_{member}").prefix_with("MATERIALIZED", dialect="postgresql")


def _lines() -> sa.Select[Any]:
    typed = _elements("lines", spec.LINE)
    # Unreadable numbers are null and share a partition; their own demand is named before this one.
    uses = sa.func.count().over(partition_by=[typed.c.inbox_id, typed.c.line_no])
    # Compared before it is stored: the bounds of both factors alone allow a million times too much.
    gross = sa.cast(typed.c.quantity, sa.Numeric) * typed.c.unit_price_minor
    demands = [
        *(
            (is_wrong, f"{member.name} {member.demand}")
            for is_wrong, member in reading.wrong_members(typed, spec.LINE)
        ),
        (uses > 1, spec.REPEATED_LINE),
        (gross > spec.MOST_MINOR, spec.GROSS_DEMAND),
        (typed.c.discount_minor > gross, spec.DISCOUNT_DEMAND),
    ]
    values = [typed.c[member.name] for member in spec.LINE]
    found = _numbered(Problem.BAD_LINE, "line ", typed.c.position, demands)
    return sa.select(typed.c.inbox_id, typed.c.position, *values, found)


def _numbered(
    problem: Problem, thing: str, position: _Column, demands: Iterable[tuple[_Column, str]]
) -> _Column:
    """`problem: thing 2: demand` for the first demand that is not met, else null."""
    demand = sa.case(*((is_unmet, sa.literal(text)) for is_unmet, text in demands))
    start = sa.literal(fault(problem, thing)).concat(sa.cast(position, sa.Text))
    return start.concat(": ").concat(demand)


def _first(value: _Column, position: _Column) -> _Column:
    """The first value by position that is not null, of a group."""
    ordered = sa.func.array_agg(aggregate_order_by(value, position), type_=ARRAY(sa.Text))
    return ordered.filter(value.is_not(None))[1]


def _line_sums() -> sa.CTE:
    """Per message the sums over its lines and the first fault of a line."""
    unknown = sa.case(
        (
            PRODUCTS.c.sku.is_(None),
            sa.literal(fault(Problem.UNKNOWN_SKU, "unknown SKU "))
            .concat(LINES.c.sku)
            .concat(" in line ")
            .concat(sa.cast(LINES.c.line_no, sa.Text)),
        )
    )
    # A bad line counts nothing, so that no sum can overflow.
    gross = sa.case((LINES.c.fault.is_(None), LINES.c.quantity * LINES.c.unit_price_minor), else_=0)
    return (
        sa.select(
            LINES.c.inbox_id,
            sa.func.count().label("lines"),
            sa.func.sum(gross).label("items_minor"),
            sa.func.coalesce(sa.func.sum(LINES.c.discount_minor), 0).label("discount_minor"),
            sa.func.coalesce(sa.func.sum(LINES.c.tax_minor), 0).label("tax_minor"),
            _first(LINES.c.fault, LINES.c.position).label("bad_line"),
            _first(unknown, LINES.c.position).label("unknown_sku"),
        )
        .select_from(LINES.outerjoin(PRODUCTS, PRODUCTS.c.sku == LINES.c.sku))
        .group_by(LINES.c.inbox_id)
        .cte("line_sums")
    )


def _payment_sums() -> sa.CTE:
    """Per message the last authorisation and the first fault of a payment."""
    typed = _elements("payments", spec.PAYMENT)
    demands = (
        (is_wrong, f"{member.name} {member.demand}")
        for is_wrong, member in reading.wrong_members(typed, spec.PAYMENT)
    )
    found = _numbered(Problem.MALFORMED, "payment ", typed.c.position, demands)
    return (
        sa.select(
            typed.c.inbox_id,
            sa.func.max(typed.c.authorised_at).label("last_authorised_at"),
            _first(found, typed.c.position).label("bad_payment"),
        )
        .group_by(typed.c.inbox_id)
        .cte("payment_sums")
    )


def _typed_messages() -> sa.CTE:
    """The members of the claimed documents outside their lists, typed."""
    parts = [part for part in _PARTS if part]
    head = reading.record(INBOX.c.payload, _PARTS[""], "head", *parts, "payments")
    source = _claimed_payloads().join(head, sa.true())
    values = reading.columns_of(head, _PARTS[""])
    for part in parts:
        members = reading.record(head.c[part], _PARTS[part], part)
        source = source.join(members, sa.true())
        values += reading.columns_of(members, _PARTS[part], _prefix(part))
    # An absent member is null in SQL and none of these; a JSON null is spelled out.
    are_payments_bad = sa.func.jsonb_typeof(head.c.payments).not_in(["array", "null"])
    rows = sa.select(CLAIMED.c.inbox_id, *values, are_payments_bad.label("are_payments_bad"))
    return rows.select_from(source).cte("typed").prefix_with("MATERIALIZED", dialect="postgresql")


def _malformed(typed: sa.CTE) -> _Column:
    demands = [
        (is_wrong, fault(Problem.MALFORMED, f"{part}.{member.name} {member.demand}".lstrip(".")))
        for part, members in spec.PARTS.items()
        for is_wrong, member in reading.wrong_members(typed, members, _prefix(part))
    ]
    demands.append((typed.c.are_payments_bad, fault(Problem.MALFORMED, spec.PAYMENTS_DEMAND)))
    return sa.case(*((is_wrong, sa.literal(text)) for is_wrong, text in demands))


def _when(condition: _Column, text: _Column | str) -> _Column:
    return sa.case((condition, text if isinstance(text, sa.ColumnElement) else sa.literal(text)))


def _messages() -> sa.Select[Any]:
    typed, lines, payments = _typed_messages(), _line_sums(), _payment_sums()
    currency = sa.literal(fault(Problem.UNKNOWN_CURRENCY, "unknown currency "))
    address = fault(Problem.MISSING_ADDRESS, f"ship_to.country {spec.COUNTRY.demand}")
    # The order of `Problem`; a case without a match is null and lets the next one speak.
    found = sa.func.coalesce(
        _malformed(typed),
        payments.c.bad_payment,
        _when(typed.c.currency.not_in(sorted(CURRENCIES)), currency.concat(typed.c.currency)),
        _when(typed.c.ship_to_country.is_(None), address),
        _when(lines.c.inbox_id.is_(None), fault(Problem.WITHOUT_LINES, spec.LINES_DEMAND)),
        lines.c.bad_line,
        lines.c.unknown_sku,
        _total_mismatch(typed, lines),
    )
    values = [
        typed.c[f"{_prefix(part)}{member.name}"] for part in _PARTS for member in _PARTS[part]
    ]
    sums = [lines.c[name] for name in ("lines", "items_minor", "discount_minor", "tax_minor")]
    return sa.select(
        typed.c.inbox_id, *values, *sums, payments.c.last_authorised_at, found.label("fault")
    ).select_from(
        typed.outerjoin(lines, lines.c.inbox_id == typed.c.inbox_id).outerjoin(
            payments, payments.c.inbox_id == typed.c.inbox_id
        )
    )


def _total_mismatch(typed: sa.CTE, lines: sa.CTE) -> _Column:
    shipping = sa.func.coalesce(typed.c.shipping_minor, 0)
    total = lines.c.items_minor - lines.c.discount_minor + shipping
    stated = typed.c.total_minor
    said = (
        sa.literal(fault(Problem.TOTAL_MISMATCH, "total_minor is "))
        .concat(sa.cast(stated, sa.Text))
        .concat(", the lines add up to ")
        .concat(sa.cast(total, sa.Text))
    )
    return _when(sa.func.abs(stated - total) > spec.TOLERANCE_MINOR, said)
