"""What a declaration implies is caught in the database, for shapes of tables ours lack too."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared.checks import run_checks
from ecom_assets.shared.expectations import (
    CURRENCY,
    Expectation,
    TableExpectations,
    values_in,
    values_match,
)
from ecom_assets.shared.gx import evaluate
from ecom_assets.shared.structure import refers_to, structure, unique
from resources.database import DatabaseResource

METADATA = sa.MetaData()
PARENTS = sa.Table("parents", METADATA, sa.Column("code", sa.Text, primary_key=True), schema="flow")
CHILDREN = sa.Table(
    "children",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("code", sa.Text, sa.ForeignKey(PARENTS.c.code)),
    sa.Column("serial", sa.Text),
    sa.Column("price_minor", sa.BigInteger),
    sa.Column("order", sa.Text, nullable=False),
    sa.UniqueConstraint("serial"),
    sa.CheckConstraint("price_minor >= 0", name="children_price_not_negative_check"),
    sa.CheckConstraint("length(kind) < 9", name="children_kind_short_check"),
    schema="flow",
    comment="A key of two columns, a name that is a word of SQL, values that may be missing.",
)
DECLARED = TableExpectations(CHILDREN, structure(CHILDREN))

# Without constraints, so that every broken row gets in.
_LOOSE = """
    CREATE TABLE flow.parents (code text);
    CREATE TABLE flow.children (kind text, number int, code text, serial text, price_minor bigint,
                                "order" text);
    INSERT INTO flow.parents VALUES ('p');
    INSERT INTO flow.children VALUES ('a', 1, 'p', 's1', 5, 'x'), ('a', 2, NULL, NULL, NULL, 'x'),
                                     ('b', 1, 'p', NULL, 0, 'x');
"""


@pytest.fixture(scope="module")
def loose(module_database: DatabaseResource) -> DatabaseResource:
    """Both tables with three rows that are as declared."""
    with module_database.begin() as conn:
        conn.exec_driver_sql(_LOOSE)
    return module_database


def _failing(database: DatabaseResource, change: str) -> dict[str, list[tuple[Any, ...]]]:
    """Properties that fail after a change, with the keys they show; the change is undone."""
    with database.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE flow.kept AS TABLE flow.children")
        conn.exec_driver_sql(change)
    try:
        found = evaluate(database.url, DECLARED, DECLARED.expectations)
    finally:
        with database.begin() as conn:
            conn.exec_driver_sql("TRUNCATE flow.children")
            conn.exec_driver_sql("INSERT INTO flow.children TABLE flow.kept")
            conn.exec_driver_sql("DROP TABLE flow.kept")
    assert [outcome.error for outcome in found.values() if outcome.error] == []
    return {
        name: sorted((key["kind"], key["number"]) for key in outcome.keys)
        for name, outcome in found.items()
        if not outcome.is_met
    }


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ("SELECT 1", {}),
        ("DELETE FROM flow.children", {}),
        (
            "INSERT INTO flow.children VALUES ('a', 1, 'p', 's2', 1, 'x')",
            {"key_unique": [("a", 1), ("a", 1)]},
        ),
        (
            "INSERT INTO flow.children VALUES ('a', 9, NULL, 's1', NULL, 'x')",
            {"serial_unique": [("a", 1), ("a", 9)]},
        ),
        (
            'UPDATE flow.children SET "order" = NULL WHERE number = 2',
            {"required_values_present": [("a", 2)]},
        ),
        ("UPDATE flow.children SET code = 'q' WHERE kind = 'b'", {"code_exists": [("b", 1)]}),
        ("UPDATE flow.children SET code = '' WHERE kind = 'b'", {"code_exists": [("b", 1)]}),
        (
            "UPDATE flow.children SET price_minor = -1 WHERE number = 2",
            {"price_not_negative": [("a", 2)]},
        ),
        (
            "UPDATE flow.children SET kind = 'very long kind' WHERE kind = 'b'",
            {"kind_short": [("very long kind", 1)]},
        ),
    ],
    ids=["as declared", "empty", "key", "unique", "required", "reference", "empty text is a value",
         "money", "constraint"],
)  # fmt: skip
def test_each_fault_fails_its_own_property_and_shows_its_rows(
    loose: DatabaseResource, change: str, failing: dict[str, list[tuple[Any, ...]]]
) -> None:
    assert _failing(loose, change) == failing


def test_what_is_declared_follows_a_fixed_order_and_says_what_blocks() -> None:
    blocking = {item.property: item.is_blocking for item in structure(CHILDREN)}
    assert list(blocking.items()) == [
        ("columns_as_declared", True),
        ("key_unique", True),
        ("required_values_present", True),
        ("serial_unique", True),
        ("code_exists", True),
        ("kind_short", False),
        ("price_not_negative", True),
    ]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (unique(CHILDREN, "pair", "code", "serial"), "No two rows have the same code, serial."),
        (refers_to(CHILDREN, "code", PARENTS.c.code), "Every code is in flow.parents."),
        (structure(CHILDREN)[2], "No row lacks kind, number, order."),
        (structure(CHILDREN)[-1], "price_minor >= 0."),
        (values_in("kind", ["a", "b"]), "Every kind is one of a, b."),
        (values_match("currency", CURRENCY, "a code"), "Every currency is a code."),
    ],
    ids=lambda item: item.property if isinstance(item, Expectation) else "",
)
def test_operators_read_what_must_hold(item: Expectation, words: str) -> None:
    assert item.description == words


@pytest.mark.parametrize(
    ("value", "is_met"),
    [("EUR", True), (None, True), ("eur", False), ("EURO", False), ("", False), ("EU€", False),
     ("EUR\n", False)],
)  # fmt: skip
def test_a_pattern_holds_the_whole_value(
    loose: DatabaseResource, value: str | None, is_met: bool
) -> None:
    with loose.begin() as conn:
        conn.execute(sa.text("UPDATE flow.children SET serial = :value"), {"value": value})
    table = TableExpectations(CHILDREN, (values_match("serial", CURRENCY, "a code"),))
    (outcome,) = evaluate(loose.url, table, table.expectations).values()
    with loose.begin() as conn:
        conn.exec_driver_sql("UPDATE flow.children SET serial = NULL")
    assert (outcome.is_met, outcome.error) == (is_met, None)


def test_a_failed_check_shows_its_rows_in_a_table_no_value_breaks(loose: DatabaseResource) -> None:
    with loose.begin() as conn:
        conn.exec_driver_sql("INSERT INTO flow.children VALUES (E'x|y\\nz', 7, '', NULL, 0, 'x')")
    table = TableExpectations(CHILDREN, (refers_to(CHILDREN, "code", PARENTS.c.code),))
    (result,) = run_checks(loose, table, table.expectations)
    with loose.begin() as conn:
        conn.exec_driver_sql("DELETE FROM flow.children WHERE number = 7")
    assert not result.passed
    assert result.metadata["failing"].value == 1
    assert result.metadata["failing_keys"].value == [{"kind": "x|y\nz", "number": "7"}]
    assert str(result.metadata["failing_rows"].value).splitlines() == [
        "| kind | number |",
        "| --- | --- |",
        "| x\\|y z | 7 |",
    ]
