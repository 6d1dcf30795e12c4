"""The reference page in a real browser: it shows every operation under the site's own policy."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from ecom_assets.backoffice.roles import Role
from fixtures.api_routes import DOCUMENT
from fixtures.entrance import PASSWORD, House
from gateway.app import build_app
from gateway.settings import GatewaySettings

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def address(still_shop: House) -> Iterator[str]:
    """The entrance, served on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    app = build_app(GatewaySettings(url), still_shop.database, still_shop.workspace)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield url
    server.should_exit = True
    thread.join(10)


@pytest.mark.slow
def test_the_reference_shows_every_operation(still_shop: House, address: str) -> None:
    if BROWSER is None:
        pytest.skip("no browser is installed (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    still_shop.add("ann", Role.VIEWER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/api/v1/docs")
        page.fill("input[name=name]", "ann")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".opblock-tag-section")
        for tag in page.query_selector_all("h3.opblock-tag"):
            tag.click()
        expected = sum(len(operations) for operations in DOCUMENT["paths"].values())
        page.wait_for_function(f"document.querySelectorAll('.opblock').length >= {expected}")
        assert page.locator(".opblock").count() == expected
        strange = [url for url in asked if not url.startswith((address, "data:"))]
        browser.close()
    assert not strange
    assert not [text for text in said if "Content Security Policy" in text or "Error" in text], said
