"""The kinds of rules, composed: which decision each governs, and what a policy makes of a case.

Like `replaying` it knows several areas, since areas do not import each other. A case is a document:
the inputs of a decision as the ledger keeps them, or made up by whoever writes a rule's examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecom_assets.backoffice.model import Kind, Outcome, RuleRefused
from ecom_assets.fraud import rules as fraud
from ecom_assets.inventory import rules as inventory
from ecom_assets.payments import rules as payments
from ecom_assets.risk import rules as risk
from ecom_assets.shared.policies import policy_of
from ecom_assets.shared.policy_forms import DIALECT, schema_of
from ecom_assets.transport import model as parcels
from ecom_assets.transport import policy as carrier
from ecom_assets.transport import rules as transport
from ecom_assets.warehouse import rules as warehouse


def _risk(policy: risk.RiskPolicy, given: Mapping[str, Any]) -> Outcome:
    found = risk.decide(_case("given", risk.Case, given), policy)
    return {
        "outcome": found.outcome.value,
        "reasons": [reason.value for reason in found.reasons],
        "expected_loss_minor": found.expected_loss_minor,
    }


@dataclass(frozen=True, slots=True)
class Paid:
    """What was tendered for an order; amounts in its minor units.

    Attributes:
        due_minor: what the order owes.
        authorised_minor: what its tenders have together.
        pending_minor: what tenders promise that are not authorised yet.
        tenders: how many tenders it has.
    """

    due_minor: int
    authorised_minor: int
    pending_minor: int = 0
    tenders: int = 1


def _payment(policy: payments.PaymentPolicy, given: Mapping[str, Any]) -> Outcome:
    paid = _case("given", Paid, given)
    tolerance = policy.tolerance_minor(paid.tenders)
    difference = paid.authorised_minor - paid.due_minor
    state, reason = payments.judge(difference, paid.pending_minor, tolerance, paid.tenders)
    return {"outcome": state.value, "reasons": [reason.value], "tolerance_minor": tolerance}


@dataclass(frozen=True, slots=True)
class Promise:
    """When stock was promised.

    Attributes:
        reserved_as_of: moment of the promise.
    """

    reserved_as_of: datetime


def _reservation(policy: inventory.Policy, given: Mapping[str, Any]) -> Outcome:
    promised = _case("given", Promise, given).reserved_as_of
    stands = policy.promise_stands
    return {"expires_at": (promised + stands).isoformat() if stands else None}


def _fraud(policy: fraud.FraudPolicy, given: Mapping[str, Any]) -> Outcome:
    found = fraud.assess({name: float(value) for name, value in given.items()}, policy)
    return {
        "outcome": fraud.bucket(found.probability).value,
        "probability": found.probability,
        "reasons": list(found.reasons),
    }


@dataclass(frozen=True, slots=True)
class Site:
    """A site as an order sees it; see `warehouse.rules.Standing`.

    Attributes:
        stock: units on hand by SKU.
        is_abroad: whether it lies outside the customer's country.
        cost_minor: handling and carriage of the whole order, in minor units.
        far: kilometres to the customer; 1 abroad and 0 at home where unknown.
        handling_minor: cost of handling, in minor units.
    """

    stock: Mapping[str, int]
    is_abroad: bool = False
    cost_minor: float = 0.0
    far: float = 0.0
    handling_minor: int = 0

    @property
    def standing(self) -> warehouse.Standing:
        """What the ranking looks at."""
        return warehouse.Standing(self.is_abroad, self.cost_minor, self.far, self.handling_minor)


@dataclass(frozen=True, slots=True)
class Basket:
    """What an order needs, and where it may come from.

    Attributes:
        units: units by SKU.
        sites: the sites by code.
    """

    units: Mapping[str, int]
    sites: Mapping[str, Site]


def _routing(policy: warehouse.Routing, given: Mapping[str, Any]) -> Outcome:
    basket = _case("given", Basket, given)
    moves = {
        (sku, code): [(0, units)]
        for code, site in basket.sites.items()
        for sku, units in site.stock.items()
    }
    standings = {code: site.standing for code, site in basket.sites.items()}
    demand = warehouse.Demand(0, basket.units, standings)
    try:
        (shares,) = warehouse.allocate_in_turn([demand], moves, {}, policy.ranking)
    except warehouse.NotCovered as error:
        raise RuleRefused(str(error)) from error
    sites: dict[str, dict[str, int]] = {}
    for (sku, code), units in shares.items():
        sites.setdefault(code, {})[sku] = units
    return {"sites": sites, "parcels": len(sites)}


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel and the rate card it is compared by; see `transport.model`."""

    parcel: parcels.Parcel
    card: parcels.RateCard


def _carrier(policy: carrier.Policy, given: Mapping[str, Any]) -> Outcome:
    shipment = _case("given", Shipment, given)
    candidates = transport.choose(shipment.parcel, shipment.card, policy)
    chosen = next((each for each in candidates if each.is_chosen), None)
    if chosen is None:
        return {"outcome": "none", "reason": "no service can carry the parcel"}
    return {
        "outcome": chosen.service_code, "reason": chosen.reason, "cost_minor": chosen.cost_minor,
    }  # fmt: skip


def _case(name: str, form: type[Any], given: Mapping[str, Any]) -> Any:
    return policy_of(name, form, given, is_complete=False)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(risk.KIND, risk.RiskPolicy, "From which loss, worth and probability an order is"
             " reviewed or rejected.", "risk_decision", _risk, risk.Case,
             ("outcome", "reasons", "expected_loss_minor")),
        Kind(fraud.KIND, fraud.FraudPolicy, "Signs of fraud with their points, limits of velocity"
             " among them; they score where no model does.", "fraud_score", _fraud, None,
             ("outcome", "probability", "reasons")),
        Kind(warehouse.KIND, warehouse.Routing, "In which order sites are tried.", "allocation",
             _routing, Basket, ("sites", "parcels")),
        Kind(carrier.KIND, carrier.Policy, "What lateness, damage and missing weights cost when a"
             " carrier is chosen.", "carrier_choice", _carrier, Shipment,
             ("outcome", "reason", "cost_minor")),
        Kind(payments.KIND, payments.PaymentPolicy, "How far tenders may miss what is due.",
             "payment_match", _payment, Paid, ("outcome", "reasons", "tolerance_minor")),
        Kind(inventory.KIND, inventory.Policy, "How long stock stays promised to an order.",
             "reservation", _reservation, Promise, ("expires_at",), is_replayable=False),
    )
}  # fmt: skip
"""Every kind of rule by its name."""


def case_schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of a kind's made-up cases."""
    if kind.case is not None:
        return schema_of(kind.case, is_complete=False)
    return {
        "$schema": DIALECT, "type": "object", "description": "Figures by feature.",
        "propertyNames": {"enum": list(fraud.features())},
        "additionalProperties": {"type": "number"},
    }  # fmt: skip


def kind_of(name: str) -> Kind:
    """The kind of a name, or of a label such as `risk/2`.

    Raises:
        RuleRefused: there is no such kind.
    """
    kind = KINDS.get(name.partition("/")[0])
    if kind is None:
        raise RuleRefused(f"{name} is no kind of rule; known are {', '.join(KINDS)}")
    return kind
