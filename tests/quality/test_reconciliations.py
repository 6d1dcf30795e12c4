"""The areas agree in a consistent shop, and each comparison sees its own kind of difference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ecom_assets.quality.comparisons import COMPARISONS
from ecom_assets.quality.store import SAMPLE, Reconciled, reconcile, reconciled
from ecom_assets.quality.tables import RECONCILIATIONS
from fixtures.unguarded import unguarded
from resources.database import DatabaseResource


@pytest.fixture(scope="session")
def template(shop_template: str) -> str:
    """Every database of this module starts as the consistent shop."""
    return shop_template


@pytest.fixture
def conn(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A transaction that is undone, so that all tests share one database."""
    with module_database.engine.connect() as connection:
        yield connection
        connection.rollback()


def _differing(conn: sa.Connection) -> dict[str, Reconciled]:
    reconcile(conn, COMPARISONS, "run")
    return {name: found for name, found in reconciled(conn).items() if found.differences}


def test_a_consistent_shop_agrees_on_everything(conn: sa.Connection) -> None:
    assert reconcile(conn, COMPARISONS, "run") == len(COMPARISONS)
    found = reconciled(conn)
    assert set(found) == {item.name for item in COMPARISONS}
    assert [name for name, result in found.items() if result.differences] == []
    assert [name for name, result in found.items() if not result.compared] == []


def test_a_second_run_changes_nothing(conn: sa.Connection) -> None:
    rows = sa.select(RECONCILIATIONS).order_by(RECONCILIATIONS.c.name)
    reconcile(conn, COMPARISONS, "first run")
    before = conn.execute(rows).all()
    assert reconcile(conn, COMPARISONS, "second run") == 0
    assert conn.execute(rows).all() == before


def test_the_result_says_as_of_when_it_holds(conn: sa.Connection) -> None:
    reconcile(conn, COMPARISONS, "run")
    moments = conn.scalars(sa.select(RECONCILIATIONS.c.checked_as_of).distinct()).all()
    assert [moment.isoformat() for moment in moments] == ["2018-01-04T00:00:00+00:00"]


BROKEN = [
    ("UPDATE orders.inbox SET state = 'superseded' WHERE inbox_id = 4", {"inbox_orders"}, "web/E4"),
    ("DELETE FROM flow.quarantine", {"imports_quarantine"}, "1/orders.csv"),
    ("UPDATE customers.customers SET orders_count = 9", {"customers_orders"}, "C1"),
    ("DELETE FROM flow.pending WHERE stage = 'payment'", {"payments_orders"}, "4"),
    (
        "UPDATE payments.transactions SET amount_minor = 1 WHERE order_id = 2",
        {"payments_tenders"},
        "2",
    ),
    (
        "DELETE FROM fraud.order_scores WHERE order_id = 3",
        {"scores_payments", "ledger_areas"},
        "3",
    ),
    (
        "DELETE FROM risk.decisions WHERE order_id = 3",
        {"decisions_scores", "states_areas", "ledger_areas"},
        "3",
    ),
    (
        "UPDATE flow.order_states SET risk_state = 'review' WHERE order_id = 1",
        {"states_areas"},
        "1",
    ),
    (
        "DELETE FROM decisions.ledger WHERE kind = 'allocation' AND order_id = 2",
        {"ledger_areas"},
        "allocation of order 2",
    ),
    (
        "UPDATE inventory.reservations SET requested = 5, backordered = 5 WHERE order_line_id = 4",
        {"reservations_lines"},
        "4",
    ),
    (
        "UPDATE inventory.reservations SET shipped = 0 WHERE order_line_id = 3",
        {"positions_reservations"},
        "A",
    ),
    ("UPDATE inventory.positions SET on_hand = 4 WHERE sku = 'B'", {"positions_balances"}, "B"),
    (
        "INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)"
        " VALUES ('B', 'N', 'receipt', 5, '2018-01-01Z', 'r')",
        {"balances_movements"},
        "B at N",
    ),
    (
        "UPDATE warehouse.site_loads SET allocated = 4 WHERE sku = 'A'",
        {"never_oversold"},
        "A at N",
    ),
    (
        "UPDATE inventory.reservations SET requested = 2, reserved = 2, backordered = 0,"
        " shipped = 2 WHERE order_line_id = 3; DELETE FROM warehouse.allocations"
        " WHERE order_line_id = 3",
        {"allocations_reservations", "sales_shipments", "shipments_allocations", "ledger_areas"},
        "3",
    ),
    (
        "UPDATE inventory.balances SET sold = 0 WHERE sku = 'B'",
        {"balances_movements", "never_oversold", "sales_shipments"},
        "B at S",
    ),
    (
        "DELETE FROM transport.carrier_choices WHERE site_code = 'S'",
        {"choices_allocations"},
        "1 from S",
    ),
    ("UPDATE transport.shipments SET units = 2 WHERE shipment_id = 2",
     {"shipments_allocations", "slips_shipments"}, "1 from S"),
    ("DELETE FROM documents.packing_slips WHERE shipment_id = 1", {"slips_shipments"}, "1"),
    (
        "DELETE FROM documents.invoices WHERE order_id = 1",
        {"invoices_shipments", "invoice_numbers"},
        "1",
    ),
    (
        "UPDATE documents.invoices SET goods_minor = 2000, total_minor = 2300 WHERE order_id = 1",
        {"invoices_totals"},
        "INV-2018 1",
    ),
    ("UPDATE documents.series SET next_number = 9", {"invoice_numbers"}, "INV-2018"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "names", "subject"), BROKEN)
