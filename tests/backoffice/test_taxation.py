"""Rates, rounding and whose tax a sale bears; the database reckons as the plain rules do."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from ecom_assets.backoffice.taxation import (
    BPS,
    EU,
    Line,
    Mode,
    Rate,
    Rounding,
    Treatment,
    VatState,
    line_taxes,
    rate_for,
    rounded,
    taxing_country,
    treatment,
)

AMOUNTS = st.integers(-(10**12), 10**12)
BASIS_POINTS = st.integers(0, BPS)
LINES = st.lists(st.builds(Line, AMOUNTS, BASIS_POINTS | st.sampled_from([700, 1900])), max_size=6)
MODES, ROUNDINGS = st.sampled_from(Mode), st.sampled_from(Rounding)


@given(AMOUNTS, st.integers(1, 20_000), MODES)
def test_a_refund_is_rounded_like_the_sale(dividend: int, divisor: int, mode: Mode) -> None:
    assert rounded(-dividend, divisor, mode) == -rounded(dividend, divisor, mode)


@given(AMOUNTS, st.integers(1, 20_000), MODES)
def test_rounding_misses_by_half_a_unit_at_most(dividend: int, divisor: int, mode: Mode) -> None:
    missed = abs(rounded(dividend, divisor, mode) - Fraction(dividend, divisor))
    assert missed < 1 if mode is Mode.DOWN else missed <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("mode", "halves"),
    [(Mode.HALF_UP, (1, 2, 3)), (Mode.HALF_EVEN, (0, 2, 2)), (Mode.DOWN, (0, 1, 2))],
)
def test_what_becomes_of_half_a_unit(mode: Mode, halves: tuple[int, ...]) -> None:
    assert tuple(rounded(dividend, 2, mode) for dividend in (1, 3, 5)) == halves


@given(LINES, st.booleans(), MODES)
def test_lines_sum_to_the_document(lines: list[Line], is_contained: bool, mode: Mode) -> None:
    """By document, the sum per rate is rounded once and the lines add up to it."""
    taxes = line_taxes(lines, is_contained, Rounding.DOCUMENT, mode)
    for bps in {line.rate_bps for line in lines}:
        total = sum(line.amount_minor for line in lines if line.rate_bps == bps)
        shares = [tax for line, tax in zip(lines, taxes, strict=True) if line.rate_bps == bps]
        assert sum(shares) == rounded(total * bps, BPS + bps if is_contained else BPS, mode)


@given(LINES, st.booleans(), ROUNDINGS, MODES)
def test_a_credit_note_mirrors_its_invoice(
    lines: list[Line], is_contained: bool, rounding: Rounding, mode: Mode
) -> None:
    mirrored = [Line(-line.amount_minor, line.rate_bps) for line in lines]
    taxes = line_taxes(lines, is_contained, rounding, mode)
    assert line_taxes(mirrored, is_contained, rounding, mode) == [-tax for tax in taxes]


@given(st.integers(0, 10**10), BASIS_POINTS)
def test_contained_tax_is_what_would_be_added_to_the_rest(gross: int, bps: int) -> None:
    (tax,) = line_taxes([Line(gross, bps)], True, Rounding.LINE, Mode.HALF_UP)
    (added,) = line_taxes([Line(gross - tax, bps)], False, Rounding.LINE, Mode.HALF_UP)
    assert abs(added - tax) <= 1


@given(st.sampled_from(sorted(EU)), st.sampled_from([*sorted(EU), "US"]), st.sampled_from(VatState))
def test_only_an_answer_of_the_register_frees_a_business(
    seller: str, buyer: str, state: VatState
) -> None:
    found = treatment(seller, buyer, state)
    is_freed = found is Treatment.REVERSE_CHARGE
    assert is_freed == (state is VatState.VALID and seller != buyer and buyer in EU)


@pytest.mark.parametrize(
    ("seller", "buyer", "is_in_oss", "wanted", "country"),
    [
        ("DE", "DE", False, Treatment.DOMESTIC, "DE"),
        ("DE", "FR", False, Treatment.ORIGIN, "DE"),
        ("DE", "FR", True, Treatment.DESTINATION, "FR"),
        ("DE", "US", True, Treatment.OUTSIDE, None),
        ("US", "DE", True, Treatment.OUTSIDE, None),
        ("BR", "BR", False, Treatment.DOMESTIC, "BR"),
    ],
)
def test_where_goods_go_decides(
    seller: str, buyer: str, is_in_oss: bool, wanted: Treatment, country: str | None
) -> None:
    found = treatment(seller, buyer, is_in_oss=is_in_oss)
    assert (found, taxing_country(found, seller, buyer)) == (wanted, country)


RATES = [
    Rate("DE", "", "standard", 1900, date(2007, 1, 1), date(2020, 7, 1)),
    Rate("DE", "", "standard", 1600, date(2020, 7, 1), date(2021, 1, 1)),
    Rate("DE", "", "standard", 1900, date(2021, 1, 1)),
    Rate("DE", "", "books", 700, date(2007, 1, 1)),
    Rate("ES", "", "standard", 2100, date(2012, 9, 1)),
    Rate("ES", "CN", "standard", 700, date(2020, 1, 1)),
]


@pytest.mark.parametrize(
    ("country", "region", "category", "on", "bps"),
    [
        ("DE", "", "standard", date(2020, 6, 30), 1900),
        ("DE", "", "standard", date(2020, 7, 1), 1600),
        ("DE", "BY", "books", date(2020, 8, 1), 700),
        ("DE", "", "toys", date(2021, 1, 1), 1900),
        ("ES", "CN", "books", date(2022, 1, 1), 700),
        ("ES", "MD", "standard", date(2022, 1, 1), 2100),
        ("DE", "", "standard", date(2006, 12, 31), None),
        ("FR", "", "standard", date(2022, 1, 1), None),
    ],
)
def test_the_rate_that_holds(
    country: str, region: str, category: str, on: date, bps: int | None
) -> None:
    found = rate_for(RATES, country, region, category, on)
    assert (found.rate_bps if found else None) == bps


_ROUNDED = sa.text("SELECT backoffice.rounded(:dividend, :divisor, :mode)").bindparams(
    sa.bindparam("dividend", type_=sa.Numeric), sa.bindparam("divisor", type_=sa.Numeric)
)


@given(st.integers(-(10**18), 10**18), st.integers(1, 20_000), MODES)
@tuned(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_the_database_rounds_like_the_reference(
    conn: sa.Connection, dividend: int, divisor: int, mode: Mode
) -> None:
    values = {"dividend": dividend, "divisor": divisor, "mode": mode.value}
    assert conn.execute(_ROUNDED, values).scalar_one() == rounded(dividend, divisor, mode)
