"""Files of products: uploaded, seen row by row as a plan, approved by another, taken back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import value_text, words
from gateway.screens.inner import at
from gateway.screens.pages.page import Page

_HERE, _API = "/screens/catalogue-files", "/catalogue/plans"
_MOST_BYTES = 20_000_000


class CatalogueFiles(Page):
    """Plans of changes, and the form for another file."""

    menu_label = "Files of products"
    icon = "fa-solid fa-file-import"
    path = "/catalogue-files"

    @route("")
    async def index(self, request: Request) -> Response:
        """Plans, the newest first."""
        return await self._index(request, {}, "")

    async def _index(self, request: Request, entered: Mapping[str, str], problem: str) -> Response:
        cursor = request.query_params.get("cursor")
        reply = await self.inner.ask(request, "GET", _API, query={"limit": 50, "cursor": cursor})
        shown = {"reply": reply, "entered": entered, "problem": problem,
                 "uploads": self.inner.may(request, "POST", f"{_API}/bulk")}  # fmt: skip
        return self.show(request, "catalogue_files.html", shown, 422 if problem else 200)

    @route("", methods=["POST"], name="plan-file")
    async def upload(self, request: Request) -> Response:
        """Keep what a file would change, and show it."""
        async with request.form(max_fields=20, max_files=1, max_part_size=_MOST_BYTES) as form:
            entered = {"currency": str(form.get("currency", "")).strip().upper()}
            given = form.get("file")
            if not isinstance(given, UploadFile) or not given.filename:
                return await self._index(request, entered, "Choose a file.")
            content, name = await given.read(), given.filename
        body: dict[str, Any] = {"name": name[:200], "base64": base64.b64encode(content).decode()}
        if entered["currency"]:
            body["currency"] = entered["currency"]
        reply = await self.inner.ask(request, "POST", f"{_API}/bulk", body=body)
        if not reply.is_good:
            said = [reply.detail, *(f"{field}: {why}" for field, why in reply.faults.items())]
            return await self._index(request, entered, " ".join(said))
        return self.goes(at(f"{_HERE}/{{}}", reply.body["hash"]))

    @route("/{plan}", name="catalogue-plan")
    async def one(self, request: Request) -> Response:
        """What a plan changes, row by row."""
        path = at(f"{_API}/{{}}", request.path_params["plan"])
        reply = await self.inner.ask(request, "GET", path)
        if not reply.is_good:
            raise HTTPException(404, "There is no such plan.")
        asked = {name: request.query_params.get(name, "") for name in ("action", "cursor")}
        rows = await self.inner.ask(request, "GET", f"{path}/rows", query=asked | {"limit": 50})
        told, me = reply.body, request.state.principal.name
        shown = {
            "told": told, "rows": rows, "asked": asked, "words": words,
            "value_text": value_text, "is_own": told["requested_by"] == me,
            "reverts": told["state"] == "applied"
            and self.inner.may(request, "POST", f"{path}/revert"),
        }  # fmt: skip
        return self.show(request, "catalogue_plan.html", shown, min(rows.status, 422))

    @route("/{plan}/revert", methods=["POST"], name="revert-plan")
    async def revert(self, request: Request) -> Response:
        """Take an applied plan back."""
        plan = request.path_params["plan"]
        reply = await self.inner.ask(request, "POST", at(f"{_API}/{{}}/revert", plan))
        return self.done(request, reply, "The plan was taken back.", at(f"{_HERE}/{{}}", plan))
