"""What proposed values would change: before and after, field by field, against the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.catalog.store.staging import PRODUCT_VALUES
from ecom_assets.catalog.tables import PRODUCTS

Values = sa.FromClause


def outcome(given: Values, name: str) -> sa.ColumnElement[Any]:
    """The value a column would have: what is given, else what is known.

    An amount of another currency is not this product's price any more, so it is not kept.
    """
    said, known = given.c[name], PRODUCTS.c[name]
    kept = sa.func.coalesce(said, known)
    if not name.endswith("_minor"):
        return kept
    same = sa.func.coalesce(given.c.currency, PRODUCTS.c.currency) == PRODUCTS.c.currency
    return sa.case((same, kept), else_=said)


def _differs(given: Values, name: str) -> sa.ColumnElement[bool]:
    return outcome(given, name).is_distinct_from(PRODUCTS.c[name])


def changed(given: Values, names: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether any of the columns would change."""
    return sa.or_(sa.false(), *(_differs(given, name) for name in names))


def before(given: Values, names: Iterable[str]) -> sa.ColumnElement[Any]:
    """The known values of the columns that would change; those that are empty are left out."""
    return _object((name, sa.case((_differs(given, name), PRODUCTS.c[name]))) for name in names)


def after(given: Values, names: Iterable[str]) -> sa.ColumnElement[Any]:
    """The new values of the columns that would change; those that become empty are left out."""
    return _object((name, sa.case((_differs(given, name), outcome(given, name)))) for name in names)


def whole(
    given: Values, names: Iterable[str], currency: str | None = None
) -> sa.ColumnElement[Any]:
    """All values of a new product, with what it has where nothing is said.

    Args:
        given: the proposed values.
        names: columns that are proposed.
        currency: that of a product that states none.
    """
    unsaid: dict[str, sa.ColumnElement[Any]] = {
        "category": sa.literal("uncategorised"), "currency": sa.literal(currency, sa.Text()),
        "status": sa.literal("active"), "is_active": sa.true(),
    }  # fmt: skip
    values = {name: given.c[name] for name in names}
    return _object(
        (name, sa.func.coalesce(value, unsaid[name]) if name in unsaid else value)
        for name, value in values.items()
    )


def _object(pairs: Iterable[tuple[str, sa.ColumnElement[Any]]]) -> sa.ColumnElement[Any]:
    parts = [part for name, value in pairs for part in (sa.literal_column(f"'{name}'"), value)]
    return sa.func.jsonb_strip_nulls(sa.func.jsonb_build_object(*parts), type_=JSONB)


COLUMNS = tuple(PRODUCT_VALUES)
"""Columns of the products that plans change."""
