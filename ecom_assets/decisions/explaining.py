"""The chain of decisions about an order, told so that a newcomer can follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ecom_assets.decisions.wording import RANKING, VERDICTS, answer, count, plain, question, why
from ecom_assets.shared.money import to_text

Row = Mapping[str, Any]


def tell(chain: Mapping[str, Any]) -> list[str]:
    """The whole chain as lines.

    Args:
        chain: as `store.chain_of` returns it.
    """
    order = chain["order"]
    lines = [*(_order(order) if order else ["No order yet."]), "", "Where it came from (UTC)"]
    lines += [f"  {_message(message)}" for message in chain["messages"]]
    for number, decision in enumerate(chain["decisions"], 1):
        lines += ["", f"{number}. {_headline(decision)}"]
        lines += [f"   {line}" for line in _details(decision, chain["services"])]
    if chain["documents"]:
        lines += ["", "What it led to", *(f"  {_document(row)}" for row in chain["documents"])]
    return lines


def _order(order: Row) -> list[str]:
    promise = f", promised by {_at(order['promised_at'])}" if order["promised_at"] else ""
    return [
        f"Order {order['channel']}/{order['external_id']} (order id {order['order_id']})",
        f"{to_text(order['total_minor'], order['currency'])}, placed {_at(order['placed_at'])}"
        f" by customer {order['customer_key']}{promise}",
    ]


def _message(message: Row) -> str:
    source = f"import of {message['format']} files" if message["format"] else "a channel"
    reason = f" ({plain(message['reason'])})" if message["reason"] else ""
    return (
        f"message {message['revision']} of {message['channel']}/{message['external_id']}, received"
        f" {_at(message['received_at'])} through {source}: {message['state']}{reason}"
    )


def _headline(decision: Row) -> str:
    again = f" (decided for the {decision['attempt']}. time)" if decision["attempt"] > 1 else ""
    asked = question(decision["kind"], decision["subject"])
    return f"{asked} {answer(decision['kind'], decision['outcome'])}{again}"


def _details(decision: Row, services: list[Row]) -> Iterator[str]:
    reasons = why(decision["kind"], decision["reasons"])
    if reasons:
        yield reasons
    teller = _TELLERS.get(decision["kind"], _anything)
    yield from teller(decision["inputs"])
    if decision["kind"] == "carrier_choice":
        own = [row for row in services if row["site_code"] == decision["subject"]]
        yield from _services(own)
    yield (
        f"[knowing what was known at {_at(decision['decided_as_of'])}; rule"
        f" {decision['version']}; run /runs/{decision['run_id']} at {_at(decision['recorded_at'])}]"
    )


def _acceptance(given: Row) -> Iterator[str]:
    yield (
        f"{count(given['lines'], 'line')} worth {_money(given, 'items_minor')}, discount"
        f" {_money(given, 'discount_minor')}, shipping {_money(given, 'shipping_minor')}"
    )


def _payment(given: Row) -> Iterator[str]:
    pending = f", {_money(given, 'pending_minor')} pending" if given["pending_minor"] else ""
    yield (
        f"due {_money(given, 'due_minor')}, authorised {_money(given, 'authorised_minor')}"
        f"{pending}, in {count(given['tenders'], 'payment')}"
    )


def _score(given: Row) -> Iterator[str]:
    known = ", ".join(_feature(name, value) for name, value in sorted(given.items()))
    yield f"known at the time: {known or 'nothing unusual'}"


def _feature(name: str, value: float) -> str:
    if name.startswith("is_"):
        return plain(name.removeprefix("is_"))
    return f"{plain(name)} {value:g}"


def _risk(given: Row) -> Iterator[str]:
    yield (
        f"fraud probability {given['probability']:.2%} by the {given['method']}"
        f" {given['score_version']}, times {_money(given, 'total_minor')}: a loss of"
        f" {_money(given, 'expected_loss_minor')} is to be expected"
    )
    if given["is_first_order"]:
        yield "it is the customer's first order"
    if given["is_new_country"]:
        yield "it is the customer's first order to this country"


def _stock(given: Row) -> Iterator[str]:
    for line in given["lines"]:
        yield (
            f"line {line['line_no']}, {line['sku']}: {line['requested']} asked for, {line['free']}"
            f" free at the order's turn, {min(line['requested'], line['free'])} promised"
        )


def _sites(given: Row) -> Iterator[str]:
    ranking = given.get("ranking") or []
    if ranking:
        yield f"sites are ranked by {', then '.join(RANKING.get(r, plain(r)) for r in ranking)}"
    for site in given["candidates"]:
        distance = "at an unknown distance" if site["km"] is None else f"{site['km']:,} km away"
        yield (
            f"site {site['site']}, {distance}{_cost(site)}, had {site['covers']} of"
            f" {count(given['skus'], 'SKU')} in full:"
            f" {VERDICTS.get(site['verdict'], site['verdict'])}{_part(site)}"
        )
    if given.get("backordered"):
        yield f"on backorder beside that: {count(given['backordered'], 'unit')}"


def _cost(site: Row) -> str:
    # Earlier versions of the rule did not reckon with costs.
    if "cost_minor" not in site:
        return ""
    if site["cost_minor"] is None:
        return ", no service known to carry it"
    return f", {_money(site, 'cost_minor')} for handling and carriage"


def _part(site: Row) -> str:
    if not site.get("units"):
        return ""
    there = _at(datetime.fromisoformat(site["available_at"]))
    return f" {count(site['units'], 'unit')}, there from {there}"


def _parcel(given: Row) -> Iterator[str]:
    distance = given["distance_km"]
    far = "an unknown distance" if distance is None else f"{distance:,.1f} km"
    promise = given["promised_at"]
    until = f", promised by {_at(datetime.fromisoformat(promise))}" if promise else ""
    ready = _at(datetime.fromisoformat(given["ready_at"]))
    yield (
        f"{count(given['units'], 'unit')}, {given['weight_g'] / 1000:,.3f} kg, goods worth"
        f" {_money(given, 'goods_minor')}, over {far}, ready {ready}{until}"
    )


def _services(rows: list[Row]) -> Iterator[str]:
    if rows:
        yield "all services; the least price with the risks of lateness and damage is chosen:"
    for row in rows:
        mark = "->" if row["is_chosen"] else "  "
        name = f"{mark} {row['carrier']} {row['service']} ({row['service_code']})"
        if row["cost_minor"] is None:
            yield f"{name}: {row['reason']}"
            continue
        risks = ""
        if row["score"] is not None:
            risks = f" ({to_text(round(row['score']), row['currency'])} with the risks)"
        yield (
            f"{name}: {to_text(row['cost_minor'], row['currency'])}{risks}, arrives"
            f" {_at(row['eta_at'])}: {row['reason']}"
        )


def _document(row: Row) -> str:
    amount = f" over {to_text(row['total_minor'], row['currency'])}" if row["currency"] else ""
    units = f", {count(row['units'], 'unit')}" if row["units"] else ""
    return f"{row['kind']} {row['name']}{amount}{units}, issued {_at(row['issued_at'])}"


def _anything(given: Row) -> Iterator[str]:
    for name, value in given.items():
        yield f"{plain(name)}: {value}"


_TELLERS = {
    "order_acceptance": _acceptance,
    "payment_match": _payment,
    "fraud_score": _score,
    "risk_decision": _risk,
    "reservation": _stock,
    "allocation": _sites,
    "carrier_choice": _parcel,
}


def _money(given: Row, name: str) -> str:
    return to_text(given[name], given["currency"])


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
