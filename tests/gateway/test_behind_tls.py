"""The entrance as it is really served: behind a proxy that speaks TLS, and to who comes past it.

What a proxy says of the client counts where the proxy is a named one; what a client says itself
never does.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.tables import AUDIT_ENTRIES, SESSIONS
from fixtures.entrance import PASSWORD, House
from fixtures.served_entrance import (
    Certificate,
    TlsProxy,
    free_port,
    make_certificate,
    served,
)
from gateway.settings import GatewaySettings

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the entrance is reached: by the proxy, and past it."""

    house: House
    public: int
    behind: int
    context: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.public}"

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> Any:
        """Ask by the proxy."""
        made = http.client.HTTPSConnection("127.0.0.1", self.public, context=self.context)
        return _answer(made, method, path, dict(headers or {}), body)

    def ask_past_it(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> Any:
        """Ask the entrance itself."""
        made = http.client.HTTPConnection("127.0.0.1", self.behind)
        return _answer(made, method, path, dict(headers or {}), body)

    def log_in(self, name: str = "ann", headers: Mapping[str, str] | None = None) -> Any:
        """Log in by the proxy."""
        given = {**FORM, "Origin": self.url, **(headers or {})}
        body = urlencode({"name": name, "password": PASSWORD})
        return self.ask("POST", "/login", given, body)

    def addresses(self) -> list[str]:
        """Addresses that the audit log has of logins."""
        table = AUDIT_ENTRIES
        found = sa.select(table.c.address).where(table.c.action == "login")
        with self.house.database.begin() as conn:
            return list(conn.scalars(found.order_by(table.c.audit_entry_id)))


def _answer(made: Any, method: str, path: str, headers: dict[str, str], body: str) -> Any:
    made.request(method, path, body or None, headers)
    answer = made.getresponse()
    answer.text = answer.read().decode()
    made.close()
    return answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def _place(house: House, certificate: Certificate, *proxies: str) -> Iterator[Place]:
    public, behind = free_port(), free_port()
    settings = GatewaySettings(f"https://127.0.0.1:{public}", trusted_proxies=proxies)
    proxy = TlsProxy(public, behind, certificate)
    context = ssl.create_default_context(cafile=str(certificate.certificate))
    known = house.with_settings(settings)
    with served(known.app, settings, behind), proxy.running():
        yield Place(known, public, behind, context)


@pytest.fixture(scope="module")
def house_of_ann(module_database: Any, workspace: Any) -> House:
    house = House(module_database, workspace)
    house.add("ann", Role.VIEWER, Role.ADMIN)
    return house


@pytest.fixture(scope="module")
def place(house_of_ann: House, certificate: Certificate) -> Iterator[Place]:
    """The entrance behind a proxy it was told of."""
    yield from _place(house_of_ann, certificate, "127.0.0.1")


@pytest.fixture(scope="module")
def unknown(house_of_ann: House, certificate: Certificate) -> Iterator[Place]:
    """The entrance behind a proxy it was not told of; another one is."""
    yield from _place(house_of_ann, certificate, "10.0.0.5")


def cookies_of(answer: Any) -> list[str]:
    return answer.headers.get_all("set-cookie") or []


def session_of(answer: Any) -> dict[str, str]:
    [given] = [cookie for cookie in cookies_of(answer) if "ecom=" in cookie]
    return {"Cookie": given.partition(";")[0]}


def test_the_sessions_cookie_is_bound_to_this_host_and_tls(place: Place) -> None:
    answer = place.log_in()
    assert answer.status == 303
    [cookie] = cookies_of(answer)
    value, *marks = [part.strip().lower() for part in cookie.split(";")]
    assert value.startswith("__host-ecom=")
    assert len(value.partition("=")[2]) >= 43
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(marks)
    assert not any(mark.startswith("domain") for mark in marks)
    assert place.ask("GET", "/screens/", session_of(answer)).status == 200


def test_a_cookie_without_the_prefix_is_not_looked_at(place: Place) -> None:
    """Another host of the domain could plant one of the plain name."""
    token = session_of(place.log_in())["Cookie"].partition("=")[2]
    assert place.ask("GET", "/api/v1/profile", {"Cookie": f"ecom={token}"}).status == 401


def test_messages_travel_in_a_cookie_of_this_host_too(place: Place) -> None:
    session = session_of(place.log_in())
    opened = place.ask("GET", "/screens/account", session)
    token = re.search(r'name="csrf-token" content="(\w+)"', opened.text)
    assert token
    headers = {**session, **FORM, "Origin": place.url}
    body = urlencode({"csrftoken": token[1]})
    answer = place.ask("POST", "/screens/account/sessions/end", headers, body)
    [cookie] = cookies_of(answer)
    assert cookie.startswith("__Host-ecom-messages=")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    said = cookie.partition(";")[0]
    shown = place.ask("GET", "/screens/account", {"Cookie": f"{session['Cookie']}; {said}"})
    assert "sessions were ended" in shown.text
    [gone] = cookies_of(shown)
    assert gone.startswith('__Host-ecom-messages=""')
    assert "Secure" in gone


def test_browsers_are_told_to_come_by_tls_only(place: Place) -> None:
    for path in ("/login", "/nowhere", "/static/page.css", "/health", "/api/v1/profile"):
        [told] = place.ask("GET", path).headers.get_all("strict-transport-security")
        assert told == "max-age=31536000; includeSubDomains"


def test_the_address_of_the_client_is_what_the_named_proxy_saw(place: Place) -> None:
    place.log_in(headers={"X-Forwarded-For": "198.51.100.66"})
    assert place.addresses()[-1] == "203.0.113.9"
    with place.house.database.begin() as conn:
        newest = sa.select(SESSIONS.c.address).order_by(SESSIONS.c.session_id.desc()).limit(1)
        assert conn.scalar(newest) == "203.0.113.9"


def test_what_another_proxy_says_does_not_count(unknown: Place) -> None:
    unknown.log_in(headers={"X-Forwarded-For": "198.51.100.66"})
    assert unknown.addresses()[-1] == "127.0.0.1"


def test_a_client_past_the_proxy_does_not_say_who_it_is(unknown: Place) -> None:
    said = {"X-Forwarded-For": "198.51.100.66", "X-Real-IP": "198.51.100.66",
            "Forwarded": "for=198.51.100.66;proto=https;host=evil.example"}  # fmt: skip
    body = urlencode({"name": "ann", "password": "wrong"})
    given = {**FORM, "Origin": unknown.url, **said}
    assert unknown.ask_past_it("POST", "/login", given, body).status == 401
    assert unknown.addresses()[-1] == "127.0.0.1"


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL",
                                  "X-User", "X-Remote-User"])  # fmt: skip
def test_no_header_opens_a_door_or_names_another_host(place: Place, name: str) -> None:
    for value in ("evil.example", "/static/page.css", "ann"):
        assert place.ask("GET", "/api/v1/profile", {name: value}).status == 401
        shown = place.ask("GET", "/login", {name: value})
        assert shown.status == 200
        assert "evil.example" not in shown.text + str(shown.headers)


def test_links_lead_to_the_public_address_whatever_the_request_says(place: Place) -> None:
    session = session_of(place.log_in())
    headers = {**session, "Origin": place.url, "X-Forwarded-Host": "evil.example",
               "X-Forwarded-Proto": "http"}  # fmt: skip
    number = place.house.add(f"lin{place.public}", Role.VIEWER)
    answer = place.ask("POST", f"/api/v1/users/{number}/link", headers)
    assert answer.status == 200, answer.text
    assert f'"{place.url}/welcome/' in answer.text


def test_a_page_of_plain_http_is_another_site(place: Place) -> None:
    """Who is in the middle could otherwise send forms from a page of http."""
    plain = place.url.replace("https", "http")
    assert place.log_in(headers={"Origin": plain}).status == 403
