"""Taxes: rates and what finds them, entered and looked up."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import tax_files, tax_lists, tax_rates
from ecom_assets.backoffice.store.tax_files import RowTaken
from ecom_assets.backoffice.store.tax_rates import TaxRefused
from ecom_assets.backoffice.taxation import Rate
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BigKey, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.tax_models import (
    CategoryGiven,
    CategoryTold,
    FileGiven,
    FileRowTold,
    FileTold,
    RateEndGiven,
    RateGiven,
    RateTold,
    WantedCountry,
    WantedDay,
)
from gateway.api.values import Key, Named, Wanted

ROUTER = APIRouter(prefix="/taxes", tags=["taxes"])

Reader = Annotated[Call, needs(Right.READ, "backoffice")]
Author = Annotated[Call, needs(Right.CONFIGURE, "backoffice")]

_Plain = Annotated[str, Field(max_length=200)]
_BY_PLACE: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[_Plain, _Plain, _Plain, BigKey])
_BY_SCOPE: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[_Plain, _Plain])


@ROUTER.get("/rates", summary="List tax rates", response_model=Page[RateTold])
def list_rates(
    call: Reader, country: WantedCountry = None, region: Wanted = None,
    tax_category: Wanted = None, on: WantedDay = None, limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By country, region and category; with `on` only those that hold on that day."""
    wanted = tax_lists.RateFilter(country, region, tax_category, on)
    asked = paging(limit, cursor, _BY_PLACE, "tax_rates", wanted)
    rows = call.read(lambda conn: tax_lists.rates(conn, wanted, asked.after, limit + 1))
    keys = ("country", "region", "tax_category", "tax_rate_id")
    return asked.page(rows, lambda row: RateTold(**row), keys)


@ROUTER.get("/rates/{tax_rate_id}", summary="Show a tax rate", response_model=RateTold)
def show_rate(call: Reader, tax_rate_id: Key) -> Response:
    """Its ETag is what a change needs."""
    row = call.read(lambda conn: tax_lists.rate(conn, tax_rate_id))
    if row is None:
        raise missing(f"tax rate {tax_rate_id}")
    return sent(200, {"ETag": _tag(row)}, RateTold(**row).model_dump_json())


@ROUTER.post("/rates", summary="Enter a tax rate", status_code=201, response_model=RateTold)
def enter_rate(call: Author, given: RateGiven, key: OnceKey = None) -> Response:
    """A rate of the same place and category that goes on ends when this one begins."""
    if given.valid_to_date is not None and given.valid_to_date <= given.valid_from_date:
        raise unfit("valid_to_date", "too_early", "must come after the first day")
    rate = Rate(**given.model_dump(exclude={"source"}))

    def work(conn: sa.Connection) -> Answer:
        try:
            made = tax_rates.add_rate(conn, rate, given.source, call.principal.name)
        except TaxRefused as refused:
            raise unfit(refused.field, "overlaps", str(refused), 409) from refused
        if made is None:
            raise unfit("rate_bps", "known", "this rate is entered already", 409)
        headers = {"Location": f"/api/v1/taxes/rates/{made}"}
        answer = _rate(conn, made)
        return Answer(answer.model, 201, {**answer.headers, **headers})

    return call.write_once(key, work)


@ROUTER.patch("/rates/{tax_rate_id}", summary="Let a tax rate end", response_model=RateTold)
def end_rate(
    call: Author, tax_rate_id: Key, given: RateEndGiven, if_match: IfMatch = None
) -> Response:
    """Or hold without end. What a rate says never changes: enter another one for a day."""

    def work(conn: sa.Connection) -> Answer:
        _locked(conn, tax_rate_id, if_match)
        try:
            tax_rates.end_rate(conn, tax_rate_id, given.valid_to_date)
        except TaxRefused as refused:
            raise unfit(refused.field, "refused", str(refused), 409) from refused
        return _rate(conn, tax_rate_id)

    return call.write(work)


@ROUTER.delete("/rates/{tax_rate_id}", summary="Take back a tax rate", status_code=204,
               response_model=None)  # fmt: skip
def forget_rate(call: Author, tax_rate_id: Key, if_match: IfMatch = None) -> Response:
    """Only one that does not hold yet; another one has to end instead."""

    def work(conn: sa.Connection) -> Answer:
        _locked(conn, tax_rate_id, if_match)
        try:
            tax_rates.forget_rate(conn, tax_rate_id, call.at.date())
        except TaxRefused as refused:
            raise unfit(refused.field, "held_already", str(refused), 409) from refused
        return Answer(None, 204)

    return call.write(work)


