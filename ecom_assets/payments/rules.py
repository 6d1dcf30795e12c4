"""How tenders are read and matched against what an order owes.

This is the plain reference of the SQL in `store`; a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from ecom_assets.shared.policy_forms import Figure

KIND = "payment_match"
"""Kind of the rules as data."""

RULE_VERSION = "payment_match/1"
"""Label of the first version, whose settings are `POLICY`."""

RELEASE_VERSION = "money_return/1"

METHODS = frozenset(
    {"card", "boleto", "voucher", "debit_card", "wallet", "transfer", "invoice", "unknown"}
)
"""Methods that are told apart; every other one is kept as `unknown`."""

MOST_MINOR = 10**15
"""An amount above this many minor units is a reading error, not money."""

MOST_INSTALLMENTS = 1_000
MOST_SEQUENCE = 1_000_000


MOST_TOLERANCE_MINOR = 1_000_000
"""A tolerance above this many minor units forgives orders instead of roundings."""

_Tolerance = Annotated[int, Figure("minor units", least=0, most=MOST_TOLERANCE_MINOR)]


@dataclass(frozen=True, slots=True)
class PaymentPolicy:
    """How far tenders may miss what is due.

    A total that is split over tenders is rounded once per tender.

    Attributes:
        per_tender_minor: tolerance per tender, in minor units of the order's currency.
        least_minor: tolerance at least, however few the tenders.
    """

    per_tender_minor: _Tolerance = 1
    least_minor: _Tolerance = 1

    def __post_init__(self) -> None:
        """Refuse tolerances that no shop can mean.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        for name in ("per_tender_minor", "least_minor"):
            if not 0 <= getattr(self, name) <= MOST_TOLERANCE_MINOR:
                raise ValueError(f"{name} must be from 0 to {MOST_TOLERANCE_MINOR}")

    def tolerance_minor(self, tenders: int) -> int:
        """The tolerance of an order with so many tenders."""
        return max(self.least_minor, self.per_tender_minor * tenders)


POLICY = PaymentPolicy()
"""What the first version says."""


class PaymentState(StrEnum):
    """What the tenders of an order amount to."""

    AUTHORISED = "authorised"
    AWAITING = "awaiting"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"


class Reason(StrEnum):
    """Why an order has its payment state."""

    PAID_EXACTLY = "paid_exactly"
    WITHIN_TOLERANCE = "within_tolerance"
    NOTHING_TENDERED = "nothing_tendered"
    TENDER_UNCONFIRMED = "tender_unconfirmed"
    PAID_TOO_LITTLE = "paid_too_little"
    PAID_TOO_MUCH = "paid_too_much"


@dataclass(frozen=True, slots=True)
class Tender:
    """One tender as it is kept.

    Attributes:
        method: one of `METHODS`.
        amount_minor: minor units of the order's currency; an unusable amount counts as 0.
        installments: at least 1.
        is_authorised: whether the provider confirmed it.
        anomaly: codes of what is odd, sorted and joined by commas; None where nothing is.
    """

    method: str
    amount_minor: int
    installments: int
    is_authorised: bool
    anomaly: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """What an order owes against what was tendered; amounts in its minor units."""

    authorised_minor: int
    pending_minor: int
    tolerance_minor: int
    state: PaymentState
    reason: Reason


def whole(value: object, least: int, most: int) -> int | None:
    """A JSON number as a whole number within bounds; None for anything else."""
    # To Python `True` is the number 1, to JSON it is none.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if least <= value <= most and value == int(value) else None


