"""Pauses grow and spread; a look-up proves absence only when nothing can come any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.effects.model import Doubt
from ecom_assets.effects.rules import POLICY, happened, pause_s
from fixtures.given import NEW_YEAR


@given(st.integers(0, 4), st.floats(0, 1))
def test_pauses_double_and_spread(refusals: int, draw: float) -> None:
    middle = POLICY.first_pause_s * 2**refusals
    assert 0.5 * middle <= pause_s(refusals, draw) <= 1.5 * middle
    assert pause_s(refusals + 1, draw) == 2 * pause_s(refusals, draw)


@pytest.mark.parametrize(
    ("is_found", "after_lease_s", "expected"),
    [(True, -100, True), (False, -100, None), (False, 59.9, None), (False, 60, False)],
)
def test_what_a_look_up_proves(is_found: bool, after_lease_s: float, expected: bool | None) -> None:
    end = NEW_YEAR + timedelta(seconds=300)
    asked_at = end + timedelta(seconds=after_lease_s)
    doubt = Doubt(1, "email", "<a@x>", 1, NEW_YEAR, end, asked_at)
    assert happened(doubt, is_found, settle_s=60) is expected
