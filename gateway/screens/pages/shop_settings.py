"""What a shop sets for itself, and what its server was started with."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import words
from gateway.screens.inner import at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/settings"


class ShopSettings(Page):
    """Every setting with what holds now, to be changed in its place."""

    menu_label = "Settings"
    icon = "fa-solid fa-sliders"
    path = "/settings"

    @route("")
    async def index(self, request: Request) -> Response:
        """All settings."""
        return await self._index(request, {}, {})

    async def _index(
        self, request: Request, entered: Mapping[str, str], faults: Mapping[str, str]
    ) -> Response:
        reply = await self.inner.ask(request, "GET", "/settings")
        server = await self.inner.ask(request, "GET", "/settings/environment")
        rights = {str(right) for right in request.state.principal.rights}
        shown = {
            "items": [each | {"label": _label(each["name"], each["unit"]),
                              "etag": await self._etag(request, each["name"]),
                              "changes": each["right"] in rights}
                      for each in reply.body["items"]],
            "variables": server.body["items"] if server.is_good else [],
            "entered": entered, "faults": faults,
        }  # fmt: skip
        return self.show(request, "settings.html", shown, 422 if faults else 200)

    async def _etag(self, request: Request, name: str) -> str:
        return (await self.inner.ask(request, "GET", at("/settings/{}", name))).etag

    @route("/{name}", methods=["POST"], name="set")
    async def put(self, request: Request) -> Response:
        """Set a setting, or let its default hold again."""
        name, form = request.path_params["name"], await typed(request)
        path, etag = at("/settings/{}", name), form.get("etag")
        if form.get("do") == "default":
            reply = await self.inner.ask(request, "DELETE", path, etag=etag)
        else:
            value = form.get("value", "").replace("\r\n", "\n")
            if form.get("type") != "text":
                try:
                    value = json.loads(value)
                except ValueError:
                    return await self._index(request, {name: value}, {name: "this is no number"})
            reply = await self.inner.ask(request, "PUT", path, body={"value": value}, etag=etag)
        if not reply.is_good:
            said = "; ".join(reply.faults.values()) or reply.detail
            return await self._index(request, {name: form.get("value", "")}, {name: said})
        return self.done(request, reply, f"{_label(name)}: saved.", _HERE)


def _label(name: str, unit: str = "") -> str:
    """The area and the setting in words; the unit stands beside it."""
    area, _, rest = name.partition(".")
    said = words(rest).lower().removesuffix(f" {unit}") if rest else ""
    return f"{words(area)}: {said}" if said else words(area)
