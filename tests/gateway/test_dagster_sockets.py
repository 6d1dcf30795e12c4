"""Subscriptions of Dagster's UI: with a login, from its own pages, until the login ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import users
from fixtures.entrance import ADDRESS, House
from gateway.dagster_ui import server

PATH = "ws://127.0.0.1:3000/dagster/graphql"
OWN = {"Origin": ADDRESS}
LOCATIONS = "subscription { locationStateChangeEvents { event { eventType } } }"


def start(query: str, **more: Any) -> dict[str, Any]:
    return {"type": "start", "id": "1", "payload": {"query": query, **more}}


def opened(caller: Any, headers: dict[str, str] = OWN) -> Any:
    return caller.websocket_connect(PATH, subprotocols=["graphql-ws"], headers=headers)


def test_a_subscription_is_served_to_who_is_logged_in(house: House) -> None:
    with opened(house.someone(Role.VIEWER)) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        socket.send_json(start(LOCATIONS))
        socket.send_json({"type": "stop", "id": "1"})
        socket.send_json({"type": "connection_terminate"})


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"},
     {"Origin": ADDRESS, "Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_another_sites_page_opens_no_socket(house: House, headers: dict[str, str]) -> None:
    viewer = house.someone(Role.VIEWER)
    with pytest.raises(WebSocketDisconnect), opened(viewer, headers):
        pass


def test_nobody_opens_a_socket(house: House) -> None:
    with pytest.raises(WebSocketDisconnect), opened(house.visitor()):
        pass


@pytest.mark.parametrize(
    "message",
    [
        start("mutation { reloadWorkspace { __typename } }"),
        start("{ version }"),
        start("subscription { nothing }"),
        start("subscription " + "{ locationStateChangeEvents " * 40 + "}" * 40),
        start(LOCATIONS, variables=[1]),
        {"type": "start", "id": "1"},
        {"type": "start", "id": "1", "payload": "x"},
        ["start"],
        "start",
        7,
    ],
)
def test_what_is_no_subscription_closes_the_socket(house: House, message: Any) -> None:
    with opened(house.someone(Role.ADMIN)) as socket:
        socket.send_json(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == server.NOT_UNDERSTOOD


def test_a_socket_closes_when_its_login_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LOOKED_AT_EVERY_S", 0.05)
    house.add("root", Role.ADMIN)
    user_id = house.add("ann", Role.VIEWER)
    with opened(house.log_in("ann")) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        with house.database.begin() as conn:
            users.change_user(conn, user_id, datetime.now(UTC), is_active=False)
        begun = time.monotonic()
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == server.LOGIN_ENDED
        assert time.monotonic() - begun < 30
