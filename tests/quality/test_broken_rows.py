"""A broken row in any table is caught by a named check that shows the row's key."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import pytest
import sqlalchemy as sa

from ecom_assets.areas import AREAS
from ecom_assets.schema import schema
from ecom_assets.shared.checks import run_checks
from ecom_assets.shared.expectations import TableExpectations
from resources.database import DatabaseResource


def _declared() -> dict[str, TableExpectations]:
    names = [f"ecom_assets.{area.name}.expectations" for area in AREAS]
    modules = [import_module(name) for name in names if find_spec(name)]
    return {item.table.fullname: item for module in modules for item in module.EXPECTATIONS}


DECLARED = _declared()


@dataclass(frozen=True)
class Broken:
    """One broken row: how it gets in, the check that must see it, the keys it must show.

    `without` is the constraint that must go first, since the database itself would refuse the row.
    """

    table: str
    check: str
    statement: str
    keys: tuple[dict[str, str], ...]
    without: str = ""

    def happen(self, conn: sa.Connection) -> None:
        if self.without in ("foreign keys", "triggers"):
            conn.execute(sa.text("SET LOCAL session_replication_role = replica"))
        elif self.without:
            conn.execute(sa.text(f"ALTER TABLE {self.table} DROP CONSTRAINT {self.without}"))
        conn.execute(sa.text(self.statement))


BROKEN = (
    Broken(
        "orders.changes",
        "changes_effective_after_requested",
        "INSERT INTO orders.changes (order_id, kind, document, requested_at, requested_by, reason,"
        " state, effective_as_of)"
        " VALUES (3, 'cancel', '{}', '2018-02-02Z', 'ann', 'x', 'applied', '2018-02-01Z')",
        ({"change_id": "1"},),
    ),
    Broken(
        "payments.planned_releases",
        "planned_releases_within_authorised",
        "INSERT INTO orders.changes (order_id, kind, document, requested_at, requested_by, reason)"
        " VALUES (3, 'cancel', '{}', '2018-02-02Z', 'ann', 'x');"
        " INSERT INTO payments.planned_releases (order_id, change_id, kind, amount_minor,"
        " currency, state, planned_as_of, run_id)"
        " VALUES (3, 1, 'refund', 9999999, 'BRL', 'planned', '2018-02-02Z', 'run')",
        ({"release_id": "1"},),
    ),
    Broken(
        "flow.holds",
        "holds_order_id_exists",
        "INSERT INTO flow.holds (order_id, reason, placed_by, placed_at, run_id)"
        " VALUES (99, 'x', 'ann', '2018-02-02Z', 'run')",
        ({"hold_id": "1"},),
    ),
    Broken(
        "effects.outbox",
        "outbox_confirmed_with_proof",
        "INSERT INTO effects.outbox (kind, idempotency_key, reference, payload, due_at, state,"
        " attempts, not_before_at, claimed_at, lease_until_at, worker, run_id)"
        " VALUES ('email', 'k', 'r', '{}', '2018-02-02Z', 'confirmed', 1, '2018-02-02Z',"
        " '2018-02-02Z', '2018-02-03Z', 1, 'run')",
        ({"effect_id": "1"},),
        without="triggers",
    ),
    Broken(
        "effects.attempts",
        "attempts_answers_in_time",
        "INSERT INTO effects.outbox (kind, idempotency_key, reference, payload, due_at,"
        " not_before_at, run_id)"
        " VALUES ('email', 'k', 'r', '{}', '2018-02-02Z', '2018-02-02Z', 'run');"
        " INSERT INTO effects.attempts (effect_id, attempt, action, outcome, started_at, ended_at,"
        " answer, run_id)"
        " VALUES (1, 1, 'send', 'late', '2018-02-02Z', '2018-02-02Z', 'taken', 'run')",
        ({"attempt_id": "1"},),
        without="triggers",
    ),
    Broken(
        "decisions.replays",
        "replays_orders_equal_outcomes",
        "INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, orders, run_id)"
        " VALUES ('2018-01-01Z', '2018-02-01Z', '{}', '{}', 'finished', 1, 'run')",
        ({"replay_id": "1"},),
    ),
    Broken(
        "decisions.replay_outcomes",
        "replay_outcomes_kind_known",
        "INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, run_id)"
        " VALUES ('2018-01-01Z', '2018-02-01Z', '{}', '{}', 'unfinished', 'run');"
        " INSERT INTO decisions.replay_outcomes (replay_id, order_id, kind, currency,"
        " decided_as_of, before, after, is_changed, amount_before_minor, amount_after_minor,"
        " parcels_before, parcels_after, late_before, late_after)"
        " VALUES (1, 1, 'guess', 'EUR', '2018-01-02Z', 'a', 'b', true, 0, 0, 0, 0, 0, 0)",
        ({"replay_id": "1", "order_id": "1", "kind": "guess", "currency": "EUR"},),
        without="replay_outcomes_kind_known_check",
    ),
    Broken(
        "flow.workers",
        "workers_lane_known",
        "INSERT INTO flow.workers VALUES ('host-1', 'siesta', 1, '2018-02-02Z', '2018-02-02Z', 0)",
        ({"worker_id": "host-1"},),
    ),
    Broken(
        "flow.run_claims",
        "run_claims_lane_known",
        "INSERT INTO flow.run_claims (run_id, lane, offered_at)"
        " VALUES ('run', 'siesta', '2018-02-02Z')",
        ({"run_id": "run"},),
    ),
    Broken(
        "flow.transitions",
        "transitions_dimension_known",
        "INSERT INTO flow.transitions VALUES ('colour', 'red', 'blue')",
        ({"dimension": "colour", "from_state": "red", "to_state": "blue"},),
    ),
    Broken(
        "orders.inbox",
        "inbox_state_known",
        "UPDATE orders.inbox SET state = 'lost' WHERE inbox_id = 2",
        ({"inbox_id": "2"},),
        without="inbox_state_known_check",
    ),
    Broken(
        "orders.inbox",
        "inbox_kind_known",
        "UPDATE orders.inbox SET kind = 'rumour', state = 'pending' WHERE inbox_id = 2",
        ({"inbox_id": "2"},),
        without="inbox_kind_known_check",
    ),
    Broken(
        "orders.inbox",
        "inbox_cancellations_meet_orders",
        "INSERT INTO orders.inbox OVERRIDING SYSTEM VALUE SELECT 99, 'web', 'never', 1, payload,"
        " payload_hash, received_at - interval '1 year', 'waiting', NULL, NULL, 'run', now(),"
        " 'cancellation' FROM orders.inbox WHERE inbox_id = 2",
        ({"inbox_id": "99"},),
    ),
    Broken(
        "backoffice.purges",
        "purges_counts_not_negative",
        "UPDATE backoffice.purges SET events = -1",
        ({"purge_id": "1"},),
        without="purges_counts_not_negative_check",
    ),
    Broken(
        "orders.consumed_offsets",
        "consumed_offsets_next_offset_not_negative",
        "UPDATE orders.consumed_offsets SET next_offset = -1",
        ({"consumer_group": "shop", "topic": "orders", "topic_id": "id", "partition": "0"},),
        without="consumed_offsets_next_offset_not_negative_check",
    ),
    Broken(
        "orders.orders",
        "orders_amounts_equal_lines",
        "UPDATE orders.orders SET items_minor = items_minor + 1, total_minor = total_minor + 1"
        " WHERE order_id = 4",
        ({"order_id": "4"},),
    ),
    Broken(
        "orders.orders",
        "orders_total_adds_up",
        "UPDATE orders.orders SET total_minor = 1 WHERE order_id = 2",
        ({"order_id": "2"},),
        without="orders_total_adds_up_check",
    ),
    Broken(
        "orders.orders",
        "orders_lines_present",
        "DELETE FROM orders.order_lines WHERE order_id = 3",
        ({"order_id": "3"},),
        without="foreign keys",
    ),
    Broken(
        "orders.order_lines",
        "order_lines_sku_exists",
        "UPDATE orders.order_lines SET sku = 'GONE' WHERE order_line_id = 8",
        ({"order_line_id": "8"},),
    ),
    Broken(
        "orders.observed_events",
        "observed_events_kind_known",
        "UPDATE orders.observed_events SET kind = 'rumoured'",
        ({"observed_event_id": "1"},),
    ),
    Broken(
        "catalog.suppliers",
        "suppliers_country_well_formed",
        "UPDATE catalog.suppliers SET country = 'b1'",
        ({"supplier_key": "S1"},),
    ),
    Broken(
        "catalog.products",
        "products_supplier_key_exists",
        "UPDATE catalog.products SET supplier_key = 'GONE' WHERE sku = 'B'",
        ({"sku": "B"},),
    ),
    Broken(
        "customers.customers",
        "customers_orders_count_dated",
        "UPDATE customers.customers SET orders_count = 1 WHERE customer_key = 'C2'",
        ({"customer_key": "C2"},),
    ),
    Broken(
        "customers.addresses",
        "addresses_customer_key_exists",
        "UPDATE customers.addresses SET customer_key = 'GONE'",
        ({"customer_key": "GONE", "address_hash": "b" * 64},),
    ),
    Broken(
        "payments.transactions",
        "transactions_currency_matches_order",
        "UPDATE payments.transactions SET currency = 'EUR' WHERE transaction_id = 3",
        ({"transaction_id": "3"},),
    ),
    Broken(
        "payments.order_payments",
        "order_payments_due_equals_order_total",
        "UPDATE payments.order_payments SET due_minor = 2400, difference_minor = 100"
        " WHERE order_id = 1",
        ({"order_id": "1"},),
    ),
    Broken(
        "fraud.labels",
        "labels_key_unique",
        "INSERT INTO fraud.labels SELECT * FROM fraud.labels",
        ({"channel": "web", "external_id": "E1"},) * 2,
        without="labels_pkey",
    ),
    Broken(
        "fraud.sightings",
        "sightings_order_id_exists",
        "UPDATE fraud.sightings SET order_id = 99",
        (
            {
                "kind": "device",
                "value_hash": "d" * 32,
                "seen_at": "2018-01-01 00:00:00+00:00",
                "order_id": "99",
            },
        ),
    ),
    Broken(
        "fraud.models",
        "models_positives_among_rows",
        "UPDATE fraud.models SET positives = 101",
        ({"model_version": "logistic-1"},),
    ),
    Broken(
        "fraud.order_scores",
        "order_scores_probability_in_range",
        "UPDATE fraud.order_scores SET probability = -0.1 WHERE order_id = 2",
        ({"order_id": "2"},),
        without="order_scores_probability_in_range_check",
    ),
    Broken(
        "fraud.order_scores",
        "order_scores_model_trained_before",
        "UPDATE fraud.models SET trained_as_of = '2018-01-01 12:00Z'",
        ({"order_id": "1"},),
    ),
    Broken(
        "risk.decisions",
        "decisions_reasons_present",
        "UPDATE risk.decisions SET reasons = '{}' WHERE order_id = 3",
        ({"order_id": "3"},),
    ),
    Broken(
        "inventory.movements",
        "movements_sign_matches_kind",
        "UPDATE inventory.movements SET quantity = 2 WHERE movement_id = 3",
        ({"movement_id": "3"},),
    ),
    Broken(
        "inventory.balances",
        "balances_on_hand_equals_movements",
        "UPDATE inventory.balances SET on_hand = 7 WHERE sku = 'B'",
        ({"sku": "B", "site_code": "S"},),
    ),
    Broken(
        "inventory.positions",
        "positions_on_hand_equals_balances",
        "UPDATE inventory.positions SET on_hand = 5 WHERE sku = 'A'",
        ({"sku": "A"},),
    ),
    Broken(
        "inventory.reservations",
        "reservations_requested_equals_line",
        "UPDATE inventory.reservations SET requested = 2, backordered = 2 WHERE order_line_id = 4",
        ({"order_line_id": "4"},),
    ),
    Broken(
        "inventory.stock_holds",
        "stock_holds_expires_after_held",
        "INSERT INTO inventory.stock_holds (holder, sku, units, held_at, expires_at)"
        " VALUES ('basket', 'A', 1, '2018-01-02Z', '2018-01-01Z')",
        ({"stock_hold_id": "1"},),
        without="stock_holds_expires_after_held_check",
    ),
    Broken(
        "inventory.releases",
        "releases_cause_known",
        "INSERT INTO inventory.releases"
        " (order_id, order_line_id, sku, units, cause, released_as_of, run_id)"
        " VALUES (1, 1, 'A', 1, 'whim', '2018-01-01Z', 'run')",
        ({"release_id": "1"},),
        without="releases_cause_known_check",
    ),
    Broken(
        "inventory.restocks",
        "restocks_required_values_present",
        "ALTER TABLE inventory.restocks ALTER COLUMN sku DROP NOT NULL;"
        "INSERT INTO inventory.restocks (sku) VALUES (NULL)",
        ({"restock_id": "1"},),
    ),
    Broken(
        "warehouse.withdrawals",
        "withdrawals_site_code_exists",
        "INSERT INTO warehouse.withdrawals (order_id, order_line_id, sku, site_code, quantity,"
        " allocated_as_of, withdrawn_as_of, run_id)"
        " VALUES (1, 1, 'A', 'moon', 1, '2018-01-01Z', '2018-01-02Z', 'run')",
        ({"withdrawal_id": "1"},),
    ),
    Broken(
        "warehouse.sites",
        "sites_latitude_in_range",
        "UPDATE warehouse.sites SET latitude = 123 WHERE site_code = 'N'",
        ({"site_code": "N"},),
    ),
    Broken(
        "warehouse.site_loads",
        "site_loads_allocated_equals_allocations",
        "UPDATE warehouse.site_loads SET allocated = 9 WHERE sku = 'A'",
        ({"sku": "A", "site_code": "N"},),
    ),
    Broken(
        "warehouse.allocations",
        "allocations_quantity_within_reservation",
        "UPDATE warehouse.allocations SET quantity = 5 WHERE allocation_id = 3",
        ({"allocation_id": "3"},),
    ),
    Broken(
        "transport.carriers",
        "carriers_required_values_present",
        "ALTER TABLE transport.carriers ALTER COLUMN name DROP NOT NULL;"
        "UPDATE transport.carriers SET name = NULL",
        ({"carrier_code": "POST"},),
    ),
    Broken(
        "transport.services",
        "services_limits_positive",
        "UPDATE transport.services SET max_weight_g = 0 WHERE service_code = 'EXP'",
        ({"service_code": "EXP"},),
    ),
    Broken(
        "transport.zones",
        "zones_ranges_disjoint",
        "UPDATE transport.zones SET from_km = 100 WHERE zone_code = 'FAR'",
        ({"zone_code": "FAR"}, {"zone_code": "NEAR"}),
    ),
    Broken(
        "transport.rates",
        "rates_bands_disjoint",
        "UPDATE transport.rates SET service_code = 'STD', from_g = 100 WHERE rate_id = 2",
        ({"rate_id": "1"}, {"rate_id": "2"}),
    ),
    Broken(
        "transport.carrier_choices",
        "carrier_choices_chosen_is_eligible",
        "UPDATE transport.carrier_choices SET is_eligible = false WHERE order_id = 2 AND is_chosen",
        ({"order_id": "2", "site_code": "N", "service_code": "STD"},),
    ),
    Broken(
        "transport.shipments",
        "shipments_cost_equals_choice",
        "UPDATE transport.shipments SET cost_minor = 1 WHERE shipment_id = 2",
        ({"shipment_id": "2"},),
    ),
    Broken(
        "documents.series",
        "series_next_number_follows",
        "UPDATE documents.series SET next_number = 7",
        ({"series": "INV-2018"},),
    ),
    Broken(
        "documents.invoices",
        "invoices_number_gapless",
        "UPDATE documents.invoices SET number = 9 WHERE invoice_id = 2",
        ({"invoice_id": "2"},),
    ),
    Broken(
        "documents.packing_slips",
        "packing_slips_units_equal_parcel",
        "UPDATE documents.packing_slips SET units = 9 WHERE shipment_id = 1",
        ({"shipment_id": "1"},),
    ),
    Broken(
        "flow.imports",
        "imports_format_digest_unique",
        "INSERT INTO flow.imports (format, digest, run_id)"
        " SELECT format, digest, run_id FROM flow.imports",
        ({"import_id": "1"}, {"import_id": "2"}),
        without="imports_format_digest_key",
    ),
    Broken(
        "flow.import_accounts",
        "import_accounts_balanced",
        "UPDATE flow.import_accounts SET rows_read = 6",
        ({"import_id": "1", "source": "orders.csv"},),
        without="import_accounts_balanced_check",
    ),
    Broken(
        "flow.quarantine",
        "quarantine_reason_well_formed",
        "UPDATE flow.quarantine SET reason = 'Something odd!'",
        ({"quarantine_id": "1"},),
    ),
    Broken(
        "flow.order_states",
        "order_states_fulfilment_state_known",
        "UPDATE flow.order_states SET fulfilment_state = 'lost' WHERE order_id = 2",
        ({"order_id": "2"},),
        without="triggers",
    ),
    Broken(
        "flow.pending",
        "pending_stage_known",
        "UPDATE flow.pending SET stage = 'limbo' WHERE stage = 'payment'",
        ({"stage": "limbo", "order_id": "4"},),
    ),
    Broken(
        "decisions.ledger",
        "ledger_attempts_gapless",
        "UPDATE decisions.ledger SET attempt = 3 WHERE decision_id = 1",
        ({"decision_id": "1"},),
        without="triggers",
    ),
    Broken(
        "decisions.timeline",
        "timeline_order_id_exists",
        "UPDATE decisions.timeline SET order_id = 99 WHERE event_id = 4",
        ({"event_id": "4"},),
        without="triggers",
    ),
    Broken(
        "quality.reconciliations",
        "reconciliations_differences_among_compared",
        "INSERT INTO quality.reconciliations (name, compared, differences, sample, run_id)"
        " VALUES ('odd', 1, 2, '[]', 'run-1')",
        ({"name": "odd"},),
        without="reconciliations_differences_among_compared_check",
    ),
)


@pytest.fixture(scope="session")
def template(shop_template: str) -> str:
    """Every database of this module starts as the consistent shop."""
    return shop_template


def _failures(database: DatabaseResource, table: TableExpectations) -> dict[str, object]:
    results = run_checks(database, table, table.expectations)
    return {str(result.check_name): result.metadata for result in results if not result.passed}


def test_every_table_has_expectations_and_a_broken_row() -> None:
    tables = set(schema().tables)
    assert set(DECLARED) == tables
    assert {broken.table for broken in BROKEN} == tables


def test_the_consistent_shop_passes_every_check(database: DatabaseResource) -> None:
    failing = {name: _failures(database, table) for name, table in DECLARED.items()}
    assert {name: found for name, found in failing.items() if found} == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.check)
def test_a_broken_row_is_caught_by_its_check(database: DatabaseResource, broken: Broken) -> None:
    with database.begin() as conn:
        broken.happen(conn)
    failures = _failures(database, DECLARED[broken.table])
    assert list(failures) == [broken.check]
    metadata = failures[broken.check]
    assert isinstance(metadata, dict)
    assert metadata["failing"].value == len(broken.keys)
    assert sorted(map(str, metadata["failing_keys"].value)) == sorted(map(str, broken.keys))
    assert all(value in metadata["failing_rows"].value for value in broken.keys[0].values())
