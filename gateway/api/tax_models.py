"""What the part of the API about taxes takes and tells."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ecom_assets.backoffice.taxation import Mode, Rounding, Treatment, VatState
from gateway.api.values import MOST_BIGINT, Given, Name, Told


def _day(given: Any) -> Any:
    try:
        if isinstance(given, str) and len(given) == 10:
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise PydanticCustomError("day", "must be a day such as 2026-01-31")


def _region(text: str) -> str:
    if "\x00" in text or text != text.strip():
        raise PydanticCustomError("region", "must not begin or end with blanks or hold NUL")
    return text


Day = Annotated[
    date, BeforeValidator(_day, json_schema_input_type=str),
    Field(strict=False, json_schema_extra={"format": "date"}, examples=["2026-01-31"]),
]  # fmt: skip
WantedDay = Annotated[
    date | None, BeforeValidator(lambda given: None if given is None else _day(given),
                                 json_schema_input_type=str),
    Query(json_schema_extra={"format": "date", "examples": ["2026-01-31"]}),
]  # fmt: skip
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.",
                               examples=["DE"])]  # fmt: skip
WantedCountry = Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="ISO 3166-1.")]
Region = Annotated[str, Field(max_length=200), AfterValidator(_region)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["CHF"])]
WantedCurrency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="ISO 4217.")]
Bps = Annotated[int, Field(ge=0, le=10_000)]


class RateGiven(Given):
    """A rate that is to hold."""

    country: Country
    region: Region = Field("", description="Part of the country; all of it, if empty.")
    tax_category: Name = Field("standard", description="What is taxed alike, such as books.")
    rate_bps: Bps = Field(
        description="In basis points of the net price: 1900 is 19 %.", examples=[1900]
    )
    valid_from_date: Day = Field(description="First day; a rate that goes on ends then.")
    valid_to_date: Day | None = Field(None, description="End, excluded; open, if not given.")
    source: Name = Field("api", description="Where it is from: a law, a file.")


class RateEndGiven(Given):
    """Until when a rate holds."""

    valid_to_date: Day | None = Field(description="End, excluded; null for open.")


class RateTold(Told):
    """A rate."""

    tax_rate_id: int
    country: str
    region: str = Field(description="Empty for all of the country.")
    tax_category: str
    rate_bps: int = Field(description="In basis points: 1900 is 19 %.")
    valid_from_date: date
    valid_to_date: date | None = Field(description="End, excluded; null where it is open.")
    source: str
    created_by: str


class FileGiven(Given):
    """A file of rates."""

    csv: str = Field(
        min_length=1, max_length=20_000_000,
        description="The text of the file, headed by `country,region,tax_category,rate_percent,"
        "valid_from_date,valid_to_date`; region, category and the end may be blank.",
        examples=["country,region,tax_category,rate_percent,valid_from_date,valid_to_date\n"
                  "FR,,books,5.5,2014-01-01,\n"],
    )  # fmt: skip
    source: Name = Field("api", description="Where it is from.")
    is_preview: bool = Field(False, description="Tell what would become of it, and change nothing.")


class FileRowTold(Told):
    """What became of a row of the file."""

    line: int = Field(description="Line of the file, from 1; the head is line 1.")
    outcome: Literal["entered", "known", "refused"]
    field: str = Field(description="Column that is wrong; empty where none is.")
    message: str = Field(description="What is wrong; empty where nothing is.")
    country: str | None
    region: str | None
    tax_category: str | None
    rate_bps: int | None
    valid_from_date: date | None
    valid_to_date: date | None


class FileTold(Told):
    """What became of a file: all of it was taken, or nothing."""

    is_taken: bool = Field(description="False for a preview, and where a row was refused.")
    entered: int
    known: int = Field(description="Rows that were entered before.")
    refused: int
    rows: list[FileRowTold]


class CategoryGiven(Given):
    """How a product, or all of a category of the catalogue, is taxed; give one of them."""

    tax_category: Name = Field(examples=["books"])
    product_category: Name | None = Field(
        None, description="Category as products have it.", examples=["Media > Books"]
    )
    sku: Name | None = None


class CategoryTold(Told):
    """What is taxed otherwise than as standard."""

    product_category: str = Field(description="Empty where it is about one product.")
    sku: str = Field(description="Empty where it is about a category.")
    tax_category: str


class ChannelGiven(Given):
    """How a channel states tax."""

    seller_country: Country
    is_tax_in_prices: bool = Field(description="Whether prices contain tax; else it is added.")
    rounding: Annotated[Rounding, Field(strict=False)] = Field(
        Rounding.LINE, description="What is rounded."
    )
    rounding_mode: Annotated[Mode, Field(strict=False)] = Field(
        Mode.HALF_UP, description="What becomes of half a minor unit; `down` drops fractions."
    )
    tax_point: Literal["order", "invoice"] = Field("invoice", description="Whose day finds rates.")
    is_in_oss: bool = Field(
        False, description="Whether sales to other countries of the EU are taxed there."
    )
    tolerance_minor: Annotated[int, Field(ge=0, le=MOST_BIGINT // 1_000_000)] = Field(
        1, description="Difference per line taken for rounding, in minor units."
    )


class ChannelTold(Told):
    """How a channel states tax."""

    channel: str
    seller_country: str
    is_tax_in_prices: bool
    rounding: Rounding
    rounding_mode: Mode
    tax_point: Literal["order", "invoice"]
    is_in_oss: bool
    tolerance_minor: int


class ExchangeRateGiven(Given):
    """Units of a currency to the euro on a day."""

    currency: Currency
    rate_date: Day
    per_eur: str = Field(
        pattern=r"^\d{1,12}(\.\d{1,6})?$", examples=["0.9563"],
        description="Units of the currency to one euro, as a decimal in quotes.",
    )  # fmt: skip


class ExchangeRatesGiven(Given):
    """Rates that a bank published."""

    rows: list[ExchangeRateGiven] = Field(min_length=1, max_length=50_000)
    source: Name = Field("ECB", description="Who published them.")


class ExchangeRatesTold(Told):
    """What became of them; what is there stays as it was published."""

    entered: int
    known: int


class ExchangeRateTold(Told):
    """Units of a currency to the euro on a day."""

    currency: str
    rate_date: date
    per_eur: Decimal = Field(description="Units of the currency to one euro.")
    source: str


class ApplyingTold(Told):
    """Which rate applies to a sale, and why."""

    treatment: Treatment = Field(description="Whose tax it is, see docs/taxes.md.")
    country: str | None = Field(description="Country whose rates are asked; null for no tax here.")
    tax_category: str
    on: date
    rate_bps: int | None = Field(description="Null where no tax is due here, or no rate holds.")
    tax_rate_id: int | None
    reasons: list[str] = Field(description="How that came about, a sentence each.")


class OssYearTold(Told):
    """Sales to consumers in other countries of the EU in a calendar year."""

    year: int
    seller_country: str
    orders: int
    eur_minor: int = Field(description="Sales without tax in euro cents; at least, if incomplete.")
    threshold_minor: int = Field(description="10,000 EUR, in cents.")
    is_over: bool = Field(description="Whether what is counted passes the threshold.")
    is_complete: bool = Field(description="False where a day has no exchange rate.")
    unconverted: int = Field(description="Orders of days without an exchange rate.")
    unknown_currencies: list[str]
    counted_as_of: datetime


class OssTold(Told):
    """The EU's threshold of the one-stop shop."""

    items: list[OssYearTold]


