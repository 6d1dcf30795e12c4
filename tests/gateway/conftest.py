"""The entrance over a database of the test and a small workspace, called as browsers call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.workspace.load_target import PythonFileTarget

from fixtures.browsing import CHROMIUM
from fixtures.entrance import House
from gateway.dagster_ui.context import UserProcessContext
from resources.database import DatabaseResource

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UserProcessContext]:
    """A workspace of small definitions over an instance of its own."""
    target = PythonFileTarget(
        python_file=str(Path(__file__).with_name("workspace_definitions.py")),
        attribute=None, working_directory=None, location_name="small",
    )  # fmt: skip
    with (
        dg.DagsterInstance.local_temp(
            str(tmp_path_factory.mktemp("instance")), overrides={"telemetry": {"enabled": False}}
        ) as instance,
        UserProcessContext(instance, workspace_load_target=target, version="test") as context,
    ):
        yield context


@pytest.fixture
def house(database: DatabaseResource, workspace: UserProcessContext) -> House:
    """The entrance over an empty database."""
    return House(database, workspace)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; its loop ends with the module, for others of this process have their own."""
    if CHROMIUM is None:
        pytest.skip("no browser is installed (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()
