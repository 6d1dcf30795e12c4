"""Tax rates and what they are found by; what orders came with; numbers of the EU's one-stop shop.

Dates are those of the country that taxes, as its law says them; rates are whole basis points.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    currency,
    document,
    flag,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)


def _day(name: str, comment: str, **options: bool) -> sa.Column[object]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.Date, comment=comment, **options)  # type: ignore[arg-type]


TAX_RATES = area_table(
    "backoffice",
    "tax_rates",
    "Rates of tax on sales by country, region, tax category and date.",
    identity("tax_rate_id", "surrogate key"),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2"),
    text("region", "part of the country with rates of its own; '' is all of it",
         server_default=""),
    text("tax_category", "what is taxed alike, such as standard or books"),
    integer("rate_bps", "rate in basis points of the net price"),
    _day("valid_from_date", "first day"),
    _day("valid_to_date", "end, excluded; open, if empty", nullable=True),
    text("source", "where it is from: a file, a law"),
    text("created_by", "who entered it"),
    recorded_at(),
    sa.CheckConstraint("rate_bps BETWEEN 0 AND 10000", name="rate_in_range"),
    sa.CheckConstraint("valid_to_date > valid_from_date", name="ends_after_start"),
    ExcludeConstraint(
        (sa.column("country"), "="),
        (sa.column("region"), "="),
        (sa.column("tax_category"), "="),
        (sa.func.daterange(sa.column("valid_from_date"), sa.column("valid_to_date")), "&&"),
        name="tax_rates_never_overlap",
    ),
)  # fmt: skip

TAX_CATEGORIES = area_table(
    "backoffice",
    "tax_categories",
    "Which products are taxed otherwise than as standard.",
    text("product_category", "category as in catalog.products; '' is any", primary_key=True),
    text("sku", "product; '' is any", primary_key=True),
    text("tax_category", "tax category, as in backoffice.tax_rates"),
    recorded_at(),
    sa.CheckConstraint("(product_category = '') <> (sku = '')", name="one_scope"),
)

TAX_SETTINGS = area_table(
    "backoffice",
    "tax_settings",
    "How each channel states tax; a channel without a row is not judged.",
    text("channel", "sales channel", primary_key=True),
    sa.Column("seller_country", sa.CHAR(2), nullable=False, comment="where the shop is taxed"),
    flag("is_tax_in_prices", "whether prices contain tax; else it is added to them"),
    text("rounding", "line or document: what is rounded"),
    text("rounding_mode", "half_up, half_even or down"),
    text("tax_point", "order or invoice: whose date finds the rate"),
    flag("is_in_oss", "whether sales to other countries of the EU are taxed there whatever their"
         " sum", server_default=sa.false()),
    minor("tolerance_minor", "difference per line that is taken for rounding",
          server_default="1"),
    recorded_at(),
    sa.CheckConstraint("rounding IN ('line', 'document')", name="rounding_known"),
    sa.CheckConstraint(
        "rounding_mode IN ('half_up', 'half_even', 'down')", name="rounding_mode_known"
    ),
    sa.CheckConstraint("tax_point IN ('order', 'invoice')", name="tax_point_known"),
    sa.CheckConstraint("tolerance_minor >= 0", name="tolerance_minor_not_negative"),
)  # fmt: skip

EXCHANGE_RATES = area_table(
    "backoffice",
    "exchange_rates",
    "Units of a currency to the euro by day, as a source published them.",
    sa.Column("currency", sa.CHAR(3), primary_key=True, comment="ISO 4217 code"),
    sa.Column("rate_date", sa.Date, primary_key=True, comment="day of publication"),
    sa.Column("per_eur", sa.Numeric(18, 6), nullable=False,
              comment="units of the currency to one euro"),
    text("source", "who published it, such as ECB"),
    recorded_at(),
    sa.CheckConstraint("per_eur > 0", name="per_eur_positive"),
    sa.CheckConstraint("currency <> 'EUR' OR per_eur = 1", name="euro_is_one"),
)  # fmt: skip

VAT_CHECKS = area_table(
    "backoffice",
    "vat_checks",
    "What the EU's register said of VAT ids, and what it was asked and has not answered.",
    identity("vat_check_id", "surrogate key"),
    text("vat_id", "VAT id with its country, without blanks", info=PERSONAL),
    text("state", "pending, valid, invalid or malformed"),
    moment("asked_as_of", "when somebody wanted to know"),
    moment("answered_at", "when the register answered; pending, if empty", nullable=True),
    integer("attempts", "how often the register was asked", server_default="0"),
    moment("next_at", "when it is asked again; never, if empty", nullable=True),
    text("detail", "why there is no answer, or what is wrong with the id", server_default=""),
    text("consultation", "number by which the register proves its answer", nullable=True),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("state IN ('pending', 'valid', 'invalid', 'malformed')", name="state_known"),
    sa.CheckConstraint(
        "(state IN ('valid', 'invalid')) = (answered_at IS NOT NULL)", name="answer_has_moment"
    ),
    sa.CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name="pending_is_asked"),
    sa.Index(None, "vat_id", "asked_as_of"),
    sa.Index("vat_checks_due_idx", "next_at", postgresql_where=sa.text("state = 'pending'")),
)

ORDER_TAXES = area_table(
    "backoffice",
    "order_taxes",
    "The tax orders came with beside what the rates say; received orders are never changed.",
    reference("order_id", "order", "orders.orders.order_id", primary_key=True),
    integer("revision", "revision of the order that was judged"),
    text("channel", "sales channel"),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="country whose rates are asked"),
    _day("tax_date", "day whose rates hold"),
    text(
        "treatment",
        "domestic, origin, destination, reverse_charge or outside; see backoffice.taxation",
    ),
    text("outcome", "agrees, differs, not_stated or no_rate"),
    minor("stated_minor", "tax the order came with, goods only"),
    minor("expected_minor", "tax by the rates; empty where one is missing", nullable=True),
    currency(),
    document("lines", "per line: tax category, rate, its row, and tax"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "treatment IN ('domestic', 'origin', 'destination', 'reverse_charge', 'outside')",
        name="treatment_known",
    ),
    sa.CheckConstraint(
        "outcome IN ('agrees', 'differs', 'not_stated', 'no_rate')", name="outcome_known"
    ),
    sa.CheckConstraint(
        "(outcome = 'no_rate') = (expected_minor IS NULL)", name="expected_unless_no_rate"
    ),
    sa.Index(None, "outcome"),
)

OSS_TURNOVER = area_table(
    "backoffice",
    "oss_turnover",
    "Sales to consumers in other countries of the EU by calendar year, country and currency.",
    integer("year", "calendar year of the orders", primary_key=True),
    sa.Column("seller_country", sa.CHAR(2), primary_key=True, comment="where the shop is taxed"),
    sa.Column("country", sa.CHAR(2), primary_key=True, comment="where the goods went"),
    sa.Column("currency", sa.CHAR(3), primary_key=True, comment="ISO 4217 code of net_minor"),
    integer("orders", "orders"),
    minor("net_minor", "sales without tax, in the currency"),
    minor("eur_minor", "the same in euro cents; empty where a day has no exchange rate",
          nullable=True),
    integer("unconverted", "orders of days without an exchange rate"),
    moment("counted_as_of", "orders until then are in it"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("orders >= 1 AND unconverted BETWEEN 0 AND orders", name="orders_counted"),
    sa.CheckConstraint(
        "(eur_minor IS NULL) = (unconverted > 0)", name="euros_only_if_all_convert"
    ),
)  # fmt: skip
