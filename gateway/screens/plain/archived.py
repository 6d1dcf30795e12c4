"""Things that are archived instead of deleted: no new work takes them, what they did stays."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette_admin.actions import row_action

from gateway.screens.inner import at
from gateway.screens.view import ApiView

WAYS = ("archive", "restore")


class Archived(ApiView):
    """A screen with the actions that archive a thing and bring it back."""

    row_actions = ("view", "edit", *WAYS)

    async def is_row_action_allowed(self, request: Request, name: str) -> bool:
        """Whether the API would let the user do it."""
        if name in WAYS:
            return self.inner.may(request, "POST", at(f"{self.resource}/{{}}/{name}", "0"))
        return await super().is_row_action_allowed(request, name)

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """Only what is not so already."""
        if name in WAYS:
            return (not getattr(obj, "archived_at", None)) == (name == "archive")
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_action(name="archive", text="Archive", icon_class="fa-solid fa-box-archive",
                confirmation="No new work takes it from now on; what it did stays.",
                submit_btn_text="Archive")  # fmt: skip
    async def archive(self, request: Request, pk: Any) -> str:
        """Take it out of use."""
        await self.act(request, pk, "/{}/archive")
        return "It was archived."

    @row_action(name="restore", text="Restore", icon_class="fa-solid fa-rotate-left",
                confirmation="New work may take it again.", submit_btn_text="Restore")  # fmt: skip
    async def restore(self, request: Request, pk: Any) -> str:
        """Bring it back into use."""
        await self.act(request, pk, "/{}/restore")
        return "It is in use again."
