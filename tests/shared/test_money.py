"""Money: exact minor units, the exponents of ISO 4217, texts people read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.shared.money import (
    _EXPONENTS,
    _ROUGHLY_PER_EUR,
    CURRENCIES,
    exponent,
    roughly_minor_per_eur,
    to_minor,
    to_text,
)

CODES = st.sampled_from(sorted(CURRENCIES))
BIGINT = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("currency", "places"),
    [("EUR", 2), ("BRL", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("ISK", 0), ("KWD", 3), ("TND", 3),
     ("MRU", 2), ("HUF", 2)],
)  # fmt: skip
def test_exponents_are_those_of_the_standard(currency: str, places: int) -> None:
    assert exponent(currency) == places


@given(amount=BIGINT, currency=CODES)
def test_minor_units_survive_the_way_to_major_units_and_back(amount: int, currency: str) -> None:
    assert to_minor(Decimal(amount).scaleb(-exponent(currency)), currency) == amount


@given(amount=BIGINT, currency=CODES)
def test_the_text_says_the_amount_exactly(amount: int, currency: str) -> None:
    number, _, code = to_text(amount, currency).rpartition(" ")
    assert code == currency
    assert to_minor(Decimal(number.replace(",", "")), currency) == amount


@given(
    amount=st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6),
    currency=CODES,
)
def test_rounding_is_to_the_nearest_and_symmetric(amount: Decimal, currency: str) -> None:
    minor = to_minor(amount, currency)
    assert abs(Decimal(minor).scaleb(-exponent(currency)) - amount) * 2 <= Decimal(1).scaleb(
        -exponent(currency)
    )
    assert to_minor(-amount, currency) == -minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.005", "EUR", 0),
        ("0.015", "EUR", 2),
        ("0.025", "EUR", 2),
        ("0.0251", "EUR", 3),
        ("-0.015", "EUR", -2),
        ("0.5", "JPY", 0),
        ("1.5", "JPY", 2),
        ("1.0005", "KWD", 1000),
        ("1.0015", "KWD", 1002),
        ("1E+3", "JPY", 1000),
        ("-0.001", "EUR", 0),
        ("92233720368547758.07", "EUR", 2**63 - 1),
    ],
)
def test_halves_go_to_the_even_neighbour(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises((ValueError, OverflowError, InvalidOperation)):
        to_minor(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_450, "EUR", "1,234.50 EUR"),
        (1_234, "JPY", "1,234 JPY"),
        (1, "KWD", "0.001 KWD"),
        (0, "EUR", "0.00 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (-1_234_567, "JPY", "-1,234,567 JPY"),
        (2**63 - 1, "EUR", "92,233,720,368,547,758.07 EUR"),
    ],
)
def test_texts_for_people(minor: int, currency: str, text: str) -> None:
    assert to_text(minor, currency) == text


def test_every_code_with_figures_of_its_own_is_one_people_pay_in() -> None:
    assert set(_EXPONENTS) | set(_ROUGHLY_PER_EUR) <= CURRENCIES


@pytest.mark.parametrize(
    "code",
    ["CLF", "UYI", "UYW", "CHE", "CHW", "BOV", "COU", "MXV", "USN", "XAU", "XXX", "XTS", "XDR"],
)
def test_funds_metals_and_test_codes_are_no_currencies(code: str) -> None:
    # Their minor units differ from what `exponent` would say, and nobody pays an order in them.
    assert code not in CURRENCIES


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [("USD", 80, 150), ("GBP", 60, 120), ("JPY", 100, 250), ("KRW", 1_000, 2_500),
     ("KWD", 250, 450), ("BRL", 400, 900), ("VND", 20_000, 40_000), ("IDR", 10**6, 3 * 10**6)],
)  # fmt: skip
def test_rough_rates_count_minor_units(currency: str, least: int, most: int) -> None:
    assert least <= roughly_minor_per_eur(currency) <= most


@given(currency=CODES)
def test_a_rough_rate_can_always_be_divided_by(currency: str) -> None:
    rate = roughly_minor_per_eur(currency)
    assert isinstance(rate, int)
    assert rate > 0


@pytest.mark.parametrize(("currency", "rate"), [("EUR", 100), ("JOD", 1000), ("XPF", 1)])
def test_without_a_rate_a_major_unit_stands_for_a_euro(currency: str, rate: int) -> None:
    assert roughly_minor_per_eur(currency) == rate
