"""A WooCommerce shop is read: orders by cursor, products into listings, faults into clear texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from marketplace.conftest import NOW, Syncing

from ecom_assets import connecting, shop_reading
from ecom_assets.marketplace.model import SyncState, Trouble
from ecom_assets.marketplace.store import connections, syncs
from ecom_assets.orders.store import accept_pending
from fixtures.api_shop import ask
from fixtures.woo_shop import (
    SECRET,
    WooShop,
    cut_off,
    drip,
    order,
    product,
    refusing,
    sending,
)
from resources.channels import ChannelsResource
from resources.database import DatabaseResource

Connect = Callable[..., int]

_LAPSE = sa.text(
    "UPDATE marketplace.connection_states SET claim_ends_at = now() - interval '1 second'"
)


def _state(database: DatabaseResource, key: int) -> dict[str, Any]:
    with database.begin() as conn:
        found = connections.find(conn, key)
    assert found
    return found


def _ids(database: DatabaseResource) -> list[str]:
    with database.begin() as conn:
        query = sa.text("SELECT external_id FROM orders.inbox ORDER BY external_id::bigint")
        return list(conn.execute(query).scalars())


def test_orders_come_in_and_are_accepted_as_they_were_paid(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1)]
    found = sync(connect())
    assert (found.state, found.counts["orders_new"]) == (SyncState.DONE, 1)
    accept_pending(furnished.begin, "test")
    with furnished.begin() as conn:
        row = conn.execute(sa.text(
            "SELECT channel, external_id, total_minor, shipping_minor, currency"
            " FROM orders.orders")).one()  # fmt: skip
    assert tuple(row) == ("shop", "1", 2975, 595, "EUR")
    assert ask(furnished, "SELECT unit_price_minor FROM orders.order_lines") == 1190


def test_a_second_sync_takes_only_what_changed(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1), order(2, "2026-05-01T13:00:00")]
    key = connect()
    sync(key)
    # Committed late, with a moment before the cursor: the overlap finds it.
    shop.orders.append(order(3, "2026-05-01T12:57:00"))
    found = sync(key)
    assert (found.counts["orders_new"], _ids(furnished)) == (1, ["1", "2", "3"])
    assert sync(key).counts["orders_new"] == 0
    assert _state(furnished, key)["cursor"]["orders_modified_at"].startswith("2026-05-01T13:00:00")


def test_pages_lose_no_order_that_moves_while_they_are_read(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(n, f"2026-05-01T12:{n // 60:02}:{n % 60:02}") for n in range(1, 251)]

    def edit(number: int) -> None:
        if number == 2:
            # An order of the first page moves to the end; pages by number would skip another.
            shop.orders[5] = {**shop.orders[5], "date_modified_gmt": "2026-05-01T12:30:00"}

    shop.before_answer = edit
    sync(connect())
    assert len(_ids(furnished)) == 250


def test_more_orders_of_one_second_than_a_page_holds_are_all_read(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(n) for n in range(1, 231)]
    assert sync(connect()).counts["orders_new"] == 230


def test_a_cancelled_order_is_told_and_others_are_passed_over(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    states = ("cancelled", "pending", "completed", "refunded", "failed", "on-hold")
    shop.orders = [order(n, status=state) for n, state in enumerate(states, start=1)]
    found = sync(connect())
    assert (found.counts["orders_passed_over"], _ids(furnished)) == (4, ["1", "6"])
    assert ask(furnished, "SELECT kind FROM orders.inbox WHERE external_id = '1'") == "cancellation"


def test_orders_from_before_the_connection_stay_in_the_shop(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1, "2026-04-30T23:59:59"), order(2)]
    sync(connect())
    assert _ids(furnished) == ["2"]


def test_bad_rows_are_parked_once_and_stop_no_good_one(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1), order(2, total="much"), order(3, date_created_gmt=None), order(4)]
    shop.products = [product(1), product(2, price="free"), product(3, "SKU-2")]
    key = connect()
    first = sync(key)
    assert (_ids(furnished), first.counts["parked"]) == (["1", "4"], 3)
    assert ask(furnished, "SELECT count(*) FROM marketplace.listings") == 2
    sync(key, NOW + timedelta(hours=2))
    assert ask(furnished, "SELECT count(*) FROM flow.quarantine") == 3
    detail = ask(furnished, "SELECT string_agg(detail, ' ' ORDER BY detail) FROM flow.quarantine")
    assert "total must be an amount" in detail
    assert "price must be an amount" in detail


def test_an_unknown_sku_is_parked_by_the_acceptance(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    strange = {**order(1)["line_items"][0], "sku": "NO-SUCH"}
    shop.orders = [order(1, line_items=[strange])]
    sync(connect())
    accept_pending(furnished.begin, "test")
    assert ask(furnished, "SELECT reason FROM flow.quarantine") == "unknown_sku"


FAULTS: dict[str, tuple[Any, Trouble, str]] = {
    "401": (refusing(401, "woocommerce_rest_authentication_error"), Trouble.CREDENTIALS_REFUSED,
            "make one with the right to read"),
    "404": (refusing(404, "rest_no_route"), Trouble.NOT_FOUND, "check the address"),
    "429": (refusing(429, "too_many", Retry_After="120"), Trouble.THROTTLED, "120 seconds"),
    "503": (refusing(503, "maintenance"), Trouble.SERVER_ERROR, "asked again later"),
    "400": (refusing(400, "rest_invalid_param"), Trouble.REQUEST_REFUSED, "rest_invalid_param"),
    "redirect": (sending(b"", 301, Location="http://169.254.169.254/"), Trouble.REDIRECTED,
                 "not followed"),
    "broken JSON": (sending(b'[{"id": 1'), Trouble.NOT_UNDERSTOOD, "not whole JSON"),
    "no list": (sending(b'{"id": 1}'), Trouble.NOT_UNDERSTOOD, "no list"),
    "half a page": (cut_off, Trouble.CUT_OFF, "broke off"),
    "compressed": (sending(b"x", 200, Content_Encoding="gzip"), Trouble.TOO_LARGE, "compressed"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_middle_keeps_the_cursor_right_and_says_what_to_do(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing, name: str
) -> None:
    fault, trouble, words = FAULTS[name]
    shop.orders = [order(n, f"2026-05-01T12:{n // 60:02}:{n % 60:02}") for n in range(1, 151)]
    shop.faults = {2: fault}
    key = connect()
    found = sync(key)
    assert (found.state, found.trouble, found.counts["orders_new"]) == (
        SyncState.FAILED, trouble, 100,
    )  # fmt: skip
    assert words in found.text
    assert SECRET not in str(_state(furnished, key))
    state = _state(furnished, key)
    assert state["cursor"]["orders_modified_at"].startswith("2026-05-01T12:01:40")
    assert state["not_before_at"] > NOW
    again = sync(key)
    assert (again.state, len(_ids(furnished))) == (SyncState.DONE, 150)
    assert _state(furnished, key)["health"] in ("ok", "degraded")


def test_a_shop_that_speaks_slowly_for_ever_is_given_up(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, means: ChannelsResource
) -> None:
    shop.faults = {1: drip}
    with furnished.begin() as conn:
        found = connections.usable(conn, connect())
    assert found
    with (
        shop_reading.opened(found, means, deadline_s=0.5) as opened,
        pytest.raises(Exception, match=r"within 0\.5 seconds") as raised,
    ):
        opened.page("orders", {})
    assert raised.value.trouble is Trouble.TIMED_OUT  # type: ignore[attr-defined]


def test_a_throttled_shop_is_left_alone_as_long_as_it_asks(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.faults = {1: refusing(429, "too_many", Retry_After="1800")}
    key = connect()
    sync(key)
    with furnished.begin() as conn:
        assert syncs.due(conn, NOW + timedelta(minutes=29)) == []
        assert syncs.due(conn, NOW + timedelta(minutes=31)) == [key]
        connections.want_sync(conn, key, NOW)
        assert syncs.due(conn, NOW) == [key]


def test_failures_in_a_row_make_a_connection_fail_and_one_success_mends_it(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    key = connect()
    seen = []
    for number in range(1, 4):
        shop.faults = {len(shop.asked) + 1: refusing(500, "oops")}
        sync(key, name=f"run {number}")
        seen.append(_state(furnished, key)["health"])
    assert seen == ["degraded", "degraded", "failing"]
    sync(key)
    assert _state(furnished, key)["health"] == "ok"


def test_one_run_at_a_time_and_a_killed_one_is_gone_on_with(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1)]
    key = connect()
    with furnished.begin() as conn:
        assert syncs.begin(conn, key, NOW, "killed")
    assert sync(key, name="second").state is None
    with furnished.begin() as conn:
        assert syncs.due(conn, NOW + timedelta(days=1)) == []
        conn.execute(_LAPSE)
        assert syncs.due(conn, NOW) == [key]
    assert sync(key, name="second").state is SyncState.DONE
    with furnished.begin() as conn:
        states = [row.state for row in syncs.latest(conn, key, None, 9)]
    assert states == ["done", "abandoned"]


def test_who_lost_its_claim_takes_nothing_more(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.orders = [order(1)]
    key = connect()

    def steal(number: int) -> None:
        if number == 1:
            with furnished.begin() as conn:
                conn.execute(_LAPSE)
                assert syncs.begin(conn, key, NOW, "thief")

    shop.before_answer = steal
    assert sync(key).trouble is Trouble.TAKEN_OVER
    assert _ids(furnished) == []
    assert _state(furnished, key)["claimed_by"] == "thief"
    assert _state(furnished, key)["failures"] == 0


def test_credentials_that_no_key_opens_are_named_and_asked_for(
    furnished: DatabaseResource, connect: Connect, means: ChannelsResource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    key = connect()
    with furnished.begin() as conn:
        found = connections.usable(conn, key)
    assert found
    monkeypatch.setenv("ECOM_SECRETS_KEY", "A" * 43 + "=")
    tested = connecting.test(found, means)
    assert tested.trouble is Trouble.CREDENTIALS_LOCKED
    assert "enter them again" in tested.text


def test_a_test_says_what_the_shop_has(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, means: ChannelsResource
) -> None:
    shop.orders, shop.products = [order(1), order(2)], [product(1)]
    with furnished.begin() as conn:
        found = connections.usable(conn, connect())
    assert found
    tested = connecting.test(found, means)
    assert (tested.trouble, tested.text) == (
        None, "the shop answers: 2 orders and 1 products can be read",
    )  # fmt: skip
    private = ChannelsResource(folders="", hosts="")
    assert connecting.test(found, private).trouble is Trouble.ADDRESS_REFUSED
    nobody = replace(found, address="http://127.0.0.1:1")
    listed = ChannelsResource(hosts="127.0.0.1:1")
    assert connecting.test(nobody, listed).trouble is Trouble.UNREACHABLE
