"""When an order document is acceptable, and what follows from it.

The reference of the SQL in `store.validation`; a property test holds both equal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecom_assets.orders import document as spec
from ecom_assets.orders.document import Kind, Member, fault
from ecom_assets.orders.model import Problem, Refusal
from ecom_assets.shared.money import CURRENCIES

_MOMENT = re.compile(spec.MOMENT_PATTERN)
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an order is worth, in minor units of its currency."""

    items_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """Due: items - discount + shipping."""
        return self.items_minor - self.discount_minor + self.shipping_minor


def find_fault(document: object, skus: Container[str]) -> str | None:
    """The first fault of a document, as `problem: detail`; None if the order is acceptable.

    Args:
        document: the canonical order document, as JSON came.
        skus: SKUs the catalog knows.
    """
    checks: tuple[Callable[[], str | None], ...] = (
        lambda: _malformed(document),
        lambda: _unknown_currency(document),
        lambda: _missing_address(document),
        lambda: _bad_lines(_lines(document)),
        lambda: _unknown_sku(_lines(document), skus),
        lambda: _total_mismatch(document),
    )
    # Each check may rely on those before it: a currency, for example, is a text by then.
    return next((found for check in checks if (found := check()) is not None), None)


def find_cancellation_fault(payload: object) -> str | None:
    """The first fault of a cancellation, as `problem: detail`; None if it can be applied.

    Whether the order has the lines is another question, which only the order can answer.
    """
    cancel = _value(payload, "cancel")
    if not isinstance(cancel, dict):
        return fault(Refusal.MALFORMED, spec.CANCEL_DEMAND)
    if wrong := _wrong_member(cancel, spec.CANCEL):
        return fault(Refusal.MALFORMED, f"cancel.{wrong.name} {wrong.demand}")
    lines = cancel.get("lines")
    if lines is None:
        return None
    if not isinstance(lines, list) or not lines:
        return fault(Refusal.MALFORMED, spec.CANCELLED_LINES_DEMAND)
    return _bad_cancelled_line(lines)


def _bad_cancelled_line(lines: Sequence[object]) -> str | None:
    uses = Counter(number for line in lines if (number := _line_number(line)) is not None)
    for position, line in enumerate(lines, start=1):
        wrong = _wrong_member(line, spec.CANCELLED_LINE)
        demand = f"{wrong.name} {wrong.demand}" if wrong else spec.REPEATED_LINE
        if wrong or uses[int(_value(line, "line_no"))] > 1:
            return fault(Refusal.MALFORMED, f"cancel line {position}: {demand}")
    return None


_FIELDS: dict[str, str] = {
    Problem.UNKNOWN_CURRENCY: "currency",
    Problem.UNKNOWN_SKU: "lines",
    Problem.TOTAL_MISMATCH: "total_minor",
}
"""The field at fault where the detail does not begin with it."""


def field_of(found: str) -> str:
    """The field a fault (`problem: detail`) is about, such as `customer.key` or `line 2: sku`."""
    problem, _, detail = found.partition(": ")
    if known := _FIELDS.get(problem):
        return known
    return re.split(" must | is ", detail, maxsplit=1)[0]


def amounts(document: object) -> Amounts:
    """Sums over the lines of an acceptable document; a stated total is not used."""
    lines = _lines(document)
    return Amounts(
        items_minor=sum(_gross(line) for line in lines),
        discount_minor=sum(_amount(line, "discount_minor") for line in lines),
        shipping_minor=_amount(document, "shipping_minor"),
        tax_minor=sum(_amount(line, "tax_minor") for line in lines),
    )


def decided_as_of(document: object) -> datetime:
    """The later of placing and last authorisation of an acceptable document."""
    # Compared as moments, not as texts: offsets differ.
    moments = [_value(document, "placed_at"), *_authorisations(document)]
    return max(datetime.fromisoformat(moment) for moment in moments)


def _authorisations(document: object) -> Iterable[str]:
    payments = _value(document, "payments") or []
    found = (_value(payment, "authorised_at") for payment in payments)
    return [moment for moment in found if not _is_missing(moment)]


def _value(part: object, name: str) -> Any:
    return part.get(name) if isinstance(part, dict) else None


def _lines(document: object) -> Sequence[object]:
    lines = _value(document, "lines")
    return lines if isinstance(lines, list) else ()


def _amount(part: object, name: str) -> int:
    value = _value(part, name)
    return 0 if _is_missing(value) else int(value)


def _gross(line: object) -> int:
    return _amount(line, "quantity") * _amount(line, "unit_price_minor")


