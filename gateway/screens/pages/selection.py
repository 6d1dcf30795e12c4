"""Carrier selection: a shipment's candidates, scores and reasons; what if; rate shopping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import facts_of, money, words
from gateway.screens.fields import NotFit, amount
from gateway.screens.inner import Reply, at
from gateway.screens.pages.page import Page, typed

_ASKED = ("order_id", "carrier_code", "service_code", "site_code", "is_expected_late", "cursor")
_SETTINGS = {
    "late_cost_minor": ("Cost of a late parcel", "minor units"),
    "damage_share": ("Share of the goods' value that damage costs", "0 to 1"),
    "keeps_promise_from": ("Probability that keeps a promise", "0 to 1"),
}


class Selection(Page):
    """Shipments, and why each went as it did."""

    menu_label = "Carrier selection"
    icon = "fa-solid fa-truck-fast"
    path = "/shipments"

    @route("")
    async def index(self, request: Request) -> Response:
        """Shipments, the newest first."""
        asked = {name: request.query_params.get(name, "").strip() for name in _ASKED}
        query = asked | {"limit": 50}
        reply = await self.inner.ask(request, "GET", "/transport/shipments", query=query)
        shown = {"reply": reply, "asked": asked, "money": money}
        return self.show(request, "shipments.html", shown, min(reply.status, 422))

    @route("/{number:int}", name="shipment")
    async def one(self, request: Request) -> Response:
        """A shipment's candidates, and a form to ask what if."""
        return await self._one(request, {}, None, "")

    @route("/{number:int}", methods=["POST"], name="what-if")
    async def what_if(self, request: Request) -> Response:
        """What would have carried it under other settings; nothing is changed."""
        form = await typed(request)
        try:
            settings = _settings(form)
        except NotFit as fault:
            return await self._one(request, form, None, str(fault))
        path = at("/transport/shipments/{}/selection/what-if", request.path_params["number"])
        reply = await self.inner.ask(request, "POST", path, body={"settings": settings})
        if not reply.is_good:
            return await self._one(request, form, None, _refusal(reply))
        return await self._one(request, form, reply.body, "")

    async def _one(
        self, request: Request, entered: Mapping[str, str], otherwise: Any, problem: str
    ) -> Response:
        base = at("/transport/shipments/{}", request.path_params["number"])
        shipment = await self.inner.ask(request, "GET", base)
        if not shipment.is_good:
            raise HTTPException(404, "There is no such shipment.")
        why = await self.inner.ask(request, "GET", f"{base}/selection")
        tracking = await self.inner.ask(request, "GET", f"{base}/tracking")
        settings = why.body.get("settings") or {} if why.is_good else {}
        shown = {
            "told": shipment.body, "why": why, "tracking": tracking.body, "entered": entered,
            "inputs": facts_of(why.body["inputs"]) if why.is_good else [],
            "candidates": _compared(why.body["candidates"]) if why.is_good else [],
            "otherwise": otherwise,
            "others": _compared(otherwise["candidates"]) if otherwise else [],
            "fields": [(name, *said, settings.get(name)) for name, said in _SETTINGS.items()],
            "problem": problem, "money": money, "words": words,
        }  # fmt: skip
        return self.show(request, "shipment.html", shown, 422 if problem else 200)


class Shopping(Page):
    """What would carry a parcel, and for how much."""

    menu_label = "Rate shopping"
    icon = "fa-solid fa-scale-unbalanced"
    path = "/rate-shopping"

    @route("")
    async def index(self, request: Request) -> Response:
        """The form."""
        return await self._show(request, {}, None, {})

    @route("", methods=["POST"], name="shop")
    async def shop(self, request: Request) -> Response:
        """Every service as a candidate for the parcel; nothing is written."""
        form = await typed(request)
        body, faults = _parcel(form)
        if faults:
            return await self._show(request, form, None, faults)
        reply = await self.inner.ask(request, "POST", "/transport/rate-shopping", body=body)
        if not reply.is_good:
            return await self._show(request, form, None, reply.faults or {"": reply.detail})
        return await self._show(request, form, reply.body, {})

    async def _show(
        self, request: Request, entered: Mapping[str, str], found: Any, faults: Mapping[str, str]
    ) -> Response:
        sites = await self.inner.ask(request, "GET", "/sites", query={"limit": 500})
        shown = {
            "entered": entered, "found": found, "faults": faults, "money": money,
            "sites": [each["site_code"] for each in sites.body["items"]] if sites.is_good else [],
            "candidates": _compared(found["candidates"]) if found else [],
        }  # fmt: skip
        return self.show(request, "shopping.html", shown, 422 if faults else 200)


def _compared(candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Candidates with the length of their score's bar: full at three times the best score."""
    best = min((each["score"] for each in candidates if each["score"]), default=1) or 1
    return [{**each, "bar": min(100, round(100 * (each["score"] or 0) / (3 * best)))}
            for each in candidates]  # fmt: skip


def _settings(form: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a form says; those left empty stay as they are in force.

    Raises:
        NotFit: one is no number.
    """
    settings: dict[str, Any] = {}
    for name, (label, _) in _SETTINGS.items():
        text = form.get(name, "").strip()
        if text:
            try:
                settings[name] = int(text) if name.endswith("_minor") else float(text)
            except ValueError:
                raise NotFit(f"{label}: this is no number") from None
    return settings


def _parcel(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The parcel that a form says, and what in it is wrong."""
    body: dict[str, Any] = {}
    faults: dict[str, str] = {}
    text = {name: value.strip() for name, value in form.items()}
    for name, kind in (("weight_g", int), ("distance_km", float)):
        if text.get(name):
            try:
                body[name] = kind(text[name])
            except ValueError:
                faults[name] = "this is no number"
    for name in ("site_code", "postal_code", "country", "currency"):
        if text.get(name):
            body[name] = text[name]
    for name in ("ready_at", "promised_at"):
        if text.get(name):
            body[name] = f"{text[name][:16]}:00Z"
    if text.get("goods"):
        try:
            body["goods_minor"] = amount(text["goods"], text.get("currency") or "EUR")
        except NotFit as fault:
            faults["goods"] = str(fault)
    return body, faults


def _refusal(reply: Reply) -> str:
    return " ".join([reply.detail, *(f"{name}: {why}." for name, why in reply.faults.items())])
