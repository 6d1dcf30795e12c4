"""A shop that is served, connections to it, and a folder of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from ecom_assets import connecting
from ecom_assets.connecting import Synced
from ecom_assets.marketplace.model import Kind
from ecom_assets.marketplace.store import connections
from fixtures.api_shop import furnish
from fixtures.woo_shop import KEY, SECRET, WooShop, woo_shop
from resources.channels import ChannelsResource
from resources.database import DatabaseResource

NOW = datetime(2026, 5, 2, tzinfo=UTC)
OPTIONS = {"currency": "EUR", "orders_from": "2026-05-01T00:00:00+00:00"}
Syncing = Callable[..., Synced]


@pytest.fixture
def shop() -> Iterator[WooShop]:
    with woo_shop() as served:
        yield served


@pytest.fixture
def means(shop: WooShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChannelsResource:
    """Means by which the served shop may be reached."""
    monkeypatch.setenv("ECOM_SECRETS_KEY", Fernet.generate_key().decode())
    folders = tmp_path / "channels"
    folders.mkdir()
    return ChannelsResource(folders=str(folders), hosts=f"127.0.0.1:{shop.port}")


@pytest.fixture
def furnished(database: DatabaseResource) -> DatabaseResource:
    """A database whose catalogue has SKU-1 and SKU-2."""
    with database.begin() as conn:
        furnish(conn)
    return database


@pytest.fixture
def connect(furnished: DatabaseResource, means: ChannelsResource, shop: WooShop) -> Any:
    """Makes a connection."""

    def make(kind: Kind = Kind.WOOCOMMERCE, channel: str = "shop", **options: Any) -> int:
        secrets = {"consumer_key": KEY, "consumer_secret": SECRET}
        is_shop = kind is Kind.WOOCOMMERCE
        with furnished.begin() as conn:
            return connections.add(
                conn, channel, channel, kind, shop.url if is_shop else channel,
                {**OPTIONS, **options} if is_shop else {"currency": "EUR"},
                means.sealing.seal(secrets) if is_shop else None, "ann", NOW,
            )  # fmt: skip

    return make


@pytest.fixture
def sync(furnished: DatabaseResource, means: ChannelsResource) -> Syncing:
    """Syncs a connection."""

    def run(key: int, at: datetime = NOW, name: str = "run") -> Synced:
        return connecting.sync(furnished, means, key, at, name, clock=lambda: at)

    return run
