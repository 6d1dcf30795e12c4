"""The EU's register of VAT ids (VIES) as a resource, over its REST interface.

A question is a POST of `countryCode` and `vatNumber`; an answer has `valid` and, where the asker
names itself, a `requestIdentifier` that proves the consultation. A register that cannot answer says
so with `actionSucceed: false` and `errorWrappers`, at times with status 200: that is no answer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import dagster as dg
import httpx

URL = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"
VARIABLES = {
    "url": "ECOM_VIES_URL", "requester": "ECOM_VIES_REQUESTER", "timeout_s": "ECOM_VIES_TIMEOUT_S",
}  # fmt: skip
"""The variable that sets each field."""

ANSWERS = frozenset({"", "VALID", "INVALID"})
"""What `userError` may say beside an answer; anything else says that there is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the register said.

    Attributes:
        is_valid: whether the id is valid; None without an answer.
        consultation: number that proves the answer, where the asker named itself.
        problem: why there is no answer.
    """

    is_valid: bool | None
    consultation: str | None = None
    problem: str = ""


class VatRegisterResource(dg.ConfigurableResource[None]):
    """The register.

    Attributes:
        url: where questions go.
        requester: own VAT id, so that answers can be proven; empty to ask without.
        timeout_s: seconds until a question counts as not answered.
    """

    url: str = URL
    requester: str = ""
    timeout_s: float = 10.0

    @classmethod
    def of_environment(cls) -> VatRegisterResource:
        """As `VARIABLES` say."""
        given: dict[str, Any] = {
            field: os.environ[name] for field, name in VARIABLES.items() if os.environ.get(name)
        }
        return cls(**given)

    def ask(self, vat_id: str) -> Answer:
        """Ask about an id such as DE136695976; never raises for what the register does."""
        body = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        if self.requester:
            body |= {
                "requesterMemberStateCode": self.requester[:2],
                "requesterNumber": self.requester[2:],
            }
        try:
            reply = httpx.post(self.url, json=body, timeout=self.timeout_s)
            return _read(reply)
        except (httpx.HTTPError, ValueError) as error:
            return Answer(None, problem=f"{type(error).__name__}: {error}")


def _read(reply: httpx.Response) -> Answer:
    said = reply.json()
    if not isinstance(said, dict):
        return Answer(None, problem="the register sent no object")
    errors = [str(each.get("error")) for each in said.get("errorWrappers") or ()]
    if errors or reply.status_code != httpx.codes.OK or said.get("actionSucceed") is False:
        return Answer(None, problem=", ".join(errors) or f"status {reply.status_code}")
    problem = str(said.get("userError") or "")
    if problem not in ANSWERS or not isinstance(said.get("valid"), bool):
        return Answer(None, problem=problem or "the register sent no verdict")
    return Answer(said["valid"], str(said.get("requestIdentifier") or "") or None)
