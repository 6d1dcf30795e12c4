"""Invoices and packing slips as plain values: what the PDF shows and the database keeps as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a document is for; what the source does not state is None."""

    name: str | None
    line1: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str

    def lines(self) -> list[str]:
        """The address as it is printed, without empty lines."""
        town = " ".join(part for part in (self.postal_code, self.city, self.region) if part)
        return [part for part in (self.name, self.line1, town, self.country) if part]


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells, as the shop's settings say; what they do not say is empty."""

    name: str
    address: str
    vat_id: str
    note: str

    def paragraphs(self) -> list[str]:
        """Who and where; then what the law and the buyer's bookkeeping ask for."""
        where = ", ".join([self.name, *self.address.splitlines()])
        vat_id = f"VAT id {self.vat_id}" if self.vat_id else ""
        rest = ", ".join(part for part in (vat_id, self.note) if part)
        return [where, rest] if rest else [where]


@dataclass(frozen=True, slots=True)
class OrderReference:
    """The order as its customer knows it."""

    channel: str
    external_id: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A shipped line; money in minor units of the invoice's currency.

    Attributes:
        discount_minor: the shipped part's share of the line's discount.
        tax_minor: the shipped part's share of the tax contained in the line.
    """

    line_no: int
    sku: str
    description: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """Quantity times unit price, less discount."""
        return self.quantity * self.unit_price_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice; `number` is printed, `issued_at` is the last hand-over of the order."""

    number: str
    issued_at: datetime
    order: OrderReference
    bill_to: Address
    currency: str
    lines: tuple[InvoiceLine, ...]
    shipping_minor: int
    seller: Seller | None = None

    @property
    def goods_minor(self) -> int:
        """Shipped lines after discount."""
        return sum(line.total_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """Tax contained in the lines, as the source states it; 0 if it does not."""
        return sum(line.tax_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        """Goods and shipping."""
        return self.goods_minor + self.shipping_minor

    def content(self) -> dict[str, Any]:
        """What the invoice says, for the database."""
        sums = {"goods_minor": self.goods_minor, "tax_minor": self.tax_minor}
        totals = [{"total_minor": line.total_minor} for line in self.lines]
        lines = [asdict(line) | total for line, total in zip(self.lines, totals, strict=True)]
        given = _plain(asdict(self))
        # What was issued before a shop said who sells says the same as ever.
        if self.seller is None:
            del given["seller"]
        return {**given, "lines": lines, **sums, "total_minor": self.total_minor}


@dataclass(frozen=True, slots=True)
class SlipLine:
    """What to take from the shelf."""

    line_no: int
    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PackingSlip:
    """What is in a parcel; `issued_at` is its hand-over to the carrier."""

    issued_at: datetime
    order: OrderReference
    ship_to: Address
    site: str
    carrier: str
    service: str
    weight_g: int
    lines: tuple[SlipLine, ...]

    @property
    def units(self) -> int:
        """Units in the parcel."""
        return sum(line.quantity for line in self.lines)

    def content(self) -> dict[str, Any]:
        """What the slip says, for the database."""
        return {**_plain(asdict(self)), "units": self.units}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
