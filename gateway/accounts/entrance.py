"""Who comes in: what the entrance asks the backoffice area, each in a transaction of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from anyio import to_thread

from ecom_assets.backoffice.passwords import hash_password, is_outdated, is_password
from ecom_assets.backoffice.roles import Principal, Role
from ecom_assets.backoffice.store import api_keys, audit, links, sessions, users
from ecom_assets.backoffice.store.acting import Actor, act
from ecom_assets.backoffice.store.sessions import Lasting
from gateway.accounts.turns import Turns
from resources.database import DatabaseResource

HASHED_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Passwords compared at the same time: each takes 64 MiB and, for some 50 ms, several cores."""

Out = TypeVar("Out")

MOST_WAITING = 32
"""Logins that may wait for their turn; who comes then is asked to come again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from.

    Attributes:
        address: address of the client.
        agent: what the client calls itself.
        request_id: number of the request.
    """

    address: str
    agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What an OIDC provider vouches for.

    Attributes:
        issuer: the provider.
        subject: what it calls the user, for ever.
        name: what the user is called here, if it comes for the first time.
        full_name: how the person is called.
        email: address of the person.
        roles: roles that the person's groups give.
    """

    issuer: str
    subject: str
    name: str
    full_name: str
    email: str
    roles: tuple[Role, ...]


class Entrance:
    """Logins, sessions and keys."""

    def __init__(
        self,
        database: DatabaseResource,
        lasting: Lasting,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """An entrance.

        Args:
            database: where users are.
            lasting: how long sessions last.
            clock: the moment; logins are about the time of day, not about the shop's.
        """
        self._database, self._lasting, self.now = database, lasting, clock
        self._hashing = Turns(HASHED_AT_ONCE, MOST_WAITING)

    def principal_of_session(self, token: str) -> Principal | None:
        """Who shows a cookie, or None."""
        with self._database.begin() as conn:
            return sessions.principal_of_session(conn, token, self.now(), self._lasting)

    def principal_of_key(self, key: str) -> Principal | None:
        """Who shows an API key, or None."""
        with self._database.begin() as conn:
            return api_keys.principal_of_key(conn, key, self.now())

    def record(
        self, actor: Actor, action: str, subject: str, outcome: str = audit.DONE, detail: str = "",
        after: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Add an entry to the audit log."""
        with self._database.begin() as conn:
            audit.record(conn, actor, action, subject, outcome, detail, after)

    async def log_in(self, name: str, password: str, visit: Visit) -> str | None:
        """Compare a password; returns the token of a new session, or None.

        Raises:
            Busy: too many are waiting already.
        """
        kept = await to_thread.run_sync(self._kept, name)
        user_id, hashed = kept or (0, None)
        is_right = await self._in_turn(is_password, password, hashed)
        if not is_right or not hashed:
            await to_thread.run_sync(self._refuse_login, name, visit)
            return None
        again = await self._in_turn(hash_password, password) if is_outdated(hashed) else None
        return await to_thread.run_sync(self._let_in, user_id, again, visit, "login")

    async def follow_link(self, link: str, password: str, visit: Visit) -> str | None:
        """Set a password by a link; returns the token of a new session, None if it is no good.

        Raises:
            UserRefused: the password is no good.
            Busy: too many are waiting already.
        """
        return await self._in_turn(self._follow, link, password, visit)

    def owner_of_link(self, link: str) -> users.User | None:
        """Whose link it is, if it is still good."""
        with self._database.begin() as conn:
            return links.user_of_link(conn, link, self.now())

    def is_first_link(self, link: str) -> bool:
        """Whether a link lets the first admin come in."""
        with self._database.begin() as conn:
            return links.is_first_link(conn, link, self.now())

    async def begin(
        self, link: str, name: str, full_name: str, password: str, visit: Visit
    ) -> str | None:
        """Add the first admin; returns the token of a new session, None if the link is no good.

        Raises:
            UserRefused: name or password are no good.
            Busy: too many are waiting already.
        """
        return await self._in_turn(self._begin, link, name, full_name, password, visit)

    def log_out(self, token: str, principal: Principal, visit: Visit) -> None:
        """End a session."""
        with self._database.begin() as conn:
            sessions.end_session(conn, token, "logout", self.now())
            audit.record(conn, actor_of(principal, visit), "logout", f"users/{principal.name}")

    async def change_password(
        self, principal: Principal, current: str, wanted: str, visit: Visit
    ) -> str | None:
        """Set another password by the current one; returns the token of a new session.

        All sessions end, so that whoever knew the old password is out. None where the current one
        is wrong.

        Raises:
            UserRefused: the new password is no good.
            Busy: too many are waiting already.
        """
        kept = await to_thread.run_sync(self._kept, principal.name)
        is_right = await self._in_turn(is_password, current, kept and kept[1])
        if not is_right or not kept:
            actor = actor_of(principal, visit)
            await to_thread.run_sync(
                self.record, actor, "set_password", f"users/{principal.name}", audit.REFUSED,
                "wrong password",
            )  # fmt: skip
            return None
        return await self._in_turn(self._change_password, principal, wanted, visit)

    def sessions(self, principal: Principal) -> list[dict[str, Any]]:
        """Sessions of a user that go on; the one that asks is marked."""
        with self._database.begin() as conn:
            found = sessions.sessions_of(conn, principal.user_id, self.now(), self._lasting)
        return [dict(row) | {"is_this": row["session_id"] == principal.proof_id} for row in found]

    def end_others(self, principal: Principal, visit: Visit) -> int:
        """End all sessions of a user but the one that asks; returns how many."""
        with self._database.begin() as conn:
            ended = sessions.end_others(conn, principal.user_id, principal.proof_id, self.now())
            audit.record(conn, actor_of(principal, visit), "end_sessions",
                         f"users/{principal.name}", after={"ended": ended})  # fmt: skip
        return ended

    def let_in(self, user_id: int, visit: Visit, action: str) -> str:
        """Start a session of a user who has shown who it is; returns its token."""
        return self._let_in(user_id, None, visit, action)

    def let_in_by_provider(self, claims: Claims, visit: Visit) -> str:
        """Start a session of whom a provider vouches for, who may be new; returns its token.

        Raises:
            UserRefused: the user is disabled here, or another user has the name.
        """
        actor = Actor(claims.name[:100], "browser", visit.address, visit.request_id)
        try:
            user_id = self._user_of(claims, actor)
        except users.UserRefused as refused:
            self.record(actor, "login", "sessions", audit.REFUSED, str(refused))
            raise
        return self._let_in(user_id, None, visit, "login")

    def _user_of(self, claims: Claims, actor: Actor) -> int:
        with self._database.begin() as conn:
            act(conn, actor)
            return users.user_of_provider(
                conn, claims.issuer, claims.subject, claims.name, claims.full_name, claims.email,
                claims.roles, self.now(),
            ).user_id  # fmt: skip

    async def _in_turn(self, call: Callable[..., Out], *given: Any) -> Out:
        return await self._hashing.take(call, *given)

    def _kept(self, name: str) -> tuple[int, str | None] | None:
        with self._database.begin() as conn:
            return users.password_of(conn, name)

    def _refuse_login(self, name: str, visit: Visit) -> None:
        actor = Actor(name[:100], "browser", visit.address, visit.request_id)
        self.record(actor, "login", "sessions", audit.REFUSED, "wrong name or password")

    def _let_in(self, user_id: int, hashed: str | None, visit: Visit, action: str) -> str:
        with self._database.begin() as conn:
            user = users.user(conn, user_id)
            actor = Actor(user.name, "browser", visit.address, visit.request_id)
            act(conn, actor)
            if hashed:
                users.keep_password(conn, user_id, hashed, self.now())
            token = sessions.start_session(
                conn, user_id, self.now(), self._lasting, visit.address, visit.agent
            )
            audit.record(conn, actor, action, f"users/{user.name}")
        return token

    def _follow(self, link: str, password: str, visit: Visit) -> str | None:
        with self._database.begin() as conn:
            user = links.use_link(conn, link, password, self.now())
            if user is None:
                return None
            actor = Actor(user.name, "browser", visit.address, visit.request_id)
            audit.record(conn, actor, "set_password", f"users/{user.name}")
        return self._let_in(user.user_id, None, visit, "login")

    def _change_password(self, principal: Principal, wanted: str, visit: Visit) -> str:
        with self._database.begin() as conn:
            act(conn, actor_of(principal, visit))
            users.set_password(conn, users.user(conn, principal.user_id), wanted, self.now())
            audit.record(conn, actor_of(principal, visit), "set_password",
                         f"users/{principal.name}")  # fmt: skip
        return self._let_in(principal.user_id, None, visit, "login")

    def _begin(
        self, link: str, name: str, full_name: str, password: str, visit: Visit
    ) -> str | None:
        with self._database.begin() as conn:
            actor = Actor(name[:100], "browser", visit.address, visit.request_id)
            act(conn, actor)
            user = links.use_first_link(conn, link, name, full_name, password, self.now())
            if user is None:
                return None
        return self._let_in(user.user_id, None, visit, "login")


def actor_of(principal: Principal, visit: Visit) -> Actor:
    """A principal as the audit log names it."""
    return Actor(principal.name, principal.via, visit.address, visit.request_id)
