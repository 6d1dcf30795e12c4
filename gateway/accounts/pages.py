"""Pages for coming in and going out."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ecom_assets.backoffice.passwords import FEWEST_CHARACTERS, MOST_CHARACTERS
from ecom_assets.backoffice.store.users import UserRefused
from gateway.accounts.entrance import Entrance, Visit
from gateway.accounts.identity import own_path
from gateway.accounts.turns import Busy
from gateway.limits import LOGINS_PER_ADDRESS, LOGINS_PER_NAME, Counter
from gateway.rendering import page
from gateway.settings import GatewaySettings

_WRONG = "The name or the password is wrong."
_BUSY = "Too many people log in at this moment. Please try again in a few seconds."
_NO_LINK = "This link was used already or has expired. Ask an admin for a new one."


class LoginPages:
    """Login, logout, and setting a password by a link."""

    def __init__(self, entrance: Entrance, counter: Counter, settings: GatewaySettings) -> None:
        """Pages over an entrance."""
        self._entrance, self._counter, self._settings = entrance, counter, settings

    def routes(self) -> list[Route]:
        """Where the pages are."""
        return [
            Route("/login", self.show_login, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/welcome/{link}", self.show_welcome, methods=["GET"]),
            Route("/welcome/{link}", self.welcome, methods=["POST"]),
            Route("/begin/{link}", self.show_begin, methods=["GET"]),
            Route("/begin/{link}", self.begin, methods=["POST"]),
        ]

    async def show_login(self, request: Request) -> Response:
        """The form; who is in already goes on."""
        target = own_path(request.query_params.get("next"))
        if request.state.principal:
            return RedirectResponse(target, 303)
        return self._login(request, target)

    async def log_in(self, request: Request) -> Response:
        """Compare name and password, and start a session."""
        form = await request.form(max_fields=10, max_files=0, max_part_size=10_000)
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        target = own_path(str(form.get("next", "")))
        wait_s = await self._wait_s(request.state.visit.address, name)
        if wait_s:
            minutes = -(-wait_s // 60)
            problem = f"Too many attempts. Please try again in {minutes} minutes."
            return self._login(request, target, name, problem, 429, {"Retry-After": str(wait_s)})
        if len(password) > MOST_CHARACTERS:
            return self._login(request, target, name, _WRONG, 401)
        try:
            token = await self._entrance.log_in(name, password, request.state.visit)
        except Busy:
            return self._login(request, target, name, _BUSY, 503, {"Retry-After": "5"})
        if token is None:
            return self._login(request, target, name, _WRONG, 401)
        return await self.come_in(request, token, target)

    async def come_in(self, request: Request, token: str, target: str) -> Response:
        """Go on with a new session; the one shown before ends, so that none can be planted."""
        await self._forget(request)
        answer = RedirectResponse(target, 303)
        answer.set_cookie(
            self._settings.cookie, token, path="/", httponly=True, samesite="lax",
            secure=self._settings.is_secure,
            max_age=int(self._settings.lasting.at_most.total_seconds()),
        )  # fmt: skip
        return answer

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        await self._forget(request)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(
            self._settings.cookie, path="/", httponly=True, samesite="lax",
            secure=self._settings.is_secure,
        )  # fmt: skip
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    async def show_welcome(self, request: Request) -> Response:
        """The form that sets a password; the link is used up by sending it only."""
        return await self._welcome(request, None, 200)

    async def welcome(self, request: Request) -> Response:
        """Set the password and start a session."""
        visit: Visit = request.state.visit
        wait_s = await self._counter.wait_s(LOGINS_PER_ADDRESS, visit.address)
        if wait_s:
            return await self._welcome(request, _BUSY, 429)
        form = await request.form(max_fields=10, max_files=0, max_part_size=10_000)
        password = str(form.get("password", ""))
        if password != str(form.get("again", "")):
            return await self._welcome(request, "The two passwords differ.", 422)
        link = request.path_params["link"]
        try:
            token = await self._entrance.follow_link(link, password, visit)
        except UserRefused as refused:
            return await self._welcome(request, _sentence(refused), 422)
        except Busy:
            return await self._welcome(request, _BUSY, 503)
        if token is None:
            return await self._welcome(request, None, 410)
        return await self.come_in(request, token, "/")

    async def show_begin(self, request: Request) -> Response:
        """The form by which the first admin comes in."""
        return await self._begin(request, {}, None, 200)

    async def begin(self, request: Request) -> Response:
        """Add the first admin and start a session."""
        visit: Visit = request.state.visit
        if await self._counter.wait_s(LOGINS_PER_ADDRESS, visit.address):
            return await self._begin(request, {}, _BUSY, 429)
        form = await request.form(max_fields=10, max_files=0, max_part_size=10_000)
        given = {name: str(form.get(name, "")) for name in ("name", "full_name")}
        password = str(form.get("password", ""))
        if password != str(form.get("again", "")):
            return await self._begin(request, given, "The two passwords differ.", 422)
        try:
            token = await self._entrance.begin(
                request.path_params["link"], given["name"], given["full_name"], password, visit
            )
        except UserRefused as refused:
            return await self._begin(request, given, _sentence(refused), 422)
        except Busy:
            return await self._begin(request, given, _BUSY, 503)
        if token is None:
            return await self._begin(request, given, None, 410)
        return await self.come_in(request, token, "/")

    async def _forget(self, request: Request) -> None:
        token = request.cookies.get(self._settings.cookie)
        if token and request.state.principal:
            visit, principal = request.state.visit, request.state.principal
            await to_thread.run_sync(self._entrance.log_out, token, principal, visit)

    async def _wait_s(self, address: str, name: str) -> int:
        by_address = await self._counter.wait_s(LOGINS_PER_ADDRESS, address)
        # Also by name: many addresses may try one user. Others cannot lock a user out from where
        # that user comes, for the count is per name and address.
        return by_address or await self._counter.wait_s(
            LOGINS_PER_NAME, f"{name.strip().lower()[:100]}@{address}"
        )

    def _login(
        self, request: Request, target: str, name: str = "", problem: str = "", status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:  # fmt: skip
        shown: dict[str, Any] = {
            "target": target, "name": name[:100], "problem": problem,
            "provider": self._settings.oidc is not None,
        }  # fmt: skip
        return page(request, "login.html", shown, status, headers)

    async def _welcome(self, request: Request, problem: str | None, status: int) -> Response:
        link = request.path_params["link"]
        user = await to_thread.run_sync(self._entrance.owner_of_link, link)
        if user is None:
            return page(request, "message.html", {"title": "No way in", "text": _NO_LINK}, 410)
        shown = {"user": user, "problem": problem, "fewest": FEWEST_CHARACTERS}
        return page(request, "welcome.html", shown, status)

    async def _begin(
        self, request: Request, given: dict[str, str], problem: str | None, status: int
    ) -> Response:
        link = request.path_params["link"]
        if not await to_thread.run_sync(self._entrance.is_first_link, link):
            return page(request, "message.html", {"title": "No way in", "text": _NO_LINK}, 410)
        shown = {"given": {"name": "", "full_name": "", **given}, "problem": problem,
                 "fewest": FEWEST_CHARACTERS}  # fmt: skip
        return page(request, "begin.html", shown, status)


def _sentence(refused: UserRefused) -> str:
    text = str(refused)
    return f"{text[:1].upper()}{text[1:]}."
