"""The platform of a command: opened, closed, and opened again in the same process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom.platform import opened
from ecom.settings import load


@pytest.fixture
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("ECOM_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("_nothing_set")
def test_a_platform_is_opened_again_after_its_server_ended() -> None:
    before = dict(os.environ)
    for _ in range(2):
        with opened(load()) as platform, platform.database.begin() as conn:
            assert platform.server is not None
            assert conn.execute(sa.text("SELECT 1")).scalar_one() == 1
            assert os.environ["ECOM_DATABASE_URL"] == platform.url
        assert dict(os.environ) == before
