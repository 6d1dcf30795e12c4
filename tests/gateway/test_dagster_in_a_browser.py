"""Dagster's UI in a real browser: greyed for viewers, and runs that tell who started them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import dagster as dg
import pytest
from playwright.sync_api import Browser, Page

from ecom_assets.backoffice.roles import Role
from fixtures.browsing import Desk, serving
from fixtures.entrance import House
from gateway.dagster_ui.context import UserProcessContext
from resources.database import DatabaseResource

pytestmark = pytest.mark.slow

ASSET = "/dagster/assets/cheese"


@pytest.fixture(scope="module")
def desk(
    module_database: DatabaseResource, workspace: UserProcessContext, browser: Browser
) -> Iterator[Desk]:
    """A browser at an entrance that a viewer and an operator know."""
    house = House(module_database, workspace)
    house.add("vera", Role.VIEWER)
    house.add("olga", Role.OPERATOR)
    with serving(house) as address:
        yield Desk(browser, address, house)


def materialize(page: Page) -> None:
    page.goto(ASSET)
    page.get_by_role("button", name="Materialize").first.wait_for(timeout=60_000)


def test_a_viewer_sees_a_grey_button(desk: Desk) -> None:
    page = desk.tab("vera")
    materialize(page)
    # Buttons are grey until the UI has heard what its user may do.
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)
    assert page.get_by_role("button", name="Materialize").first.is_disabled()
    _is_within_the_policy(desk)


def test_an_operator_starts_a_run_that_says_who_did(
    desk: Desk, workspace: UserProcessContext
) -> None:
    page = desk.tab("olga")
    materialize(page)
    button = page.get_by_role("button", name="Materialize").first
    button.click(timeout=60_000)
    run = _ended(workspace)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["ecom/started_by"] == "olga"
    page.goto(f"/dagster/runs/{run.run_id}")
    page.get_by_text(run.run_id[:8]).first.wait_for(timeout=60_000)
    _is_within_the_policy(desk)


def _ended(workspace: UserProcessContext) -> dg.DagsterRun:
    """The run that was started, when it has ended; stands in for the daemon, which takes it on."""
    until, instance = time.monotonic() + 120, workspace.instance
    while time.monotonic() < until:
        for run in instance.get_runs():
            if run.tags.get("ecom/started_by") != "olga":
                continue
            if run.status is dg.DagsterRunStatus.QUEUED:
                instance.launch_run(run.run_id, workspace.create_request_context())
            if run.is_finished:
                return run
        time.sleep(0.5)
    raise AssertionError([(run.status, run.tags) for run in instance.get_runs()])


def _is_within_the_policy(desk: Desk) -> None:
    """Dagster's own pages warn of this and that; they ask nobody else and run nothing foreign."""
    found, desk.odd[:] = list(desk.odd), []
    assert not [said for said in found if "Content Security Policy" in said or "elsewhere" in said]
