"""What the inbox held before messages had kinds, and after they have none again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom.migrate import downgrade, migrate
from ecom_assets.orders import store
from ecom_assets.orders.model import Message
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

WHOLE: dict[str, Any] = {"cancel": {"reason": "changed my mind"}}


def test_messages_keep_their_meaning_down_and_up(database: DatabaseResource) -> None:
    shop = ChangedShop(database)
    shop.open()
    shop.send("A", document(2))
    with database.begin() as conn:
        sent = [Message("web", name, minute(5), WHOLE, "cancellation") for name in ("A", "unknown")]
        store.receive(conn, sent)
    store.accept_pending(database.begin, "run")
    states = "SELECT external_id, state FROM orders.inbox ORDER BY inbox_id"
    assert shop.rows(states) == [("A", "accepted"), ("A", "changing"), ("unknown", "waiting")]
    downgrade(database.engine, "0006")
    assert shop.rows(states) == [("A", "accepted"), ("A", "changing")]
    migrate(database.engine)
    kinds = sa.text("SELECT kind FROM orders.inbox ORDER BY inbox_id")
    with database.begin() as conn:
        assert conn.execute(kinds).scalars().all() == ["order", "cancellation"]
    assert shop.change()["cancelled"] == 1
    assert shop.rows(states) == [("A", "accepted"), ("A", "applied")]