def test_a_difference_is_found_and_named(
    conn: sa.Connection, statement: str, names: set[str], subject: str
) -> None:
    with unguarded(conn):
        conn.execute(sa.text(statement))
    found = _differing(conn)
    assert set(found) == names
    assert subject in {entry["subject"] for item in found.values() for entry in item.sample}


def test_every_comparison_is_broken_by_some_case() -> None:
    assert {name for _, names, _ in BROKEN for name in names} == {item.name for item in COMPARISONS}


@pytest.mark.parametrize(
    ("stage", "table", "name"),
    [
        ("payment", "payments.order_payments", "payments_orders"),
        ("score", "fraud.order_scores", "scores_payments"),
        ("risk", "risk.decisions", "decisions_scores"),
        ("reserve", "inventory.reservations", "reservations_lines"),
        ("allocate", "warehouse.allocations", "allocations_reservations"),
        ("carrier", "transport.carrier_choices", "choices_allocations"),
        ("ship", "transport.shipments", "shipments_allocations"),
        ("packing_slip", "documents.packing_slips", "slips_shipments"),
        ("invoice", "documents.invoices", "invoices_shipments"),
    ],
)
def test_an_order_that_waits_for_the_stage_is_no_difference(
    conn: sa.Connection, stage: str, table: str, name: str
) -> None:
    # Order 2 loses what the stage writes; only the wait in the queue excuses that.
    conn.execute(sa.text("SET LOCAL session_replication_role = replica"))
    conn.execute(sa.text(f"DELETE FROM {table} WHERE order_id = 2"))  # noqa: S608 - names above
    assert name in _differing(conn)
    conn.execute(
        sa.text("INSERT INTO flow.pending VALUES (:stage, 2, '2018-01-02Z')"), {"stage": stage}
    )
    assert name not in _differing(conn)


def test_the_sample_is_short_and_the_count_is_exact(conn: sa.Connection) -> None:
    conn.execute(
        sa.text(
            "INSERT INTO inventory.positions SELECT 'X' || n, 5, 0 FROM generate_series(1, 50) AS n"
        )
    )
    found = _differing(conn)["positions_balances"]
    assert found.differences == 50
    assert len(found.sample) == SAMPLE
    assert found.sample[0] == {"subject": "X1", "detail": "position 5, balances 0"}


def test_an_empty_shop_has_nothing_to_compare(conn: sa.Connection) -> None:
    for schema in ("orders", "customers", "payments", "fraud", "risk", "inventory"):
        _truncate(conn, schema)
    for schema in ("warehouse", "transport", "documents", "flow", "decisions"):
        _truncate(conn, schema)
    assert _differing(conn) == {}
    assert {found.compared for found in reconciled(conn).values()} == {0}


def _truncate(conn: sa.Connection, schema: str) -> None:
    names = [f"{schema}.{name}" for name in sa.inspect(conn).get_table_names(schema)]
    with unguarded(conn):
        conn.execute(sa.text("TRUNCATE " + ", ".join(names) + " CASCADE"))
