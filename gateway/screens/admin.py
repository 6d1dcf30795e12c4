"""The screens as one application, mounted behind the login."""

from __future__ import annotations

import secrets
from typing import ClassVar

from jinja2 import PrefixLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette_admin.auth import AdminUser, BaseAuthProvider
from starlette_admin.base import BaseAdmin
from starlette_admin.i18n import TimezoneConfig
from starlette_admin.theme import ClassMap, DefaultTheme

from ecom_assets.backoffice.roles import Right
from gateway.rendering import FOLDER
from gateway.screens.frame import Messages, NoncedTemplates, Policy, Tokens, moment
from gateway.screens.inner import Inner
from gateway.screens.menu import views
from gateway.screens.pages.account import Doors
from gateway.screens.pages.start import Start
from gateway.settings import GatewaySettings
from resources.database import DatabaseResource

PREFIX = "/screens"


class _Known(BaseAuthProvider):
    """The user that the entrance has let in already."""

    async def authenticate(self, request: Request) -> AdminUser:
        principal = request.state.principal
        return AdminUser(principal.full_name or principal.name)


class _Classes(ClassMap):
    """Going back is not shown as a danger."""

    classes: ClassVar[dict[str, str]] = {"form.cancel_button": "btn btn-animate-icon"}


class _Look(DefaultTheme):
    """The library's own look, with our classes."""

    def get_class_map(self) -> ClassMap:
        return _Classes()


class _Screens(BaseAdmin):
    """The library's frame, with the entrance's own tokens in the place of its cookies."""

    cookie: str

    def _init_csrf(self) -> None:
        self.middlewares.append(Middleware(Tokens, cookie=self.cookie))


def add_screens(
    app: Starlette,
    settings: GatewaySettings,
    database: DatabaseResource,
    inner: Inner,
    doors: Doors,
) -> None:
    """Mount the screens over the API and the tables."""
    kind = type("Screens", (_Screens,), {"cookie": settings.cookie})
    screens: BaseAdmin = kind(
        title="Operations", base_url=PREFIX, route_name="screens",
        templates_dir=str(FOLDER / "templates" / "screens"),
        additional_loaders=[PrefixLoader({"library": NoncedTemplates()}), NoncedTemplates()],
        static_dir=None, index_view=Start(inner),
        favicon_url="/static/icon.svg",
        theme=_Look(), auth_provider=_Known(),
        middlewares=[Middleware(Policy), *([Middleware(Messages)] if settings.is_secure else [])],
        # Shown to the browser for minutes; a new key at each start forgets such messages only.
        secret_key=secrets.token_hex(32),
        timezone_config=TimezoneConfig(use_user_locale_timezone=False),
    )  # fmt: skip
    shown = screens.templates.env
    shown.globals["may"] = lambda request, right: Right(right) in request.state.principal.rights
    shown.filters["moment"] = moment
    for view in views(inner, database, doors):
        screens.add_view(view)
    screens.mount_to(app)
