"""What a declaration implies, and what the constructors of expectations promise."""

from __future__ import annotations

import pytest

from ecom_assets.orders.tables import ORDER_LINES, ORDERS
from ecom_assets.shared.expectations import (
    Expectation,
    Severity,
    TableExpectations,
    has_rows,
    mean_between,
    no_rows,
    values_between,
    values_in,
)
from ecom_assets.shared.structure import refers_to, structure, unique
from ecom_assets.transport.tables import CARRIER_CHOICES

LINES = {item.property: item for item in structure(ORDER_LINES)}


def _query(item: Expectation) -> str:
    return str(item.arguments["unexpected_rows_query"])


def test_a_table_implies_columns_keys_values_references_and_constraints() -> None:
    assert list(LINES) == [
        "columns_as_declared",
        "key_unique",
        "required_values_present",
        "order_id_line_no_unique",
        "order_id_exists",
        "amounts_not_negative",
        "quantity_positive",
        "total_adds_up",
    ]


def test_keys_references_and_money_block_and_other_constraints_do_not() -> None:
    assert {name for name, item in LINES.items() if not item.is_blocking} == {"quantity_positive"}


def test_a_constraint_is_broken_exactly_where_the_database_would_refuse() -> None:
    # An empty value satisfies a constraint, so the condition is negated and not "is not true".
    assert _query(LINES["quantity_positive"]) == (
        "SELECT order_line_id FROM {batch} WHERE NOT (quantity > 0)"
    )


def test_required_values_are_the_columns_that_may_not_be_empty() -> None:
    query = _query(LINES["required_values_present"])
    assert "seller" not in query
    assert "discount_minor" in query


def test_a_reference_names_the_table_itself_and_ignores_empty_values() -> None:
    query = _query(refers_to(ORDER_LINES, "order_id", ORDERS.c.order_id))
    assert "FROM {batch} AS referring LEFT OUTER JOIN orders.orders" in query
    assert "referring.order_id IS NOT NULL" in query


def test_one_column_is_left_to_the_library_and_several_are_a_query() -> None:
    assert unique(ORDERS, "key", "order_id").type == "expect_column_values_to_be_unique"
    several = unique(CARRIER_CHOICES, "key", "order_id", "site_code", "service_code")
    assert "GROUP BY transport.carrier_choices.order_id" in _query(several)


def test_a_check_is_named_after_its_table_and_shown_at_its_asset() -> None:
    item = values_in("state", ["open"])
    here, there = TableExpectations(ORDERS, (item,)), TableExpectations(ORDERS, (item,), ("a", "b"))
    assert here.check_name(item) == "orders_state_known"
    assert (here.asset_key, there.asset_key) == (("orders", "orders"), ("a", "b"))
    assert here.key_columns == ("order_id",)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 9, "at least 0 and at most 9 km."),
        (None, 9, "at most 9 km."),
        (0, None, "at least 0 km."),
    ],
)
def test_a_range_says_its_bounds_and_unit(
    low: float | None, high: float | None, words: str
) -> None:
    assert values_between("distance_km", low, high, "km").description == (
        f"Every distance_km is {words}"
    )


def test_what_may_truly_change_only_warns() -> None:
    for item in (has_rows("Some."), mean_between("probability", 0, 1, "Plausible.")):
        assert item.severity is Severity.WARN
        assert not item.is_blocking


def test_a_query_is_one_line() -> None:
    item = no_rows("odd", "SELECT a\n    FROM {batch}\n    WHERE b", "Odd.")
    assert _query(item) == "SELECT a FROM {batch} WHERE b"
