"""WooCommerce's REST API v3 in our terms: its pages, products and errors, as it publishes them.

Amounts are texts in major units. A line's `total` is after discounts and without tax, `total_tax`
is the tax of it; `*_gmt` moments are UTC without an offset. Orders are read by `modified_after`
with `orderby=modified`, products by `orderby=id`; `X-WP-Total` says how many there are in all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ecom_assets.marketplace.model import ChannelTrouble, Listed, ListingState, Trouble
from ecom_assets.shared.money import to_minor

API = "/wp-json/wc/v3"
PER_PAGE = 100
PRODUCT_FIELDS = ("id", "name", "type", "status", "sku", "price", "manage_stock", "stock_quantity",
                  "stock_status")  # fmt: skip

_GMT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_STATES = {"publish": ListingState.LIVE}
_MOST_INTEGER = 2**31 - 1
_LONGEST = 500


class Unreadable(ValueError):
    """A row that the channel sent cannot be read; the message says what is wrong in it."""


def rows_of(status: int, headers: Mapping[str, str], body: bytes, what: str) -> list[Any]:
    """The rows of a page.

    Raises:
        ChannelTrouble: it is no page.
    """
    if status != 200:
        raise trouble_of(status, headers, body, what)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        said = f"the shop's answer about {what} is not whole JSON; it is asked again later"
        raise ChannelTrouble(Trouble.NOT_UNDERSTOOD, said) from None
    if not isinstance(found, list):
        said = f"the shop's answer about {what} is no list; is it WooCommerce's REST API v3?"
        raise ChannelTrouble(Trouble.NOT_UNDERSTOOD, said)
    return found


def trouble_of(status: int, headers: Mapping[str, str], body: bytes, what: str) -> ChannelTrouble:
    """What an answer without rows means, and what to do about it."""
    code = _error_code(body)
    shown = f" ({code})" if code else ""
    if status in (401, 403):
        return ChannelTrouble(
            Trouble.CREDENTIALS_REFUSED,
            f"the shop refuses the key for {what}{shown}; make one with the right to read under"
            " WooCommerce, Settings, Advanced, REST API and enter it here",
        )
    if status == 404:
        return ChannelTrouble(
            Trouble.NOT_FOUND,
            f"there is no WooCommerce REST API v3 at this address{shown}; check the address, and"
            " that the shop's permalinks are not plain",
        )
    if status == 429:
        wait_s = _wait_s(headers.get("retry-after", ""))
        text = f"the shop asks to be left alone for {wait_s} seconds" if wait_s else (
            "the shop gets too many requests")  # fmt: skip
        return ChannelTrouble(Trouble.THROTTLED, f"{text}; it is asked again later", wait_s)
    if 300 <= status < 400:
        said = "the shop sends us to another address, which is not followed; enter that address"
        return ChannelTrouble(Trouble.REDIRECTED, said)
    if status >= 500:
        wait_s = _wait_s(headers.get("retry-after", ""))
        said = (
            f"the shop has a problem of its own (status {status}){shown}; it is asked again later"
        )
        return ChannelTrouble(Trouble.SERVER_ERROR, said, wait_s)
    said = f"the shop refuses the request for {what} (status {status}){shown}"
    return ChannelTrouble(Trouble.REQUEST_REFUSED, said)


def _error_code(body: bytes) -> str:
    """The code of an error as WordPress names it; its message may repeat what was sent."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[a-z0-9_]{1,80}", code) else ""


def _wait_s(given: str) -> int:
    # A date is left to the pause after failures; shops send seconds.
    return min(int(given), 86_400) if given.isdecimal() and len(given) < 10 else 0


def modified_at(row: Any) -> datetime:
    """When a row was last changed.

    Raises:
        Unreadable: it does not say.
    """
    return moment_of(row.get("date_modified_gmt") if isinstance(row, dict) else None,
                   "date_modified_gmt")  # fmt: skip


def moment_of(value: Any, name: str) -> datetime:
    """A moment of the shop, which is in UTC.

    Raises:
        Unreadable: it is none.
    """
    if not isinstance(value, str) or not _GMT.fullmatch(value):
        raise Unreadable(f"{name} must be a moment such as 2026-05-01T12:00:00")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise Unreadable(f"{name} is no moment of the calendar") from None


def minor_of(value: Any, currency: str, name: str) -> int:
    """An amount of the shop in minor units.

    Raises:
        Unreadable: it is none.
    """
    try:
        amount = Decimal(value) if isinstance(value, str) and len(value) < 40 else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) > 10**10:
        raise Unreadable(f"{name} must be an amount such as 12.50")
    return to_minor(amount, currency)


def id_of(row: Any) -> int:
    """The id of a row.

    Raises:
        Unreadable: it has none.
    """
    found = row.get("id") if isinstance(row, dict) else None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 2**63:
        raise Unreadable("id must be a whole number")
    return found


def listing_of(row: Any, currency: str, parent: Mapping[str, Any] | None = None) -> Listed:
    """A row of the shop's products, or of the variations of one.

    Raises:
        Unreadable: it is none.
    """
    own, above = str(id_of(row)), parent or {}
    state = _STATES.get(str(row.get("status")), ListingState.HIDDEN)
    if above and above.get("status") != "publish":
        state = ListingState.HIDDEN
    price = row.get("price")
    title = str(above.get("name") or row.get("name") or "")
    return Listed(
        channel_listing_id=f"{above['id']}/{own}" if above else own,
        channel_sku=_text(row.get("sku")), title=_text(title), state=state,
        price_minor=None if price in (None, "") else _not_negative(price, currency),
        units=_units(row),
    )  # fmt: skip


def _not_negative(price: Any, currency: str) -> int:
    found = minor_of(price, currency, "price")
    if found < 0:
        raise Unreadable("price must not be negative")
    return found


def _units(row: Mapping[str, Any]) -> int | None:
    """Stock of a listing; a variation may be counted with its product (`manage_stock: parent`)."""
    units = row.get("stock_quantity")
    if row.get("stock_status") == "outofstock":
        return 0
    if not row.get("manage_stock") or units is None:
        return None
    if isinstance(units, bool) or not isinstance(units, int | float) or units != int(units):
        raise Unreadable("stock_quantity must be a whole number")
    if abs(units) > _MOST_INTEGER:
        raise Unreadable("stock_quantity is too large")
    return int(units)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    # The database keeps neither NUL nor halves of pairs, which JSON may hold.
    whole = value.encode("utf-8", "ignore").decode().replace("\x00", "")
    return whole[:_LONGEST].strip()


def has_variations(row: Any) -> bool:
    """Whether what customers buy are the variations of a product and not itself."""
    try:
        return bool(id_of(row)) and row.get("type") == "variable"
    except Unreadable:
        return False
