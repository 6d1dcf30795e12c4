"""The user's own account: name, password, sessions, keys of programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin.flash import flash
from starlette_admin.routing import route

from ecom_assets.areas import AREAS
from ecom_assets.backoffice.passwords import FEWEST_CHARACTERS, MOST_CHARACTERS
from ecom_assets.backoffice.store.users import UserRefused
from gateway.accounts.entrance import Entrance
from gateway.accounts.turns import Busy
from gateway.limits import LOGINS_PER_NAME, Counter
from gateway.screens.inner import Inner, at
from gateway.screens.pages.page import Page, typed

_HERE = "/screens/account"
_BUSY = "Too many people log in at this moment. Please try again in a few seconds."


@dataclass(frozen=True, slots=True)
class Doors:
    """What the account needs of the entrance.

    Attributes:
        entrance: sessions and passwords.
        counter: counts wrong passwords.
        come_in: goes on with a new session: request, its token, the page to go to.
    """

    entrance: Entrance
    counter: Counter
    come_in: Callable[[Request, str, str], Awaitable[Response]]


class Account(Page):
    """What users see and change of themselves."""

    menu_label = "Account"
    icon = "fa-solid fa-circle-user"
    path = "/account"

    def __init__(self, inner: Inner, doors: Doors) -> None:
        """A page over the API and the entrance."""
        super().__init__(inner)
        self.doors = doors

    @route("")
    async def index(self, request: Request) -> Response:
        """Everything of the account."""
        return await self._index(request)

    async def _index(
        self, request: Request, problem: str = "", key: str = "", status: int = 200
    ) -> Response:
        profile = await self.inner.ask(request, "GET", "/profile")
        keys = await self.inner.ask(request, "GET", "/profile/keys", query={"limit": 500})
        principal = request.state.principal
        sessions = await to_thread.run_sync(self.doors.entrance.sessions, principal)
        shown: dict[str, Any] = {
            "told": profile.body, "etag": profile.etag, "keys": keys.body["items"][::-1],
            "sessions": sessions, "problem": problem, "key": key,
            "areas": [area.name for area in AREAS], "rights": sorted(principal.rights),
            "fewest": FEWEST_CHARACTERS,
        }  # fmt: skip
        return self.show(request, "account.html", shown, status)

    @route("/profile", methods=["POST"], name="profile")
    async def profile(self, request: Request) -> Response:
        """Change name and address."""
        form = await typed(request)
        body = {name: form.get(name, "") for name in ("full_name", "email")}
        reply = await self.inner.ask(request, "PATCH", "/profile", body=body, etag=form.get("etag"))
        return self.done(request, reply, "Your name and address were changed.", _HERE)

    @route("/password", methods=["POST"], name="password")
    async def password(self, request: Request) -> Response:
        """Change the password; every other browser is logged out."""
        form, visit = await typed(request), request.state.visit
        given = {name: form.get(name, "") for name in ("current", "wanted", "again")}
        if given["wanted"] != given["again"]:
            return await self._index(request, "The two new passwords differ.", status=422)
        if max(map(len, given.values())) > MOST_CHARACTERS:
            return await self._index(request, "The password is too long.", status=422)
        who = f"{request.state.principal.name}@{visit.address}"
        if await self.doors.counter.wait_s(LOGINS_PER_NAME, who):
            return await self._index(request, _BUSY, status=429)
        return await self._change(request, given["current"], given["wanted"])

    async def _change(self, request: Request, current: str, wanted: str) -> Response:
        principal, visit = request.state.principal, request.state.visit
        try:
            token = await self.doors.entrance.change_password(principal, current, wanted, visit)
        except UserRefused as refused:
            text = str(refused)
            return await self._index(request, f"{text[:1].upper()}{text[1:]}.", status=422)
        except Busy:
            return await self._index(request, _BUSY, status=503)
        if token is None:
            return await self._index(request, "The current password is wrong.", status=422)
        return await self.doors.come_in(request, token, _HERE)

    @route("/sessions/end", methods=["POST"], name="end-sessions")
    async def end_sessions(self, request: Request) -> Response:
        """Log every other browser out."""
        principal, visit = request.state.principal, request.state.visit
        ended = await to_thread.run_sync(self.doors.entrance.end_others, principal, visit)
        flash(request, f"{ended} other sessions were ended.", "success")
        return RedirectResponse(_HERE, 303)

    @route("/keys", methods=["POST"], name="make-key")
    async def make_key(self, request: Request) -> Response:
        """Make a key; it is in this answer and never again."""
        form = await request.form(max_fields=200, max_files=0)
        scopes = [f"{area}:{right}" for area in form.getlist("area")
                  for right in form.getlist("right")]  # fmt: skip
        days = str(form.get("days", ""))
        body = {"purpose": str(form.get("purpose", "")).strip(), "scopes": scopes,
                "days": int(days) if days.isdecimal() and len(days) < 9 else days}  # fmt: skip
        reply = await self.inner.ask(request, "POST", "/profile/keys", body=body)
        if reply.is_good:
            return await self._index(request, key=reply.body["key"])
        faults = "; ".join(f"{name}: {said}" for name, said in reply.faults.items())
        return await self._index(request, f"{reply.detail} {faults}", status=422)

    @route("/keys/{number:int}/end", methods=["POST"], name="end-key")
    async def end_key(self, request: Request) -> Response:
        """Take a key back at once."""
        path = at("/profile/keys/{}", request.path_params["number"])
        seen = await self.inner.ask(request, "GET", path)
        reply = await self.inner.ask(request, "DELETE", path, etag=seen.etag or "*")
        return self.done(request, reply, "The key was taken back.", _HERE)
