"""Taxes as assets: what orders came with against the rates, the OSS threshold, VAT ids."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.backoffice.store import order_taxes as taxes
from ecom_assets.backoffice.store import oss, vat_checks
from ecom_assets.backoffice.tables import (
    ORDER_TAXES,
    OSS_TURNOVER,
    TAX_RATES,
    TAX_SETTINGS,
    VAT_CHECKS,
)
from ecom_assets.backoffice.taxation import OSS_THRESHOLD_MINOR
from ecom_assets.orders.tables import ORDERS
from ecom_assets.shared import metadata
from ecom_assets.shared.money import to_text
from resources.database import DatabaseResource
from resources.vat import VatRegisterResource

_IN_FORCE = (
    sa.select(
        *(TAX_RATES.c[name] for name in ("country", "region", "tax_category", "rate_bps")),
        TAX_RATES.c.valid_from_date, TAX_RATES.c.source,
    )
    .where(TAX_RATES.c.valid_to_date.is_(None))
    .order_by(TAX_RATES.c.country, TAX_RATES.c.region, TAX_RATES.c.tax_category)
)  # fmt: skip


@dg.asset(
    key=["backoffice", "tax_rates"],
    kinds={"postgres"},
    description="Rates of tax by country, region, category and date, as people entered them.",
)
def tax_rates(database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Show the rates that hold and which channels are not told how to state tax."""
    settled = sa.select(TAX_SETTINGS.c.channel)
    silent = (
        sa.select(ORDERS.c.channel, sa.func.count().label("orders"))
        .where(ORDERS.c.channel.not_in(settled))
        .group_by(ORDERS.c.channel)
        .order_by(ORDERS.c.channel)
    )
    with database.begin() as conn:
        shown = {
            **metadata.advanced(conn, TAX_RATES, {}),
            "open_rates": metadata.preview(conn, _IN_FORCE, most=40),
            "channels_without_settings": metadata.preview(conn, silent, most=20),
        }
    return dg.MaterializeResult(metadata=shown)


class TaxConfig(dg.Config):
    """What is judged.

    Attributes:
        is_anew: whether orders that were judged are judged again, such as after a rate was mended.
    """

    is_anew: bool = False


_OUTCOMES = (
    sa.select(
        ORDER_TAXES.c.channel, ORDER_TAXES.c.country, ORDER_TAXES.c.treatment,
        ORDER_TAXES.c.outcome, ORDER_TAXES.c.currency, sa.func.count().label("orders"),
        sa.func.sum(ORDER_TAXES.c.stated_minor).label("stated_minor"),
        sa.func.sum(ORDER_TAXES.c.expected_minor).label("expected_minor"),
    )
    .group_by(*(ORDER_TAXES.c[name] for name in ("channel", "country", "treatment", "outcome",
                                                 "currency")))
    .order_by(ORDER_TAXES.c.outcome.desc(), sa.func.count().desc(), ORDER_TAXES.c.channel,
              ORDER_TAXES.c.country)
)  # fmt: skip
_DIFFERING = (
    sa.select(
        *(ORDER_TAXES.c[name] for name in ("order_id", "channel", "country", "tax_date")),
        *(ORDER_TAXES.c[name] for name in ("stated_minor", "expected_minor", "currency", "lines")),
    )
    .where(ORDER_TAXES.c.outcome == "differs")
    .order_by(ORDER_TAXES.c.order_id.desc())
)
_COUNTS = (
    sa.select(ORDER_TAXES.c.outcome, sa.func.count())
    .group_by(ORDER_TAXES.c.outcome)
    .order_by(ORDER_TAXES.c.outcome)
)


