"""Requests that no browser sends, byte by byte, to the server as it really runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ecom_assets.backoffice.roles import Role
from fixtures.entrance import House
from fixtures.served_entrance import free_port, say, served
from gateway.settings import GatewaySettings


@pytest.fixture(scope="module")
def port(module_database: Any, workspace: Any) -> Iterator[int]:
    """The entrance on a port of its own."""
    number = free_port()
    settings = GatewaySettings(f"http://127.0.0.1:{number}")
    house = House(module_database, workspace, settings)
    house.add("ann", Role.VIEWER)
    with served(house.app, settings, number):
        yield number


def status_of(answer: bytes) -> int:
    """Status of the first answer; 0 where the server just closed."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def ask(port: int, first: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [first, *headers]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append(f"Host: 127.0.0.1:{port}")
    return say(port, "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)


@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1.evil.example", "evil.example:3000", "127.0.0.1@evil.example",
    "evil.example#127.0.0.1", "", "127.0.0.1 evil.example", "localhost.evil.example",
    "[::ffff:7f00:1]", "127.0.0.1\tx",
])  # fmt: skip
def test_another_host_is_refused(port: int, host: str) -> None:
    assert status_of(ask(port, "GET /login HTTP/1.1", f"Host: {host}")) == 400


def test_a_second_host_does_not_count(port: int) -> None:
    answer = ask(port, "GET /login HTTP/1.1", f"Host: 127.0.0.1:{port}", "Host: evil.example")
    assert b"evil.example" not in answer
    answer = ask(port, "GET /login HTTP/1.1", "Host: evil.example", f"Host: 127.0.0.1:{port}")
    assert status_of(answer) == 400


@pytest.mark.parametrize("target", [
    "http://evil.example/login", "http://127.0.0.1:3000/dagster", "http://evil.example/dagster",
    "//evil.example/dagster", "http://login/../dagster", "//login/../dagster", "/login/../dagster",
    "/static/../dagster", "/static/%2e%2e/dagster", "/login/%2e%2e/dagster/", "/health/../api/v1/",
    "/static/..%2fapp.py", "/static/..%2f..%2fpyproject.toml", "/static//etc/passwd",
    "/static/%2fetc%2fpasswd", "/static/..%5capp.py", "/static/page.css%00", "/static/",
    "/login/;/../dagster", "/login%2f..%2fdagster", "/LOGIN/../dagster", "/welcome/../dagster",
    "/%2e/dagster", "/./dagster", "/dagster/./", "/.%2fdagster", "/static", "/screens/..%2f",
    "/begin/..%2f..%2fdagster", "/login/oidc/../../dagster", "*", "dagster", "?/login", "#/login",
    "/dagster?/login", "/dagster#/static/page.css", "/api/v1/docs/assets/..%2f..%2f__init__.py",
    "/screens/static/..%2fbase.py", "/screens/static/js/actions.js",
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_way_of_writing_a_path_leads_past_the_login(port: int, method: str, target: str) -> None:
    answer = ask(port, f"{method} {target} HTTP/1.1")
    # The login's own page is what `http://.../login` names; nothing else may answer with 200.
    if target == "http://evil.example/login":
        assert status_of(answer) == 200
    else:
        assert status_of(answer) in (0, 303, 307, 400, 401, 403, 404, 405), answer[:300]


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG", "PATCH",
                                    "DELETE", "get", "PURGE", "SEARCH"])  # fmt: skip
@pytest.mark.parametrize("path", ["/login", "/static/page.css", "/dagster/graphql", "/screens/"])
def test_methods_nobody_needs_do_nothing(port: int, method: str, path: str) -> None:
    target = f"127.0.0.1:{port}" if method == "CONNECT" else path
    answer = ask(port, f"{method} {target} HTTP/1.1", "X-Secret: heron")
    assert status_of(answer) in (0, 400, 401, 403, 404, 405), answer[:300]
    assert b"heron" not in answer


