"""Comparisons at their edges: what is missing on either side, other currencies, broken results."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.quality.assets import reconciliations
from ecom_assets.quality.checks import reconciliation_checks
from ecom_assets.quality.comparisons import COMPARISONS, Comparison
from ecom_assets.quality.store import Reconciled, reconcile, reconciled
from ecom_assets.quality.tables import RECONCILIATIONS
from resources.database import DatabaseResource

BY_NAME = {item.name: item for item in COMPARISONS}


@pytest.fixture(scope="session")
def template(shop_template: str) -> str:
    """Every database of this module starts as the consistent shop."""
    return shop_template


@pytest.fixture
def conn(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A transaction without foreign keys that is undone, so that all tests share one database."""
    with module_database.engine.connect() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.rollback()


def _found(conn: sa.Connection, name: str) -> Reconciled:
    reconcile(conn, [BY_NAME[name]], "run")
    return reconciled(conn)[name]


# comparison, what happens, what an operator then reads
SAID = [
    (
        "inbox_orders",
        "DELETE FROM orders.orders WHERE order_id = 3",
        ("web/E3", "accepted message without an order"),
    ),
    (
        "inbox_orders",
        "DELETE FROM orders.inbox WHERE inbox_id = 3",
        ("web/E3", "order without its accepted message"),
    ),
    (
        "customers_orders",
        "DELETE FROM customers.customers WHERE customer_key = 'C1'",
        ("C1", "orders placed 3, counted no customer"),
    ),
    (
        "customers_orders",
        "UPDATE customers.customers SET orders_count = 1 WHERE customer_key = 'C2'",
        ("C2", "orders placed 0, counted 1"),
    ),
    (
        "payments_orders",
        "UPDATE payments.order_payments SET currency = 'EUR' WHERE order_id = 2",
        ("2", "total 2500 BRL, due 2500 EUR"),
    ),
    (
        "payments_orders",
        "DELETE FROM payments.order_payments WHERE order_id = 2",
        ("2", "total 2500 BRL, due missing"),
    ),
    (
        "payments_tenders",
        "DELETE FROM payments.transactions WHERE order_id = 2",
        ("2", "tenders: authorised 0, pending 0; payment: authorised 2500, pending 0"),
    ),
    (
        "payments_tenders",
        "UPDATE payments.transactions SET state = 'pending', authorised_at = NULL"
        " WHERE order_id = 2",
        ("2", "tenders: authorised 0, pending 2500; payment: authorised 2500, pending 0"),
    ),
    (
        "payments_tenders",
        "DELETE FROM payments.order_payments WHERE order_id = 2",
        ("2", "tenders: authorised 2500, pending 0; payment: authorised missing, pending missing"),
    ),
    (
        "states_areas",
        "DELETE FROM flow.order_states WHERE order_id = 3",
        ("3", "states: payment missing, risk missing; areas: payment authorised, risk rejected"),
    ),
    (
        "ledger_areas",
        "DELETE FROM risk.decisions WHERE order_id = 3",
        ("risk_decision of order 3", "in the ledger, but not acted on"),
    ),
    (
        "reservations_lines",
        "DELETE FROM inventory.reservations WHERE order_line_id = 4",
        ("4", "line asks for 1 of B, reservation for nothing"),
    ),
    (
        "reservations_lines",
        "UPDATE inventory.reservations SET sku = 'A' WHERE order_line_id = 4",
        ("4", "line asks for 1 of B, reservation for 1 of A"),
    ),
    (
        "positions_reservations",
        "DELETE FROM inventory.positions; UPDATE inventory.reservations SET shipped = 0"
        " WHERE order_line_id = 3",
        ("A", "position 0, reservations and holds 1"),
    ),
    (
        "positions_balances",
        "INSERT INTO inventory.balances VALUES ('Z', 'N', 3, 0, '2018-01-01Z')",
        ("Z", "position 0, balances 3"),
    ),
    (
        "balances_movements",
        "DELETE FROM inventory.balances WHERE sku = 'B'",
        ("B at S", "balance: on hand 0, sold 0; movements: on hand 0, sold 1"),
    ),
    (
        "never_oversold",
        "INSERT INTO warehouse.site_loads VALUES ('Z', 'N', 1)",
        ("Z at N", "allocated 1 of 0 on hand and sold"),
    ),
    (
        "shipments_allocations",
        "DELETE FROM warehouse.allocations WHERE order_id = 1 AND site_code = 'S'",
        ("1 from S", "allocated 0, shipped 1"),
    ),
    (
        "invoices_shipments",
        "DELETE FROM transport.shipments WHERE order_id = 2",
        ("2", "invoiced, but nothing was shipped"),
    ),
    (
        "invoices_totals",
        "UPDATE documents.invoices SET currency = 'EUR' WHERE order_id = 2",
        ("INV-2018 2", "invoice 1275 EUR, order 2500 BRL, units 1 of 3"),
    ),
    (
        "invoice_numbers",
        "DELETE FROM documents.invoices WHERE number = 1",
        ("INV-2018", "1 invoices from 2 to 2, next is 3"),
    ),
]


@pytest.mark.parametrize(("name", "statement", "said"), SAID)
def test_a_difference_says_what_each_side_holds(
    conn: sa.Connection, name: str, statement: str, said: tuple[str, str]
) -> None:
    for part in statement.split(";"):
        conn.execute(sa.text(part))
    sample = _found(conn, name).sample
    assert said in {(entry["subject"], entry["detail"]) for entry in sample}


