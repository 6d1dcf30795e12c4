"""The caller: who it is, what it may do, its API keys."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import api_keys, users
from ecom_assets.backoffice.store.users import UserRefused
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import ANY_AREA, Call, IfMatch, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.people_models import (
    KeyGiven,
    KeyMadeTold,
    KeyTold,
    ProfileGiven,
    ProfileTold,
    UserTold,
)
from gateway.api.users import answered, locked, tag
from gateway.api.values import Key

ROUTER = APIRouter(prefix="/profile", tags=["profile"])

Anyone = Annotated[Call, needs(Right.READ, ANY_AREA)]


@ROUTER.get("", summary="Show who calls", response_model=ProfileTold)
def show_profile(call: Anyone) -> Response:
    """With the rights of the caller's roles, and what the key leaves of them."""
    found = call.read(lambda conn: users.user(conn, call.principal.user_id))
    scopes = None if call.principal.scopes is None else sorted(call.principal.scopes)
    shown = ProfileTold(**asdict(found), via=call.principal.via, scopes=scopes,
                        rights=sorted(call.principal.rights))  # fmt: skip
    return sent(200, {"ETag": tag(found)}, shown.model_dump_json())


@ROUTER.patch("", summary="Change one's own name and address", response_model=UserTold)
def change_profile(call: Anyone, given: ProfileGiven, if_match: IfMatch = None) -> Response:
    """What is left out stays."""
    _refuse_keys(call)

    def work(conn: sa.Connection) -> Answer:
        mine = call.principal.user_id
        locked(conn, mine, if_match)
        return answered(users.change_user(conn, mine, call.at, **given.model_dump()))

    return call.write(work)


@ROUTER.get("/keys", summary="List one's own API keys", response_model=Page[KeyTold])
def list_keys(call: Anyone, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """In the order they were made, also those that have ended."""
    asked = paging(limit, cursor, BY_KEY, "keys", call.principal.user_id)
    after = asked.after[0] if asked.after else 0
    mine = call.principal.user_id
    rows = call.read(lambda conn: api_keys.keys_of(conn, mine, after, limit + 1))
    return asked.page(rows, lambda row: KeyTold(**row), ("api_key_id",))


@ROUTER.get("/keys/{api_key_id}", summary="Show an API key", response_model=KeyTold)
def show_key(call: Anyone, api_key_id: Key) -> Response:
    """Its ETag is what taking it back needs."""
    row = call.read(lambda conn: api_keys.key_of(conn, call.principal.user_id, api_key_id))
    if row is None:
        raise missing(f"key {api_key_id}")
    return sent(200, {"ETag": _tag(row)}, KeyTold(**row).model_dump_json())


@ROUTER.post("/keys", summary="Make an API key", status_code=201, response_model=KeyMadeTold)
def make_key(call: Anyone, given: KeyGiven) -> Response:
    """For a login only: a key makes no keys. The key is shown in this answer and never again."""
    _refuse_keys(call)

    def work(conn: sa.Connection) -> Answer:
        lasts = timedelta(days=given.days)
        try:
            number, key = api_keys.make_key(
                conn, call.principal.user_id, given.purpose, given.scopes, call.at, lasts
            )
        except UserRefused as refused:
            raise unfit(refused.field, "refused", str(refused)) from refused
        headers = {"Location": f"/api/v1/profile/keys/{number}", "Cache-Control": "no-store"}
        return Answer(KeyMadeTold(api_key_id=number, key=key), 201, headers)

    return call.write(work)


@ROUTER.delete("/keys/{api_key_id}", summary="Take an API key back", response_model=KeyTold)
def revoke_key(call: Anyone, api_key_id: Key, if_match: IfMatch = None) -> Response:
    """It stops working at once; the row stays, for the audit log names it."""
    _refuse_keys(call)

    def work(conn: sa.Connection) -> Answer:
        mine = call.principal.user_id
        row = api_keys.key_of(conn, mine, api_key_id, is_locked=True)
        if row is None:
            raise missing(f"key {api_key_id}")
        require_match(if_match, _tag(row))
        api_keys.revoke_key(conn, api_key_id, call.at)
        return Answer(KeyTold(**(api_keys.key_of(conn, mine, api_key_id) or row)))

    return call.write(work)


def _tag(row: sa.RowMapping) -> str:
    # When it was used last is no part of what a caller decides about.
    return tag_of("key", row["api_key_id"], row["revoked_at"], row["expires_at"])


def _refuse_keys(call: Call) -> None:
    if call.principal.via == "api_key":
        raise Fault(403, "login_needed", "this needs a login; a key may not do it")
