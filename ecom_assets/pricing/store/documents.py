"""Lists, limits, promotions, coupons and rules from one document that people keep in a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.model import InvalidRule
from ecom_assets.pricing.store.lists import add_coupon, limit, open_list, promote
from ecom_assets.pricing.store.rules import add_rule

TABLES = ("list", "limit", "promotion", "coupon", "rule")
"""Tables of a document, in the order they are taken."""


def take_document(
    conn: sa.Connection, document: Mapping[str, Any], at: datetime, by: str
) -> list[str]:
    """Take a document; returns a line about each entry.

    Args:
        conn: connection inside a transaction.
        document: lists of entries by the names of `TABLES`. An entry names its price list as
            `list = "channel/CURRENCY"` or `"channel/CURRENCY/group"`; its other names are those of
            the table's columns.
        at: when rules begin.
        by: who asks.

    Raises:
        InvalidRule: an entry makes no sense; the message names it.
    """
    if strange := sorted(set(document) - set(TABLES)):
        raise InvalidRule(f"no table is called {', '.join(strange)}; known are {', '.join(TABLES)}")
    told = []
    for table in TABLES:
        for place, entry in enumerate(document.get(table, ()), 1):
            try:
                with conn.begin_nested():
                    told.append(_take(conn, table, dict(entry), at, by))
            except (InvalidRule, TypeError, KeyError, ValueError) as error:
                raise InvalidRule(f"{table} {place}: {error}") from error
            except sa.exc.SQLAlchemyError as error:
                reason = str(getattr(error, "orig", error)).splitlines()[0]
                raise InvalidRule(f"{table} {place}: {reason}") from error
    return told


def _take(conn: sa.Connection, table: str, entry: dict[str, Any], at: datetime, by: str) -> str:
    price_list = _list(conn, entry)
    if table == "list":
        if price_list is None or entry:
            strange = f", and has no {', '.join(sorted(entry))}" if entry else ""
            raise InvalidRule(f'a list is named as in list = "web/EUR"{strange}')
        return f"price list {price_list} is open"
    if table == "limit":
        if price_list is None:
            raise InvalidRule("a limit needs a list")
        limit(conn, price_list, **entry)
        return f"limits of list {price_list} are set"
    if table == "rule":
        entry.setdefault("parameters", {})
        made = add_rule(conn, at=at, by=by, price_list_id=price_list, **_followed(conn, entry))
        return f"rule {made.label} is in force"
    values = {name: _moment(value) for name, value in entry.items()}
    if table == "promotion":
        return f"promotion {promote(conn, price_list_id=price_list, **values)} is set"
    add_coupon(conn, price_list_id=price_list, **values)
    return f"coupon {entry['code']} is set"


def _list(conn: sa.Connection, entry: dict[str, Any]) -> int | None:
    name = entry.pop("list", None)
    settings = {key: entry.pop(key) for key in list(entry) if key in _LIST_SETTINGS}
    if name is None:
        return None
    return open_list(conn, *_named(name), **settings)


def _named(name: object) -> list[str]:
    parts = str(name).split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise InvalidRule(f"{name!r} names no list; write channel/CURRENCY or with a group behind")
    return parts


_LIST_SETTINGS = frozenset({
    "tax_bps", "offer_max_age_hours", "approve_above_bps", "most_moved_bps", "is_automatic",
})  # fmt: skip


def _followed(conn: sa.Connection, entry: dict[str, Any]) -> dict[str, Any]:
    """A rule that follows a list names it as its own is named."""
    parameters = dict(entry["parameters"])
    if "list" in parameters:
        parameters["price_list_id"] = open_list(conn, *_named(parameters.pop("list")))
    return {**entry, "parameters": parameters}


def _moment(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
