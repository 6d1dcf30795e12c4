"""Login by a company's OIDC provider: authorization code with PKCE, state and nonce (Authlib).

The provider's groups say the roles, anew at every login. A user is bound to what the provider calls
it, never to an e-mail address or a name, which other people may get some day.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

import httpx2
from anyio import to_thread
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, Router

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store.users import UserRefused
from gateway.accounts.entrance import Claims, Entrance
from gateway.accounts.identity import own_path
from gateway.accounts.pages import LoginPages
from gateway.rendering import page
from gateway.settings import GatewaySettings, Oidc

PATH = "/login/oidc"
WAIT_S = 10.0
LASTS_S = 600
"""Seconds between leaving for the provider and coming back."""

_SIGNED_BY = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}
"""Signatures by a key of the provider's own; others would prove nothing."""

_LOG = logging.getLogger("gateway.oidc")


class ProviderRefused(Exception):
    """The provider's answer is no good, or lets nobody in; the message is for the person."""


class OidcPages:
    """Leaving for the provider and coming back."""

    def __init__(
        self, entrance: Entrance, pages: LoginPages, settings: GatewaySettings, oidc: Oidc
    ) -> None:
        """Pages for one provider."""
        self._entrance, self._pages, self._settings, self._oidc = entrance, pages, settings, oidc
        self._client = OAuth().register(
            "company", client_id=oidc.client_id, client_secret=oidc.client_secret,
            server_metadata_url=f"{oidc.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email groups",
                           "code_challenge_method": "S256", "timeout": WAIT_S},
        )  # fmt: skip

    def route(self) -> Mount:
        """Where the pages are, with a cookie of their own for what must be remembered."""
        routes = [Route("/", self.leave), Route("/back", self.come_back)]
        prefix = "__Secure-" if self._settings.is_secure else ""
        remembering = SessionMiddleware(
            # What it remembers is of minutes; after a restart people begin again.
            Router(routes), secrets.token_urlsafe(32), session_cookie=f"{prefix}ecom-oidc",
            max_age=LASTS_S, path=PATH, same_site="lax", https_only=self._settings.is_secure,
        )  # fmt: skip
        return Mount(PATH, remembering)

    async def leave(self, request: Request) -> Response:
        """Send the browser to the provider."""
        request.session.clear()
        request.session["next"] = own_path(request.query_params.get("next"))
        try:
            await self._load()
            back = f"{self._settings.public_url}{PATH}/back"
            answer: Response = await self._client.authorize_redirect(request, back)
        except (ProviderRefused, httpx2.HTTPError, AuthlibBaseError, ValueError) as error:
            return self._no_way(request, error)
        return answer

    async def come_back(self, request: Request) -> Response:
        """Read what the provider says and start a session."""
        target = own_path(request.session.get("next"))
        try:
            await self._load()
            token = await self._client.authorize_access_token(request)
            claims = self._claims(token.get("userinfo"))
            found = await to_thread.run_sync(
                self._entrance.let_in_by_provider, claims, request.state.visit
            )
        except (ProviderRefused, UserRefused, httpx2.HTTPError, AuthlibBaseError, JoseError,
                ValueError) as error:  # fmt: skip
            return self._no_way(request, error)
        request.session.clear()
        answer = await self._pages.come_in(request, found, target)
        assert isinstance(answer, RedirectResponse)  # noqa: S101 - what come_in makes
        return answer

    async def _load(self) -> None:
        """Load what the provider says of itself, and believe only what is safe."""
        metadata = await self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._oidc.issuer:
            raise ProviderRefused("the login provider calls itself by another name")
        algorithms = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [
            name for name in algorithms if name in _SIGNED_BY
        ]

    def _claims(self, given: Mapping[str, Any] | None) -> Claims:
        if not given or not given.get("sub"):
            raise ProviderRefused("the login provider did not say who you are")
        groups = given.get(self._oidc.groups_claim) or []
        names = [groups] if isinstance(groups, str) else list(groups)
        roles = sorted({self._oidc.roles[name] for name in names if name in self._oidc.roles})
        if not roles:
            raise ProviderRefused("none of your groups has a role here; ask an admin")
        return Claims(
            self._oidc.issuer, str(given["sub"]), _name(given), str(given.get("name") or ""),
            str(given.get("email") or ""), tuple(Role(role) for role in roles),
        )  # fmt: skip

    def _no_way(self, request: Request, error: Exception) -> Response:
        # In quotes, for the text may come from the address of whoever called.
        _LOG.warning("no login by the provider: %s: %r", type(error).__name__, str(error)[:500])
        is_told = isinstance(error, ProviderRefused | UserRefused)
        text = str(error) if is_told else "the login provider could not be used; try again"
        shown = {"title": "You could not be logged in", "text": f"{text[:1].upper()}{text[1:]}."}
        return page(request, "message.html", shown, 403 if is_told else 502)


def _name(given: Mapping[str, Any]) -> str:
    """What the user is called here: the first of what a provider may say."""
    return str(given.get("preferred_username") or given.get("email") or given["sub"])