@ROUTER.post("/rates/bulk", summary="Bring a file of tax rates", response_model=FileTold)
def bring_file(call: Author, given: FileGiven, key: OnceKey = None) -> Response:
    """All rows are taken or none; each row that is refused is named with its column.

    With `is_preview` it only tells. Brought twice it changes nothing.
    """

    def work(conn: sa.Connection) -> Answer:
        lines = given.csv.removeprefix("\ufeff").splitlines()
        try:
            rows = tax_files.check_rates(
                conn, lines, given.source, call.principal.name, given.is_preview
            )
        except TaxRefused as refused:
            raise unfit("csv", "no_rates", str(refused)) from refused
        return Answer(_file(rows, given.is_preview))

    return call.write_once(key, work)


def _file(rows: list[RowTaken], is_preview: bool) -> FileTold:
    of = {name: sum(row.outcome == name for row in rows)
          for name in ("entered", "known", "refused")}  # fmt: skip
    return FileTold(is_taken=not (is_preview or of["refused"]), **of,
                    rows=[_file_row(row) for row in rows])  # fmt: skip


def _file_row(row: RowTaken) -> FileRowTold:
    names = ("country", "region", "tax_category", "rate_bps", "valid_from_date", "valid_to_date")
    said: dict[str, Any] = {name: getattr(row.rate, name, None) for name in names}
    outcome: Any = row.outcome
    return FileRowTold(line=row.line, outcome=outcome, field=row.field, message=row.message,
                       **said)  # fmt: skip


def _rate(conn: sa.Connection, tax_rate_id: int) -> Answer:
    row = tax_lists.rate(conn, tax_rate_id)
    assert row is not None  # noqa: S101 - it was written just now
    return Answer(RateTold(**row), headers={"ETag": _tag(row)})


def _locked(conn: sa.Connection, tax_rate_id: int, if_match: str | None) -> None:
    row = tax_lists.rate(conn, tax_rate_id, is_locked=True)
    if row is None:
        raise missing(f"tax rate {tax_rate_id}")
    require_match(if_match, _tag(row))


def _tag(row: sa.RowMapping) -> str:
    return tag_of("tax_rate", dict(row))


@ROUTER.get(
    "/categories", summary="List what is taxed otherwise", response_model=Page[CategoryTold]
)
def list_categories(
    call: Reader, tax_category: Wanted = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """Products and categories of the catalogue that are not taxed as `standard`."""
    asked = paging(limit, cursor, _BY_SCOPE, "tax_categories", tax_category)
    rows = call.read(
        lambda conn: tax_lists.categories(conn, tax_category, asked.after, limit + 1)
    )  # fmt: skip
    return asked.page(rows, lambda row: CategoryTold(**row), ("product_category", "sku"))


@ROUTER.post("/categories", summary="Tax a product or a category otherwise",
             response_model=CategoryTold)  # fmt: skip
def set_category(call: Author, given: CategoryGiven, key: OnceKey = None) -> Response:
    """New or changed; a product's own comes before its category's."""
    if (given.sku is None) == (given.product_category is None):
        raise unfit("sku", "one_of", "give sku or product_category, one of them")
    scope = (given.product_category or "", given.sku or "")

    def work(conn: sa.Connection) -> Answer:
        tax_rates.set_category(conn, given.tax_category, *scope)
        row = tax_lists.category(conn, *scope)
        assert row is not None  # noqa: S101 - it was written just now
        return Answer(CategoryTold(**row))

    return call.write_once(key, work)


@ROUTER.delete("/categories/product/{sku:path}", summary="Tax a product as its category",
               status_code=204, response_model=None)  # fmt: skip
def forget_product(call: Author, sku: Named, if_match: IfMatch = None) -> Response:
    """What was said of the product itself is taken back; `If-Match: *` will do."""
    return _forget(call, "", sku, if_match)


@ROUTER.delete("/categories/category/{category:path}", summary="Tax a category as standard",
               status_code=204, response_model=None)  # fmt: skip
def forget_category(call: Author, category: Named, if_match: IfMatch = None) -> Response:
    """What was said of the category is taken back; `If-Match: *` will do."""
    return _forget(call, category, "", if_match)


def _forget(call: Call, product_category: str, sku: str, if_match: str | None) -> Response:
    def work(conn: sa.Connection) -> Answer:
        row = tax_lists.category(conn, product_category, sku, is_locked=True)
        if row is None:
            raise missing(f"tax category of {sku or product_category}")
        require_match(if_match, tag_of("tax_category", dict(row)))
        tax_lists.forget_category(conn, product_category, sku)
        return Answer(None, 204)

    return call.write(work)
