"""The shop that the tests of pricing start from."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.pricing import store
from fixtures.priced_shop import PricedShop


@pytest.fixture
def shop(conn: sa.Connection) -> PricedShop:
    """Six products at a cost of 600 and a price of 1000; the list lets no margin below 10%."""
    shop = PricedShop(conn)
    skus = "ABCDEF"
    shop.add_products(*skus)
    shop.take_costs(**dict.fromkeys(skus, 600))
    shop.take_prices(**dict.fromkeys(skus, 1_000))
    store.limit(conn, shop.list_id(), margin_bps=1_000)
    return shop
