"""What waits for a person: shown with the figures to decide by, approved or rejected."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import facts_of, words
from gateway.screens.inner import at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/approvals"


class Approvals(Page):
    """One list over all areas; each thing on a page of its own."""

    menu_label = "Approvals"
    icon = "fa-solid fa-check-double"
    path = "/approvals"

    @route("")
    async def index(self, request: Request) -> Response:
        """The list, what has waited longest first."""
        asked = {name: request.query_params.get(name) for name in ("kind", "cursor")}
        reply = await self.inner.ask(request, "GET", "/approvals", query=asked | {"limit": 50})
        shown = {"reply": reply, "kind": asked["kind"], "words": words}
        return self.show(request, "approvals.html", shown, min(reply.status, 422))

    @route("/{kind}/{number}", name="approval")
    async def one(self, request: Request) -> Response:
        """One thing, with its figures."""
        kind, number = request.path_params["kind"], request.path_params["number"]
        reply = await self.inner.ask(request, "GET", at("/approvals/{}/{}", kind, number))
        if not reply.is_good:
            raise HTTPException(404, "This does not wait any more: it was decided, or never was.")
        told = reply.body
        decides = self.inner.may(request, "POST", at("/approvals/{}/{}/approve", kind, number))
        is_own = told["requested_by"] == request.state.principal.name
        shown = {"told": told, "facts": facts_of(told["detail"]), "words": words,
                 "decides": decides and not is_own, "is_own": is_own}  # fmt: skip
        return self.show(request, "approval.html", shown)

    @route("/{kind}/{number}/decide", methods=["POST"], name="decide")
    async def decide(self, request: Request) -> Response:
        """Approve or reject, as the form says."""
        kind, number = request.path_params["kind"], request.path_params["number"]
        form = await typed(request)
        way = "approve" if form.get("decision") == "approve" else "reject"
        body = {"note": form.get("note", "").strip()}
        path = at("/approvals/{}/{}/{}", kind, number, way)
        reply = await self.inner.ask(request, "POST", path, body=body)
        target = _HERE if reply.is_good else at(f"{_HERE}/{{}}/{{}}", kind, number)
        said = f"{words(kind)} {number} was {'approved' if way == 'approve' else 'rejected'}."
        return self.done(request, reply, said, target)