def read_tender(document: Mapping[str, Any]) -> Tender:
    """Make a tender of the canonical document's payment, odd values tolerated and named."""
    # A channel that writes "CARD" or " card " means the method that others call "card".
    method = str(_given(document, "method") or "").lower()
    amount = whole(document.get("amount_minor"), 0, MOST_MINOR)
    installments = whole(document.get("installments"), 1, MOST_INSTALLMENTS)
    # A set: a source that already names the anomaly we find must not name it twice.
    codes = {
        _given(document, "anomaly"),
        None if method in METHODS else "unknown_method",
        None if amount is not None else _amount_anomaly(document.get("amount_minor")),
        None if installments is not None else _installments_anomaly(document.get("installments")),
    }
    return Tender(
        method=method if method in METHODS else "unknown",
        amount_minor=amount or 0,
        installments=installments or 1,
        is_authorised=_given(document, "authorised_at") is not None,
        anomaly=",".join(sorted(code for code in codes if code)) or None,
    )


def _given(document: Mapping[str, Any], name: str) -> Any:
    """A member's value without blanks around it; None where it is missing, null or blank."""
    value = document.get(name)
    return (value.strip(" ") or None) if isinstance(value, str) else value


def _amount_anomaly(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "negative_amount" if is_number and str(value).startswith("-") else "unreadable_amount"


def _installments_anomaly(value: object) -> str | None:
    # Most methods know no instalments; silence is not odd.
    if value is None:
        return None
    return "zero_instalments" if whole(value, 0, 0) == 0 else "unreadable_instalments"


def number_tenders(given: Sequence[object]) -> list[int]:
    """Numbers of an order's tenders, from the sequence values as given, in the given order.

    Values are kept where all are whole, positive and different; otherwise all tenders are numbered
    anew from 1, in the order of their values, unusable values last.
    """
    values = [whole(value, 1, MOST_SEQUENCE) for value in given]
    # All or none: numbers made up for some tenders could meet the numbers others already have.
    if None not in values and len(set(values)) == len(values):
        return [value for value in values if value is not None]
    order = sorted(range(len(values)), key=lambda at: (values[at] is None, values[at] or 0, at))
    rank = {at: number for number, at in enumerate(order, start=1)}
    return [rank[at] for at in range(len(values))]


def match(due_minor: int, tenders: Sequence[Tender], policy: PaymentPolicy = POLICY) -> Match:
    """Hold the tenders of an order against what is due."""
    authorised = sum(tender.amount_minor for tender in tenders if tender.is_authorised)
    pending = sum(tender.amount_minor for tender in tenders if not tender.is_authorised)
    tolerance = policy.tolerance_minor(len(tenders))
    state, reason = judge(authorised - due_minor, pending, tolerance, len(tenders))
    return Match(authorised, pending, tolerance, state, reason)


def judge(
    difference: int, pending: int, tolerance: int, tenders: int
) -> tuple[PaymentState, Reason]:
    """What tenders amount to.

    Args:
        difference: authorised less due, in minor units.
        pending: tendered and not confirmed, in minor units.
        tolerance: difference that is taken for rounding, in minor units.
        tenders: how many there are.
    """
    if difference == 0:
        return PaymentState.AUTHORISED, Reason.PAID_EXACTLY
    if abs(difference) <= tolerance:
        return PaymentState.AUTHORISED, Reason.WITHIN_TOLERANCE
    # Pending money is left out here: what is authorised alone already exceeds what is due.
    if difference > 0:
        return PaymentState.OVERPAID, Reason.PAID_TOO_MUCH
    # Nobody has tried to pay yet, which is no sign of trouble: wait rather than chase.
    if tenders == 0:
        return PaymentState.AWAITING, Reason.NOTHING_TENDERED
    if pending > 0:
        return PaymentState.AWAITING, Reason.TENDER_UNCONFIRMED
    return PaymentState.UNDERPAID, Reason.PAID_TOO_LITTLE


def money_to_return(
    is_cancelled: bool, state: PaymentState, authorised_minor: int, due_minor: int
) -> int:
    """What a changed order gets back: all that was authorised if cancelled, else the excess.

    An excess within the tolerance of the match is rounding and stays.

    Returns:
        Minor units, not negative.
    """
    if is_cancelled:
        return authorised_minor
    return authorised_minor - due_minor if state is PaymentState.OVERPAID else 0
