"""Calls go to the address that was judged, follow nothing, and end in time."""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fixtures.woo_shop import WooShop, drip, send, sending, woo_shop
from resources.addresses import Allowed
from resources.outbound import Account, CallFailed, Failure, Outbound

SECRET = "cs_very_secret"  # noqa: S105


@pytest.fixture
def shop() -> Iterator[WooShop]:
    with woo_shop() as served:
        yield served


def _calling(shop: WooShop, **options: object) -> Outbound:
    return Outbound(shop.url, Allowed.of_text(f"127.0.0.1:{shop.port}"), **options)  # type: ignore[arg-type]


def test_a_name_is_resolved_once_and_what_was_judged_is_called(shop: WooShop) -> None:
    asked = []

    def resolve(host: str, port: int, within_s: float) -> list[str]:
        asked.append(host)
        # A second question would be told of another address.
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    shop.faults = {1: sending(b"{}"), 2: sending(b"{}", 200, Connection="close"),
                   3: sending(b"{}")}  # fmt: skip
    allowed = Allowed.of_text(f"rebind.example:{shop.port}")
    client = Outbound(f"http://rebind.example:{shop.port}", allowed, resolve=resolve)
    assert [client.get("/x", {}).status for _ in range(3)] == [200, 200, 200]
    assert asked == ["rebind.example"]
    client.close()


def test_redirects_are_answers_and_not_followed(shop: WooShop) -> None:
    shop.faults = {1: sending(b"", 302, Location=f"http://127.0.0.1:{shop.port}/private")}
    client = _calling(shop)
    assert client.get("/x", {}).status == 302
    assert len(shop.asked) == 1
    client.close()


def test_a_large_answer_is_not_read_to_its_end(shop: WooShop) -> None:
    shop.faults = {1: sending(b"x" * 100_000)}
    client = _calling(shop)
    with pytest.raises(CallFailed, match="larger than 1,000 bytes") as raised:
        client.get("/x", {}, most_bytes=1_000)
    assert raised.value.failure is Failure.TOO_LARGE
    client.close()


def test_a_call_ends_in_time_however_slowly_the_answer_comes(shop: WooShop) -> None:
    def slow_headers(handler: object) -> None:
        for _ in range(100):
            handler.wfile.write(b"H")  # type: ignore[attr-defined]
            handler.wfile.flush()  # type: ignore[attr-defined]
            time.sleep(0.05)

    shop.faults = {1: drip, 2: slow_headers, 3: lambda handler: time.sleep(1.5)}
    for _ in range(3):
        begun, client = time.monotonic(), _calling(shop, deadline_s=0.4)
        with pytest.raises(CallFailed) as raised:
            client.get("/x", {}, Account("ck", SECRET))
        assert raised.value.failure is Failure.TIMED_OUT
        assert SECRET not in str(raised.value)
        assert time.monotonic() - begun < 1.2
        client.close()


def test_nothing_of_an_account_is_shown() -> None:
    account = Account("ck_1", SECRET)
    assert SECRET not in repr(account)
    assert "ck_1" not in repr(account)


def test_environment_proxies_are_not_used(shop: WooShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    shop.faults = {1: sending(b"{}")}
    client = _calling(shop)
    assert client.get("/x", {}).body == b"{}"
    client.close()


def _certificate(folder: Path, name: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    (folder / "pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    return context


def test_the_certificate_must_be_the_names_although_an_address_is_called(tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self, 200, self.headers["Host"].encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    class Quiet(HTTPServer):
        def handle_error(self, *args: object) -> None:
            """A client that refuses us is no error."""

    server = Quiet(("127.0.0.1", 0), Handler)
    context = _certificate(tmp_path, "shop.example")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    trusting = ssl.create_default_context(cafile=str(tmp_path / "pem"))

    def call(name: str, tls: ssl.SSLContext | None) -> bytes:
        client = Outbound(f"https://{name}:{port}", Allowed.of_text(f"{name}:{port}"),
                          resolve=lambda *_: ["127.0.0.1"], tls=tls)  # fmt: skip
        try:
            return client.get("/x", {}).body
        finally:
            client.close()

    assert call("shop.example", trusting) == f"shop.example:{port}".encode()
    for name, tls in (("other.example", trusting), ("shop.example", None)):
        with pytest.raises(CallFailed) as raised:
            call(name, tls)
        assert raised.value.failure is Failure.TLS
    server.shutdown()
    server.server_close()