FINE = [
    # a second series starts at 1 again
    ("invoice_numbers", "INSERT INTO documents.series VALUES ('INV-2019', 1)"),
    ("positions_reservations", "INSERT INTO inventory.positions VALUES ('Z', 0, 0)"),
    # an order in part is invoiced in part
    (
        "invoices_totals",
        "UPDATE documents.invoices SET goods_minor = 0, total_minor = 300 WHERE order_id = 2",
    ),
    # a row that was mended later was still parked by that import
    ("imports_quarantine", "UPDATE flow.quarantine SET state = 'replayed'"),
    # decisions of a kind no area acts on, such as a later review
    (
        "ledger_areas",
        "INSERT INTO decisions.ledger (kind, order_id, subject, attempt, inputs, version, outcome,"
        " decided_as_of, run_id) VALUES ('manual_note', 1, '', 1, '{}', 'v', 'x', '2018-01-09Z',"
        " 'r')",
    ),
    # a second attempt is one decision more, but the same subject
    (
        "ledger_areas",
        "INSERT INTO decisions.ledger (kind, order_id, subject, attempt, inputs, version, outcome,"
        " decided_as_of, run_id) VALUES ('reservation', 2, '', 2, '{}', 'v', 'x', '2018-01-09Z',"
        " 'r')",
    ),
]


@pytest.mark.parametrize(("name", "statement"), FINE)
def test_what_only_looks_odd_is_no_difference(
    conn: sa.Connection, name: str, statement: str
) -> None:
    conn.execute(sa.text(statement))
    assert _found(conn, name).differences == 0


def _comparison(rows: str) -> Comparison:
    query = f"SELECT * FROM (VALUES {rows}) AS given (subject, differs, detail)"  # noqa: S608 - rows below
    return Comparison("odd", "Something holds.", query)


@pytest.mark.parametrize(
    ("rows", "compared", "differences", "first"),
    [
        ("('a', false, '')", 1, 0, []),
        ("('b', true, 'x'), ('a', true, 'z'), ('a', true, 'y')", 3, 3, ["y", "z", "x"]),
        # a comparison that cannot tell has compared, but found no difference
        ("('a', NULL::boolean, 'unknown')", 1, 0, []),
        ("('日本', true, '円 % : {}')", 1, 1, ["円 % : {}"]),
        ("('long', true, repeat('x', 50000))", 1, 1, ["x" * 50_000]),
    ],
    ids=["none", "sorted", "unknown", "any text", "long"],
)
def test_a_result_counts_all_and_shows_the_first_in_order(
    conn: sa.Connection, rows: str, compared: int, differences: int, first: list[str]
) -> None:
    assert reconcile(conn, [_comparison(rows)], "run") == 1
    found = reconciled(conn)["odd"]
    assert (found.compared, found.differences) == (compared, differences)
    assert [entry["detail"] for entry in found.sample] == first


def test_a_result_is_written_again_only_when_it_says_something_else(conn: sa.Connection) -> None:
    run = sa.select(RECONCILIATIONS.c.run_id).where(RECONCILIATIONS.c.name == "odd")
    for rows, name, changed in [
        ("('a', true, 'x')", "first", 1),
        ("('a', true, 'x')", "second", 0),
        ("('a', true, 'other words')", "third", 1),
        ("('a', false, 'x')", "fourth", 1),
    ]:
        assert reconcile(conn, [_comparison(rows)], name) == changed
    assert conn.execute(run).scalar_one() == "fourth"


def test_a_query_that_breaks_stores_nothing(database: DatabaseResource) -> None:
    broken = Comparison(
        "broken", "Never.", "SELECT 'a' AS subject, 1 / 0 = 1 AS differs, '' AS detail"
    )
    with pytest.raises(sa.exc.DataError, match="division by zero"), database.begin() as conn:
        reconcile(conn, [COMPARISONS[0], broken], "run")
    with database.begin() as conn:
        assert reconciled(conn) == {}


def test_every_comparison_is_told_in_a_sentence_and_named_once() -> None:
    assert len(BY_NAME) == len(COMPARISONS)
    for item in COMPARISONS:
        assert item.description.endswith(".")
        assert item.name.isidentifier()
        # dates of the machine and random draws would make two runs differ
        assert "now()" not in item.query
        assert "random" not in item.query


def _evaluations(database: DatabaseResource) -> dict[str, dg.AssetCheckEvaluation]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [reconciliation_checks],
            instance=instance,
            selection=dg.AssetSelection.all_asset_checks(),
            resources={"database": database},
            raise_on_error=False,
        )
    return {found.check_name: found for found in result.get_asset_check_evaluations()}


def test_results_nobody_can_read_are_no_pass(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("DROP TABLE quality.reconciliations"))
    found = _evaluations(database)
    assert len(found) == len(COMPARISONS)
    assert not any(item.passed for item in found.values())
    assert all("UndefinedTable" in str(item.metadata["error"].value) for item in found.values())


def test_a_new_comparison_is_no_pass_until_it_ran(database: DatabaseResource) -> None:
    with database.begin() as conn:
        reconcile(conn, COMPARISONS[1:], "run")
    failed = {name: item for name, item in _evaluations(database).items() if not item.passed}
    assert list(failed) == [f"reconciliations_{COMPARISONS[0].name}"]
    (item,) = failed.values()
    assert item.metadata["error"].value == "it has not been compared yet"


def test_the_asset_shows_the_worst_first(database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE inventory.positions SET on_hand = 4 WHERE sku <> 'C-RED'"))
        conn.execute(sa.text("UPDATE documents.series SET next_number = 9"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [reconciliations], instance=instance, resources={"database": database}
        )
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    rows = [line.split(" | ") for line in str(metadata["comparisons"].value).splitlines()[2:]]
    assert [row[0].strip("| ") for row in rows[:2]] == ["positions_balances", "invoice_numbers"]
    assert metadata["differences"].value == 3
    assert metadata["changed"].value == metadata["dagster/row_count"].value == len(COMPARISONS)
