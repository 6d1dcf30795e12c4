"""`ecom taxes`: rates by country, category and date, what channels state, the OSS threshold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecom.price_options import At, By, Json, begin, moment, person, say, tell
from ecom.problems import Problem

if TYPE_CHECKING:
    import sqlalchemy as sa

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="Tax rates, how channels state tax, and sales to other countries of the EU.",
)  # fmt: skip

Country = Annotated[str, typer.Argument(metavar="COUNTRY", help="ISO 3166-1, such as DE.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="CSV; see docs/taxes.md.")]


@contextmanager
def _acting(by: str | None) -> Iterator[tuple[sa.Connection, str]]:
    from ecom_assets.backoffice.store.acting import Actor, act

    name = (by or person()).strip()
    with begin() as conn:
        act(conn, Actor(name, "command"))
        try:
            yield conn, name
        except ValueError as error:
            raise Problem(str(error)) from error


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{file.name}: not a text in UTF-8") from error


@app.command("import")
def import_(file: Source, by: By = None) -> None:
    """Take a CSV of rates, all or none; a rate that goes on ends where another begins."""
    from ecom_assets.backoffice.store.tax_files import take_rates

    with _acting(by) as (conn, name):
        made, known = take_rates(conn, _lines(file), file.name, name)
    say(f"{made:,} rates entered, {known:,} were there")


@app.command("import-exchange-rates")
def import_exchange_rates(
    file: Source, source: Annotated[str, typer.Option(help="Who published them.")] = "ECB"
) -> None:
    """Take a CSV of `currency,date,per_eur`: units of a currency to one euro."""
    from ecom_assets.backoffice.store.tax_rates import take_exchange_rates

    rows = []
    for place, line in enumerate(_lines(file)[1:], 2):
        try:
            currency, day, per_eur = line.split(",")
            rows.append((currency.strip().upper(), date.fromisoformat(day), Decimal(per_eur)))
        except (ValueError, InvalidOperation) as error:
            raise Problem(f"line {place}: needs currency, date as 2026-01-31, number") from error
    with _acting(None) as (conn, _):
        made = take_exchange_rates(conn, rows, source)
    say(f"{made:,} exchange rates entered, {len(rows) - made:,} were there")


@app.command()
def rate(
    country: Country,
    category: Annotated[str, typer.Argument(help="Tax category.")] = "standard",
    on: Annotated[str, typer.Option("--on", help="Day, such as 2026-01-31.")] = "",
    region: Annotated[str, typer.Option(help="Part of the country.")] = "",
    as_json: Json = False,
) -> None:
    """Show the rate that holds somewhere on a day."""
    from ecom_assets.backoffice.store.tax_rates import rate_on

    with _acting(None) as (conn, _):
        day = date.fromisoformat(on) if on else moment(None).date()
        found = rate_on(conn, country.upper(), category, day, region)
    if found is None:
        raise Problem(f"no rate of {country.upper()} holds on {day}")
    row = {name: getattr(found, name) for name in type(found).__slots__}
    place = f"{found.country}-{found.region}" if found.region else found.country
    tell(row, as_json, lambda _: [
        f"{found.rate_bps / 100:g} % ({found.tax_category}) in {place} from"
        f" {found.valid_from_date}"
        + (f" to before {found.valid_to_date}" if found.valid_to_date else "")
    ])  # fmt: skip


@app.command("list")
def list_(
    country: Annotated[str | None, typer.Argument(help="One country only.")] = None,
    as_json: Json = False,
) -> None:
    """List all rates."""
    from ecom_assets.backoffice.store.tax_rates import rates_of

    with begin() as conn:
        found = rates_of(conn, country.upper() if country else None)
    rows = [{name: getattr(each, name) for name in type(each).__slots__} for each in found]
    tell({"rates": rows}, as_json, lambda given: [
        f"{row['country']} {row['region']} {row['tax_category']}: {row['rate_bps'] / 100:g} %"
        f" from {row['valid_from_date']} to {row['valid_to_date'] or 'open'}"
        for row in given["rates"]
    ] or ["no rates"])  # fmt: skip


@app.command()
def channel(
    name: Annotated[str, typer.Argument(help="Sales channel.")],
    seller_country: Annotated[str, typer.Option(help="Where the shop is taxed.")],
    prices: Annotated[str, typer.Option(help="gross or net: whether they contain tax.")] = "gross",
    rounding: Annotated[str, typer.Option(help="line or document.")] = "line",
    mode: Annotated[str, typer.Option(help="half_up, half_even or down.")] = "half_up",
    tax_point: Annotated[str, typer.Option(help="order or invoice: whose day.")] = "invoice",
    in_oss: Annotated[bool, typer.Option("--in-oss", help="Taxed where goods go.")] = False,
    by: By = None,
) -> None:
    """Say how a channel states tax; its orders are judged from then on."""
    from ecom_assets.backoffice.store.tax_rates import set_channel
    from ecom_assets.backoffice.taxation import Mode, Rounding

    with _acting(by) as (conn, _):
        if prices not in ("gross", "net") or tax_point not in ("order", "invoice"):
            raise Problem("--prices is gross or net, --tax-point is order or invoice")
        set_channel(
            conn, name, seller_country=seller_country.upper(), is_tax_in_prices=prices == "gross",
            rounding=Rounding(rounding).value, rounding_mode=Mode(mode).value,
            tax_point=tax_point, is_in_oss=in_oss,
        )  # fmt: skip
    say(f"{name} is set")


@app.command()
def category(
    tax_category: Annotated[str, typer.Argument(help="Tax category, such as books.")],
    of: Annotated[str, typer.Option(help="Category of the catalogue.")] = "",
    sku: Annotated[str, typer.Option(help="Product.")] = "",
    by: By = None,
) -> None:
    """Tax a product, or a category of the catalogue, otherwise than as standard."""
    from ecom_assets.backoffice.store.tax_rates import set_category

    if bool(of) == bool(sku):
        raise Problem("give --of or --sku")
    with _acting(by) as (conn, _):
        set_category(conn, tax_category, of, sku)
    say(f"{sku or of} is taxed as {tax_category}")


@app.command()
def oss(at: At = None, as_json: Json = False) -> None:
    """Count sales to other countries of the EU against 10,000 EUR a calendar year."""
    from ecom_assets.backoffice.assets.taxes import oss_lines
    from ecom_assets.backoffice.store import oss as tracker

    when = moment(at)
    with _acting(None) as (conn, _):
        for year in (when.year - 1, when.year):
            tracker.count_turnover(conn, year, when, "command")
        found: dict[str, Any] = {
            "years": tracker.standing(conn), "lines": oss_lines(conn, when)
        }  # fmt: skip
    tell(found, as_json, lambda given: given["lines"])


@app.command()
def invoice(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Such as INV-2026-000042.")],
    as_json: Json = False,
) -> None:
    """Explain an invoice: the rates it was taxed by and the versions of rules that led to it."""
    from ecom_assets.backoffice.store.order_taxes import explain_invoice

    with begin() as conn:
        found = explain_invoice(conn, number)
    if found is None:
        raise Problem(f"there is no invoice {number}")
    tell(found, as_json, _explained)


def _explained(found: dict[str, Any]) -> list[str]:
    tax = found["tax"]
    lines = ["tax was not judged: its channel does not say how it states tax"]
    if tax["outcome"]:
        lines = [f"tax {tax['outcome']}: {tax['treatment']} in {tax['country']} on"
                 f" {tax['tax_date']}, stated {tax['stated_minor']}, by the rates"
                 f" {tax['expected_minor']} minor units of {tax['currency']}"]  # fmt: skip
        lines += [
            f"  line {line['line_no']}: {line['tax_category']}, rate {line['tax_rate_id']},"
            f" {line['rate_bps']} bp, tax {line['tax_minor']}"
            for line in tax["lines"]
        ]
    for row in found["decisions"]:
        people = f", approved by {row['approved_by']}" if row["approved_by"] else ""
        lines.append(
            f"{row['kind']} {row['subject']}: {row['outcome']} by {row['version']}{people}"
        )
    return lines
