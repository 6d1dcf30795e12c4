"""Tax rates, what finds them, and exchange rates: entering and looking up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.backoffice.tables import (
    EXCHANGE_RATES,
    TAX_CATEGORIES,
    TAX_RATES,
    TAX_SETTINGS,
)
from ecom_assets.backoffice.taxation import Rate, rate_for


class TaxRefused(ValueError):
    """A rate or setting that makes no sense; the message names the row and what is wrong.

    Attributes:
        field: the field that is wrong; empty where it is the whole.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


_OVERLAPS = "another rate of the same place and category holds"
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
        said = f"{_said(rate)}: {_OVERLAPS} within its time"
        raise TaxRefused(said, "valid_from_date") from error


def _said(rate: Rate) -> str:
    place = f"{rate.country}-{rate.region}" if rate.region else rate.country
    return f"{rate.rate_bps / 100:g} % {rate.tax_category} in {place} from {rate.valid_from_date}"


def end_rate(conn: sa.Connection, tax_rate_id: int, day: date | None) -> None:
    """Let a rate end before a day, or hold without end.

    Raises:
        TaxRefused: it would end before it begins, or hold while another does.
    """
    statement = sa.update(TAX_RATES).where(TAX_RATES.c.tax_rate_id == tax_rate_id)
    try:
        with conn.begin_nested():
            conn.execute(statement.values(valid_to_date=day))
    except sa.exc.IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
        said = f"{_OVERLAPS} by then"
        if "ends_after_start" in name:
            said = "a rate ends after its first day"
        raise TaxRefused(said, "valid_to_date") from error


def forget_rate(conn: sa.Connection, tax_rate_id: int, today: date) -> None:
    """Take back a rate that never held.

    Raises:
        TaxRefused: it holds, or did: taxes may rest on it.
    """
    rate = sa.delete(TAX_RATES).where(
        TAX_RATES.c.tax_rate_id == tax_rate_id, TAX_RATES.c.valid_from_date > today
    )
    if not conn.execute(rate).rowcount:
        raise TaxRefused("it holds, or did hold; let it end instead", "valid_from_date")


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
