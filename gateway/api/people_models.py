"""What the API tells of users, keys and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ecom_assets.backoffice.roles import Right, Role
from gateway.api.values import Given, Name, Note, Told

Roles = Annotated[
    list[Annotated[Role, Field(strict=False)]],
    Field(max_length=len(Role)),
    AfterValidator(lambda roles: sorted(set(roles))),
]


class UserTold(Told):
    """A user."""

    user_id: int
    name: str
    full_name: str
    email: str
    roles: list[Role]
    is_active: bool
    has_password: bool
    issuer: str | None = Field(description="OIDC provider that vouches for the user.")
    version: int
    created_at: datetime


class UserGiven(Given):
    """A user to add."""

    name: Annotated[Name, Field(max_length=100)] = Field(description="What is entered at login.")
    roles: Roles = Field(description="Several add up.")
    full_name: Annotated[Note, Field(max_length=200)] = ""
    email: Annotated[Note, Field(max_length=320)] = ""


class UserAddedTold(Told):
    """A user that was added, and how the person comes in."""

    user: UserTold
    link: str = Field(description="Lets the person set a password once, within a day.")


class LinkTold(Told):
    """A link by which a user sets a password."""

    link: str


class UserChangeGiven(Given):
    """What changes of a user; what is left out stays."""

    roles: Roles | None = None
    is_active: bool | None = None
    full_name: Annotated[Note, Field(max_length=200)] | None = None
    email: Annotated[Note, Field(max_length=320)] | None = None


class ProfileGiven(Given):
    """What users change of themselves."""

    full_name: Annotated[Note, Field(max_length=200)] | None = None
    email: Annotated[Note, Field(max_length=320)] | None = None


class ProfileTold(UserTold):
    """Who calls, and what the caller may do."""

    via: str
    rights: list[Right] = Field(description="What the roles give.")
    scopes: list[str] | None = Field(description="What the key leaves of that; null for a login.")


class KeyTold(Told):
    """An API key; the key itself is shown once, when it is made."""

    api_key_id: int
    key_name: str = Field(description="The part of the key that may be seen.")
    user_id: int
    purpose: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


class KeyGiven(Given):
    """An API key to make."""

    purpose: Name = Field(description="What it is for.")
    scopes: list[Name] = Field(
        min_length=1, max_length=100, examples=[["orders:read", "inventory:operate"]],
        description="area:right; * is every area. The roles of the user bound it as well.",
    )  # fmt: skip
    days: Annotated[int, Field(ge=1, le=366)] = Field(default=90, description="How long it lasts.")


class KeyMadeTold(Told):
    """An API key that was made."""

    api_key_id: int
    key: str = Field(description="Shown now and never again.")


class EntryTold(Told):
    """An entry of the audit log."""

    audit_entry_id: int
    actor: str
    via: str
    action: str
    subject: str
    outcome: Literal["done", "refused", "failed"]
    detail: str
    before: Any
    after: Any
    address: str
    request_id: str
    transaction: int = Field(description="Joins what was done at once.")
    recorded_at: datetime
