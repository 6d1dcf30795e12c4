"""Rules of connections, their sensor and job, and the entrance's own account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa
from marketplace.conftest import NOW, OPTIONS, Syncing

from ecom_assets.definitions import build_defs
from ecom_assets.marketplace import rules
from ecom_assets.marketplace.model import (
    ConnectionRefused,
    ConnectionState,
    Health,
    Kind,
    Trouble,
)
from ecom_assets.marketplace.store import connections, listings, syncs
from fixtures.api_shop import add_listing, ask
from fixtures.woo_shop import WooShop, order, refusing
from resources.channels import ChannelsResource
from resources.database import DatabaseResource
from sensors.marketplace import CONNECTION_TAG, marketplace_syncs_due

Connect = Callable[..., int]
ACTIVE = ConnectionState.ACTIVE


@pytest.mark.parametrize(
    ("state", "is_synced", "failures", "trouble", "parked", "expected"),
    [
        (ACTIVE, False, 0, None, 0, Health.NEVER_SYNCED),
        (ACTIVE, True, 0, None, 0, Health.OK),
        (ACTIVE, True, 0, None, 2, Health.DEGRADED),
        (ACTIVE, True, 1, Trouble.TIMED_OUT, 0, Health.DEGRADED),
        (ACTIVE, True, 3, Trouble.TIMED_OUT, 0, Health.FAILING),
        (ACTIVE, True, 1, Trouble.CREDENTIALS_REFUSED, 0, Health.FAILING),
        (ConnectionState.PAUSED, True, 9, Trouble.TIMED_OUT, 0, Health.NOT_USED),
    ],
)
def test_health_says_whether_a_person_is_needed(
    state: ConnectionState, is_synced: bool, failures: int, trouble: Trouble | None, parked: int,
    expected: Health,
) -> None:  # fmt: skip
    assert rules.health(state, is_synced, failures, trouble, parked) is expected


def test_pauses_grow_and_give_the_channel_what_it_asks_for_up_to_an_hour() -> None:
    pauses = [rules.pause(failures, 0) for failures in (1, 2, 3, 50)]
    assert pauses == [timedelta(minutes=m) for m in (1, 2, 4, 32)]
    assert rules.pause(1, 600) == timedelta(minutes=10)
    assert rules.pause(1, 86_400) == timedelta(hours=1)


def test_what_one_side_does_not_say_differs_from_nothing() -> None:
    pairs = [(1, 2), (1, 1), (None, 2), (1, None), (None, None)]
    assert [rules.differs(*pair) for pair in pairs] == [True, False, False, False, False]


@pytest.mark.parametrize("folder", ["outlet", "eu/outlet 2", "a.b-c_d"])
def test_folders_are_plain(folder: str) -> None:
    assert rules.checked_folder(folder) == folder


@pytest.mark.parametrize(
    "folder", ["/etc", "../x", "a/../b", "a//b", ".hidden", "a/", "", "a\\b", "a\nb", "a..b", "~"]
)
def test_other_folders_are_refused(folder: str) -> None:
    with pytest.raises(ConnectionRefused, match="folders of letters"):
        rules.checked_folder(folder)


def test_whole_numbers_are_whole(furnished: DatabaseResource) -> None:
    for wrong in (True, 1.5, "10", None, -1):
        with pytest.raises(ConnectionRefused, match="whole number"):
            rules.checked_options(Kind.FILE_FEED, {"currency": "EUR", "sync_every_minutes": wrong})


def _tick(database: DatabaseResource, instance: dg.DagsterInstance) -> object:
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    return marketplace_syncs_due(context)


def test_the_sensor_does_nothing_without_connections_and_asks_once_for_each(
    furnished: DatabaseResource, connect: Connect
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        skipped = _tick(furnished, instance)
        assert isinstance(skipped, dg.SkipReason)
        keys = [connect(), connect(channel="second")]
        asked = _tick(furnished, instance)
        assert isinstance(asked, list)
        assert [request.tags[CONNECTION_TAG] for request in asked] == [str(key) for key in keys]
        job = build_defs({"database": furnished}).resolve_job_def("marketplace_sync")
        instance.create_run_for_job(job, tags=asked[0].tags, run_config=asked[0].run_config)
        again = _tick(furnished, instance)
        assert isinstance(again, list)
        assert [request.tags[CONNECTION_TAG] for request in again] == [str(keys[1])]


def test_a_connection_is_due_when_its_time_has_come(
    furnished: DatabaseResource, connect: Connect, sync: Syncing
) -> None:
    key, by_hand = connect(), connect(channel="quiet", sync_every_minutes=0)
    sync(key)
    with furnished.begin() as conn:
        assert syncs.due(conn, NOW + timedelta(minutes=9)) == []
        assert syncs.due(conn, NOW + timedelta(minutes=10)) == [key]
        connections.want_sync(conn, by_hand, NOW)
        assert syncs.due(conn, NOW) == [by_hand]
        connections.change(conn, by_hand, NOW, state="paused")
        assert syncs.due(conn, NOW) == []


def test_new_credentials_end_the_pause_after_a_failure(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.faults = {1: refusing(401, "woocommerce_rest_cannot_view")}
    key = connect()
    sync(key)
    with furnished.begin() as conn:
        assert syncs.due(conn, NOW) == []
        connections.change(conn, key, NOW, credentials="gAAAAAnew")
        assert syncs.due(conn, NOW) == [key]


def test_a_run_syncs_its_connections_and_one_in_trouble_stops_no_other(
    furnished: DatabaseResource, means: ChannelsResource, shop: WooShop, connect: Connect
) -> None:
    shop.orders, shop.faults = [order(1)], {1: refusing(404, "rest_no_route")}
    keys = [connect(), connect(channel="second")]
    job = build_defs({"database": furnished, "channels": means}).resolve_job_def("marketplace_sync")
    config = {"connections": keys, "as_of": NOW.isoformat()}
    with dg.DagsterInstance.ephemeral() as instance:
        run = job.execute_in_process(
            instance=instance, run_config={"ops": {"marketplace": {"config": config}}}
        )
        shown = {str(event.asset_key): event.materialization.metadata
                 for event in run.get_asset_materialization_events()}  # fmt: skip
    assert ask(furnished, "SELECT string_agg(state, ' ' ORDER BY sync_id)"
                          " FROM marketplace.syncs") == "failed done"  # fmt: skip
    metadata = next(found for name, found in shown.items() if "syncs" in name)
    assert "there is no WooCommerce REST API" in str(metadata["in_trouble"].value)


def test_a_rotated_key_seals_anew_at_the_next_sync(
    furnished: DatabaseResource, connect: Connect, sync: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from cryptography.fernet import Fernet

    key, old = connect(), os.environ["ECOM_SECRETS_KEY"]
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("ECOM_SECRETS_KEY", f"{new},{old}")
    assert sync(key).trouble is None
    monkeypatch.setenv("ECOM_SECRETS_KEY", new)
    assert sync(key).trouble is None


def test_the_entrances_own_account_may_do_all_that_the_api_does(
    furnished: DatabaseResource,
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with furnished.begin() as conn:
        conn.execute(sa.text("SET LOCAL ROLE ecom_app"))
        add_listing(conn)
        key = connections.add(conn, "n", "c", Kind.WOOCOMMERCE, "https://x.example", OPTIONS,
                              "gAAAAA", "ann", at)  # fmt: skip
        connections.change(conn, key, at, name="m")
        connections.note_test(conn, key, at, None, "fine")
        connections.want_sync(conn, key, at)
        connections.archive(conn, key)
        listings.set_sku(conn, 1, "SKU-2", "ann", "api")
        assert len(listings.drift(conn, None)) == 1


def test_the_database_refuses_what_no_connection_can_be(furnished: DatabaseResource) -> None:
    for values in ("credentials = 'x'", "state = 'gone'", "kind = 'ebay'", "address = ''"):
        with furnished.begin() as conn:
            add_listing(conn)
            statement = sa.text(f"UPDATE marketplace.connections SET {values}")  # noqa: S608
            with pytest.raises(sa.exc.IntegrityError):
                conn.execute(statement)
            conn.rollback()
