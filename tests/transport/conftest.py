"""A shop in the test's own transaction, and a small rate card."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.transport.model import RateCard
from fixtures.allocated_shop import Shop, small_card
from fixtures.rolled_back import conn

__all__ = ["card", "conn", "shop"]


@pytest.fixture
def shop(conn: sa.Connection) -> Shop:
    """A shop in the test's own transaction."""
    return Shop(conn)


@pytest.fixture
def card() -> RateCard:
    """Two services over two zones; see `small_card`."""
    return small_card()
