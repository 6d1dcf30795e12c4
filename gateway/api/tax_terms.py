"""Taxes: how channels state them, exchange rates, VAT ids, and what became of orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import oss, tax_lists, tax_rates, vat_checks
from ecom_assets.backoffice.store.order_taxes import explain_invoice
from ecom_assets.backoffice.store.tax_questions import Sale, applying, category_of
from ecom_assets.backoffice.taxation import OSS_THRESHOLD_MINOR, STANDARD, VatState
from ecom_assets.backoffice.vat import normal
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_KEY, BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.tax_models import (
    ApplyingTold,
    ChannelGiven,
    ChannelTold,
    CheckState,
    ExchangeRatesGiven,
    ExchangeRatesTold,
    ExchangeRateTold,
    InvoiceTaxTold,
    OrderTaxTold,
    OssTold,
    OssYearTold,
    Outcome,
    VatCheckTold,
    VatGiven,
    VatStateTold,
    WantedCountry,
    WantedCurrency,
    WantedDay,
)
from gateway.api.taxes import Author, Reader
from gateway.api.values import Named, Wanted

ROUTER = APIRouter(prefix="/taxes", tags=["taxes"])

Operator = Annotated[Call, needs(Right.OPERATE, "backoffice")]

_Plain = Annotated[str, Field(max_length=10)]
_Day = Annotated[str, AfterValidator(lambda text: date.fromisoformat(text).isoformat())]
_BY_DAY: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[_Plain, _Day])


@ROUTER.get("/channels", summary="List how channels state tax", response_model=Page[ChannelTold])
def list_channels(call: Reader, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """By name; orders of a channel that is not listed are not judged."""
    asked = paging(limit, cursor, BY_NAME, "tax_channels")
    after = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: tax_lists.channels(conn, after, limit + 1))
    return asked.page(rows, lambda row: ChannelTold(**row), ("channel",))


@ROUTER.get("/channels/{channel:path}", summary="Show how a channel states tax",
            response_model=ChannelTold)  # fmt: skip
def show_channel(call: Reader, channel: Named) -> Response:
    """Its ETag is what a change needs."""
    row = call.read(lambda conn: tax_lists.channel(conn, channel))
    if row is None:
        raise missing(f"channel {channel} that says how it states tax")
    return sent(200, {"ETag": _tag(row)}, ChannelTold(**row).model_dump_json())


@ROUTER.put("/channels/{channel:path}", summary="Say how a channel states tax",
            response_model=ChannelTold)  # fmt: skip
def set_channel(
    call: Author, channel: Named, given: ChannelGiven, if_match: IfMatch = None
) -> Response:
    """New, with `If-Match: *`, or changed; its orders are judged so from then on."""

    def work(conn: sa.Connection) -> Answer:
        row = tax_lists.channel(conn, channel, is_locked=True)
        require_match(if_match, _tag(row))
        tax_rates.set_channel(conn, channel, **given.model_dump(mode="json"))
        changed = tax_lists.channel(conn, channel)
        assert changed is not None  # noqa: S101 - it was written just now
        return Answer(ChannelTold(**changed), headers={"ETag": _tag(changed)})

    return call.write(work)


@ROUTER.delete("/channels/{channel:path}", summary="Judge a channel's tax no more",
               status_code=204, response_model=None)  # fmt: skip
def forget_channel(call: Author, channel: Named, if_match: IfMatch = None) -> Response:
    """What was found of its orders stays."""

    def work(conn: sa.Connection) -> Answer:
        row = tax_lists.channel(conn, channel, is_locked=True)
        if row is None:
            raise missing(f"channel {channel} that says how it states tax")
        require_match(if_match, _tag(row))
        tax_lists.forget_channel(conn, channel)
        return Answer(None, 204)

    return call.write(work)


def _tag(row: Any) -> str:
    return tag_of("tax_channel", dict(row) if row else None)


@ROUTER.get("/exchange-rates", summary="List exchange rates",
            response_model=Page[ExchangeRateTold])  # fmt: skip
def list_exchange_rates(
    call: Reader, currency: WantedCurrency = None, since: WantedDay = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By currency and day."""
    asked = paging(limit, cursor, _BY_DAY, "exchange_rates", currency, since)
    rows = call.read(
        lambda conn: tax_lists.exchange_rates(conn, currency, since, asked.after, limit + 1)
    )
    shown = [{**row, "day": row["rate_date"].isoformat()} for row in rows]
    return asked.page(shown, _exchange_rate, ("currency", "day"))


def _exchange_rate(row: Any) -> ExchangeRateTold:
    return ExchangeRateTold(**{name: row[name] for name in ExchangeRateTold.model_fields})


@ROUTER.post("/exchange-rates/bulk", summary="Bring exchange rates",
             response_model=ExchangeRatesTold)  # fmt: skip
def bring_exchange_rates(
    call: Author, given: ExchangeRatesGiven, key: OnceKey = None
) -> Response:  # fmt: skip
    """Those of a day that is there are left as they were published."""
    named: set[tuple[str, date]] = set()
    for place, row in enumerate(given.rows):
        if (row.currency, row.rate_date) in named:
            raise unfit(f"rows.{place}", "repeated_row", "currency and day stand in a row before")
        named.add((row.currency, row.rate_date))
        if not Decimal(row.per_eur) or (row.currency == "EUR" and Decimal(row.per_eur) != 1):
            raise unfit(f"rows.{place}.per_eur", "impossible", "must be more than 0, 1 for EUR")
    rows = [(row.currency, row.rate_date, Decimal(row.per_eur)) for row in given.rows]

    def work(conn: sa.Connection) -> Answer:
        made = tax_rates.take_exchange_rates(conn, rows, given.source)
        return Answer(ExchangeRatesTold(entered=made, known=len(rows) - made))

    return call.write_once(key, work)


