"""Connections and listings by the API: made, changed, tested and archived; no secret ever shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from marketplace.conftest import NOW
from starlette.testclient import TestClient

from ecom_assets import connecting
from ecom_assets.backoffice.roles import Role
from ecom_assets.marketplace.store import listings
from ecom_assets.schema import schema
from fixtures.api_shop import add_listing, ask
from fixtures.entrance import House
from fixtures.woo_shop import KEY, SECRET, WooShop, order, product, refusing, woo_shop
from resources.channels import ChannelsResource
from resources.database import DatabaseResource

PLACE = "/api/v1/marketplace/connections"
LISTINGS = "/api/v1/marketplace/listings"
SECRETS = {"consumer_key": KEY, "consumer_secret": SECRET}
OPTIONS = {"currency": "EUR", "orders_from": "2026-05-01T00:00:00Z"}
_FEED = {"kind": "file_feed", "options": {"currency": "EUR"}}


@pytest.fixture
def woo() -> Iterator[WooShop]:
    with woo_shop() as served:
        yield served


@pytest.fixture(autouse=True)
def _means(woo: WooShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_SECRETS_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("ECOM_CHANNEL_FOLDERS", str(tmp_path))
    monkeypatch.setenv("ECOM_CHANNEL_HOSTS_ALLOWED", f"127.0.0.1:{woo.port}")


def _given(woo: WooShop, **changes: Any) -> dict[str, Any]:
    made = {"name": "Our shop", "channel": "shop", "kind": "woocommerce", "address": woo.url,
            "options": OPTIONS, "credentials": SECRETS}  # fmt: skip
    return {**made, **changes}


def _made(operator: TestClient, woo: WooShop, **changes: Any) -> Any:
    answer = operator.post(PLACE, json=_given(woo, **changes))
    assert answer.status_code == 201, answer.text
    return answer


def _sync(database: DatabaseResource, key: int) -> None:
    found = connecting.sync(database, ChannelsResource.of_environment(), key, NOW, "run")
    assert found.trouble is None, found.text


def test_a_connection_is_made_tested_synced_and_shown(
    shop: House, operator: TestClient, woo: WooShop
) -> None:
    woo.orders, woo.products = [order(1)], [product(1)]
    made = _made(operator, woo)
    key = made.json()["connection"]["connection_id"]
    assert made.headers["Location"] == f"{PLACE}/{key}"
    tested = operator.post(f"{PLACE}/{key}/test").json()
    assert tested["text"] == "the shop answers: 1 orders and 1 products can be read"
    asked = operator.post(f"{PLACE}/{key}/sync")
    assert (asked.status_code, asked.json()["look_at"]) == (202, f"{PLACE}/{key}")
    assert operator.get(f"{PLACE}/{key}").json()["connection"]["sync_wanted_at"]
    _sync(shop.database, key)
    shown = operator.get(f"{PLACE}/{key}").json()
    assert (shown["connection"]["health"], shown["connection"]["sync_wanted_at"]) == ("ok", None)
    assert shown["syncs"][0]["counts"]["orders_new"] == 1
    assert operator.get(f"{PLACE}/{key}/syncs?limit=1").json()["items"] == shown["syncs"]
    listed = operator.get(f"{LISTINGS}?channel=shop").json()["items"]
    assert [(row["sku"], row["live_price_minor"]) for row in listed] == [("SKU-1", 1190)]


def test_a_test_tells_what_is_wrong_and_keeps_it(
    shop: House, operator: TestClient, woo: WooShop
) -> None:
    key = _made(operator, woo).json()["connection"]["connection_id"]
    woo.faults = {1: refusing(401, "woocommerce_rest_cannot_view")}
    tested = operator.post(f"{PLACE}/{key}/test").json()
    assert (tested["outcome"], tested["trouble"]) == ("failed", "credentials_refused")
    shown = operator.get(f"{PLACE}/{key}").json()["connection"]
    assert shown["test_text"] == tested["text"]
    assert ask(shop.database, "SELECT outcome FROM backoffice.audit_entries"
                              " WHERE action = 'test_connection'") == "failed"  # fmt: skip


def test_secrets_are_in_no_answer_no_log_and_no_table(
    shop: House, operator: TestClient, woo: WooShop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    woo.faults = {number: refusing(500, "oops") for number in (1, 3)}
    answers = [_made(operator, woo)]
    tag, key = answers[0].headers["ETag"], answers[0].json()["connection"]["connection_id"]
    answers += [
        operator.post(f"{PLACE}/{key}/test"), operator.post(f"{PLACE}/{key}/test"),
        operator.get(f"{PLACE}/{key}"), operator.get(PLACE),
        operator.patch(f"{PLACE}/{key}", json={"credentials": {"cs": SECRET}},
                       headers={"If-Match": tag}),
        operator.post(PLACE, json=_given(woo, credentials={"consumer_key": SECRET})),
        operator.post(PLACE, json=_given(woo, credentials={SECRET: "x"})),
        operator.post(PLACE, json=_given(woo, credentials=SECRET)),
    ]  # fmt: skip
    assert not [answer.text for answer in answers if SECRET in answer.text]
    assert SECRET not in caplog.text
    connecting.sync(shop.database, ChannelsResource.of_environment(), key, NOW, "run")
    with shop.database.begin() as conn:
        tables = [
            table
            for name, table in schema().tables.items()
            if name.startswith(("marketplace.", "backoffice.", "flow.", "decisions."))
        ]
        rows = [str(conn.execute(sa.select(table)).all()) for table in tables]
    assert not [row for row in rows if SECRET in row]


def test_a_wrong_connection_is_refused_by_its_member(
    operator: TestClient, woo: WooShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"address": "http://shop.example"}, "address"),
        ({"address": "https://shop.example:444"}, "address"),
        ({"address": "https://a:b@shop.example"}, "address"),
        ({"options": {}}, "options.currency"),
        ({"options": {**OPTIONS, "sync_every_minutes": 9999}}, "options.sync_every_minutes"),
        ({"options": {**OPTIONS, "orders_from": "yesterday"}}, "options.orders_from"),
        ({"options": {**OPTIONS, "secret": "x"}}, "options.secret"),
        ({"credentials": None}, "credentials"),
        ({"credentials": {**SECRETS, "consumer_key": "a b"}}, "credentials.consumer_key"),
        ({**_FEED, "address": "../etc", "credentials": None}, "address"),
        ({**_FEED, "address": "outlet"}, "credentials"),
        ({"kind": "ebay"}, "kind"),
    ]
    for changes, field in wrong:
        answer = operator.post(PLACE, json=_given(woo, **changes))
        named = [error["field"] for error in answer.json()["errors"]]
        assert (answer.status_code, named) == (422, [field]), answer.text
    monkeypatch.delenv("ECOM_SECRETS_KEY")
    monkeypatch.delenv("ECOM_HOME", raising=False)
    answer = operator.post(PLACE, json=_given(woo))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_key_for_secrets")
    problems = [
        kind["problem"] for kind in operator.get("/api/v1/marketplace/kinds").json()["items"]
    ]
    assert problems == ["", "no key for secrets: set ECOM_SECRETS_KEY"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "127.1"])
def test_no_test_reaches_a_private_address(operator: TestClient, woo: WooShop, host: str) -> None:
    made = operator.post(PLACE, json=_given(woo, address=f"https://{host}"))
    key = made.json()["connection"]["connection_id"]
    tested = operator.post(f"{PLACE}/{key}/test").json()
    assert tested["trouble"] == "address_refused"
    assert not woo.asked


def test_what_was_changed_meanwhile_is_not_undone_and_syncs_change_no_version(
    shop: House, operator: TestClient, woo: WooShop
) -> None:
    made = _made(operator, woo)
    place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    _sync(shop.database, made.json()["connection"]["connection_id"])
    assert operator.get(place).headers["ETag"] != tag["If-Match"]
    renamed = operator.patch(place, json={"name": "Shop 2", "state": "paused"}, headers=tag)
    assert renamed.json()["connection"]["health"] == "not_used"
    assert operator.patch(place, json={"name": "Shop 3"}, headers=tag).status_code == 412
    assert operator.patch(place, json={"name": "Shop 3"}).status_code == 428
    assert operator.post(f"{place}/sync").status_code == 409


def test_another_address_needs_the_credentials_again(operator: TestClient, woo: WooShop) -> None:
    made = _made(operator, woo)
    place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    elsewhere = {"address": "https://evil.example"}
    answer = operator.patch(place, json=elsewhere, headers=tag)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "credentials")
    both = operator.patch(place, json={**elsewhere, "credentials": SECRETS}, headers=tag)
    assert both.json()["connection"]["address"] == "https://evil.example"


def test_one_connection_per_channel_and_an_archived_one_makes_room(
    shop: House, operator: TestClient, woo: WooShop
) -> None:
    made = _made(operator, woo)
    place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    second = operator.post(PLACE, json=_given(woo, name="Another"))
    assert (second.status_code, second.json()["errors"][0]["field"]) == (409, "channel")
    assert operator.delete(place).status_code == 428
    archived = operator.delete(place, headers=tag).json()["connection"]
    assert (archived["state"], archived["has_credentials"]) == ("archived", False)
    assert ask(shop.database, "SELECT credentials FROM marketplace.connections") is None
    again = {"If-Match": operator.get(place).headers["ETag"]}
    assert operator.patch(place, json={"name": "x"}, headers=again).json()["code"] == "archived"
    assert operator.post(f"{place}/test").status_code == 409
    _made(operator, woo)
    states = [row["state"] for row in operator.get(PLACE).json()["items"]]
    assert states == ["archived", "active"]


def test_a_change_of_a_connection_is_in_the_audit_log_without_its_secrets(
    shop: House, operator: TestClient, woo: WooShop
) -> None:
    _made(operator, woo)
    entry = ask(shop.database, "SELECT after FROM backoffice.audit_entries"
                               " WHERE subject = 'marketplace.connections/Our shop'")  # fmt: skip
    assert entry["channel"] == "shop"
    assert "credentials" not in entry


def test_the_same_request_makes_one_connection(operator: TestClient, woo: WooShop) -> None:
    once = {"Idempotency-Key": "k1"}
    answers = [operator.post(PLACE, json=_given(woo), headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].text == answers[1].text
    assert len(operator.get(PLACE).json()["items"]) == 1


def test_a_listing_is_mapped_unmapped_and_filtered(shop: House, operator: TestClient) -> None:
    with shop.database.begin() as conn:
        add_listing(conn)
    place = f"{LISTINGS}/1"
    tag = {"If-Match": operator.get(place).headers["ETag"]}
    strange = operator.put(f"{place}/sku", json={"sku": "a/b \u00fc"}, headers=tag)
    assert (strange.status_code, strange.json()["errors"][0]["code"]) == (422, "unknown_sku")
    mapped = operator.put(f"{place}/sku", json={"sku": "SKU-2"}, headers=tag)
    assert (mapped.json()["sku"], mapped.json()["is_mapped_by_hand"]) == ("SKU-2", True)
    assert mapped.json()["our_units"] == 0
    assert operator.delete(f"{place}/sku", headers=tag).status_code == 412
    for query, count in (("differs=stock", 1), ("differs=price", 0), ("is_mapped=false", 0),
                         ("sku=SKU-2&state=live", 1), ("connection_id=2", 0)):  # fmt: skip
        assert len(operator.get(f"{LISTINGS}?{query}").json()["items"]) == count, query
    [drift] = operator.get("/api/v1/marketplace/drift").json()["items"]
    assert (drift["other_stock"], drift["oversold_risk"]) == (1, 1)
    now = {"If-Match": mapped.headers["ETag"]}
    gone = operator.delete(f"{place}/sku", headers=now).json()
    assert (gone["sku"], gone["our_units"], gone["is_mapped_by_hand"]) == (None, None, True)


def test_viewers_look_and_do_nothing(shop: House, woo: WooShop) -> None:
    viewer = shop.someone(Role.VIEWER)
    assert viewer.get(PLACE).status_code == 200
    assert viewer.post(PLACE, json=_given(woo)).status_code == 403


def test_listings_come_in_pages(shop: House, operator: TestClient) -> None:
    with shop.database.begin() as conn:
        add_listing(conn)
        conn.execute(sa.text("INSERT INTO marketplace.listings (connection_id, channel_listing_id,"
                             " state, currency, run_id) SELECT 1, 'n' || n, 'hidden', 'EUR', 'r'"
                             " FROM generate_series(1, 5) AS n"))  # fmt: skip
        assert len(listings.listed(conn, listings.ListingFilter(), 0, 10)) == 6
    seen, cursor = [], None
    while True:
        query = f"&cursor={cursor}" if cursor else ""
        page = operator.get(f"{LISTINGS}?limit=2{query}").json()
        seen += [row["listing_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
