"""What is live on a channel: read whole, mapped to SKUs, compared with ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from marketplace.conftest import NOW, Syncing

from ecom_assets.marketplace.store import listings
from ecom_assets.marketplace.store.listings import ListingFilter
from ecom_assets.orders.store import accept_pending
from fixtures.api_shop import ask
from fixtures.woo_shop import WooShop, order, product, sending
from resources.database import DatabaseResource

Connect = Callable[..., int]
LATER = NOW + timedelta(hours=2)

_PRICES = sa.text("""
    WITH list AS (
        INSERT INTO pricing.price_lists (channel, currency, customer_group, tax_bps,
            offer_max_age_hours, approve_above_bps, most_moved_bps, is_automatic)
        VALUES ('shop', 'EUR', 'all', 1900, 24, 1000, 1000, false) RETURNING price_list_id
    )
    INSERT INTO pricing.prices (price_list_id, sku, min_quantity, price_minor, regular_minor,
        valid_from_at, rule, plan_id, run_id)
    SELECT price_list_id, 'SKU-1', 1, 1290, 1290, '2026-01-01Z', 'import', 1, 'test' FROM list
""")
_STOCK = sa.text("INSERT INTO inventory.positions (sku, on_hand, reserved) VALUES ('SKU-1', 9, 4)")
_BUFFER = sa.text("INSERT INTO inventory.channel_buffers (channel, sku, most_listed)"
                  " VALUES ('shop', 'SKU-1', 3)")  # fmt: skip


def price_and_stock(database: DatabaseResource) -> None:
    """SKU-1 costs 12.90 in the shop, and five units of it may be promised; it is told of three."""
    with database.begin() as conn:
        for statement in (_PRICES, _STOCK, _BUFFER):
            conn.execute(statement)


def _listed(database: DatabaseResource, **wanted: Any) -> list[sa.RowMapping]:
    with database.begin() as conn:
        return listings.listed(conn, ListingFilter(**wanted), 0, 100)


def test_products_and_variations_become_listings_with_sku_price_and_stock(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.products = [
        product(1), product(2, "OTHER", status="draft"),
        product(3, "", type="variable", price="", manage_stock=False),
    ]  # fmt: skip
    shop.variations[3] = [
        product(31, "SKU-2", manage_stock="parent", stock_quantity=2, price=""),
        product(32, "", manage_stock=False, stock_status="outofstock"),
    ]
    found = sync(connect())
    assert (found.counts["listings_new"], found.counts["listings_read"]) == (4, 4)
    rows = {row["channel_listing_id"]: row for row in _listed(furnished)}
    shown = {key: (row["sku"], row["state"], row["live_price_minor"], row["live_units"])
             for key, row in rows.items()}  # fmt: skip
    assert shown == {
        "1": ("SKU-1", "live", 1190, 7),
        "2": (None, "hidden", 1190, 7),
        "3/31": ("SKU-2", "live", None, 2),
        "3/32": (None, "live", 1190, 0),
    }
    assert rows["3/31"]["title"] == "Product 3"


def test_an_unchanged_shop_writes_no_row(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.products = [product(n, f"S-{n}") for n in range(1, 131)]
    key = connect()
    assert sync(key).counts["listings_new"] == 130
    before = ask(furnished, "SELECT max(recorded_at) FROM marketplace.listings")
    again = sync(key, LATER)
    assert (again.counts["listings_read"], again.counts["listings_changed"]) == (130, 0)
    assert ask(furnished, "SELECT max(recorded_at) FROM marketplace.listings") == before
    # Not read again before its time.
    assert "listings_read" not in sync(key, LATER + timedelta(minutes=10)).counts


def test_what_a_whole_reading_does_not_show_is_gone_and_half_a_reading_ends_nothing(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.products = [product(1), product(2, "SKU-2")]
    key = connect()
    sync(key)
    shop.faults = {len(shop.asked) + 2: sending(b"[]", X_WP_Total="2")}
    sync(key, LATER)
    assert [row["state"] for row in _listed(furnished)] == ["live", "live"]
    del shop.products[1]
    found = sync(key, LATER + timedelta(hours=2))
    assert found.counts["listings_gone"] == 1
    assert [row["state"] for row in _listed(furnished)] == ["live", "gone"]


def test_live_is_compared_with_our_price_and_what_the_channel_is_told(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    price_and_stock(furnished)
    shop.products = [product(1), product(2, "SKU-2", stock_quantity=0), product(3, "NOBODY")]
    key = connect()
    sync(key)
    [differing] = _listed(furnished, differs="any")
    assert (differing["our_price_minor"], differing["our_units"]) == (1290, 3)
    assert (differing["has_other_price"], differing["has_other_stock"]) == (True, True)
    with furnished.begin() as conn:
        [drift] = listings.drift(conn, "shop")
    told = {name: drift[name] for name in ("listings", "live", "unmapped", "other_price",
                                           "other_stock", "oversold_risk")}  # fmt: skip
    assert told == {"listings": 3, "live": 3, "unmapped": 1, "other_price": 1, "other_stock": 1,
                    "oversold_risk": 1}  # fmt: skip
    assert drift["compared_at"] == NOW


def test_what_a_person_mapped_stays_and_orders_follow_it(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.products = [product(1, "THEIRS"), product(2, "SKU-1")]
    key = connect()
    sync(key)
    first, second = _listed(furnished)
    with furnished.begin() as conn:
        listings.set_sku(conn, first["listing_id"], "SKU-2", "ann", "api")
        listings.set_sku(conn, second["listing_id"], None, "ann", "api")
    shop.products = [product(1, "SKU-1"), product(2, "SKU-1", price="9.00")]
    shop.orders = [order(1)]
    sync(key, LATER)
    assert [row["sku"] for row in _listed(furnished)] == ["SKU-2", None]
    assert ask(furnished, "SELECT payload #>> '{lines,0,sku}' FROM orders.inbox") == "SKU-2"
    assert [row["sku"] for row in _listed(furnished, is_mapped=False)] == [None]
    assert len(_listed(furnished, sku="SKU-2", state="live", channel="shop")) == 1


def test_rows_that_no_shop_should_send_stop_no_others(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    strange: list[Any] = [
        product(2, "A\x00\ud800", name="\ud800\x00"), product(3, price="\ud800"),
        product(4, stock_quantity=10**12), product(5, stock_quantity="many"),
        {**product(6, name=None), "sku": 7}, {"id": True}, {"id": 2**70}, {},
        product(9, price="-1"),
    ]  # fmt: skip
    shop.products = [product(1), *strange]
    lines: list[Any] = [
        [{"product_id": "a\x00", "quantity": 1}], ["x"], "x", [],
        [{**order(1)["line_items"][0], "product_id": "\ud800", "sku": "\ud800"}],
        [{**order(1)["line_items"][0], "quantity": 10**30}],
    ]  # fmt: skip
    shop.orders = [order(1), *(order(n, line_items=each) for n, each in enumerate(lines, start=2))]
    shop.orders += [order(2**70), order(90, billing="x", shipping=[], currency=None)]
    key = connect()
    found = sync(key)
    assert found.trouble is None
    assert [row["channel_listing_id"] for row in _listed(furnished)] == ["1", "2", "6"]
    assert accept_pending(furnished.begin, "test")
    assert ask(furnished, "SELECT count(*) FROM orders.orders") == 1
    assert ask(furnished, "SELECT count(*) FROM flow.quarantine") == 15


def test_a_row_that_cannot_be_read_is_not_gone_and_hides_no_other_that_is(
    furnished: DatabaseResource, shop: WooShop, connect: Connect, sync: Syncing
) -> None:
    shop.products = [product(1), product(2), product(3)]
    key = connect()
    sync(key)
    shop.products = [product(1, price="?"), product(2)]
    sync(key, LATER)
    assert [row["state"] for row in _listed(furnished)] == ["live", "live", "gone"]
