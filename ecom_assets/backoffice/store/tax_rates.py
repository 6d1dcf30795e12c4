"""Tax rates, what finds them, and exchange rates: entering and looking up."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.backoffice.tables import (
    EXCHANGE_RATES,
    TAX_CATEGORIES,
    TAX_RATES,
    TAX_SETTINGS,
)
from ecom_assets.backoffice.taxation import STANDARD, Rate, rate_for


class TaxRefused(ValueError):
    """A rate or setting that makes no sense; the message names the row and what is wrong."""


COLUMNS = ("country", "region", "tax_category", "rate_percent", "valid_from_date", "valid_to_date")
"""Columns of a file of rates; region and the end may be blank."""

_END = sa.text("""
    UPDATE backoffice.tax_rates SET valid_to_date = :day
    WHERE country = :country AND region = :region AND tax_category = :tax_category
        AND valid_from_date < :day AND (valid_to_date IS NULL OR valid_to_date > :day)
""")


def add_rate(conn: sa.Connection, rate: Rate, source: str, by: str) -> int | None:
    """Enter a rate; an open one of the same place and category ends when it begins.

    A rate that is entered already is left alone, so that a file can be taken twice.

    Returns:
        Key of the row; None where it was there.

    Raises:
        TaxRefused: it overlaps a rate that begins later, or its figures make no sense.
    """
    known = (
        TAX_RATES.c.country == rate.country, TAX_RATES.c.region == rate.region,
        TAX_RATES.c.tax_category == rate.tax_category, TAX_RATES.c.rate_bps == rate.rate_bps,
        TAX_RATES.c.valid_from_date == rate.valid_from_date,
    )  # fmt: skip
    if conn.execute(sa.select(TAX_RATES.c.tax_rate_id).where(*known)).first():
        return None
    values = {name: getattr(rate, name) for name in Rate.__slots__ if name != "tax_rate_id"}
    place = {name: values[name] for name in ("country", "region", "tax_category")}
    try:
        with conn.begin_nested():
            conn.execute(_END, place | {"day": rate.valid_from_date})
            made = sa.insert(TAX_RATES).values(values | {"source": source, "created_by": by})
            return int(conn.execute(made.returning(TAX_RATES.c.tax_rate_id)).scalar_one())
    except sa.exc.IntegrityError as error:
        reason = str(error.orig).splitlines()[0]
        raise TaxRefused(f"{_said(rate)}: {reason}") from error


def _said(rate: Rate) -> str:
    place = f"{rate.country}-{rate.region}" if rate.region else rate.country
    return f"{rate.rate_bps / 100:g} % {rate.tax_category} in {place} from {rate.valid_from_date}"


def take_rates(conn: sa.Connection, lines: Iterable[str], source: str, by: str) -> tuple[int, int]:
    """Take a CSV of rates, all or none of it.

    Returns:
        Rates that were entered, and rates that were there already.

    Raises:
        TaxRefused: a column is missing, or a row makes no sense; the message names its line.
    """
    reader = csv.DictReader(lines)
    if missing := [name for name in COLUMNS[:5] if name not in (reader.fieldnames or ())]:
        raise TaxRefused(f"the file has no column {missing[0]}; needed are {', '.join(COLUMNS)}")
    made = known = 0
    for row in reader:
        try:
            entered = add_rate(conn, _read(row), source, by)
        except TaxRefused as error:
            raise TaxRefused(f"line {reader.line_num}: {error}") from error
        made, known = (made, known + 1) if entered is None else (made + 1, known)
    return made, known


def _read(row: Mapping[str, Any]) -> Rate:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    country = given["country"].upper()
    if len(country) != 2 or not country.isalpha():
        raise TaxRefused(f"country {given['country']!r} is not of ISO 3166-1")
    try:
        bps = Decimal(given["rate_percent"]) * 100
        days = [date.fromisoformat(given[name]) if given[name] else None for name in COLUMNS[4:]]
    except (InvalidOperation, ValueError) as error:
        raise TaxRefused("rate_percent must be a number and dates as 2026-01-31") from error
    if not bps.is_finite() or bps != int(bps) or not 0 <= bps <= 10_000 or days[0] is None:
        raise TaxRefused("rate_percent must be from 0 to 100 with two digits, and have a first day")
    category = given["tax_category"] or STANDARD
    return Rate(country, given["region"], category, int(bps), days[0], days[1])


def rates_of(conn: sa.Connection, country: str | None = None) -> list[Rate]:
    """All rates, of a country or of all, in the order of place, category and time."""
    columns = [TAX_RATES.c[name] for name in Rate.__slots__]
    query = sa.select(*columns).order_by(*columns[:3], TAX_RATES.c.valid_from_date)
    if country:
        query = query.where(TAX_RATES.c.country == country)
    return [Rate(**row) for row in conn.execute(query).mappings()]


def rate_on(
    conn: sa.Connection, country: str, tax_category: str, on: date, region: str = ""
) -> Rate | None:
    """The rate that holds somewhere on a day; None where none does."""
    return rate_for(rates_of(conn, country), country, region, tax_category, on)


def set_category(
    conn: sa.Connection, tax_category: str, product_category: str = "", sku: str = ""
) -> None:
    """Tax a product, or all of a category of the catalogue, as a tax category."""
    values = {"product_category": product_category, "sku": sku, "tax_category": tax_category}
    made = insert(TAX_CATEGORIES).values(values)
    conn.execute(
        made.on_conflict_do_update(
            index_elements=["product_category", "sku"], set_={"tax_category": tax_category}
        )
    )


def set_channel(conn: sa.Connection, channel: str, **settings: Any) -> None:
    """Say how a channel states tax; see `backoffice.tax_settings`."""
    made = insert(TAX_SETTINGS).values({"channel": channel, **settings})
    conn.execute(made.on_conflict_do_update(index_elements=["channel"], set_=settings))


def take_exchange_rates(
    conn: sa.Connection, rows: Sequence[tuple[str, date, Decimal]], source: str
) -> int:
    """Enter units of currencies to the euro by day; what is there is kept as it was published.

    Returns:
        How many were new.
    """
    values = [
        {"currency": currency, "rate_date": day, "per_eur": per_eur, "source": source}
        for currency, day, per_eur in rows
    ]
    if not values:
        return 0
    return conn.execute(insert(EXCHANGE_RATES).values(values).on_conflict_do_nothing()).rowcount
