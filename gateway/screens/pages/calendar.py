"""The working calendar of sites: hours and cut-off, closed days, and the load of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.inner import Reply, at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/calendar"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Calendar(Page):
    """One site at a time."""

    menu_label = "Capacity and calendar"
    icon = "fa-solid fa-calendar-days"
    path = "/calendar"

    @route("")
    async def index(self, request: Request) -> Response:
        """Sites to choose from, and the chosen one's calendar."""
        return await self._index(request, {}, "")

    async def _index(self, request: Request, entered: Mapping[str, str], problem: str) -> Response:
        sites = await self._found(request, "/sites", {"limit": 500})
        codes = [each["site_code"] for each in sites.body["items"]]
        site = request.query_params.get("site") or (codes[0] if codes else "")
        shown: dict[str, Any] = {"sites": codes, "site": site, "entered": entered,
                                 "problem": problem, "days": _DAYS}  # fmt: skip
        if site:
            shown |= await self._of(request, site)
        return self.show(request, "calendar.html", shown, 422 if problem else 200)

    async def _of(self, request: Request, site: str) -> dict[str, Any]:
        path = at("/sites/{}", site)
        week = await self._found(request, f"{path}/hours")
        closures = await self._found(request, f"{path}/closures", {"limit": 100})
        load = await self._found(request, f"{path}/load")
        return {
            "week": {day["weekday"]: day for day in week.body["days"]}, "etag": week.etag,
            "time_zone": week.body["time_zone"], "closures": closures.body["items"],
            "load": load.body, "changes": self.inner.may(request, "PUT", f"{path}/hours"),
        }  # fmt: skip

    @route("/hours", methods=["POST"], name="hours")
    async def hours(self, request: Request) -> Response:
        """Set the working week."""
        form, site = await typed(request), request.query_params.get("site", "")
        days = [
            {"weekday": day, "opens": form[f"opens-{day}"], "cut_off": form.get(f"cut-{day}", "")}
            for day in range(1, 8) if form.get(f"opens-{day}")
        ]  # fmt: skip
        reply = await self.inner.ask(request, "PUT", at("/sites/{}/hours", site),
                                     body={"days": days}, etag=form.get("etag"))  # fmt: skip
        if not reply.is_good:
            return await self._index(request, form, _refusal(reply))
        return self.done(request, reply, "The working hours were set.", _at(site))

    @route("/close", methods=["POST"], name="close")
    async def close(self, request: Request) -> Response:
        """Close the site on a day."""
        form, site = await typed(request), request.query_params.get("site", "")
        body = {"closed_date": form.get("closed_date", ""), "reason": form.get("reason", "")}
        reply = await self.inner.ask(request, "POST", at("/sites/{}/closures", site), body=body)
        if not reply.is_good:
            return await self._index(request, form, _refusal(reply))
        return self.done(request, reply, "The day was closed.", _at(site))

    @route("/open", methods=["POST"], name="open")
    async def open(self, request: Request) -> Response:
        """Open the site again on a day."""
        form, site = await typed(request), request.query_params.get("site", "")
        path = at("/sites/{}/closures/{}", site, form.get("closed_date", ""))
        seen = await self.inner.ask(request, "GET", path)
        reply = await self.inner.ask(request, "DELETE", path, etag=seen.etag or "*")
        return self.done(request, reply, "The site is open on that day.", _at(site))

    async def _found(
        self, request: Request, path: str, query: Mapping[str, Any] | None = None
    ) -> Reply:
        reply = await self.inner.ask(request, "GET", path, query=query)
        if not reply.is_good:
            raise HTTPException(404, "There is no such site.")
        return reply


def _at(site: str) -> str:
    return at(f"{_HERE}?site={{}}", site)


def _refusal(reply: Reply) -> str:
    return " ".join([reply.detail, *(f"{name}: {why}." for name, why in reply.faults.items())])