@dg.asset(
    key=["backoffice", "order_taxes"],
    deps=[["backoffice", "tax_rates"], ["orders", "order_lines"], ["documents", "invoices"]],
    kinds={"postgres"},
    description="The tax orders came with beside what the rates of their day say, line by line."
    " Orders are never changed; what differs is for the channel to mend.",
)
def order_taxes(
    context: dg.AssetExecutionContext, config: TaxConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Judge the orders that are new, were changed, or got their invoice."""
    judged, after = 0, 0
    while True:
        with database.begin() as conn:
            orders = taxes.next_due(conn, after, config.is_anew)
            if not orders:
                break
            judged += taxes.judge(conn, orders, context.run.run_id)
            after = orders[-1]
        context.log.info(f"taxes: {judged:,} orders")
    with database.begin() as conn:
        counts = dict(conn.execute(_COUNTS).tuples().all())
        shown = {
            **metadata.advanced(conn, ORDER_TAXES, {"judged": judged}),
            "by_channel_and_country": metadata.preview(conn, _OUTCOMES, most=40),
            "newest_that_differ": metadata.preview(conn, _DIFFERING),
            "outcomes": metadata.bar_plot(
                list(counts), list(counts.values()), "Orders by tax", "orders"
            ),
        }
    return dg.MaterializeResult(metadata=shown)


class AsOfConfig(dg.Config):
    """At which moment.

    Attributes:
        as_of: business moment, ISO 8601; now, if empty.
    """

    as_of: str = ""


def _moment(text: str) -> datetime:
    # The wall clock is right here: where no moment is given, what is asked for is the present.
    found = datetime.fromisoformat(text) if text else datetime.now(UTC)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@dg.asset(
    key=["backoffice", "oss_turnover"],
    deps=[["backoffice", "tax_rates"], ["orders", "orders"]],
    kinds={"postgres"},
    description="Sales to consumers in other countries of the EU in this calendar year and the last"
    " one, against the 10,000 EUR from which tax is due where goods go.",
)
def oss_turnover(
    context: dg.AssetExecutionContext, config: AsOfConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Count this year's and last year's sales, and say how far they are from the threshold."""
    as_of = _moment(config.as_of)
    rows = 0
    with database.begin() as conn:
        for year in (as_of.year - 1, as_of.year):
            rows += oss.count_turnover(conn, year, as_of, context.run.run_id)
        lines = oss_lines(conn, as_of)
        per_year = oss.standing(conn)
        shown = {
            **metadata.advanced(conn, OSS_TURNOVER, {"rows": rows}),
            "standing": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines)),
            "turnover": metadata.bar_plot(
                [f"{row['seller_country']} {row['year']}" for row in per_year],
                [float(row["eur_minor"]) / 100 for row in per_year],
                "Sales to other countries of the EU", "EUR",
            ),
        }  # fmt: skip
    return dg.MaterializeResult(metadata=shown)


def oss_lines(conn: sa.Connection, as_of: datetime) -> list[str]:
    """What the tracker says, a line per year and seller's country."""
    lines = []
    for row in oss.standing(conn):
        found = oss.crossed(conn, row["year"], as_of, OSS_THRESHOLD_MINOR)
        at = found.get(row["seller_country"])
        verdict = f"passed 10,000 EUR on {at:%Y-%m-%d}" if at else "below 10,000 EUR"
        line = (
            f"{row['year']} from {row['seller_country']}: {row['orders']:,} orders,"
            f" {to_text(int(row['eur_minor']), 'EUR')}, {verdict}"
        )
        if row["unconverted"]:
            line += (
                f"; AT LEAST: {row['unconverted']:,} orders in {', '.join(row['unknown'])} have no"
                " exchange rate, nor do the sums of their country and currency count"
            )
        lines.append(line)
    return lines or ["no sales to other countries of the EU, or no channel says where it is taxed"]


_STATES = (
    sa.select(VAT_CHECKS.c.state, sa.func.count())
    .group_by(VAT_CHECKS.c.state)
    .order_by(VAT_CHECKS.c.state)
)
_WAITING = (
    sa.select(*(VAT_CHECKS.c[name] for name in ("vat_check_id", "asked_as_of", "attempts",
                                                "next_at", "detail")))
    .where(VAT_CHECKS.c.state == "pending")
    .order_by(VAT_CHECKS.c.asked_as_of)
)  # fmt: skip


@dg.asset(
    key=["backoffice", "vat_checks"],
    kinds={"postgres"},
    description="VAT ids that the EU's register was asked about. Without an answer an id is"
    " pending: no sale is freed of tax on it.",
)
def vat_checks_asked(
    context: dg.AssetExecutionContext,
    config: AsOfConfig,
    database: DatabaseResource,
    vat_register: VatRegisterResource,
) -> dg.MaterializeResult[Any]:
    """Ask the register about what is pending; what it does not answer is asked again later."""
    as_of = _moment(config.as_of)
    with database.begin() as conn:
        waiting = vat_checks.due(conn, as_of)
    problems: list[str] = []
    for check, vat_id in waiting:
        # Outside of any transaction: a register may take its time.
        answer = vat_register.ask(vat_id)
        with database.begin() as conn:
            if answer.is_valid is None:
                problems.append(answer.problem)
                vat_checks.unanswered(conn, check, answer.problem, as_of)
            else:
                vat_checks.answered(conn, check, answer.is_valid, answer.consultation, as_of)
    with database.begin() as conn:
        counts = dict(conn.execute(_STATES).tuples().all())
        shown = {
            **metadata.advanced(conn, VAT_CHECKS, {"asked": len(waiting)}),
            "waiting": metadata.preview(conn, _WAITING),
            "states": metadata.bar_plot(list(counts), list(counts.values()), "VAT ids", "ids"),
        }
    if problems:
        degraded = f"{len(problems)} of {len(waiting)} not answered: {problems[0]}"
        context.log.warning(degraded)
        shown["degraded"] = dg.MetadataValue.text(degraded)
    return dg.MaterializeResult(metadata=shown)


ASSETS = [tax_rates, order_taxes, oss_turnover, vat_checks_asked]
