"""The decision about an order, by the plain reference."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.risk.rules import POLICY, Case, Outcome, Reason, RiskPolicy, decide

ORDINARY = Case("authorised", 0.01, 5_000, 100)


@pytest.mark.parametrize(
    ("case", "outcome", "reasons"),
    [
        (ORDINARY, Outcome.ACCEPTED, ()),
        (
            replace(ORDINARY, payment_state="awaiting", probability=0.95),
            Outcome.AWAITING_PAYMENT,
            (
                Reason.PAYMENT_NOT_CONFIRMED,
                Reason.FRAUD_NEAR_CERTAIN,
                Reason.LOSS_EXCEEDS_REVIEW_COST,
            ),
        ),
        (replace(ORDINARY, payment_state="underpaid"), Outcome.REVIEW, (Reason.UNDERPAID,)),
        (replace(ORDINARY, payment_state="overpaid"), Outcome.ACCEPTED, (Reason.OVERPAID,)),
        (
            replace(ORDINARY, probability=0.9),
            Outcome.REJECTED,
            (Reason.FRAUD_NEAR_CERTAIN, Reason.LOSS_EXCEEDS_REVIEW_COST),
        ),
        (
            replace(ORDINARY, probability=0.1, total_minor=5_010),
            Outcome.REVIEW,
            (Reason.LOSS_EXCEEDS_REVIEW_COST,),
        ),
        (replace(ORDINARY, probability=0.1), Outcome.ACCEPTED, ()),
        (replace(ORDINARY, probability=0.049, total_minor=200_000), Outcome.ACCEPTED, ()),
        (
            replace(ORDINARY, total_minor=30_000, is_new_country=True),
            Outcome.REVIEW,
            (Reason.LARGE_TO_NEW_COUNTRY,),
        ),
        (replace(ORDINARY, total_minor=30_000, is_first_order=True), Outcome.ACCEPTED, ()),
        (
            replace(ORDINARY, total_minor=300_000, is_first_order=True),
            Outcome.REVIEW,
            (Reason.LARGE_FIRST_ORDER,),
        ),
    ],
)
def test_an_order_is_decided(case: Case, outcome: Outcome, reasons: tuple[Reason, ...]) -> None:
    decision = decide(case)
    assert (decision.outcome, decision.reasons) == (outcome, reasons)


def test_thresholds_weigh_alike_in_every_currency() -> None:
    yen = replace(ORDINARY, total_minor=8_016, minor_per_eur=160, probability=0.1)
    assert decide(yen).outcome is Outcome.REVIEW
    assert decide(replace(yen, total_minor=7_999)).outcome is Outcome.ACCEPTED


def test_the_loss_is_what_the_order_is_worth_times_its_probability() -> None:
    assert decide(replace(ORDINARY, probability=0.25, total_minor=10)).expected_loss_minor == 2


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 10**9),
    st.sampled_from(["authorised", "overpaid", "underpaid"]),
)
def test_more_fraud_is_never_decided_more_kindly(
    one: float, other: float, total_minor: int, payment_state: str
) -> None:
    order = [Outcome.ACCEPTED, Outcome.REVIEW, Outcome.REJECTED]
    low, high = sorted((one, other))
    kind, strict = (
        decide(Case(payment_state, probability, total_minor, 100)).outcome
        for probability in (low, high)
    )
    assert order.index(kind) <= order.index(strict)


def test_a_policy_can_be_tried_without_becoming_the_rule() -> None:
    strict = RiskPolicy(reject_from=0.005, review_from=0.005)
    assert decide(ORDINARY, strict).outcome is Outcome.REJECTED
    assert decide(ORDINARY, POLICY).outcome is Outcome.ACCEPTED
