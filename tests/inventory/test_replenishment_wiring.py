"""Demand and replenishment inside Dagster: jobs, partitions, a shop from history to proposal."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs, defs
from ecom_assets.inventory.forecasting import learning
from ecom_assets.inventory.tables import (
    DEMAND_HISTORY,
    FORECASTS,
    POLICY_SIMULATIONS,
    PURCHASE_PROPOSALS,
    REORDER_POLICIES,
)
from jobs.replenishment import backtest_month
from resources.database import DatabaseResource

DAILY = {
    "inventory/demand_history", "inventory/forecast_methods", "inventory/forecasts",
    "inventory/reorder_policies", "inventory/purchase_proposals",
}  # fmt: skip
APART = DAILY | {"inventory/forecast_backtests", "inventory/policy_simulations"}

_CATALOG = sa.text("""
    WITH supplier AS (
        INSERT INTO catalog.suppliers
            (supplier_key, name, country, lead_time_days, lead_time_spread_days)
        VALUES ('s', 'S', 'DE', 10, 2)
    ), site AS (
        INSERT INTO warehouse.sites
            (site_code, name, country, latitude, longitude, handling_minor, currency)
        VALUES ('N', 'North', 'DE', 53, 10, 100, 'EUR')
    )
    INSERT INTO catalog.products (sku, name, category, currency, unit_cost_minor, supplier_key)
    SELECT 'S' || n, 'Thing ' || n % 7, 'things', 'EUR', 100 + n, 's'
    FROM generate_series(1, 40) AS n
""")
# A year of weekly orders: a line per SKU and week, of which a part buys more and a part nothing.
_ORDERS = sa.text("""
    WITH given AS (
        SELECT w, n,
            timestamptz '2025-01-06Z' + w * interval '7 days' + n * interval '1 hour' AS at,
            (n % 5 + 1) * (1 + abs(hashint4(w * 100 + n) % 4)) AS quantity
        FROM generate_series(0, 59) AS w, generate_series(1, 40) AS n
        WHERE hashint4(n * 1000 + w) % 5 <> 0
    ), message AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, state)
        SELECT 'web', w || '-' || n, 1, '{}', '', at, 'accepted' FROM given
        RETURNING inbox_id, external_id
    ), placed AS (
        INSERT INTO orders.orders (
            channel, external_id, revision, inbox_id, customer_key, placed_at, decided_as_of,
            currency, items_minor, discount_minor, shipping_minor, tax_minor, total_minor,
            ship_to_country, run_id
        )
        SELECT 'web', external_id, 1, inbox_id, 'c', at, at, 'EUR', 0, 0, 0, 0, 0, 'DE', 'x'
        FROM given JOIN message ON external_id = w || '-' || n
        RETURNING order_id, external_id
    ), states AS (
        INSERT INTO flow.order_states SELECT order_id, 'unchecked', 'undecided', 'new', 'none',
            timestamptz '2025-01-06Z' FROM placed
    )
    INSERT INTO orders.order_lines (
        order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor,
        line_total_minor
    )
    SELECT order_id, 1, 'S' || n, quantity, 300, 0, 0, 300 * quantity
    FROM given JOIN placed ON external_id = w || '-' || n
""")
_WHOLE_WEEKS = sa.text("""
    SELECT count(*) FROM orders.orders
    WHERE placed_at < (SELECT date_trunc('week', max(placed_at), 'UTC') FROM orders.orders)
""")


def _run(
    database: DatabaseResource, job: str, partition: str | None = None
) -> dg.ExecuteInProcessResult:
    found = build_defs({"database": database}).resolve_job_def(job)
    with dg.DagsterInstance.ephemeral() as instance:
        return found.execute_in_process(instance=instance, partition_key=partition)


def _count(database: DatabaseResource, table: sa.Table) -> int:
    with database.begin() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _keys(job: str) -> set[str]:
    layer = defs.resolve_job_def(job).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


def test_the_daily_job_goes_from_history_to_proposals() -> None:
    assert _keys("inventory_replenishment") == DAILY


@pytest.mark.parametrize("job", ["orders_flow", "shop_daily", "inventory_promises"])
def test_no_order_waits_for_a_forecast(job: str) -> None:
    assert not _keys(job) & APART


def test_backtests_are_parted_by_month_and_never_by_sku() -> None:
    job = defs.resolve_job_def("inventory_backtests")
    assert isinstance(job.partitions_def, dg.MonthlyPartitionsDefinition)


@pytest.mark.parametrize(
    ("at", "month"), [("2026-02-01", "2026-01-01"), ("2026-01-01", "2025-12-01")]
)
def test_the_month_that_ended_is_backtested(at: str, month: str) -> None:
    moment = datetime.fromisoformat(at).replace(hour=6, minute=20, tzinfo=UTC)
    context = dg.build_schedule_context(scheduled_execution_time=moment)
    request = backtest_month(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == month


def test_an_empty_shop_has_nothing_to_forecast(database: DatabaseResource) -> None:
    assert _run(database, "inventory_replenishment").success
    assert _run(database, "inventory_backtests", "2026-01-01").success
    assert _run(database, "inventory_trials").success
    assert not _count(database, FORECASTS) + _count(database, PURCHASE_PROPOSALS)


@pytest.mark.slow
def test_a_shop_goes_from_orders_to_proposals(
    database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How well the models forecast is tested elsewhere.
    monkeypatch.setitem(learning.SETTINGS, "max_iter", 5)
    with database.begin() as conn:
        conn.execute(_CATALOG)
        conn.execute(_ORDERS)
    first = _run(database, "inventory_replenishment")
    assert first.success
    # Nothing was backtested yet, so nothing is proposed.
    with database.begin() as conn:
        # The week of the last order is not whole.
        assert _count(database, DEMAND_HISTORY) == conn.execute(_WHOLE_WEEKS).scalar_one()
    assert _count(database, PURCHASE_PROPOSALS) == 0
    assert _run(database, "inventory_backtests", "2025-12-01").success
    assert _run(database, "inventory_backtests", "2026-01-01").success
    again = _run(database, "inventory_replenishment")
    shown = again.asset_materializations_for_node("inventory__purchase_proposals")[0].metadata
    assert "at or below the reorder point" in str(shown["dearest_lines"].value)
    assert _count(database, PURCHASE_PROPOSALS) == 1
    assert _count(database, REORDER_POLICIES) == 40
    assert _run(database, "inventory_trials").success
    assert _count(database, POLICY_SIMULATIONS) > 0
    shown = first.asset_materializations_for_node("inventory_forecasts")[0].metadata
    assert "data:image/png" in str(shown["weekly_units"].value)
