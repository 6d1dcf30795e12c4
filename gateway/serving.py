"""How the server speaks HTTP to the world."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.settings import GatewaySettings

MOST_HEAD_BYTES = 65_536
"""Request line and headers of a request, beyond what comes at once with their first bytes."""


class BoundedHttp(HttpToolsProtocol):
    """The server's own protocol, with an end to headers: it would take them without one."""

    # The server makes one of these for each connection.
    _is_in_head, _had = True, 0

    def data_received(self, data: bytes) -> None:
        """Read on, or refuse a request whose headers do not end."""
        was_in_head = self._is_in_head
        super().data_received(data)
        if was_in_head and self._is_in_head:
            self._had += len(data)
            if self._had > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("Headers too large")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head, self._had = True, 0

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._is_in_head = False
        super().on_headers_complete()


def serving(settings: GatewaySettings) -> dict[str, Any]:
    """Options of the server: it says nothing of itself and believes named proxies only."""
    return {
        "log_level": "warning", "access_log": False, "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "http": BoundedHttp, "ws_max_size": 1_000_000, "timeout_graceful_shutdown": 5,
    }  # fmt: skip
