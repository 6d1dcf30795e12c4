"""The members of the canonical order document and what each must be, as data.

`rules` reads a document by these declarations in Python; `store.validation` makes the SQL from the
same declarations that reads thousands at once. `model` describes the document to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ecom_assets.orders.model import Problem, Refusal

MOST_MINOR = 10**12
"""Largest amount of a line or charge; sums over the lines of a document then fit 64 bits."""

MOST_UNITS = 10**6
"""Largest quantity of a line; also the largest number of a line or payment."""

MOST_CHARACTERS = 500
"""Longest text; natural keys of this length still fit an index entry."""

# The cast to a moment would fail on the 30th of February and take the whole chunk with it; a
# pattern that knows the calendar costs less than a savepoint per message.
_YEAR, _LEAP_YEAR = "[12][0-9]{3}", (
    "([12][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)"
)  # fmt: skip
MOMENT_PATTERN = (
    f"({_YEAR}-("
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
"""ISO 8601 with an offset, only days that exist: what matches can be cast without an error."""


class Kind(StrEnum):
    """What a member's value is."""

    TEXT = "text"
    WHOLE = "whole"
    DEGREES = "degrees"
    MOMENT = "moment"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the document or of a part of it.

    A member that is absent, null or blank is missing.

    Attributes:
        name: name in the JSON object.
        kind: what its value must be.
        is_required: whether it must not be missing.
        least: smallest value of a number.
        most: largest value of a number.
    """

    name: str
    kind: Kind = Kind.TEXT
    is_required: bool = False
    least: int = 0
    most: int = MOST_MINOR

    @property
    def demand(self) -> str:
        """What the member must be, as the end of a sentence about it."""
        return {
            Kind.TEXT: f"must be a text of at most {MOST_CHARACTERS} characters",
            Kind.WHOLE: f"must be a whole number from {self.least} to {self.most}",
            Kind.DEGREES: f"must be a number from {self.least} to {self.most}",
            Kind.MOMENT: "must be a moment with an offset, such as 2024-05-01T12:00:00+02:00",
            Kind.COUNTRY: "must be a country code of two capital letters",
        }[self.kind]


HEAD = (
    Member("placed_at", Kind.MOMENT, is_required=True),
    Member("promised_at", Kind.MOMENT),
    Member("currency", is_required=True),
    Member("shipping_minor", Kind.WHOLE),
    Member("total_minor", Kind.WHOLE),
)
CUSTOMER = (Member("key", is_required=True), Member("name"), Member("email"), Member("phone"))
# Apart from its fellows, because an order without a country is a problem of its own.
COUNTRY = Member("country", Kind.COUNTRY, is_required=True)
SHIP_TO = (
    Member("name"),
    Member("line1"),
    Member("city"),
    Member("region"),
    Member("postal_code"),
    Member("latitude", Kind.DEGREES, least=-90, most=90),
    Member("longitude", Kind.DEGREES, least=-180, most=180),
)
CONTEXT = (Member("ip_address"), Member("device_id"))

PARTS: dict[str, tuple[Member, ...]] = {
    "": HEAD, "customer": CUSTOMER, "ship_to": SHIP_TO, "context": CONTEXT,
}  # fmt: skip
"""Members by the part they stand in, in the order they are checked; `COUNTRY` comes later."""

LINE = (
    Member("line_no", Kind.WHOLE, is_required=True, least=1, most=MOST_UNITS),
    Member("sku", is_required=True),
    Member("quantity", Kind.WHOLE, is_required=True, least=1, most=MOST_UNITS),
    Member("unit_price_minor", Kind.WHOLE, is_required=True),
    Member("discount_minor", Kind.WHOLE),
    Member("tax_minor", Kind.WHOLE),
    Member("seller"),
)
PAYMENT = (
    # From 0: some sources count from there. Payments numbers such tenders anew.
    Member("sequence", Kind.WHOLE, is_required=True, most=MOST_UNITS),
    Member("method", is_required=True),
    Member("amount_minor", Kind.WHOLE, is_required=True),
    Member("installments", Kind.WHOLE, most=1000),
    Member("authorised_at", Kind.MOMENT),
    Member("provider_reference"),
    Member("card_fingerprint"),
    Member("avs_result"),
    Member("cvv_result"),
    Member("anomaly"),
)

CANCEL = (Member("reason"), Member("reference"))
CANCELLED_LINE = (
    Member("line_no", Kind.WHOLE, is_required=True, least=1, most=MOST_UNITS),
    Member("quantity", Kind.WHOLE, is_required=True, least=1, most=MOST_UNITS),
)

CANCEL_DEMAND = "cancel must be an object"
CANCELLED_LINES_DEMAND = "cancel.lines must be a list with at least one line, or absent"
LINES_DEMAND = "lines must be a list with at least one line"
PAYMENTS_DEMAND = "payments must be a list"
REPEATED_LINE = "line_no is used twice"
GROSS_DEMAND = f"quantity * unit_price_minor must not exceed {MOST_MINOR}"
DISCOUNT_DEMAND = "discount_minor must not exceed quantity * unit_price_minor"

TOLERANCE_MINOR = 1
"""How far the stated total may be from the lines; the order's total follows the lines."""


def fault(problem: Problem | Refusal, detail: str) -> str:
    """Problem and detail in one text, as the store carries them: `bad_line: line 2: ...`."""
    return f"{problem.value}: {detail}"
