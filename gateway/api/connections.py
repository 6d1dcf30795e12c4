"""Connections to sales channels: make, look at, change, archive, test, sync."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.marketplace import rules
from ecom_assets.marketplace.model import FORMS, ConnectionRefused, Kind
from ecom_assets.marketplace.store import connections as store
from ecom_assets.marketplace.store import syncs
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_KEY, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.market_models import (
    ConnectionChangeGiven,
    ConnectionGiven,
    ConnectionShownTold,
    ConnectionTold,
    KindTold,
    SyncTold,
)
from gateway.api.values import Key, Wanted
from resources.addresses import AddressRefused, read_target
from resources.channels import ChannelsResource
from resources.sealing import SealingFailed

ROUTER = APIRouter(prefix="/marketplace", tags=["marketplace"])
PLACE = "/api/v1/marketplace/connections"

Reader = Annotated[Call, needs(Right.READ, "marketplace")]
Keeper = Annotated[Call, needs(Right.CONFIGURE, "marketplace")]
State = Literal["active", "paused", "archived"]

_LATEST = 10


def means() -> ChannelsResource:
    """How this server reaches channels, as its environment says now."""
    return ChannelsResource.of_environment()


@ROUTER.get("/kinds", summary="List kinds of connections", response_model=Page[KindTold])
def list_kinds(call: Reader) -> Any:
    """What each can do, what it needs, and why none can be made now if that is so."""
    return {"items": [_kind(kind, means()) for kind in Kind], "next": None}


def _kind(kind: Kind, reach: ChannelsResource) -> KindTold:
    form = FORMS[kind]
    return KindTold(
        kind=kind, about=form.about, capabilities=list(form.capabilities), address=form.address,
        credentials=dict(form.credentials), options=dict(form.options),
        problem=_problem(kind, reach),
    )  # fmt: skip


def _problem(kind: Kind, reach: ChannelsResource) -> str:
    if FORMS[kind].credentials:
        return reach.sealing.problem
    has_root = reach.root is not None and os.path.isdir(reach.root)
    return "" if has_root else "the server has no folder of channels (ECOM_CHANNEL_FOLDERS)"


@ROUTER.get("/connections", summary="List connections", response_model=Page[ConnectionTold])
def list_connections(
    call: Reader, channel: Wanted = None, kind: Kind | None = None, state: State | None = None,
    limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """In the order they were made; archived ones too."""
    asked = paging(limit, cursor, BY_KEY, "connections", channel, kind, state)
    after = asked.after[0] if asked.after else 0
    wanted = store.ConnectionFilter(channel, kind, state)
    rows = call.read(lambda conn: store.listed(conn, wanted, after, limit + 1))
    return asked.page(rows, told, ("connection_id",))


def told(row: Mapping[Any, Any]) -> ConnectionTold:
    """A connection as the API shows it."""
    same = ConnectionTold.model_fields.keys() & row.keys()
    return ConnectionTold(
        **{name: row[name] for name in same},
        capabilities=list(FORMS[Kind(row["kind"])].capabilities),
        has_credentials=row["credentials_set_at"] is not None,
        sync_wanted_at=row["wanted_at"], sync_begun_at=row["begun_at"],
        is_syncing=row["claimed_by"] is not None,
    )  # fmt: skip


@ROUTER.get("/connections/{connection_id}", summary="Show a connection",
            response_model=ConnectionShownTold)  # fmt: skip
def show_connection(call: Reader, connection_id: Key) -> Response:
    """How it does, with its latest syncs; its ETag is what a change needs."""

    def work(conn: sa.Connection) -> Answer:
        row = found(conn, connection_id)
        return _shown(conn, row)

    answer = call.read(work)
    return sent(200, answer.headers, answer.body())


def found(conn: sa.Connection, connection_id: int) -> dict[str, Any]:
    """A connection.

    Raises:
        Fault: there is none.
    """
    row = store.find(conn, connection_id)
    if row is None:
        raise missing(f"connection {connection_id}")
    return row


def _shown(conn: sa.Connection, row: Mapping[str, Any], status: int = 200) -> Answer:
    key = row["connection_id"]
    latest = [sync_told(each) for each in syncs.latest(conn, key, None, _LATEST)]
    shown = ConnectionShownTold(connection=told(row), syncs=latest)
    # Its version first: a change needs what people said, a cache also what syncs did.
    whole = tag_of(shown.model_dump(mode="json")).strip('"')
    tag = f'"{_version(row)}.{whole}"'
    headers = {"ETag": tag} | ({"Location": f"{PLACE}/{key}"} if status == 201 else {})
    return Answer(shown, status, headers)


def _version(row: Mapping[str, Any]) -> str:
    return f"{row['connection_id']}-{row['version']}"


def _locked(conn: sa.Connection, connection_id: int, if_match: str | None) -> dict[str, Any]:
    """A connection in use that stays as the caller saw it until the transaction ends."""
    store.lock(conn, connection_id)
    row = found(conn, connection_id)
    seen = if_match and ",".join(_seen(part) for part in if_match.split(","))
    require_match(seen, f'"{_version(row)}"')
    if row["state"] == "archived":
        raise Fault(409, "archived", "the connection is archived and stays as it is")
    return row


def _seen(tag: str) -> str:
    """The version of a tag, whatever syncs did since."""
    version, dot, _ = tag.strip().partition(".")
    return f'{version}"' if dot and version.startswith('"') else tag.strip()


def sync_told(row: Mapping[Any, Any]) -> SyncTold:
    """A sync as the API shows it."""
    return SyncTold(**{name: row[name] for name in SyncTold.model_fields})


@ROUTER.post("/connections", summary="Make a connection", status_code=201,
             response_model=ConnectionShownTold)  # fmt: skip
def make_connection(call: Keeper, given: ConnectionGiven, key: OnceKey = None) -> Response:
    """It is active at once; test it, or wait for its first sync."""
    reach = means()
    try:
        options = rules.checked_options(given.kind, given.options)
        credentials = _sealed(reach, given.kind, given.credentials or {})
        address = _address(reach, given.kind, given.address)
    except ConnectionRefused as refused:
        raise unfit(refused.member, "refused", str(refused)) from refused

    def work(conn: sa.Connection) -> Answer:
        try:
            made = store.add(conn, given.name, given.channel, given.kind, address, options,
                             credentials, call.principal.name, call.at)  # fmt: skip
        except store.AlreadyThere as taken:
            raise unfit(taken.member, "already_there", str(taken), 409) from taken
        return _shown(conn, found(conn, made), 201)

    return call.write_once(key, work)


def _sealed(reach: ChannelsResource, kind: Kind, given: Mapping[str, str]) -> str | None:
    checked = rules.checked_credentials(kind, given)
    if not checked:
        return None
    try:
        return reach.sealing.seal(checked)
    except SealingFailed as failed:
        said = f"secrets cannot be kept: {failed}"
        raise Fault(409, "no_key_for_secrets", said) from failed


def _address(reach: ChannelsResource, kind: Kind, address: str) -> str:
    if kind is Kind.FILE_FEED:
        return rules.checked_folder(address)
    try:
        read_target(address, reach.allowed)
    except AddressRefused as refused:
        raise ConnectionRefused("address", str(refused)) from refused
    return address.rstrip("/")


@ROUTER.patch("/connections/{connection_id}", summary="Change a connection",
              response_model=ConnectionShownTold)  # fmt: skip
def change_connection(
    call: Keeper, connection_id: Key, given: ConnectionChangeGiven, if_match: IfMatch = None
) -> Response:
    """What is left out stays. Another address needs the credentials again, lest they go astray."""
    reach = means()

    def work(conn: sa.Connection) -> Answer:
        row = _locked(conn, connection_id, if_match)
        try:
            values = _changes(reach, row, given)
            if values:
                store.change(conn, connection_id, call.at, **values)
        except ConnectionRefused as refused:
            raise unfit(refused.member, "refused", str(refused)) from refused
        except store.AlreadyThere as taken:
            raise unfit(taken.member, "already_there", str(taken), 409) from taken
        return _shown(conn, found(conn, connection_id))

    return call.write(work)


def _changes(
    reach: ChannelsResource, row: Mapping[str, Any], given: ConnectionChangeGiven
) -> dict[str, Any]:
    kind = Kind(row["kind"])
    values = given.model_dump(include={"name", "state"}, exclude_none=True)
    if given.options is not None:
        values["options"] = rules.checked_options(kind, given.options)
    if given.credentials is not None:
        values["credentials"] = _sealed(reach, kind, given.credentials)
    if given.address is not None and given.address != row["address"]:
        if row["credentials_set_at"] is not None and given.credentials is None:
            said = "must be given with another address"
            raise ConnectionRefused("credentials", said)
        values["address"] = _address(reach, kind, given.address)
    return values


@ROUTER.delete("/connections/{connection_id}", summary="Archive a connection",
               response_model=ConnectionShownTold)  # fmt: skip
def archive_connection(call: Keeper, connection_id: Key, if_match: IfMatch = None) -> Response:
    """It is never synced again, and its credentials are forgotten; what it brought stays."""

    def work(conn: sa.Connection) -> Answer:
        _locked(conn, connection_id, if_match)
        store.archive(conn, connection_id)
        return _shown(conn, found(conn, connection_id))

    return call.write(work)
