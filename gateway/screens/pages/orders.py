"""Orders: found, explained, held, released, cancelled."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import facts_of, money, words
from gateway.screens.inner import at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/orders"
_TEXTS = ("external_id", "channel", "customer_key", "sku")
_STATES = {
    "risk_state": ("undecided", "accepted", "review", "rejected", "awaiting_payment"),
    "payment_state": ("unchecked", "authorised", "awaiting", "underpaid", "overpaid"),
    "fulfilment_state": (
        "new", "reserved", "partly_reserved", "backordered", "allocated", "partly_allocated",
        "shipped", "partly_shipped", "cancelled",
    ),
    "hold_state": ("none", "held"),
}  # fmt: skip
_DONE = {
    "hold": "The order is held.",
    "release": "The order was released.",
    "reject": "The order was rejected.",
    "cancel": "The cancellation was asked for; a running platform carries it out within seconds.",
}


class Orders(Page):
    """A list with filters; each order on a page of its own."""

    menu_label = "Orders"
    icon = "fa-solid fa-cart-shopping"
    path = "/orders"

    @route("")
    async def index(self, request: Request) -> Response:
        """Orders, the newest first."""
        asked = {name: request.query_params.get(name, "").strip()
                 for name in (*_TEXTS, *_STATES, "cursor")}  # fmt: skip
        reply = await self.inner.ask(request, "GET", "/orders", query=asked | {"limit": 50})
        shown = {"reply": reply, "asked": asked, "texts": _TEXTS, "states": _STATES,
                 "words": words, "money": money}  # fmt: skip
        return self.show(request, "orders.html", shown, min(reply.status, 422))

    @route("/{number:int}", name="order")
    async def one(self, request: Request) -> Response:
        """An order: its states and lines, what happened, and why it was decided so."""
        path = at("/orders/{}", request.path_params["number"])
        reply = await self.inner.ask(request, "GET", path)
        if not reply.is_good:
            raise HTTPException(404, "There is no such order.")
        events = await self.inner.ask(request, "GET", f"{path}/timeline", query={"limit": 200})
        why = await self.inner.ask(request, "GET", f"{path}/explanation")
        shown: dict[str, Any] = {
            "told": reply.body, "why": why, "words": words, "money": money,
            "events": [each | {"facts": facts_of(_plain(each["detail"]))}
                       for each in events.body["items"]],
            "acts": self.inner.may(request, "POST", f"{path}/hold"),
        }  # fmt: skip
        return self.show(request, "order.html", shown)

    @route("/{number:int}/{way}", methods=["POST"], name="order-act")
    async def act(self, request: Request) -> Response:
        """Hold, release, reject or cancel it, as the form says."""
        number, way = request.path_params["number"], request.path_params["way"]
        if way not in _DONE:
            raise HTTPException(404, "There is no such way.")
        form = await typed(request)
        path, body = at("/orders/{}", number), {}
        if way == "hold":
            path += "/hold"
            body = {name: value for name, value in (
                ("reason", form.get("reason", "").strip()),
                ("expires_at", f"{form['expires_at']}:00Z" if form.get("expires_at") else ""),
            ) if value}  # fmt: skip
        elif way == "cancel":
            path += "/cancellations"
            body = {"reason": form.get("reason", "").strip() or "by_operator"}
        else:
            path += "/release"
            body = {"outcome": "rejected" if way == "reject" else "accepted"}
        reply = await self.inner.ask(request, "POST", path, body=body)
        return self.done(request, reply, _DONE[way], f"{_HERE}/{number}")


def _plain(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"detail": detail}
