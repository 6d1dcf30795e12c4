"""What a route needs and what it gets: who asks, the moment, and transactions that know both."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from anyio import to_thread
from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from ecom_assets.backoffice.roles import Principal, Right
from ecom_assets.backoffice.store.acting import Actor, act
from ecom_assets.backoffice.store.audit import REFUSED
from ecom_assets.backoffice.store.idempotency import Answered, KeyBusy, KeyReused, once
from gateway.accounts.entrance import Entrance, actor_of
from gateway.api.answers import Answer, sent
from gateway.api.faults import Fault, unfit
from resources.database import DatabaseResource
from resources.retry import retried

T = TypeVar("T")

ANY_AREA = "?"
"""For routes over several areas, which ask `Call.require` for the one it comes to."""

OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$",
        description="Your name for this request: sent again within 24 hours it happens once, and"
        " gets the first answer.",
    ),
]  # fmt: skip
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1000, description="ETag of what you change."),
]

_READ_ONLY = sa.text("SET TRANSACTION READ ONLY")


@dataclass(frozen=True, slots=True)
class Need:
    """A right in an area."""

    right: Right
    area: str

    def is_met(self, principal: Principal) -> bool:
        """Whether somebody has it; of any area, where the route says so."""
        if self.area != ANY_AREA:
            return principal.may(self.right, self.area)
        scoped = principal.scopes is None or any(
            scope.partition(":")[2] == self.right for scope in principal.scopes
        )
        return scoped and self.right in principal.rights


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may do what its route does.

    Attributes:
        principal: who asks.
        actor: the same, as the audit log names it.
        at: the moment, read once.
        database: where it happens.
        request_hash: tells requests apart that are named alike.
        path: what was called.
        entrance: where refusals are recorded.
    """

    principal: Principal
    actor: Actor
    at: datetime
    database: DatabaseResource
    request_hash: str
    path: str
    entrance: Entrance

    @property
    def run(self) -> str:
        """What stands in the place of a run's id where a person does something."""
        return f"api-{self.actor.request_id}"

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read in one transaction, again where the database lost it."""

        def reading() -> T:
            with self.database.begin() as conn:
                conn.execute(_READ_ONLY)
                return work(conn)

        return retried(reading)

    def trial(self, work: Callable[[sa.Connection], T]) -> T:
        """Work out what would be, with statements that write; nothing of it stays."""

        def trying() -> T:
            with self.database.begin() as conn:
                act(conn, self.actor)
                point = conn.begin_nested()
                try:
                    return work(conn)
                finally:
                    # A connection that is lost has undone it by itself.
                    if point.is_active:
                        point.rollback()

        return retried(trying)

    def write(self, work: Callable[[sa.Connection], Answer]) -> Response:
        """Change something, as who asks, in one transaction."""
        with self.database.begin() as conn:
            act(conn, self.actor)
            answer = work(conn)
            body = answer.body()
        return sent(answer.status, answer.headers, body)

    def write_once(self, key: str | None, work: Callable[[sa.Connection], Answer]) -> Response:
        """Change something, and only once, however often the request of this key comes."""
        if key is None:
            return self.write(work)

        def writing() -> tuple[Answered, bool]:
            with self.database.begin() as conn:
                act(conn, self.actor)
                return once(
                    conn, self.principal.user_id, key, self.request_hash, self.at,
                    lambda: _answered(work(conn)),
                )  # fmt: skip

        try:
            # What was committed while the connection was lost is found by its key.
            answer, is_repeated = retried(writing)
        except KeyBusy:
            raise Fault(409, "request_in_progress", "a request with this key goes on now",
                        headers={"Retry-After": "1"}) from None  # fmt: skip
        except KeyReused:
            raise unfit("Idempotency-Key", "key_reused", "named another request before") from None
        repeated = {"Idempotent-Replayed": "true"} if is_repeated else {}
        return sent(answer.status, {**answer.headers, **repeated}, answer.body)

    def require(self, right: Right, area: str) -> None:
        """Refuse what the caller may not do in the area that the request came to.

        Raises:
            Fault: 403.
        """
        if not self.principal.may(right, area):
            raise self.refusal(refused(Need(right, area)))

    def refusal(self, fault: Fault) -> Fault:
        """A refusal that the audit log has, whatever becomes of the transaction."""
        self.entrance.record(self.actor, "request", self.path, REFUSED, fault.detail)
        return fault


def _answered(answer: Answer) -> Answered:
    return Answered(answer.status, answer.headers, answer.body())


def refused(need: Need) -> Fault:
    """The refusal of a need."""
    return Fault(403, "not_allowed", f"this needs the right {need.right} in {need.area}")


def needs(right: Right, area: str) -> Any:
    """A right in an area, as the type of a route's first parameter."""
    return Depends(_asking(Need(right, area)))


def _asking(need: Need) -> Callable[[Request], Awaitable[Call]]:
    async def ask(request: Request) -> Call:
        principal, visit = request.state.principal, request.state.visit
        if principal is None:
            raise Fault(401, "no_login", "log in, or send a key as Authorization: Bearer")
        entrance: Entrance = request.app.state.entrance
        actor = actor_of(principal, visit)
        if not need.is_met(principal):
            fault = refused(need)
            await to_thread.run_sync(
                entrance.record, actor, "request", _called(request), REFUSED, fault.detail
            )
            raise fault
        _refuse_unknown_query(request)
        database = request.app.state.database
        hashed = await _hash(request)
        return Call(principal, actor, entrance.now(), database, hashed, _called(request), entrance)

    ask.need = need  # type: ignore[attr-defined]
    return ask


def need_of(route: Any) -> Need | None:
    """What a route needs; None where it declares nothing."""
    declared = (getattr(each.call, "need", None) for each in route.dependant.dependencies)
    return next(filter(None, declared), None)


def _called(request: Request) -> str:
    return f"{request.method} {request.url.path}"


async def _hash(request: Request) -> str:
    if request.method in ("GET", "HEAD"):
        return ""
    parts = [request.method, request.url.path, request.url.query]
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace"))
    digest.update(await request.body())
    return digest.hexdigest()


def _refuse_unknown_query(request: Request) -> None:
    """A misspelt filter passed over would answer with everything."""
    known = {field.alias: field for field in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise unfit(name[:100], "unknown_parameter", "no such parameter of the query")
        is_list = "list" in str(known[name].field_info.annotation)
        if not is_list and len(request.query_params.getlist(name)) > 1:
            raise unfit(name, "repeated_parameter", "may be given once")
