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
    button = page.get_by_role("button", name="Materialize").first
    # Every button is grey until the UI has heard what its user may do; then this one says why.
    button.hover(force=True)
    page.get_by_text("You do not have permission").first.wait_for()
    assert button.is_disabled()
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


EVIL = "<script>ran=1</script><img src=x onerror='ran=2'><svg/onload=alert(3)>{{7*7}}"
WOULD_RUN = "javascript:alert(4)"


@pytest.fixture(scope="module")
def evil_run(workspace: UserProcessContext) -> str:
    """A run whose tags, and an asset whose metadata, hold what a customer may have typed."""
    instance = workspace.instance
    run = next(iter(instance.get_runs(limit=1)))
    instance.add_run_tags(run.run_id, {"ecom/customer": EVIL})
    columns = dg.TableSchema([dg.TableColumn("name", description=EVIL)])
    found = dg.AssetMaterialization(
        "cheese", description=EVIL,
        metadata={
            "text": EVIL, "link": dg.MetadataValue.url(WOULD_RUN),
            "md": dg.MetadataValue.md(f"{EVIL} [press]({WOULD_RUN})"),
            "json": {"name": EVIL}, "path": dg.MetadataValue.path(EVIL),
            "table": dg.MetadataValue.table([dg.TableRecord({"name": EVIL})], columns),
        },
    )  # fmt: skip
    instance.report_runless_asset_event(found)
    return run.run_id


def test_what_customers_typed_runs_on_no_page(desk: Desk, evil_run: str) -> None:
    page, links = desk.tab("olga"), 0
    for path in (f"{ASSET}?view=overview", f"{ASSET}?view=events", "/dagster/runs"):
        page.goto(path)
        page.get_by_text("<script>ran=1").first.wait_for(timeout=60_000)
        for link in page.locator("a[href^='javascript:']").all():
            link.click(timeout=5_000, no_wait_after=True)
            links += 1
        assert page.evaluate("window.ran") is None
        assert not page.locator("[onerror], [onload]").count()
    found, desk.odd[:] = list(desk.odd), []
    assert not [said for said in found if ": dialog:" in said]
    # Dagster shows such links as they are; it is the policy that stops them.
    assert len([said for said in found if "Content Security Policy" in said]) >= links


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