def _is_missing(value: object) -> bool:
    # Only blanks: that is what the database trims, and both must call the same values missing.
    return value is None or (isinstance(value, str) and not value.strip(" "))


def _conforms(member: Member, value: object) -> bool:
    if member.kind in (Kind.WHOLE, Kind.DEGREES):
        # JSON knows no number `true`, Python does.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and _is_in_range(member, value)
    if not isinstance(value, str):
        return False
    if member.kind is Kind.TEXT:
        return len(value) <= spec.MOST_CHARACTERS
    pattern = _MOMENT if member.kind is Kind.MOMENT else _COUNTRY
    return pattern.fullmatch(value) is not None


def _is_in_range(member: Member, value: Any) -> bool:
    is_whole = member.kind is not Kind.WHOLE or value == int(value)
    return is_whole and bool(member.least <= value <= member.most)


def _wrong_member(part: object, members: Iterable[Member]) -> Member | None:
    for member in members:
        value = _value(part, member.name)
        # A member that may be missing is only wrong where something unusable stands there.
        if member.is_required if _is_missing(value) else not _conforms(member, value):
            return member
    return None


def _malformed(document: object) -> str | None:
    for name, members in spec.PARTS.items():
        part = _value(document, name) if name else document
        if wrong := _wrong_member(part, members):
            path = f"{name}.{wrong.name}" if name else wrong.name
            return fault(Problem.MALFORMED, f"{path} {wrong.demand}")
    return _bad_payments(_value(document, "payments"))


def _bad_payments(payments: object) -> str | None:
    if payments is None:
        return None
    if not isinstance(payments, list):
        return fault(Problem.MALFORMED, spec.PAYMENTS_DEMAND)
    for position, payment in enumerate(payments, start=1):
        if wrong := _wrong_member(payment, spec.PAYMENT):
            detail = f"payment {position}: {wrong.name} {wrong.demand}"
            return fault(Problem.MALFORMED, detail)
    return None


def _unknown_currency(document: object) -> str | None:
    currency = _value(document, "currency").strip(" ")
    if currency in CURRENCIES:
        return None
    return fault(Problem.UNKNOWN_CURRENCY, f"unknown currency {currency}")


def _missing_address(document: object) -> str | None:
    if _wrong_member(_value(document, "ship_to"), [spec.COUNTRY]) is None:
        return None
    return fault(Problem.MISSING_ADDRESS, f"ship_to.country {spec.COUNTRY.demand}")


def _bad_lines(lines: Sequence[object]) -> str | None:
    if not lines:
        return fault(Problem.WITHOUT_LINES, spec.LINES_DEMAND)
    # Counted over readable numbers alone, as the database counts typed values.
    uses = Counter(number for line in lines if (number := _line_number(line)) is not None)
    for position, line in enumerate(lines, start=1):
        if demand := _line_demand(line, uses):
            return fault(Problem.BAD_LINE, f"line {position}: {demand}")
    return None


def _line_number(line: object) -> int | None:
    number = _value(line, "line_no")
    return int(number) if _conforms(spec.LINE[0], number) else None


def _line_demand(line: object, uses: Counter[int]) -> str | None:
    if wrong := _wrong_member(line, spec.LINE):
        return f"{wrong.name} {wrong.demand}"
    if uses[int(_value(line, "line_no"))] > 1:
        return spec.REPEATED_LINE
    if _gross(line) > spec.MOST_MINOR:
        return spec.GROSS_DEMAND
    return spec.DISCOUNT_DEMAND if _amount(line, "discount_minor") > _gross(line) else None


def _unknown_sku(lines: Sequence[object], skus: Container[str]) -> str | None:
    for line in lines:
        sku = _value(line, "sku").strip(" ")
        if sku not in skus:
            detail = f"unknown SKU {sku} in line {int(_value(line, 'line_no'))}"
            return fault(Problem.UNKNOWN_SKU, detail)
    return None


def _total_mismatch(document: object) -> str | None:
    stated, found = _value(document, "total_minor"), amounts(document).total_minor
    if _is_missing(stated) or abs(stated - found) <= spec.TOLERANCE_MINOR:
        return None
    detail = f"total_minor is {int(stated)}, the lines add up to {found}"
    return fault(Problem.TOTAL_MISMATCH, detail)


def keep_units(amount_minor: int, ordered: int, kept: int) -> int:
    """The share of a line's discount or tax that goes with the units kept, rounded half up.

    An invoice for part of a line rounds so too: what was cancelled and what is charged add up.

    Args:
        amount_minor: of the whole line, not negative.
        ordered: units of the line, at least 1.
        kept: units that are not cancelled, up to `ordered`.
    """
    return (2 * amount_minor * kept + ordered) // (2 * ordered)