class InvoiceTaxTold(Told):
    """How the tax of an invoice came about."""

    number: str
    tax: dict[str, Any] = Field(description="The judgement; outcome null where none was made.")
    decisions: list[dict[str, Any]] = Field(
        description="The decisions that led to it: version, settings, author and approver."
    )


Outcome = Literal["agrees", "differs", "not_stated", "no_rate"]
CheckState = Literal["pending", "valid", "invalid", "malformed"]


class OrderTaxTold(Told):
    """The tax an order came with beside what the rates say."""

    order_id: int
    revision: int
    channel: str
    country: str = Field(description="Country whose rates are asked.")
    tax_date: date
    treatment: Treatment
    outcome: Outcome
    stated_minor: int
    expected_minor: int | None
    currency: str
    lines: list[dict[str, Any]]


class VatGiven(Given):
    """A VAT id to ask about."""

    vat_id: str = Field(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z+* .\-]+$",
                        examples=["DE 123 456 789"])  # fmt: skip


class VatStateTold(Told):
    """What is known of a VAT id now."""

    vat_id: str = Field(description="As the register writes it.")
    state: VatState = Field(description="Only `valid` spares the seller the tax.")


class VatCheckTold(Told):
    """A question to the register."""

    vat_check_id: int
    vat_id: str
    state: CheckState
    asked_as_of: datetime
    answered_at: datetime | None
    attempts: int
    next_at: datetime | None = Field(description="When it is asked again.")
    detail: str
    consultation: str | None = Field(description="Number by which the register proves its answer.")
