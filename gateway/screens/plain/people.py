"""Users, and the log of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette_admin.actions import row_action
from starlette_admin.fields import BooleanField, EmailField, StringField
from starlette_admin.flash import flash

from ecom_assets.backoffice.roles import Right, Role
from ecom_assets.backoffice.tables import AUDIT_ENTRIES, USERS
from gateway.screens.fields import Choices, Document, Moment, Text
from gateway.screens.inner import Reply
from gateway.screens.listing import Listing
from gateway.screens.view import ApiView

_MOST_DIGITS = 18
_ROLES = {
    Role.VIEWER: "Viewer: looks at everything",
    Role.ANALYST: "Analyst: that, and takes whole tables away",
    Role.OPERATOR: "Operator: does the day's work, starts runs, changes configuration",
    Role.APPROVER: "Approver: accepts what somebody else proposed",
    Role.ADMIN: "Admin: everything, users too",
}


class Email(EmailField):
    """An address, or none, which is no link."""

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """None where there is no address."""
        return value or None


class Users(ApiView):
    """Users and their roles."""

    key = "users"
    display_name = "user"
    menu_label = "Users"
    icon = "fa-solid fa-user"
    resource = "/users"
    area = "backoffice"
    right = Right.ADMINISTER
    fixed = ("user_id", "name")
    named = "name"
    listing = Listing(
        sa.select(USERS.c.user_id, USERS.c.name, USERS.c.full_name, USERS.c.email, USERS.c.roles,
                  USERS.c.is_active, USERS.c.created_at),
        "user_id", ("name", "full_name", "email"), ("name",),
    )  # fmt: skip
    fields = (
        StringField("user_id", label="Number", read_only=True, exclude_from_list=True,
                    exclude_from_create=True),
        StringField("name", label="Name at login", required=True, maxlength=100),
        Text("full_name", label="Full name", maxlength=200),
        Email("email", label="E-mail", maxlength=320),
        Choices("roles", label="Roles", multiple=True, select2=False,
                  choices=list(_ROLES.items()), help_text="Several add up; hold Ctrl to choose."),
        BooleanField("is_active", label="May log in", exclude_from_create=True),
        Moment("created_at", label="Added (UTC)", read_only=True, exclude_from_create=True,
                      exclude_from_edit=True),
    )  # fmt: skip

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """Text that was left empty is empty text."""
        sent = super().body(data, is_new=is_new)
        return sent | {name: sent.get(name) or "" for name in ("full_name", "email")}

    def made(self, reply: Reply) -> Mapping[str, Any]:
        """The answer has the user beside the link."""
        told: Mapping[str, Any] = reply.body["user"]
        return told

    def added(self, request: Request, reply: Reply) -> None:
        """The link is shown once; it is how the person sets a password."""
        flash(request, _send(reply.body["user"]["name"], reply.body["link"]), "info")

    @row_action(name="link", text="Make a link to set a password", icon_class="fa-solid fa-key",
                confirmation="Older links of this user end. The new one is shown once.",
                submit_btn_text="Make the link")  # fmt: skip
    async def link(self, request: Request, pk: Any) -> str:
        """A new link, such as when a password was forgotten."""
        told = await self.act(request, pk, "/{}/link")
        return f"The link, shown once: {told['link']}"


def _send(name: str, link: str) -> str:
    return f"Send {name} this link to set a password; it is shown this once: {link}"


class AuditLog(ApiView):
    """Who did what; entries are added by the database and never changed."""

    key = "audit"
    display_name = "entry"
    menu_label = "Audit log"
    icon = "fa-solid fa-clipboard-list"
    resource = "/audit"
    area = "backoffice"
    right = Right.ADMINISTER
    change = ""
    page_size = 50
    listing = Listing(
        sa.select(*AUDIT_ENTRIES.c["audit_entry_id", "recorded_at", "actor", "via", "action",
                                  "subject", "outcome", "detail", "address"]),
        "audit_entry_id", ("actor", "action", "subject", "outcome", "detail"),
        ("-audit_entry_id",),
    )  # fmt: skip
    fields = (
        StringField("audit_entry_id", label="Number", exclude_from_list=True),
        Moment("recorded_at", label="When (UTC)"),
        StringField("actor", label="Who"),
        StringField("via", label="By"),
        StringField("action", label="What"),
        StringField("subject", label="On what"),
        StringField("outcome", label="Outcome"),
        Text("detail", label="Why", exclude_from_list=True),
        Text("address", label="From", exclude_from_list=True),
        Document("before", label="Before", exclude_from_list=True),
        Document("after", label="After", exclude_from_list=True),
    )

    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        """One entry, with before and after; the API lists them only."""
        if not str(pk).isdecimal() or len(str(pk)) > _MOST_DIGITS:
            return None
        return await self._read(_entry, int(pk))


def _entry(conn: sa.Connection, number: int) -> Any:
    found = sa.select(AUDIT_ENTRIES).where(AUDIT_ENTRIES.c.audit_entry_id == number)
    return conn.execute(found).one_or_none()