SMUGGLED = b"GET /static/page.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("headers", [
    ("Content-Length: 0", "Content-Length: 5"),
    ("Content-Length: 5, 5",),
    ("Content-Length: +5",),
    ("Content-Length: -1",),
    ("Content-Length: 0x5",),
    ("Content-Length : 5",),
    ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 5"),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding : chunked",),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: x"),
    (" Transfer-Encoding: chunked",),
    ("X: y\rTransfer-Encoding: chunked",),
], ids=" + ".join)  # fmt: skip
def test_where_a_request_ends_is_never_in_doubt(port: int, headers: tuple[str, ...]) -> None:
    lines = ["POST /login HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]
    answer = say(port, "\r\n".join(lines).encode() + b"0\r\n\r\n" + SMUGGLED)
    # Whatever is made of the first one, it is not answered as if it were well, nor is what is
    # hidden behind it answered at all.
    assert status_of(answer) in (0, 400, 403), answer[:300]
    assert b"200 OK" not in answer
    assert answer.count(b"HTTP/1.1 ") <= 1, answer


def test_chunks_that_do_not_add_up_are_refused(port: int) -> None:
    for body in (
        b"FFFFFFFFFFFFFFFFF\r\nx",
        b"-1\r\nx\r\n",
        b"2\r\nabcdef\r\n0\r\n\r\n",
        b"0x2\r\nab",
    ):
        head = (f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}"
                "\r\nContent-Type: application/x-www-form-urlencoded"
                "\r\nTransfer-Encoding: chunked\r\n\r\n")  # fmt: skip
        assert status_of(say(port, head.encode() + body)) in (0, 400)


@pytest.mark.parametrize(
    "line", ["X: a\x00b", "X\x00: a", "X: a\rb", "no colon", ": empty", "X y: z"]
)
def test_headers_that_are_none_are_refused(port: int, line: str) -> None:
    assert status_of(ask(port, "GET /login HTTP/1.1", line)) in (0, 400)


def test_headers_have_an_end(port: int) -> None:
    answer = ask(port, "GET /login HTTP/1.1", "X: " + "x" * 2_000_000)
    assert status_of(answer) in (0, 400, 431), answer[:200]
    many = [f"X{number}: {'x' * 100}" for number in range(20_000)]
    assert status_of(ask(port, "GET /login HTTP/1.1", *many)) in (0, 400, 431)


def test_a_form_before_the_login_has_an_end(port: int) -> None:
    own = (f"Origin: http://127.0.0.1:{port}", "Content-Type: application/x-www-form-urlencoded")
    body = b"name=" + b"x" * 3_000_000
    answer = ask(port, "POST /login HTTP/1.1", *own, f"Content-Length: {len(body)}", body=body)
    assert status_of(answer) in (0, 400, 413)


@pytest.mark.parametrize("body", [b"name=%00", b"name=%ED%A0%80&password=%ED%A0%80", b"name=%FF%FE",
                                  b"password=%00%00", b"next=%00", b"\xff\xfe\x00", b"&&&=&=",
                                  b"name=a%0d%0ab&password=c",
                                  b"name=" + b"%E2%80%AE" * 40])  # fmt: skip
def test_a_login_of_odd_bytes_is_just_wrong(port: int, body: bytes) -> None:
    own = (f"Origin: http://127.0.0.1:{port}", "Content-Type: application/x-www-form-urlencoded")
    answer = ask(port, "POST /login HTTP/1.1", *own, f"Content-Length: {len(body)}", body=body)
    assert status_of(answer) in (400, 401), answer[:300]


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/page.css", "/health", "/dagster"])
def test_the_server_says_nothing_of_itself(port: int, path: str) -> None:
    answer = ask(port, f"GET {path} HTTP/1.1").lower()
    head = answer.partition(b"\r\n\r\n")[0]
    for word in (
        b"\r\nserver:",
        b"x-powered-by",
        b"uvicorn",
        b"python",
        b"starlette",
        b"x-dagster",
    ):
        assert word not in head
