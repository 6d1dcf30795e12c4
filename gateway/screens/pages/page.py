"""What pages of our own share: templates in the frame, calls of the API, messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin.flash import flash
from starlette_admin.views import CustomView

from ecom_assets.backoffice.roles import Right
from gateway.screens.inner import Inner, Reply


class Page(CustomView):
    """A page.

    Attributes:
        right: right that lets people see it; keys of programs see no page.
    """

    right: Right = Right.READ

    def __init__(self, inner: Inner) -> None:
        """A page over the API."""
        super().__init__()
        self.inner = inner

    def is_accessible(self, request: Request) -> bool:
        """Whether the user may see it."""
        return self.right in request.state.principal.rights

    def show(
        self, request: Request, template: str, shown: Mapping[str, Any], status: int = 200
    ) -> Response:
        """Render a template in the frame."""
        assert self._admin is not None  # noqa: S101 - set by the library when it is added
        around = {"title": self.title(request), "page": self}
        answer: Response = self._admin._template_response(
            request, template, {**around, **shown}, status
        )
        return answer

    def done(self, request: Request, reply: Reply, said: str, target: str) -> Response:
        """Say what became of a change, and go on to a page."""
        if reply.is_good:
            flash(request, said, "success")
        else:
            faults = [f"{name}: {why}" for name, why in reply.faults.items()]
            flash(request, "; ".join([reply.detail, *faults]), "error")
        return self.goes(target)

    @staticmethod
    def goes(target: str) -> Response:
        """Go on to a page of the screens."""
        return RedirectResponse(target, 303)


async def typed(request: Request) -> dict[str, str]:
    """The fields of a form, as text."""
    form = await request.form(max_fields=200, max_files=2, max_part_size=4_000_000)
    return {name: value for name, value in form.items() if isinstance(value, str)}
