"""Orders of a WooCommerce shop as our documents.

Orders in `processing` and `on-hold` are taken, `cancelled` ones are told as cancellations. Others
are passed over: those that are not placed yet come again when they are, those that are completed or
refunded were dealt with in the shop, and shipping them here would ship them twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecom_assets.marketplace.woocommerce import Unreadable, id_of, minor_of, modified_at, moment_of

TAKEN = frozenset({"processing", "on-hold"})
CANCELLED = "cancelled"


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


def listing_ids(rows: Iterable[Any]) -> list[str]:
    """Ids of the listings that orders name."""
    lines = (line for row in rows if isinstance(row, dict)
             for line in _list(row.get("line_items")) if isinstance(line, dict))  # fmt: skip
    return sorted({_listing_id(line) for line in lines})


def _listing_id(line: Mapping[str, Any]) -> str:
    product, variation = line.get("product_id"), line.get("variation_id")
    if not isinstance(product, int) or not isinstance(variation, int | None):
        return ""
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
    external_id, at = str(id_of(row)), modified_at(row)
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
    total = minor_of(row.get("total"), currency, "total")
    return {
        "placed_at": _zoned(moment_of(row.get("date_created_gmt"), "date_created_gmt")),
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
    return sum(minor_of(part.get(name), currency, f"line {number}: {name}") for name in names)


def _charges(row: Mapping[str, Any], currency: str) -> int:
    """What is due besides goods, tax included: shipping, and fees such as for cash on delivery."""
    total = sum(minor_of(row.get(name) or "0", currency, name)
                for name in ("shipping_total", "shipping_tax"))  # fmt: skip
    for fee in _list(row.get("fee_lines")):
        part = _object(fee)
        total += sum(minor_of(part.get(name) or "0", currency, "fee_lines")
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
        payment["authorised_at"] = _zoned(moment_of(row["date_paid_gmt"], "date_paid_gmt"))
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
