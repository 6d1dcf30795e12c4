"""The list of all screens, in the order of the menu."""

from __future__ import annotations

from collections.abc import Iterator

from starlette_admin.views import BaseView, DropDown, Link

from gateway.screens.inner import Inner
from gateway.screens.pages.account import Account, Doors
from gateway.screens.pages.approvals import Approvals
from gateway.screens.pages.quarantine import Quarantine
from gateway.screens.pages.rules import Rules
from gateway.screens.pages.status import Status
from gateway.screens.plain.people import AuditLog, Users
from resources.database import DatabaseResource


def views(inner: Inner, database: DatabaseResource, doors: Doors) -> Iterator[BaseView]:
    """Every screen; those that the user may not see are left out of the menu."""
    yield Approvals(inner)
    yield Quarantine(inner)
    yield Rules(inner)
    yield Status(inner)
    yield DropDown(
        "People", icon="fa-solid fa-users", always_open=False,
        views=[Users(inner, database), AuditLog(inner, database)],
    )  # fmt: skip
    yield Account(inner, doors)
    yield Link("Dagster", icon="fa-solid fa-diagram-project", url="/dagster")
    yield Link("API", icon="fa-solid fa-code", url="/api/v1/docs")
