"""Fields of forms and lists that know how the API writes their values.

A field with `told` makes what it shows of the API's answer, one with `sent` what the API is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette_admin.fields import BaseField, EnumField, StringField, TextAreaField
from starlette_admin.types import RequestAction

from ecom_assets.shared.money import CURRENCIES, to_minor, to_text
from gateway.screens.facts import money
from gateway.screens.frame import moment


class NotFit(ValueError):
    """What was entered cannot be sent."""


@dataclass
class Moment(StringField):
    """A moment, entered and shown in UTC."""

    input_type: str = "datetime-local"

    def told(self, body: Mapping[str, Any]) -> Any:
        """As the form's input takes it; none stays none."""
        return (body.get(self.name) or "")[:16] or None

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """With its zone; none where nothing was entered."""
        return f"{value}:00Z" if value and len(value) == 16 else (f"{value}Z" if value else None)

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """As people read it, but for the form."""
        text = value.isoformat() if isinstance(value, datetime) else str(value or "")
        is_form = request.state.action.is_form()
        return text[:16] if is_form else moment(text)


@dataclass
class Day(StringField):
    """A calendar day."""

    input_type: str = "date"

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """None where nothing was entered."""
        return value or None


@dataclass
class Money(StringField):
    """An amount: entered in the currency's units, kept in minor ones.

    Attributes:
        currency_field: field that has the currency.
        currency: the currency, where no field has it.
    """

    currency_field: str = "currency"
    currency: str = ""

    async def parse_obj(self, request: Request, obj: Any) -> Any:
        """The amount; with its currency wherever it is only shown."""
        value = getattr(obj, self.name, None)
        currency = getattr(obj, self.currency_field, None) or self.currency
        if value is None or not isinstance(value, int):
            return value
        if request.state.action.is_form() and currency in CURRENCIES:
            return to_text(value, currency).partition(" ")[0].replace(",", "")
        return money(value, currency)

    def sent(self, value: Any, data: Mapping[str, Any]) -> Any:
        """In minor units of the currency that the form names.

        Raises:
            NotFit: this is no amount of the currency.
        """
        if value in (None, ""):
            return None
        return amount(str(value), str(data.get(self.currency_field) or self.currency))


@dataclass
class Figure(StringField):
    """A number with decimals."""

    input_type: str = "text"

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Without zeros that say nothing."""
        return f"{value:.10g}" if isinstance(value, float) else str(value)

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """A number.

        Raises:
            NotFit: this is none.
        """
        if value in (None, ""):
            return None
        try:
            return float(value)
        except ValueError:
            raise NotFit("this is no number; write it like 0.98") from None


@dataclass
class Whole(StringField):
    """A whole number."""

    input_type: str = "number"

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """A number.

        Raises:
            NotFit: this is none.
        """
        try:
            return None if value in (None, "") else int(value)
        except ValueError:
            raise NotFit("this is no whole number") from None


@dataclass
class Text(StringField):
    """Text that may be left empty, which the API takes as none and people see as a dash."""

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """None where there is no text."""
        return value or None

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """None where nothing was entered."""
        return value or None


@dataclass
class Document(TextAreaField):
    """A JSON document."""

    rows: int = 12

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Indented, so that people can read and change it."""
        if isinstance(value, str):
            return value
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        return text if request.state.action != RequestAction.LIST else text[:80]

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """What the text says.

        Raises:
            NotFit: it is no JSON.
        """
        try:
            return json.loads(value) if value and value.strip() else None
        except ValueError as error:
            raise NotFit(f"this is no JSON: {error}") from None


@dataclass
class Choice(EnumField):
    """One of several, chosen by the browser's own list."""

    def sent(self, value: Any, _: Mapping[str, Any]) -> Any:
        """None where nothing was chosen."""
        return value or None


@dataclass
class Choices(EnumField):
    """Any of several, shown in the list by their values."""

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """The values, joined, but for the form."""
        if request.state.action.is_form():
            return await super().serialize_value(request, value)
        return ", ".join(map(str, value or ()))


def amount(text: str, currency: str) -> int:
    """An amount in minor units of its currency.

    Raises:
        NotFit: it is none, or the currency is not known.
    """
    code = currency.strip().upper()
    if code not in CURRENCIES:
        raise NotFit("enter the currency, such as EUR")
    try:
        return to_minor(Decimal(text.strip()), code)
    except (InvalidOperation, ValueError, ArithmeticError):
        raise NotFit(f"this is no amount in {code}; write it like 1234.50") from None


def told(fields: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields show of an answer of the API."""
    shown = dict(body)
    for each in fields:
        if isinstance(each, BaseField) and hasattr(each, "told"):
            shown[each.name] = each.told(body)
    return shown


def sent(fields: Any, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the API is sent of a form, and what cannot be sent, by field."""
    body: dict[str, Any] = dict(data)
    faults: dict[str, str] = {}
    for each in fields:
        if each.name in data and hasattr(each, "sent"):
            try:
                body[each.name] = each.sent(data[each.name], data)
            except NotFit as fault:
                faults[each.name] = str(fault)
    return body, faults
