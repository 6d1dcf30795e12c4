"""Business rules: what decides, new versions of it, and their way into force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.facts import facts_of, words
from gateway.screens.inner import Reply, at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/rules"
_STEPS = {
    "test": "Its tests were run.",
    "backtest": "The backtest has begun; what it finds appears here when it is through.",
    "propose": "It was proposed; another person approves or rejects it.",
    "withdraw": "It was withdrawn.",
    "shadow": "It decides in shadow from now on, without effect.",
    "promote": "It is in force.",
}
_NEXT = {
    "draft": ("test", "withdraw"),
    "tested": ("backtest", "propose", "test", "withdraw"),
    "proposed": ("withdraw",),
    "approved": ("shadow", "promote", "withdraw"),
    "shadow": ("promote", "withdraw"),
}
"""Steps that a version of each state may take; approving is on the page of approvals."""


class Rules(Page):
    """Kinds of rules, each on a page of its own, and the versions of each."""

    menu_label = "Business rules"
    icon = "fa-solid fa-scale-balanced"
    path = "/rules"

    @route("")
    async def index(self, request: Request) -> Response:
        """What is in force, and what is under way."""
        kinds = await self.inner.ask(request, "GET", "/rules/kinds")
        versions = await self.inner.ask(request, "GET", "/rules", query={"limit": 100})
        under_way = [each for each in versions.body["items"] if each["state"] in _NEXT]
        shown = {"kinds": kinds.body["items"], "under_way": under_way, "words": words}
        return self.show(request, "rules.html", shown)

    @route("/{kind}", name="rule-kind")
    async def kind(self, request: Request) -> Response:
        """What decides now, versions, and a form for another one."""
        return await self._kind(request)

    async def _kind(
        self, request: Request, entered: Mapping[str, str] | None = None, problem: str = "",
        tried: Any = None,
    ) -> Response:  # fmt: skip
        kind = request.path_params["kind"]
        form = await self._found(request, at("/rules/kinds/{}/form", kind))
        versions = await self._found(request, "/rules", {"kind": kind, "limit": 100})
        periods = await self._found(request, at("/rules/kinds/{}/periods", kind), {"limit": 50})
        fields = _fields(form.body["settings"], form.body["in_force"], entered)
        shown = {
            "kind": kind, "form": form.body, "fields": fields, "entered": entered or {},
            "versions": versions.body["items"], "periods": periods.body["items"],
            "drafts": self.inner.may(request, "POST", at("/rules/{}", kind)),
            "goes_back": self.inner.may(request, "POST", at("/rules/{}/roll-back", kind)),
            "problem": problem, "tried": tried, "words": words,
        }  # fmt: skip
        return self.show(request, "rule_kind.html", shown, 422 if problem else 200)

    @route("/{kind}", methods=["POST"], name="rule-draft")
    async def draft(self, request: Request) -> Response:
        """Try what was entered, or keep it as a draft."""
        kind, entered = request.path_params["kind"], await typed(request)
        form = await self._found(request, at("/rules/kinds/{}/form", kind))
        try:
            settings = _settings(form.body["settings"], entered)
            if entered.get("do") != "draft":
                return await self._try(request, kind, settings, entered)
            examples = _json("Tests", entered.get("examples", "") or "[]")
        except ValueError as error:
            return await self._kind(request, entered, str(error))
        body = {"settings": settings, "examples": examples, "note": entered.get("note", "")}
        reply = await self.inner.ask(request, "POST", at("/rules/{}", kind), body=body)
        if not reply.is_good:
            return await self._kind(request, entered, _refusal(reply))
        target = at(f"{_HERE}/{{}}/{{}}", kind, reply.body["version"])
        return self.done(request, reply, f"{reply.body['label']} was drafted.", target)

    async def _try(
        self, request: Request, kind: str, settings: Any, entered: Mapping[str, str]
    ) -> Response:
        """What would be decided of an order, or of a made-up case."""
        body: dict[str, Any] = {"settings": settings}
        order = entered.get("order_id", "").strip()
        if order:
            body["order_id"] = int(order) if order.isdecimal() else order
        else:
            body["case"] = _json("The case", entered.get("case", "") or "{}")
        reply = await self.inner.ask(request, "POST", at("/rules/{}/try", kind), body=body)
        if not reply.is_good:
            return await self._kind(request, entered, _refusal(reply))
        tried = [each | {"was": facts_of(each["decided"]), "will": facts_of(each["would_be"])}
                 for each in reply.body["items"]]  # fmt: skip
        return await self._kind(request, entered, tried=tried)

    @route("/{kind}/roll-back", methods=["POST"], name="rule-back")
    async def roll_back(self, request: Request) -> Response:
        """Put the version before back in force."""
        kind, form = request.path_params["kind"], await typed(request)
        path, body = at("/rules/{}/roll-back", kind), {"in_force": form.get("in_force", "")}
        reply = await self.inner.ask(request, "POST", path, body=body)
        return self.done(request, reply, "The version before is in force again.",
                         at(f"{_HERE}/{{}}", kind))  # fmt: skip

    @route("/{kind}/{version:int}", name="rule-version")
    async def version(self, request: Request) -> Response:
        """One version: what it says beside what is in force, its tests and trials."""
        kind, version = request.path_params["kind"], request.path_params["version"]
        told = (await self._found(request, at("/rules/{}/{}", kind, version))).body
        form = (await self._found(request, at("/rules/kinds/{}/form", kind))).body
        changed = {name for name, value in told["settings"].items()
                   if form["in_force"].get(name) != value}  # fmt: skip
        base = at("/rules/{}/{}", kind, version)
        steps = [step for step in _NEXT.get(told["state"], ())
                 if self.inner.may(request, "POST", f"{base}/{step}")]  # fmt: skip
        shown = {
            "told": told, "fields": _fields(form["settings"], told["settings"], None),
            "now": form["in_force"], "changed": changed, "steps": steps, "words": words,
            "trials": [each | {"facts": facts_of(_as_mapping(each["summary"]))}
                       for each in told["trials"]],
            "is_own": request.state.principal.name in (told["created_by"], told["proposed_by"]),
        }  # fmt: skip
        return self.show(request, "rule_version.html", shown)

    @route("/{kind}/{version:int}/{step}", methods=["POST"], name="rule-step")
    async def step(self, request: Request) -> Response:
        """Take a step with a version."""
        kind, version, step = (request.path_params[name] for name in ("kind", "version", "step"))
        if step not in _STEPS:
            raise HTTPException(404, "There is no such step.")
        form = await typed(request)
        body: dict[str, Any] = {}
        if step == "promote" and form.get("at"):
            body = {"at": f"{form['at']}:00Z"}
        path = at("/rules/{}/{}/{}", kind, version, step)
        reply = await self.inner.ask(request, "POST", path, body=body or None)
        return self.done(request, reply, _STEPS[step], at(f"{_HERE}/{{}}/{{}}", kind, version))

    async def _found(
        self, request: Request, path: str, query: Mapping[str, Any] | None = None
    ) -> Reply:
        reply = await self.inner.ask(request, "GET", path, query=query)
        if not reply.is_good:
            raise HTTPException(404, reply.detail)
        return reply


def _fields(
    schema: Mapping[str, Any], now: Mapping[str, Any], entered: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    """The settings as inputs, with what is in force or what was entered."""
    fields = []
    for name, form in schema["properties"].items():
        value = now.get(name)
        is_plain = form.get("type") in ("number", "integer") or "string" in form.get("type", ())
        text = (
            value
            if isinstance(value, str)
            else ""
            if value is None
            else json.dumps(value, indent=1)
        )
        fields.append({
            "name": name, "label": words(name).partition(" (")[0], "unit": form.get("x-unit", ""),
            "about": form.get("description", ""), "is_plain": is_plain,
            "now": text, "text": text if entered is None else entered.get(f"s-{name}", ""),
            "least": form.get("minimum"), "most": form.get("maximum"),
        })  # fmt: skip
    return fields


def _document(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


def _settings(schema: Mapping[str, Any], entered: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a form says.

    Raises:
        ValueError: a document in it is no JSON.
    """
    settings: dict[str, Any] = {}
    for name, form in schema["properties"].items():
        text = entered.get(f"s-{name}", "").strip()
        if "string" in form.get("type", ()):
            settings[name] = text or None
        else:
            settings[name] = _json(words(name), text)
    return settings


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}: this is no number or JSON ({error}).") from None


def _refusal(reply: Reply) -> str:
    return " ".join([reply.detail, *(f"{name}: {why}." for name, why in reply.faults.items())])


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"found": value}
