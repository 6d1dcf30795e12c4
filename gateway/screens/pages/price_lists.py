"""Carriers' price lists: uploaded, seen row by row, applied or discarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import money, words
from gateway.screens.inner import at
from gateway.screens.pages.page import Page, typed

_HERE, _API = "/screens/price-lists", "/transport/rate-lists"
_KINDS = {
    "csv": "text/csv", "txt": "text/plain", "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


class PriceLists(Page):
    """Uploads, each with what it would do."""

    menu_label = "Price lists"
    icon = "fa-solid fa-file-arrow-up"
    path = "/price-lists"

    @route("")
    async def index(self, request: Request) -> Response:
        """Uploads so far, and the form for another one."""
        return await self._index(request, {}, "")

    async def _index(self, request: Request, entered: Mapping[str, str], problem: str) -> Response:
        reply = await self.inner.ask(request, "GET", _API, query={"limit": 50})
        shown = {"items": reply.body["items"], "entered": entered, "problem": problem,
                 "uploads": self.inner.may(request, "POST", _API)}  # fmt: skip
        return self.show(request, "price_lists.html", shown, 422 if problem else 200)

    @route("", methods=["POST"], name="upload")
    async def upload(self, request: Request) -> Response:
        """Keep what a file would do, and show it."""
        async with request.form(max_fields=20, max_files=1, max_part_size=5_000_000) as form:
            entered = {name: str(form.get(name, "")) for name in ("text", "valid_from", "currency")}
            given = form.get("file")
            content, name = entered["text"].encode(), "entered"
            if isinstance(given, UploadFile) and given.filename:
                content, name = await given.read(), given.filename
        kind = _KINDS.get(name.rpartition(".")[2].lower(), "text/plain")
        query = {"file_name": name[:200], "currency": entered["currency"].upper() or None,
                 "valid_from_at": f"{entered['valid_from']}T00:00:00Z" if entered["valid_from"]
                 else None}  # fmt: skip
        reply = await self.inner.ask(request, "POST", _API, query=query, content=content, kind=kind)
        if not reply.is_good:
            said = [reply.detail, *(f"{name}: {why}" for name, why in reply.faults.items())]
            return await self._index(request, entered, " ".join(said))
        return self.goes(f"{_HERE}/{reply.body['rate_list_id']}")

    @route("/{number:int}", name="price-list")
    async def one(self, request: Request) -> Response:
        """What a list does, row by row."""
        path = at(f"{_API}/{{}}", request.path_params["number"])
        reply = await self.inner.ask(request, "GET", path)
        if not reply.is_good:
            raise HTTPException(404, "There is no such price list.")
        asked = {name: request.query_params.get(name, "") for name in ("outcome", "cursor")}
        rows = await self.inner.ask(request, "GET", f"{path}/rows", query=asked | {"limit": 100})
        shown: dict[str, Any] = {
            "told": reply.body, "rows": rows, "asked": asked, "money": money, "words": words,
            "decides": reply.body["state"] == "previewed"
            and self.inner.may(request, "POST", f"{path}/apply"),
        }  # fmt: skip
        return self.show(request, "price_list.html", shown, min(rows.status, 422))

    @route("/{number:int}/{way:str}", methods=["POST"], name="decide-price-list")
    async def decide(self, request: Request) -> Response:
        """Apply the very preview that was seen, or discard it."""
        number, way = request.path_params["number"], request.path_params["way"]
        if way not in ("apply", "discard"):
            raise HTTPException(404, "There is no such way.")
        form = await typed(request)
        body = {"plan_hash": form.get("plan_hash", "")} if way == "apply" else None
        reply = await self.inner.ask(
            request, "POST", at(f"{_API}/{{}}/{{}}", number, way), body=body
        )
        said = "The price list is applied." if way == "apply" else "The price list was discarded."
        return self.done(request, reply, said, f"{_HERE}/{number}")
