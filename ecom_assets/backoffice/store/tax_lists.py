"""Taxes as people and machines look at them: rates, what finds them, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.tables import (
    EXCHANGE_RATES,
    ORDER_TAXES,
    TAX_CATEGORIES,
    TAX_RATES,
    TAX_SETTINGS,
    VAT_CHECKS,
)

Rows = Sequence[sa.RowMapping]


def _shown(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.c if column.name not in ("recorded_at", "run_id")]


def _after(columns: Sequence[sa.Column[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    return sa.tuple_(*columns) > sa.tuple_(*(sa.literal(value) for value in values))


@dataclass(frozen=True, slots=True)
class RateFilter:
    """Which rates are wanted; where nothing is said, all."""

    country: str | None = None
    region: str | None = None
    tax_category: str | None = None
    on: date | None = None


def rates(conn: sa.Connection, wanted: RateFilter, after: Any, most: int) -> Rows:
    """Rates by country, region, category and key; `after` has those four of the row before."""
    c = TAX_RATES.c
    order = (c.country, c.region, c.tax_category, c.tax_rate_id)
    query = sa.select(*_shown(TAX_RATES)).order_by(*order).limit(most)
    for name in ("country", "region", "tax_category"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(c[name] == value)
    if wanted.on is not None:
        ends = sa.or_(c.valid_to_date.is_(None), c.valid_to_date > wanted.on)
        query = query.where(c.valid_from_date <= wanted.on, ends)
    if after:
        query = query.where(_after(order, after))
    return conn.execute(query).mappings().all()


def rate(conn: sa.Connection, tax_rate_id: int, is_locked: bool = False) -> sa.RowMapping | None:
    """A rate by its key."""
    query = sa.select(*_shown(TAX_RATES)).where(TAX_RATES.c.tax_rate_id == tax_rate_id)
    query = query.with_for_update() if is_locked else query
    return conn.execute(query).mappings().one_or_none()


def categories(conn: sa.Connection, tax_category: str | None, after: Any, most: int) -> Rows:
    """What is taxed otherwise than as standard, by category of products and SKU."""
    c = TAX_CATEGORIES.c
    order = (c.product_category, c.sku)
    query = sa.select(*_shown(TAX_CATEGORIES)).order_by(*order).limit(most)
    if tax_category is not None:
        query = query.where(c.tax_category == tax_category)
    if after:
        query = query.where(_after(order, after))
    return conn.execute(query).mappings().all()


def category(
    conn: sa.Connection, product_category: str, sku: str, is_locked: bool = False
) -> sa.RowMapping | None:
    """How a product, or all of a category, is taxed, where something is said of it."""
    c = TAX_CATEGORIES.c
    query = sa.select(*_shown(TAX_CATEGORIES)).where(
        c.product_category == product_category, c.sku == sku
    )
    query = query.with_for_update() if is_locked else query
    return conn.execute(query).mappings().one_or_none()


def forget_category(conn: sa.Connection, product_category: str, sku: str) -> None:
    """Tax a product, or all of a category, as standard again."""
    c = TAX_CATEGORIES.c
    conn.execute(
        sa.delete(TAX_CATEGORIES).where(c.product_category == product_category, c.sku == sku)
    )


def channels(conn: sa.Connection, after: str | None, most: int) -> Rows:
    """How channels state tax, by name."""
    query = sa.select(*_shown(TAX_SETTINGS)).order_by(TAX_SETTINGS.c.channel).limit(most)
    if after is not None:
        query = query.where(TAX_SETTINGS.c.channel > after)
    return conn.execute(query).mappings().all()


def channel(conn: sa.Connection, name: str, is_locked: bool = False) -> sa.RowMapping | None:
    """How a channel states tax."""
    query = sa.select(*_shown(TAX_SETTINGS)).where(TAX_SETTINGS.c.channel == name)
    query = query.with_for_update() if is_locked else query
    return conn.execute(query).mappings().one_or_none()


def forget_channel(conn: sa.Connection, name: str) -> None:
    """Judge the orders of a channel no more."""
    conn.execute(sa.delete(TAX_SETTINGS).where(TAX_SETTINGS.c.channel == name))


def exchange_rates(
    conn: sa.Connection, currency: str | None, since: date | None, after: Any, most: int
) -> Rows:
    """Units of currencies to the euro, by currency and day."""
    c = EXCHANGE_RATES.c
    order = (c.currency, c.rate_date)
    query = sa.select(*_shown(EXCHANGE_RATES)).order_by(*order).limit(most)
    if currency is not None:
        query = query.where(c.currency == currency)
    if since is not None:
        query = query.where(c.rate_date >= since)
    if after:
        query = query.where(_after(order, (after[0], date.fromisoformat(after[1]))))
    return conn.execute(query).mappings().all()


def order_taxes(
    conn: sa.Connection, outcome: str | None, channel: str | None, before: int | None, most: int
) -> Rows:
    """The tax orders came with beside what the rates say, the newest order first."""
    c = ORDER_TAXES.c
    query = sa.select(*_shown(ORDER_TAXES)).order_by(c.order_id.desc()).limit(most)
    if outcome is not None:
        query = query.where(c.outcome == outcome)
    if channel is not None:
        query = query.where(c.channel == channel)
    if before is not None:
        query = query.where(c.order_id < before)
    return conn.execute(query).mappings().all()


def vat_checks(
    conn: sa.Connection, vat_id: str | None, state: str | None, before: int | None, most: int
) -> Rows:
    """Questions to the register, the newest first; `vat_id` as the register writes it."""
    c = VAT_CHECKS.c
    query = sa.select(*_shown(VAT_CHECKS)).order_by(c.vat_check_id.desc()).limit(most)
    if vat_id is not None:
        query = query.where(c.vat_id == vat_id)
    if state is not None:
        query = query.where(c.state == state)
    if before is not None:
        query = query.where(c.vat_check_id < before)
    return conn.execute(query).mappings().all()
