"""Decisions in plain words: what each kind decides, what its outcomes and reasons mean.

Codes that are not listed here are told as they are, with spaces for underscores: a new rule is
readable from its first day, and a sentence may follow.
"""

from __future__ import annotations

KINDS = {
    "order_acceptance": "Was the order taken?",
    "payment_match": "Is it paid?",
    "fraud_score": "How likely is it fraud?",
    "risk_decision": "Do we take the risk?",
    "risk_review": "What did the reviewer say?",
    "reservation": "Is there stock for it?",
    "allocation": "Which site ships it?",
    "carrier_choice": "Who carries the parcel from {subject}?",
    "money_return": "Is money returned?",
}
"""The question each kind of decision answers."""

OUTCOMES = {
    ("order_acceptance", "accepted"): "yes, the order was accepted",
    ("payment_match", "authorised"): "yes, the money is authorised",
    ("payment_match", "awaiting"): "not yet, the money is awaited",
    ("payment_match", "underpaid"): "not fully, too little was paid",
    ("payment_match", "overpaid"): "yes, and more than is due",
    ("fraud_score", "low"): "unlikely",
    ("fraud_score", "medium"): "possible",
    ("fraud_score", "high"): "likely",
    ("risk_decision", "accepted"): "yes, the order goes on",
    ("risk_decision", "review"): "a person has to look at it first; the order is held",
    ("risk_decision", "rejected"): "no, the order is rejected",
    ("risk_decision", "awaiting_payment"): "not before it is paid",
    ("reservation", "reserved"): "yes, for all of it",
    ("reservation", "partly_reserved"): "for a part of it; the rest is on backorder",
    ("reservation", "backordered"): "no, all of it is on backorder",
    ("allocation", "single_site"): "one site ships everything",
    ("allocation", "split_by_line"): "several sites, each with whole lines",
    ("allocation", "split_line"): "several sites; a line is put together from more than one",
    ("carrier_choice", "none"): "nobody can; the order is held",
}
"""What an outcome means, by kind and code."""

REASONS = {
    "paid_exactly": "what was authorised is exactly what is due",
    "within_tolerance": "what was authorised differs from what is due by rounding only",
    "nothing_tendered": "no payment came with the order",
    "tender_unconfirmed": "the payment provider has not confirmed a payment",
    "paid_too_little": "what was authorised is less than what is due",
    "paid_too_much": "what was authorised is more than what is due",
    "payment_not_confirmed": "the payment is not confirmed",
    "underpaid": "too little was paid",
    "overpaid": "too much was paid",
    "fraud_near_certain": "the order is almost certainly fraud",
    "expected_loss_exceeds_review_cost": "the loss to expect is more than a person's look costs",
    "large_order_to_new_country": "a large order to a country the customer never ordered to",
    "very_large_first_order": "a very large first order of the customer",
    "stock_covers_all": "the stock at the order's moment covered every line",
    "stock_covers_part": "the stock at the order's moment covered a part of the lines",
    "no_stock": "nothing was free at the order's moment",
    "one_site_ships_all": "one site had every SKU in full",
    "no_site_has_all": "no site had every SKU, but each SKU was whole somewhere",
    "no_site_has_a_line": "no site had enough of one SKU",
    "waits_for_stock": "some units arrive at the site later",
    "only_eligible": "no other service could carry the parcel",
    "cheapest": "no service that can carry it costs less",
    "keeps_promise": "it is likely to arrive by the promised date",
    "without_promise": "no date was promised",
    "distance_unknown": "the distance is unknown, so the farthest zone was assumed",
    "weight_estimated": "a product states no weight, so one was assumed",
    "no_eligible_carrier": "no service can carry the parcel",
}
"""Why, by code; `risk.rules`, `transport.rules` and the other rules say when each holds."""

WITHOUT_REASON = {
    "order_acceptance": "the message was complete and its total agrees with its lines",
    "fraud_score": "nothing about the order stands out",
    "risk_decision": "no rule speaks against it",
}
"""What it means that a decision names no reason."""

VERDICTS = {
    "ships": "ships",
    "less preferred": "could have, but ranks lower",
    "too little stock": "not enough",
}
"""What became of a site that was considered."""

RANKING = {
    "fewest_splits": "fewest parcels",
    "same_market": "the customer's country",
    "lowest_cost": "lowest cost of handling and carriage",
    "nearest": "nearest",
}
"""The rules of a ranking."""


def question(kind: str, subject: str) -> str:
    """What a decision decides."""
    return KINDS.get(kind, plain(kind).capitalize()).format(subject=subject)


def answer(kind: str, outcome: str) -> str:
    """What was decided."""
    return OUTCOMES.get((kind, outcome), outcome if kind == "carrier_choice" else plain(outcome))


def why(kind: str, reasons: list[str]) -> str:
    """Why it was decided so; empty where nothing is to be said."""
    told = "; ".join(REASONS.get(reason, plain(reason)) for reason in reasons)
    # A score is low in spite of what raised it, not because of it.
    if kind == "fraud_score" and told:
        return f"what raised the score: {told}"
    told = told or WITHOUT_REASON.get(kind, "")
    return f"because {told}" if told else ""


def count(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def plain(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")
