"""WooCommerce's REST API v3 in our terms: its orders, products and errors, as it publishes them.

Amounts are texts in major units. A line's `total` is after discounts and without tax, `total_tax`
is the tax of it; `*_gmt` moments are UTC without an offset. Orders are read by `modified_after`
with `orderby=modified`, products by `orderby=id`; `X-WP-Total` says how many there are in all.

Orders in `processing` and `on-hold` are taken, `cancelled` ones are told as cancellations. Others
are passed over: those that are not placed yet come again when they are, those that are completed or
refunded were dealt with in the shop, and shipping them here would ship them twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ecom_assets.marketplace.model import ChannelTrouble, Listed, ListingState, Trouble
from ecom_assets.shared.money import to_minor

API = "/wp-json/wc/v3"
PER_PAGE = 100
TAKEN = frozenset({"processing", "on-hold"})
CANCELLED = "cancelled"
PRODUCT_FIELDS = ("id", "name", "type", "status", "sku", "price", "manage_stock", "stock_quantity",
                  "stock_status")  # fmt: skip

_GMT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_STATES = {"publish": ListingState.LIVE}
_MOST_INTEGER = 2**31 - 1
_LONGEST = 500


class Unreadable(ValueError):
    """A row that the channel sent cannot be read; the message says what is wrong in it."""


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """What a row of the shop's orders comes to.

    Attributes:
        external_id: the shop's id.
        modified_at: when it was last changed there.
        payload: order document or cancellation; None where the order is passed over.
        is_cancelled: whether the payload cancels.
    """

    external_id: str
    modified_at: datetime
    payload: dict[str, Any] | None
    is_cancelled: bool = False


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
    return _moment(row.get("date_modified_gmt") if isinstance(row, dict) else None,
                   "date_modified_gmt")  # fmt: skip


def _moment(value: Any, name: str) -> datetime:
    if not isinstance(value, str) or not _GMT.fullmatch(value):
        raise Unreadable(f"{name} must be a moment such as 2026-05-01T12:00:00")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise Unreadable(f"{name} is no moment of the calendar") from None


def listing_ids(rows: Iterable[Any]) -> list[str]:
    """Ids of the listings that orders name."""
    lines = (line for row in rows if isinstance(row, dict)
             for line in _list(row.get("line_items")) if isinstance(line, dict))  # fmt: skip
    return sorted({_listing_id(line) for line in lines})


def _listing_id(line: Mapping[str, Any]) -> str:
    product, variation = line.get("product_id"), line.get("variation_id")
    return f"{product}/{variation}" if variation else str(product)


def order_of(row: Any, channel: str, skus: Mapping[str, str]) -> ShopOrder:
    """A row of the shop's orders.

    Args:
        row: as the shop sent it.
        channel: our name of the channel.
        skus: our SKUs by listing; others are taken by the SKU the line names.

    Raises:
        Unreadable: it is no order; what our rules find wrong in one is left to them.
    """
    if not isinstance(row, dict) or not isinstance(row.get("id"), int):
        raise Unreadable("id must be a whole number")
    external_id, at = str(row["id"]), modified_at(row)
    if row.get("status") == CANCELLED:
        cancel = {"cancel": {"reason": "cancelled in the shop"}}
        return ShopOrder(external_id, at, cancel, is_cancelled=True)
    if row.get("status") not in TAKEN:
        return ShopOrder(external_id, at, None)
    return ShopOrder(external_id, at, _document(row, channel, skus))


def _document(row: Mapping[str, Any], channel: str, skus: Mapping[str, str]) -> dict[str, Any]:
    currency, billing = row.get("currency"), _object(row.get("billing"))
    if not isinstance(currency, str):
        raise Unreadable("currency must be a code such as EUR")
    shipping = _object(row.get("shipping"))
    ship_to = shipping if shipping.get("country") else billing
    lines = [_line(line, number, currency, skus)
             for number, line in enumerate(_list(row.get("line_items")), start=1)]  # fmt: skip
    total = _minor(row.get("total"), currency, "total")
    return {
        "placed_at": _zoned(_moment(row.get("date_created_gmt"), "date_created_gmt")),
        "currency": currency,
        "customer": {"key": _customer_key(row, billing, channel), "name": _name(billing),
                     "email": billing.get("email"), "phone": billing.get("phone")},
        "ship_to": {"name": _name(ship_to), "line1": ship_to.get("address_1"),
                    "city": ship_to.get("city"), "region": ship_to.get("state"),
                    "postal_code": ship_to.get("postcode"), "country": ship_to.get("country")},
        "context": {"ip_address": row.get("customer_ip_address")},
        "lines": lines,
        "shipping_minor": _charges(row, currency),
        "total_minor": total,
        "payments": _payments(row, total),
    }  # fmt: skip


def _line(line: Any, number: int, currency: str, skus: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise Unreadable(f"line {number} must be an object")
    quantity = line.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        raise Unreadable(f"line {number}: quantity must be a whole number, at least 1")
    full = _sum(line, ("subtotal", "subtotal_tax"), currency, number)
    paid = _sum(line, ("total", "total_tax"), currency, number)
    # Rounded up, so that what does not divide by the units is a discount of a few cents.
    unit = -(-full // quantity)
    return {
        "line_no": number, "sku": skus.get(_listing_id(line)) or line.get("sku"),
        "quantity": quantity, "unit_price_minor": unit, "discount_minor": unit * quantity - paid,
        "tax_minor": _sum(line, ("total_tax",), currency, number),
    }  # fmt: skip


def _sum(part: Mapping[str, Any], names: Iterable[str], currency: str, number: int) -> int:
    return sum(_minor(part.get(name), currency, f"line {number}: {name}") for name in names)


def _charges(row: Mapping[str, Any], currency: str) -> int:
    """What is due besides goods, tax included: shipping, and fees such as for cash on delivery."""
    total = sum(_minor(row.get(name) or "0", currency, name)
                for name in ("shipping_total", "shipping_tax"))  # fmt: skip
    for fee in _list(row.get("fee_lines")):
        part = _object(fee)
        total += sum(_minor(part.get(name) or "0", currency, "fee_lines")
                     for name in ("total", "total_tax"))  # fmt: skip
    return total


def _payments(row: Mapping[str, Any], total: int) -> list[dict[str, Any]]:
    method = row.get("payment_method")
    if not method or total <= 0:
        return []
    payment = {"sequence": 1, "method": method, "amount_minor": total}
    if row.get("transaction_id"):
        payment["provider_reference"] = row["transaction_id"]
    if row.get("date_paid_gmt"):
        payment["authorised_at"] = _zoned(_moment(row["date_paid_gmt"], "date_paid_gmt"))
    return [payment]


def _customer_key(row: Mapping[str, Any], billing: Mapping[str, Any], channel: str) -> str:
    if row.get("customer_id"):
        return f"{channel}:{row['customer_id']}"
    email = str(billing.get("email") or "").strip().lower()
    return email or f"{channel}:order:{row['id']}"


def _name(part: Mapping[str, Any]) -> str:
    return f"{part.get('first_name') or ''} {part.get('last_name') or ''}".strip()


def _zoned(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _minor(value: Any, currency: str, name: str) -> int:
    try:
        amount = Decimal(value) if isinstance(value, str) and len(value) < 40 else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) > 10**10:
        raise Unreadable(f"{name} must be an amount such as 12.50")
    return to_minor(amount, currency)


def listing_of(row: Any, currency: str, parent: Mapping[str, Any] | None = None) -> Listed:
    """A row of the shop's products, or of the variations of one.

    Raises:
        Unreadable: it is none.
    """
    if not isinstance(row, dict) or not isinstance(row.get("id"), int):
        raise Unreadable("id must be a whole number")
    own, above = str(row["id"]), parent or {}
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
    found = _minor(price, currency, "price")
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
    return value.replace("\x00", "")[:_LONGEST].strip() if isinstance(value, str) else ""


def has_variations(row: Any) -> bool:
    """Whether what customers buy are the variations of a product and not itself."""
    return (
        isinstance(row, dict) and row.get("type") == "variable" and isinstance(row.get("id"), int)
    )
