"""Connections to sales channels: how they do, tests, syncs, and their settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.flash import flash
from starlette_admin.routing import route

from gateway.screens.facts import words
from gateway.screens.inner import Reply, at
from gateway.screens.pages.page import Page, typed

_HERE, _API = "/screens/channels", "/marketplace/connections"


class Channels(Page):
    """All connections, each on a page of its own."""

    menu_label = "Connections"
    icon = "fa-solid fa-plug"
    path = "/channels"

    @route("")
    async def index(self, request: Request) -> Response:
        """Every connection and its health."""
        reply = await self.inner.ask(request, "GET", _API, query={"limit": 200})
        drift = await self.inner.ask(request, "GET", "/marketplace/drift")
        by_key = {each["connection_id"]: each for each in drift.body["items"]}
        shown = {"items": reply.body["items"], "drift": by_key,
                 "makes": self.inner.may(request, "POST", _API)}  # fmt: skip
        return self.show(request, "channels.html", shown)

    @route("/new/{kind}", name="new-connection")
    async def new(self, request: Request) -> Response:
        """A form for a connection of a kind."""
        return await self._new(request, {}, {})

    async def _new(
        self, request: Request, entered: Mapping[str, str], faults: Mapping[str, str]
    ) -> Response:
        kind = await self._kind(request, request.path_params["kind"])
        shown = {"kind": kind, "entered": entered, "faults": faults, "words": words}
        return self.show(request, "channel_new.html", shown, 422 if faults else 200)

    @route("/new/{kind}", methods=["POST"], name="make-connection")
    async def make(self, request: Request) -> Response:
        """Make it, and go on to its page."""
        form = await typed(request)
        kind = await self._kind(request, request.path_params["kind"])
        try:
            body = _body(form, kind)
        except ValueError as error:
            return await self._new(request, form, {"options": str(error)})
        reply = await self.inner.ask(request, "POST", _API, body=body | {"kind": kind["kind"]})
        if not reply.is_good:
            return await self._new(request, form, reply.faults or {"": reply.detail})
        made = reply.body["connection"]
        return self.done(request, reply, f"{made['name']} was made; test it before it syncs.",
                         f"{_HERE}/{made['connection_id']}")  # fmt: skip

    @route("/{number:int}", name="connection")
    async def one(self, request: Request) -> Response:
        """How a connection does, and its settings."""
        return await self._one(request, {}, {})

    async def _one(
        self, request: Request, entered: Mapping[str, str], faults: Mapping[str, str]
    ) -> Response:
        reply = await self._found(request)
        told = reply.body["connection"]
        kind = await self._kind(request, told["kind"])
        path = self._path(request)
        options = json.dumps(told["options"], indent=1, ensure_ascii=False)
        shown = {
            "told": told, "syncs": reply.body["syncs"], "etag": reply.etag, "kind": kind,
            "entered": entered, "faults": faults, "options": entered.get("options", options),
            "changes": self.inner.may(request, "PATCH", path) and told["state"] != "archived",
            "works": self.inner.may(request, "POST", f"{path}/test"), "words": words,
        }  # fmt: skip
        return self.show(request, "channel.html", shown, 422 if faults else 200)

    @route("/{number:int}", methods=["POST"], name="change-connection")
    async def change(self, request: Request) -> Response:
        """Change settings; credentials only where some were entered."""
        form = await typed(request)
        told = (await self._found(request)).body["connection"]
        try:
            body = _body(form, await self._kind(request, told["kind"]))
        except ValueError as error:
            return await self._one(request, form, {"options": str(error)})
        body.pop("channel", None)
        if body.get("address") == told["address"]:
            body.pop("address")
        reply = await self.inner.ask(request, "PATCH", self._path(request), body=body,
                                     etag=form.get("etag"))  # fmt: skip
        if not reply.is_good:
            return await self._one(request, form, reply.faults or {"": reply.detail})
        return self.done(request, reply, "It was changed.", self._page(request))

    @route("/{number:int}/test", methods=["POST"], name="test-connection")
    async def test(self, request: Request) -> Response:
        """Test it at once and say what was found."""
        reply = await self.inner.ask(request, "POST", f"{self._path(request)}/test")
        if reply.is_good and reply.body["outcome"] == "failed":
            flash(request, f"The test failed: {reply.body['text']}", "error")
            return self.goes(self._page(request))
        said = f"The test went well. {reply.body.get('text', '')}"
        return self.done(request, reply, said, self._page(request))

    @route("/{number:int}/sync", methods=["POST"], name="sync-connection")
    async def sync(self, request: Request) -> Response:
        """Ask for a sync."""
        reply = await self.inner.ask(request, "POST", f"{self._path(request)}/sync")
        said = "A sync was asked for; it begins within half a minute."
        return self.done(request, reply, said, self._page(request))

    @route("/{number:int}/state", methods=["POST"], name="connection-state")
    async def state(self, request: Request) -> Response:
        """Pause it, let it go on, or archive it."""
        form, path = await typed(request), self._path(request)
        wanted, etag = form.get("state", ""), form.get("etag")
        if wanted == "archived":
            reply = await self.inner.ask(request, "DELETE", path, etag=etag)
        else:
            reply = await self.inner.ask(request, "PATCH", path, body={"state": wanted}, etag=etag)
        return self.done(request, reply, f"It is {wanted} now.", self._page(request))

    async def _found(self, request: Request) -> Reply:
        reply = await self.inner.ask(request, "GET", self._path(request))
        if not reply.is_good:
            raise HTTPException(404, "There is no such connection.")
        return reply

    async def _kind(self, request: Request, name: str) -> Mapping[str, Any]:
        kinds = await self.inner.ask(request, "GET", "/marketplace/kinds")
        for kind in kinds.body["items"]:
            if kind["kind"] == name:
                told: Mapping[str, Any] = kind
                return told
        raise HTTPException(404, "There is no such kind of connection.")

    @staticmethod
    def _path(request: Request) -> str:
        return at(f"{_API}/{{}}", request.path_params["number"])

    @staticmethod
    def _page(request: Request) -> str:
        return f"{_HERE}/{request.path_params['number']}"


def _body(form: Mapping[str, str], kind: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says of a connection.

    Raises:
        ValueError: the options are no JSON.
    """
    try:
        options = json.loads(form.get("options", "").strip() or "{}")
    except ValueError as error:
        raise ValueError(f"this is no JSON: {error}") from None
    body: dict[str, Any] = {name: form.get(name, "").strip()
                            for name in ("name", "channel", "address")}  # fmt: skip
    secrets = {name: form.get(f"c-{name}", "").strip() for name in kind["credentials"]}
    body["options"] = options
    if any(secrets.values()):
        body["credentials"] = secrets
    return body