@ROUTER.get("/which", summary="Ask which rate applies", response_model=ApplyingTold)
def ask_rate(
    call: Reader,
    country: Annotated[str, Query(pattern="^[A-Z]{2}$", description="Where the goods go.")],
    channel: Wanted = None,
    seller_country: WantedCountry = None,
    region: Annotated[str, Query(max_length=200)] = "",
    sku: Wanted = None,
    tax_category: Wanted = None,
    on: WantedDay = None,
    vat_id: Annotated[str | None, Query(max_length=40)] = None,
    is_in_oss: bool | None = None,
) -> Any:
    """With the reasons.

    Give `channel` or `seller_country`; `sku` or `tax_category`, else it is `standard`; `on` is
    today, if not given. A `vat_id` counts as what is known of it by now.
    """

    def work(conn: sa.Connection) -> ApplyingTold:
        seller, in_oss = _seller(conn, channel, seller_country)
        why = []
        category = tax_category or STANDARD
        if sku is not None and tax_category is None:
            category, because = category_of(conn, sku)
            why.append(because)
        state = vat_checks.state_of(conn, vat_id, call.at) if vat_id else VatState.NONE
        day = on or call.at.date()
        sale = Sale(seller, country, region, category, day, state,
                    in_oss if is_in_oss is None else is_in_oss)  # fmt: skip
        found = applying(conn, sale)
        return ApplyingTold(
            treatment=found.treatment, country=found.country, tax_category=category, on=day,
            rate_bps=found.rate.rate_bps if found.rate else None,
            tax_rate_id=found.rate.tax_rate_id if found.rate else None,
            reasons=[*why, *found.reasons],
        )  # fmt: skip

    return call.read(work)


def _seller(conn: sa.Connection, channel: str | None, country: str | None) -> tuple[str, bool]:
    if (channel is None) == (country is None):
        raise unfit("channel", "one_of", "give channel or seller_country, one of them")
    if channel is None:
        return country or "", False
    row = tax_lists.channel(conn, channel)
    if row is None:
        raise unfit("channel", "unknown_channel", "does not say how it states tax")
    return row["seller_country"], row["is_in_oss"]


@ROUTER.get("/oss", summary="Show the threshold of the one-stop shop", response_model=OssTold)
def show_oss(call: Reader) -> Any:
    """Sales to consumers in other countries of the EU by year, the newest first.

    As last counted, which the job `backoffice_taxes` does daily.
    """
    rows = call.read(oss.standing)
    return OssTold(items=[
        OssYearTold(
            **{name: row[name] for name in ("year", "seller_country", "orders", "counted_as_of")},
            eur_minor=int(row["eur_minor"]), threshold_minor=OSS_THRESHOLD_MINOR,
            is_over=row["eur_minor"] > OSS_THRESHOLD_MINOR, is_complete=not row["unconverted"],
            unconverted=row["unconverted"], unknown_currencies=row["unknown"] or [],
        )
        for row in rows
    ])  # fmt: skip


@ROUTER.get("/invoices/{number:path}", summary="Explain the tax of an invoice",
            response_model=InvoiceTaxTold)  # fmt: skip
def show_invoice(call: Reader, number: Named) -> Any:
    """By which rates it was judged, and by which versions of which rules it came about."""
    found = call.read(lambda conn: explain_invoice(conn, number))
    if found is None:
        raise missing(f"invoice {number}")
    return InvoiceTaxTold.model_validate({"number": number, **found})


@ROUTER.get("/orders", summary="List the tax orders came with", response_model=Page[OrderTaxTold])
def list_order_taxes(
    call: Reader, outcome: Outcome | None = None, channel: Wanted = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """Beside what the rates say, the newest order first; orders themselves are never changed."""
    asked = paging(limit, cursor, BY_KEY, "order_taxes", outcome, channel)
    before = asked.after[0] if asked.after else None
    rows = call.read(
        lambda conn: tax_lists.order_taxes(conn, outcome, channel, before, limit + 1)
    )  # fmt: skip
    return asked.page(rows, lambda row: OrderTaxTold(**row), ("order_id",))


@ROUTER.get("/vat-checks", summary="List questions about VAT ids",
            response_model=Page[VatCheckTold])  # fmt: skip
def list_checks(
    call: Reader, vat_id: Wanted = None, state: CheckState | None = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """The newest first; the register is asked again while it does not answer."""
    name = normal(vat_id) if vat_id else None
    asked = paging(limit, cursor, BY_KEY, "vat_checks", name, state)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: tax_lists.vat_checks(conn, name, state, before, limit + 1))
    return asked.page(rows, lambda row: VatCheckTold(**row), ("vat_check_id",))


@ROUTER.post("/vat-checks", summary="Ask about a VAT id", response_model=VatStateTold)
def want_check(call: Operator, given: VatGiven, key: OnceKey = None) -> Response:
    """What is known of it.

    Where that is nothing or older than 30 days, the register will be asked and the buyer counts as
    a consumer until it has answered.
    """

    def work(conn: sa.Connection) -> Answer:
        state = vat_checks.want(conn, given.vat_id, call.at, call.run)
        return Answer(VatStateTold(vat_id=normal(given.vat_id), state=state))

    return call.write_once(key, work)
