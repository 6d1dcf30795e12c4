"""How long an attempt may take, when the next one is made, what a look-up proves."""

from __future__ import annotations

from dataclasses import dataclass

from ecom_assets.effects.model import Doubt


@dataclass(frozen=True, slots=True)
class Policy:
    """Times of sending, in seconds of the wall clock: no business moment is involved.

    Attributes:
        lease_s: how long an attempt may send anything; longer than all time-outs of a channel.
        most_refusals: refusals after which an effect has failed.
        first_pause_s: pause after the first refusal; doubles with every further one.
        outage_pause_s: pause of an effect whose other side could not be reached.
        look_up_least_s: shortest pause between two look-ups.
        look_up_most_s: longest pause between two look-ups.
        budget_s: how long one dispatch goes on while there is work.
    """

    lease_s: float = 300.0
    most_refusals: int = 5
    first_pause_s: float = 120.0
    outage_pause_s: float = 60.0
    look_up_least_s: float = 30.0
    look_up_most_s: float = 3_600.0
    budget_s: float = 300.0


POLICY = Policy()
"""The policy of a deployment."""


def pause_s(refusals: int, draw: float, policy: Policy = POLICY) -> float:
    """Seconds to wait after a refusal: doubled each time, half to one and a half of that.

    Args:
        refusals: refusals before this one.
        draw: random number from 0 to 1; without it all that was refused at once would come back at
            once.
        policy: gives the first pause.
    """
    return float(policy.first_pause_s * 2.0**refusals * (0.5 + draw))


def happened(doubt: Doubt, is_found: bool, settle_s: float) -> bool | None:
    """What a look-up proves: it happened, it did not, or nothing yet (None).

    Not to be found proves something only when the attempt can no longer send anything and what it
    may have sent has had time to be found.
    """
    if is_found:
        return True
    waited_s = (doubt.asked_at - doubt.lease_until_at).total_seconds()
    return False if waited_s >= settle_s else None
