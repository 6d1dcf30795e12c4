"""The platform of a command: opened, closed, and opened again in the same process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom.platform import opened
from ecom.settings import load


def own() -> dict[str, str]:
    """The platform's part of the environment."""
    names = ("ECOM_", "DAGSTER_")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


@pytest.fixture
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in own():
        monkeypatch.delenv(name)
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("_nothing_set")
def test_a_platform_is_opened_again_after_its_server_ended() -> None:
    before = own()
    for _ in range(2):
        with opened(load()) as platform, platform.database.begin() as conn:
            assert platform.server is not None
            assert conn.execute(sa.text("SELECT 1")).scalar_one() == 1
            assert os.environ["ECOM_DATABASE_URL"] == platform.url
        assert own() == before
