"""Rows that could not be used: seen, mended, tried again, given up."""

from __future__ import annotations

import json

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.inner import at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/quarantine"
_ASKED = ("state", "source", "reason", "subject", "cursor")


class Quarantine(Page):
    """A list with filters; each row on a page of its own."""

    menu_label = "Quarantine"
    icon = "fa-solid fa-box-archive"
    path = "/quarantine"

    @route("")
    async def index(self, request: Request) -> Response:
        """The list, the newest first."""
        asked = {name: request.query_params.get(name) for name in _ASKED}
        asked["state"] = asked["state"] or "parked"
        reply = await self.inner.ask(request, "GET", "/quarantine", query=asked | {"limit": 50})
        status = await self.inner.ask(request, "GET", "/status")
        reasons = status.body["quarantine"] if status.is_good else {}
        shown = {"reply": reply, "asked": asked, "reasons": reasons}
        return self.show(request, "quarantine.html", shown, min(reply.status, 422))

    @route("/{number:int}", name="parked")
    async def one(self, request: Request) -> Response:
        """One row, with what may be done about it."""
        return await self._one(request, None, "")

    async def _one(self, request: Request, text: str | None, problem: str) -> Response:
        path = at("/quarantine/{}", request.path_params["number"])
        reply = await self.inner.ask(request, "GET", path)
        if not reply.is_good:
            raise HTTPException(404, "There is no such row.")
        told = reply.body
        row = json.dumps(told["row"], indent=2, ensure_ascii=False, sort_keys=True)
        acts = told["state"] == "parked" and self.inner.may(request, "POST", f"{path}/replay")
        shown = {"told": told, "row": row, "text": text if text is not None else row,
                 "etag": reply.etag, "acts": acts, "problem": problem}  # fmt: skip
        return self.show(request, "parked.html", shown, 422 if problem else 200)

    @route("/{number:int}/fix", methods=["POST"], name="fix")
    async def fix(self, request: Request) -> Response:
        """Take the mended row in; what is wrong with it is said beside it."""
        form = await typed(request)
        try:
            row = json.loads(form.get("row", ""))
        except ValueError as error:
            return await self._one(request, form.get("row", ""), f"This is no JSON: {error}.")
        path = at("/quarantine/{}/row", request.path_params["number"])
        reply = await self.inner.ask(request, "PUT", path, body={"row": row}, etag=form.get("etag"))
        if not reply.is_good:
            faults = [f"{name}: {said}" for name, said in reply.faults.items()]
            return await self._one(request, form["row"], " ".join([reply.detail, *faults]))
        return self.done(request, reply, "The mended row was taken in.", _HERE)

    @route("/{number:int}/replay", methods=["POST"], name="replay")
    async def replay(self, request: Request) -> Response:
        """Try the row as it is; its cause may be gone."""
        return await self._settle(request, "replay", {}, "The row was taken in.")

    @route("/{number:int}/discard", methods=["POST"], name="discard")
    async def discard(self, request: Request) -> Response:
        """Give the row up, with the reason."""
        reason = (await typed(request)).get("reason", "").strip()
        return await self._settle(request, "discard", {"reason": reason}, "The row was given up.")

    async def _settle(
        self, request: Request, way: str, body: dict[str, str], said: str
    ) -> Response:
        number = request.path_params["number"]
        path = at("/quarantine/{}/{}", number, way)
        reply = await self.inner.ask(request, "POST", path, body=body or None)
        return self.done(request, reply, said, _HERE if reply.is_good else f"{_HERE}/{number}")
