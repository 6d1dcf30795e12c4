"""Letters to customers: who gets one, once, and what it says."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ecom_assets.customers import notices, store
from ecom_assets.customers.assets import notifications
from ecom_assets.customers.notices import NoticePolicy, can_be_written_to
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared.flow import NEXT, Stage, claim, waiting
from ecom_assets.shared.letters import write
from ecom_assets.shared.outbox import OUTBOX
from ecom_assets.transport.store import choose_carriers, ship_parcels
from fixtures.allocated_shop import NOON, Shop, small_card
from fixtures.rolled_back import conn as conn
from resources.database import DatabaseResource
from resources.mail import MailResource

ADA: dict[str, Any] = {"email": "ada@a.example", "customer_name": "Ada"}
NOBODY = {"planned": 0, "imported": 0, "without_address": 0}


@pytest.fixture
def shop(conn: sa.Connection) -> Shop:
    """A shop in the test's own transaction."""
    return Shop(conn)


def confirm(shop: Shop, *orders: int, **policy: bool) -> dict[str, int]:
    shop.wait_for(Stage.NOTIFY_CONFIRMED, *orders)
    claim(shop.conn, Stage.NOTIFY_CONFIRMED)
    return store.plan_confirmed(shop.conn, "shop.example", "run", NoticePolicy(**policy))


def planned(conn: sa.Connection) -> list[dict[str, Any]]:
    rows = sa.select(OUTBOX).order_by(OUTBOX.c.effect_id)
    return [dict(row) for row in conn.execute(rows).mappings()]


def test_accepted_and_shipped_orders_are_handed_on() -> None:
    assert Stage.NOTIFY_CONFIRMED in NEXT[Stage.RISK]
    assert Stage.NOTIFY_SHIPPED in NEXT[Stage.SHIP]


def test_an_accepted_order_gets_one_letter(shop: Shop) -> None:
    order = shop.add_order(
        **ADA, items_minor=2_000, discount_minor=100, shipping_minor=490, total_minor=2_390
    )
    shop.add_sites("A")
    shop.add_product("mug", name="Mug & saucer")
    shop.allocate(order, "mug", quantity=2)
    shop.allocate(order, "unknown-sku")
    assert confirm(shop, order) == {**NOBODY, "planned": 1}
    assert confirm(shop, order) == NOBODY, "planning twice plans once"
    (row,) = planned(shop.conn)
    assert (row["state"], row["order_id"], row["due_at"]) == ("planned", order, NOON)
    assert row["idempotency_key"] == '["order_confirmed", "web", "1"]'
    assert row["reference"].endswith("@shop.example>")
    assert row["payload"]["to"] == "ada@a.example"
    assert row["payload"]["template"] == "customers/order_confirmed/1"
    text = write(row["payload"]["template"], row["payload"]["facts"]).text
    assert "2 x Mug & saucer: 20.00 EUR" in text
    assert "1 x unknown-sku: 10.00 EUR" in text
    assert "Discount: -1.00 EUR\nShipping: 4.90 EUR\nTotal: 23.90 EUR" in text


def test_nobody_is_written_to_without_a_usable_address(shop: Shop) -> None:
    orders = [shop.add_order(email=given) for given in (None, "", "no", "a@b.example\nBcc: c@d.e")]
    assert confirm(shop, *orders) == {**NOBODY, "without_address": 4}
    assert planned(shop.conn) == []


def test_customers_of_imported_orders_get_none_unless_told(shop: Shop) -> None:
    order = shop.add_order(**ADA)
    shop.conn.execute(sa.update(INBOX).values(import_id=1))
    assert confirm(shop, order) == {**NOBODY, "imported": 1}
    assert confirm(shop, order, tells_imported=True) == {**NOBODY, "planned": 1}


def test_the_same_order_has_the_same_reference_wherever_it_is_planned(shop: Shop) -> None:
    confirm(shop, shop.add_order(**ADA), shop.add_order(**ADA))
    # The digest of the key: another database of the same shop finds it in the archive.
    digests = [sha256(row["idempotency_key"].encode()) for row in planned(shop.conn)]
    expected = [f"<{digest.hexdigest()[:40]}@shop.example>" for digest in digests]
    assert [row["reference"] for row in planned(shop.conn)] == expected
    assert len(set(expected)) == 2


def test_every_parcel_gets_a_letter_that_is_due_when_it_leaves(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A", "B")
    order, later = shop.add_order(**ADA), NOON + timedelta(days=3)
    shop.add_product("ball", name="Ball")
    shop.allocate(order, "ball", quantity=2, available_at=later)
    shop.allocate(order, "doll", site_code="B")
    shop.wait_for(Stage.CARRIER, order)
    claim(shop.conn, Stage.CARRIER)
    choose_carriers(shop.conn, "run")
    claim(shop.conn, Stage.SHIP)
    ship_parcels(shop.conn, "run")
    assert claim(shop.conn, Stage.NOTIFY_SHIPPED) == 1
    assert store.plan_shipped(shop.conn, "shop.example", "run") == {**NOBODY, "planned": 2}
    assert store.plan_shipped(shop.conn, "shop.example", "run") == NOBODY
    by_due = {row["due_at"]: row["payload"] for row in planned(shop.conn)}
    assert set(by_due) == {NOON, later}
    text = write(by_due[later]["template"], by_due[later]["facts"]).text
    assert "left us on 4 March 2018 with Acme\n(Slow)" in text
    assert "    2 x Ball\n" in text
    assert "doll" not in text


_USABLE = sa.text("SELECT verdict = 'mailable' FROM addressees")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example("a@a.example\n")
@example("a@a")
@example("a..b@a.example")
@example(f"{'a' * 64}@a.example")
@example(f"{'a' * 65}@a.example")
@example(f"a@{'b' * 64}.example")
@example(f"a@{'.'.join(['b' * 60] * 4)}.example")
@example("ü@a.example")
@given(
    st.one_of(
        st.emails(),
        st.from_regex(notices.ADDRESS),
        st.text(alphabet="aZ0@.-_+ \n\"'é", max_size=20),
    ).filter(lambda text: "\x00" not in text)
)
def test_the_database_and_the_rule_agree_on_addresses(conn: sa.Connection, address: str) -> None:
    with conn.begin_nested() as trial:
        shop = Shop(conn)
        confirm(shop, shop.add_order(email=address))
        found = conn.execute(_USABLE).scalar_one()
        trial.rollback()
    assert found is can_be_written_to(address)


def test_the_asset_plans_and_says_what_it_did_not(database: DatabaseResource) -> None:
    with database.begin() as conn:
        shop = Shop(conn)
        orders = shop.add_order(**ADA), shop.add_order()
        shop.wait_for(Stage.NOTIFY_CONFIRMED, *orders)
    resources = {"database": database, "mail": MailResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([notifications], resources=resources, instance=instance)
    (event,) = result.asset_materializations_for_node("customers__notifications")
    shown = {name: entry.value for name, entry in event.metadata.items()}
    assert shown["notify_confirmed_planned"] == shown["notify_confirmed_without_address"] == 1
    assert shown["notify_confirmed_imported"] == shown["notify_shipped_orders"] == 0
    assert shown["effects_planned"] == 1
    with database.begin() as conn:
        assert waiting(conn) == {}
        assert planned(conn)[0]["reference"].endswith("@mail.invalid>")
