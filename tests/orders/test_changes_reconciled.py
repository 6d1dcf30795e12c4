"""What changed orders leave behind agrees with itself at every step."""

from __future__ import annotations

from ecom_assets.orders import store
from ecom_assets.quality.comparisons import COMPARISONS
from ecom_assets.quality.store import reconcile
from ecom_assets.shared.flow import Stage
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

WITHOUT_DOCUMENTS = {"slips_shipments", "invoices_shipments"}
"""The shop of this test prints none."""


def differing(shop: ChangedShop) -> set[str]:
    with shop.database.begin() as conn:
        reconcile(conn, COMPARISONS, "run")
    found = shop.rows("SELECT name FROM quality.reconciliations WHERE differences > 0")
    return {name for (name,) in found} - WITHOUT_DOCUMENTS


def test_the_areas_agree_while_orders_are_cancelled_and_edited(database: DatabaseResource) -> None:
    shop = ChangedShop(database)
    shop.open()
    for name, paid in (("early", None), ("reviewed", 100), ("edited", 100), ("scored", None)):
        shop.send(name, document(2, paid))
        shop.advance(Stage.PAYMENT if name == "scored" else Stage.RISK)
    shop.advance(Stage.PAYMENT)
    shop.send("waits", document(2))
    with database.begin() as conn:
        for name in ("reviewed", "scored", "waits"):
            store.cancel(conn, shop.order(name), None, minute(5), "ann")
    shop.send("edited", document(3), at=5)
    store.start_pending(database.begin, "run")
    assert differing(shop) == set()
    shop.change()
    assert differing(shop) == set()
    shop.advance()
    shop.book()
    shop.give_back()
    assert differing(shop) == set()
    assert shop.states("edited")[2] == "shipped"
