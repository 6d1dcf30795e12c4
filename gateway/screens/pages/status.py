"""How the platform is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import words
from gateway.screens.pages.page import Page


class Status(Page):
    """What runs, what waits, what is degraded and why."""

    menu_label = "Status"
    icon = "fa-solid fa-heart-pulse"
    path = "/status"

    @route("")
    async def index(self, request: Request) -> Response:
        """The state as it is now."""
        reply = await self.inner.ask(request, "GET", "/status")
        shown = {"reply": reply, "words": words}
        return self.show(request, "status.html", shown, min(reply.status, 503))
