"""Which tax a sale would bear, and why: answers to questions that no order asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ecom_assets.backoffice.store.tax_rates import rates_of
from ecom_assets.backoffice.taxation import (
    STANDARD,
    Rate,
    Treatment,
    VatState,
    rate_for,
    taxing_country,
    treatment,
)

_CATEGORY = sa.text("""
    SELECT c.tax_category, c.sku <> '' AS is_own
    FROM backoffice.tax_categories AS c
    WHERE (c.sku = :sku AND c.product_category = '')
        OR (c.sku = '' AND c.product_category = (
            SELECT p.category FROM catalog.products AS p WHERE p.sku = :sku))
    ORDER BY is_own DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale of which the tax is asked.

    Attributes:
        seller_country: where the shop is taxed.
        country: where the goods go.
        region: part of that country.
        tax_category: what is sold, as taxes tell things apart.
        on: day whose rates hold.
        vat_state: what is known of the buyer's VAT id.
        is_in_oss: whether sales to other countries of the EU are taxed there.
    """

    seller_country: str
    country: str
    region: str
    tax_category: str
    on: date
    vat_state: VatState
    is_in_oss: bool


@dataclass(frozen=True, slots=True)
class Applying:
    """Which rate applies.

    Attributes:
        treatment: whose tax it is.
        country: country whose rates are asked; None where no tax is due here.
        rate: the rate; None where no tax is due here, or no rate holds.
        reasons: how that came about, a sentence each.
    """

    treatment: Treatment
    country: str | None
    rate: Rate | None
    reasons: tuple[str, ...]


def category_of(conn: sa.Connection, sku: str) -> tuple[str, str]:
    """The tax category of a product, and why it is that."""
    found = conn.execute(_CATEGORY, {"sku": sku}).first()
    if found is None:
        return STANDARD, f"nothing is said of {sku} nor of its category, so it is {STANDARD}"
    of = sku if found.is_own else f"the category of {sku}"
    return found.tax_category, f"{of} is taxed as {found.tax_category}"


def applying(conn: sa.Connection, sale: Sale) -> Applying:
    """Which rate applies to a sale, and why."""
    whose = treatment(sale.seller_country, sale.country, sale.vat_state, sale.is_in_oss)
    country = taxing_country(whose, sale.seller_country, sale.country)
    reasons = [_WHOSE[whose].format(seller=sale.seller_country, buyer=sale.country)]
    if sale.vat_state is VatState.PENDING:
        reasons.append("the VAT id is not confirmed yet, so the buyer counts as a consumer")
    if country is None:
        return Applying(whose, None, None, tuple(reasons))
    # The region is the buyer's; where the seller's country taxes, none of it is known.
    region = sale.region if country == sale.country else ""
    rate = rate_for(rates_of(conn, country), country, region, sale.tax_category, sale.on)
    reasons += _why(rate, country, region, sale)
    return Applying(whose, country, rate, tuple(reasons))


def _why(rate: Rate | None, country: str, region: str, sale: Sale) -> list[str]:
    if rate is None:
        return [f"no rate of {country} holds on {sale.on}"]
    found = []
    if region and not rate.region:
        found.append(f"{country}-{region} has no rate of its own, so that of {country} holds")
    if rate.tax_category != sale.tax_category:
        found.append(
            f"{sale.tax_category} has no rate of its own there, so {rate.tax_category} holds"
        )
    until = f" until before {rate.valid_to_date}" if rate.valid_to_date else ""
    return [*found, f"rate {rate.tax_rate_id} holds from {rate.valid_from_date}{until}"]


_WHOSE = {
    Treatment.DOMESTIC: "goods stay in {seller}, which taxes them",
    Treatment.ORIGIN: "goods go to {buyer}; the channel is not in the one-stop shop, so {seller}"
    " taxes them",
    Treatment.DESTINATION: "goods go to {buyer}, which taxes them through the one-stop shop",
    Treatment.REVERSE_CHARGE: "the register says the buyer's VAT id is valid, so the buyer owes"
    " the tax in {buyer}",
    Treatment.OUTSIDE: "goods go from {seller} to {buyer}: they leave the EU or come from outside,"
    " so no tax is due here",
}
