"""An order's way from the inbox to its documents, over all areas at once."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.shared import flow
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource
from scenarios.conftest import run_order_job, take_shop

SHIPPED_WITHOUT = """
    SELECT o.channel, o.external_id FROM orders.orders AS o
    JOIN transport.shipments AS s USING (order_id)
    WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.order_id = o.order_id)
"""
BESIDE_A_SHIPMENT = (
    "orders.order_lines", "payments.order_payments", "payments.transactions",
    "fraud.order_scores", "risk.decisions", "inventory.reservations", "warehouse.allocations",
    "transport.carrier_choices", "documents.invoices", "documents.packing_slips",
)  # fmt: skip
DECISIONS = (
    "order_acceptance", "payment_match", "fraud_score", "risk_decision", "reservation",
    "allocation", "carrier_choice",
)  # fmt: skip
DECIDED_TABLES = (
    "fraud.order_scores", "risk.decisions", "inventory.reservations", "warehouse.allocations",
    "transport.carrier_choices", "transport.shipments", "decisions.ledger",
)  # fmt: skip


def _all(database: DatabaseResource, statement: str) -> list[sa.Row[tuple[object, ...]]]:
    with database.begin() as conn:
        return list(conn.execute(sa.text(statement)).all())


def _one(database: DatabaseResource, statement: str) -> object:
    return _all(database, statement)[0][0]


def test_every_check_passes_on_a_shop_with_messy_rows(
    order_run: dg.ExecuteInProcessResult,
) -> None:
    evaluations = order_run.get_asset_check_evaluations()
    assert len(evaluations) > 200
    assert [found.check_name for found in evaluations if not found.passed] == []


def test_every_message_ends_in_one_state(decided_shop: DatabaseResource) -> None:
    counts = dict(
        tuple(row)
        for row in _all(decided_shop, "SELECT state, count(*) FROM orders.inbox GROUP BY state")
    )
    assert set(counts) <= {"accepted", "parked", "superseded"}
    assert counts["accepted"] == _one(decided_shop, "SELECT count(*) FROM orders.orders")
    parked = "SELECT count(*) FROM orders.inbox WHERE state = 'parked' AND reason IS NULL"
    assert _one(decided_shop, parked) == 0


def test_the_accounts_of_the_import_balance_to_the_row(
    decided_shop: DatabaseResource, shop_files: Path
) -> None:
    read = dict(
        tuple(row)
        for row in _all(decided_shop, "SELECT source, rows_read FROM flow.import_accounts")
    )
    for name, rows in read.items():
        with (shop_files / str(name)).open(newline="", encoding="utf-8", errors="replace") as file:
            assert rows == sum(1 for _ in csv.reader(file)) - 1, name


@pytest.mark.parametrize("table", BESIDE_A_SHIPMENT)
def test_a_shipped_order_has_all_that_led_to_it(decided_shop: DatabaseResource, table: str) -> None:
    assert _one(decided_shop, "SELECT count(*) FROM transport.shipments") != 0
    assert _all(decided_shop, SHIPPED_WITHOUT.format(table=table)) == []


def test_the_ledger_explains_every_shipped_order(decided_shop: DatabaseResource) -> None:
    unexplained = """
        SELECT s.order_id, k.kind
        FROM (SELECT DISTINCT order_id FROM transport.shipments) AS s
        CROSS JOIN unnest(CAST(:kinds AS text[])) AS k (kind)
        WHERE NOT EXISTS (
            SELECT FROM decisions.ledger AS l
            WHERE l.order_id = s.order_id AND l.kind = k.kind AND l.version <> ''
        )
    """
    with decided_shop.begin() as conn:
        assert conn.execute(sa.text(unexplained), {"kinds": list(DECISIONS)}).all() == []


def test_the_timeline_tells_each_order_from_acceptance_on(decided_shop: DatabaseResource) -> None:
    first = """
        SELECT DISTINCT ON (order_id) order_id, event FROM decisions.timeline
        ORDER BY order_id, event_id
    """
    assert {row[1] for row in _all(decided_shop, first)} == {"order_accepted"}
    backwards = """
        SELECT order_id FROM (
            SELECT order_id, happened_at,
                   lag(happened_at) OVER (PARTITION BY order_id ORDER BY event_id) AS before
            FROM decisions.timeline
        ) AS t WHERE happened_at < before
    """
    assert _all(decided_shop, backwards) == []


def test_stock_is_never_negative_nor_oversold(decided_shop: DatabaseResource) -> None:
    assert _all(decided_shop, "SELECT * FROM inventory.balances WHERE on_hand < 0") == []
    assert _all(decided_shop, "SELECT * FROM inventory.positions WHERE reserved > on_hand") == []
    unfolded = """
        SELECT b.sku, b.site_code FROM inventory.balances AS b
        FULL JOIN (
            SELECT sku, site_code, sum(quantity) AS folded
            FROM inventory.movements GROUP BY sku, site_code
        ) AS m USING (sku, site_code)
        WHERE b.on_hand IS DISTINCT FROM m.folded
    """
    assert _all(decided_shop, unfolded) == []
    negative_then = """
        SELECT sku FROM (
            SELECT sku, sum(quantity) OVER (
                PARTITION BY sku, site_code ORDER BY moved_at RANGE UNBOUNDED PRECEDING
            ) AS on_hand FROM inventory.movements
        ) AS t WHERE on_hand < 0
    """
    assert _all(decided_shop, negative_then) == []


def test_something_of_everything_happened(decided_shop: DatabaseResource) -> None:
    outcomes = {row[0] for row in _all(decided_shop, "SELECT DISTINCT outcome FROM risk.decisions")}
    assert {"accepted", "review"} <= outcomes
    states = {
        row[0]
        for row in _all(decided_shop, "SELECT DISTINCT fulfilment_state FROM flow.order_states")
    }
    assert {"shipped", "backordered"} <= states
    assert _one(decided_shop, "SELECT count(DISTINCT reason) FROM flow.quarantine") != 0


def test_invoice_numbers_have_no_gap(decided_shop: DatabaseResource) -> None:
    series = """
        SELECT series, min(number), max(number), count(*) FROM documents.invoices GROUP BY series
    """
    for _, low, high, count in (tuple(row) for row in _all(decided_shop, series)):
        assert (low, high) == (1, count)


def test_a_second_run_changes_nothing(decided_shop: DatabaseResource) -> None:
    with decided_shop.begin() as conn:
        before = final_state(conn)
    assert run_order_job(decided_shop).success
    with decided_shop.begin() as conn:
        assert differences(before, final_state(conn)) == {}


def test_the_size_of_chunks_decides_nothing(
    database: DatabaseResource,
    decided_shop: DatabaseResource,
    shop_files: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "CHUNK", 37)
    take_shop(database, shop_files)
    assert run_order_job(database).success
    with database.begin() as small, decided_shop.begin() as large:
        assert differences(final_state(large), final_state(small)) == {}


def test_what_was_observed_is_no_input_to_a_decision(
    database: DatabaseResource, decided_shop: DatabaseResource, shop_files: Path, tmp_path: Path
) -> None:
    blind = tmp_path / "blind"
    shutil.copytree(shop_files, blind)
    events = blind / "observed_events.csv"
    events.write_text(events.read_bytes().splitlines()[0].decode() + "\n", encoding="utf-8")
    take_shop(database, blind)
    assert run_order_job(database).success
    with database.begin() as conn, decided_shop.begin() as full:
        left, right = final_state(full), final_state(conn)
    assert {name: left[name] for name in DECIDED_TABLES} == {
        name: right[name] for name in DECIDED_TABLES
    }
