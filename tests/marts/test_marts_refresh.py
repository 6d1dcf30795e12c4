"""A refresh through Dagster: what is built and shown, and what happens when something breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom.settings import ROOT
from ecom_assets.marts.assets.specs import models
from fixtures.unguarded import unguarded
from resources.database import DatabaseResource

Refresh = Callable[..., dg.ExecuteInProcessResult]

SUMS = sa.text("""
    SELECT md5(string_agg(o::text, ',' ORDER BY order_id)),
           (SELECT md5(string_agg(s::text, ',' ORDER BY shipment_id)) FROM marts.shipments AS s)
    FROM marts.orders AS o
""")


def _materialized(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    made = [event.materialization for event in result.get_asset_materialization_events()]
    return {materialization.asset_key.path[-1]: materialization for materialization in made}


def _shown(result: dg.ExecuteInProcessResult, name: str) -> dict[str, Any]:
    metadata = _materialized(result)[name].metadata
    return {label: value.value for label, value in metadata.items()}


def _failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations() if not e.passed}


def test_every_model_is_materialized_and_every_test_is_a_passed_check(
    built: dg.ExecuteInProcessResult,
) -> None:
    assert built.success
    assert set(_materialized(built)) == {model["name"] for model in models()}
    found = {e.check_name for e in built.get_asset_check_evaluations() if e.passed}
    assert found == {check["name"] for model in models() for check in model["checks"]}


def test_marts_show_their_rows_columns_and_sales(built: dg.ExecuteInProcessResult) -> None:
    orders, sales = _shown(built, "orders"), _shown(built, "daily_sales")
    assert orders["dagster/row_count"] == 9
    columns = orders["dagster/column_schema"].columns
    assert ("order_id", "bigint") in {(column.name, column.type) for column in columns}
    assert all(column.description for column in columns)
    assert "dagster/row_count" not in _shown(built, "stg_orders")
    assert "data:image/png" in sales["ordered_per_week"]
    assert "EUR" in sales["ordered"]


def test_nothing_is_written_to_the_tree(built: dg.ExecuteInProcessResult, dbt_home: Path) -> None:
    assert (dbt_home / "dbt" / "target" / "partial_parse.msgpack").exists()
    assert not (ROOT / "dbt" / "target").exists()
    assert not (ROOT / "dbt" / "logs").exists()
    assert not (ROOT / "logs").exists()


def test_no_password_is_kept_in_a_file(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, dbt_home: Path
) -> None:
    password = sa.make_url(shop.url).password
    assert password
    files = [path for path in (dbt_home / "dbt").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if password.encode() in path.read_bytes()]


def test_a_second_refresh_makes_the_same_tables(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, refresh: Refresh
) -> None:
    with shop.begin() as conn:
        before = conn.execute(SUMS).one()
    assert refresh(shop).success
    with shop.begin() as conn:
        assert conn.execute(SUMS).one() == before


def test_one_mart_is_refreshed_with_its_checks_alone(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, refresh: Refresh
) -> None:
    result = refresh(shop, selection=[dg.AssetKey(["marts", "payments"])])
    assert result.success
    assert set(_materialized(result)) == {"payments"}
    assert {e.asset_key.path[-1] for e in result.get_asset_check_evaluations()} == {"payments"}


def test_two_refreshes_at_once_wait_for_each_other(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, refresh: Refresh
) -> None:
    # dbt itself runs once at a time in a process, so another session stands in for a process.
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with shop.begin() as conn:
            conn.execute(sa.text("SELECT pg_advisory_xact_lock(x'6d617274'::int)"))
            held.set()
            done.wait(0.5)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    result = refresh(shop, selection=[dg.AssetKey(["marts", "stg_sites"])])
    assert not thread.is_alive()
    assert result.success


def test_a_broken_row_is_caught_by_name_and_stops_what_stands_on_it(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, refresh: Refresh
) -> None:
    with shop.begin() as conn, unguarded(conn):
        conn.execute(sa.text("UPDATE flow.order_states SET hold_state = 'odd' WHERE order_id = 8"))
    result = refresh(shop)
    with shop.begin() as conn, unguarded(conn):
        conn.execute(sa.text("UPDATE flow.order_states SET hold_state = 'held' WHERE order_id = 8"))
    assert not result.success
    failed = _failed_checks(result)
    assert set(failed) == {"orders_hold_state_known"}
    refused = failed["orders_hold_state_known"].metadata["refused_rows"]
    assert "value_field=odd" in str(refused.value)
    assert "stg_orders" in _materialized(result)
    assert "daily_sales" not in _materialized(result)


def test_what_a_killed_run_left_is_cleared_away(
    built: dg.ExecuteInProcessResult, shop: DatabaseResource, refresh: Refresh, dbt_home: Path
) -> None:
    with shop.begin() as conn:
        conn.execute(sa.text("CREATE TABLE marts.products__dbt_tmp (half int)"))
        conn.execute(sa.text("CREATE TABLE marts.products__dbt_backup (half int)"))
    (dbt_home / "dbt" / "target" / "partial_parse.msgpack").write_bytes(b"torn")
    assert refresh(shop, selection=[dg.AssetKey(["marts", "products"])]).success
    with shop.begin() as conn:
        tables = sa.inspect(conn).get_table_names("marts")
    assert not [name for name in tables if "__dbt" in name]


def test_a_database_that_does_not_answer_is_named_without_its_password(
    shop: DatabaseResource,
) -> None:
    from dbt.cli.main import dbtRunner

    from resources.dbt import DbtFailed, invoke

    gone = sa.make_url(shop.url).set(port=9).render_as_string(hide_password=False)
    with pytest.raises(DbtFailed, match="port 9") as caught:
        invoke(dbtRunner(), gone, "build")
    assert str(sa.make_url(shop.url).password) not in str(caught.value)
