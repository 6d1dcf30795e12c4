"""Roles, the rights they give, and what a user or a key of a user may do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in the shop."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class Right(StrEnum):
    """A kind of thing that may be done.

    Attributes:
        READ: look at everything that holds no secret.
        EXPORT: take whole tables away.
        OPERATE: do the day's work: orders, stock, runs, sensors, schedules, backfills.
        CONFIGURE: change what decides: rules, taxes, carriers, rates, sites, channels, products.
        APPROVE: accept what somebody else proposed.
        ADMINISTER: users, keys of others, the audit log, the instance.
    """

    READ = "read"
    EXPORT = "export"
    OPERATE = "operate"
    CONFIGURE = "configure"
    APPROVE = "approve"
    ADMINISTER = "administer"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.ANALYST: frozenset({Right.READ, Right.EXPORT}),
    Role.OPERATOR: frozenset({Right.READ, Right.OPERATE, Right.CONFIGURE}),
    Role.APPROVER: frozenset({Right.READ, Right.APPROVE}),
    Role.ADMIN: frozenset(Right),
}

EVERY_AREA = "*"


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """What roles give together."""
    return frozenset().union(*(RIGHTS[role] for role in roles))


def scope_problems(scopes: Iterable[str], areas: Iterable[str]) -> list[str]:
    """What is wrong with the scopes of a key, one sentence each.

    Args:
        scopes: `area:right`, where the area may be `*`.
        areas: areas there are.
    """
    known, problems = {*areas, EVERY_AREA}, []
    for scope in scopes:
        area, _, right = scope.partition(":")
        if area not in known:
            problems.append(f"{scope}: there is no area {area!r}")
        elif right not in set(Right):
            problems.append(f"{scope}: there is no right {right!r}")
    return problems


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request.

    Attributes:
        user_id: key of the user.
        name: what the user enters at login.
        full_name: how the person is called.
        roles: roles of the user.
        via: `browser`, `api_key` or `command`.
        proof_id: key of the session or of the API key; 0 for a command.
        scopes: what the key is limited to; None where nothing but the roles limits.
    """

    user_id: int
    name: str
    full_name: str
    roles: frozenset[Role]
    via: str
    proof_id: int
    scopes: frozenset[str] | None = None

    @property
    def rights(self) -> frozenset[Right]:
        """What the roles give, whatever a key leaves of it."""
        return rights_of(self.roles)

    def may(self, right: Right, area: str) -> bool:
        """Whether something may be done in an area: a role gives it, no scope holds it back."""
        if right not in self.rights:
            return False
        if self.scopes is None:
            return True
        return not self.scopes.isdisjoint({f"{area}:{right}", f"{EVERY_AREA}:{right}"})
