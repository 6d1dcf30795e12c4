"""Users and their roles; the audit log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import audit, links, users
from ecom_assets.backoffice.store.users import User, UserRefused
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.people_models import (
    EntryTold,
    LinkTold,
    UserAddedTold,
    UserChangeGiven,
    UserGiven,
    UserTold,
)
from gateway.api.values import Key, Wanted, WantedMoment

ROUTER = APIRouter()

Admin = Annotated[Call, needs(Right.ADMINISTER, "backoffice")]


def told(user: User) -> UserTold:
    """A user as the API shows it."""
    return UserTold(**asdict(user))


def tag(user: User) -> str:
    """The ETag of a user."""
    return tag_of("user", user.user_id, user.version)


def locked(conn: sa.Connection, user_id: int, if_match: str | None) -> User:
    """A user that stays as the caller saw it until the transaction ends.

    Raises:
        Fault: there is none, or it has changed.
    """
    try:
        found = users.lock_user(conn, user_id)
    except LookupError as error:
        raise missing(f"user {user_id}") from error
    require_match(if_match, tag(found))
    return found


def answered(user: User) -> Answer:
    """A user that was changed."""
    return Answer(told(user), headers={"ETag": tag(user)})


@ROUTER.get("/users", tags=["users"], summary="List users", response_model=Page[UserTold])
def list_users(call: Admin, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """In the order they were added."""
    asked = paging(limit, cursor, BY_KEY, "users")
    after = asked.after[0] if asked.after else 0
    rows = call.read(lambda conn: users.list_users(conn, after, limit + 1))
    return asked.page([asdict(row) for row in rows], lambda row: UserTold(**row), ("user_id",))


@ROUTER.get("/users/{user_id}", tags=["users"], summary="Show a user", response_model=UserTold)
def show_user(call: Admin, user_id: Key) -> Response:
    """Its ETag is what a change needs."""
    try:
        found = call.read(lambda conn: users.user(conn, user_id))
    except LookupError as error:
        raise missing(f"user {user_id}") from error
    answer = answered(found)
    return sent(200, answer.headers, answer.body())


@ROUTER.post("/users", tags=["users"], summary="Add a user", status_code=201,
             response_model=UserAddedTold)  # fmt: skip
def add_user(call: Admin, request: Request, given: UserGiven) -> Response:
    """The answer has the link by which the person sets a password."""

    def work(conn: sa.Connection) -> Answer:
        try:
            made = users.add_user(conn, given.name, given.roles, call.at, given.full_name,
                                  given.email)  # fmt: skip
        except UserRefused as refused:
            raise unfit(refused.field, "refused", str(refused)) from refused
        link = _welcome(request, links.link_for(conn, made.user_id, call.at))
        headers = {"ETag": tag(made), "Location": f"/api/v1/users/{made.user_id}",
                   "Cache-Control": "no-store"}  # fmt: skip
        return Answer(UserAddedTold(user=told(made), link=link), 201, headers)

    return call.write(work)


@ROUTER.patch("/users/{user_id}", tags=["users"], summary="Change a user",
              response_model=UserTold)  # fmt: skip
def change_user(
    call: Admin, user_id: Key, given: UserChangeGiven, if_match: IfMatch = None
) -> Response:
    """Other roles end the user's sessions; the last admin stays one."""

    def work(conn: sa.Connection) -> Answer:
        locked(conn, user_id, if_match)
        try:
            changed = users.change_user(conn, user_id, call.at, **given.model_dump())
        except UserRefused as refused:
            raise unfit(refused.field, "refused", str(refused), 409) from refused
        return answered(changed)

    return call.write(work)


@ROUTER.post("/users/{user_id}/link", tags=["users"], summary="Make a link to set a password",
             response_model=LinkTold)  # fmt: skip
def make_link(call: Admin, request: Request, user_id: Key) -> Response:
    """Such as when it was forgotten; older links end."""

    def work(conn: sa.Connection) -> Answer:
        try:
            found = users.user(conn, user_id)
        except LookupError as error:
            raise missing(f"user {user_id}") from error
        token = links.link_for(conn, user_id, call.at)
        audit.record(conn, call.actor, "make_link", f"users/{found.name}")
        headers = {"Cache-Control": "no-store"}
        return Answer(LinkTold(link=_welcome(request, token)), headers=headers)

    return call.write(work)


def _welcome(request: Request, token: str) -> str:
    return f"{request.app.state.public_url}/welcome/{token}"


@ROUTER.get("/audit", tags=["audit"], summary="List entries of the audit log",
            response_model=Page[EntryTold])  # fmt: skip
def list_entries(
    call: Admin,
    actor: Wanted = None,
    action: Wanted = None,
    subject: Wanted = None,
    outcome: Literal["done", "refused", "failed"] | None = None,
    request_id: Wanted = None,
    since: WantedMoment = None,
    until: WantedMoment = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:
    """The newest first; entries are added and never changed."""
    wanted = audit.EntryFilter(actor, action, subject, outcome, request_id, since, until)
    asked = paging(limit, cursor, BY_KEY, "audit", wanted)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: audit.entries(conn, wanted, before, limit + 1))
    return asked.page(rows, lambda row: EntryTold(**row), ("audit_entry_id",))
