"""On whose behalf a transaction changes configuration: what the audit triggers write down."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

_ACT = sa.text("""
    SELECT set_config('ecom.actor', :actor, true), set_config('ecom.via', :via, true),
        set_config('ecom.address', :address, true), set_config('ecom.request_id', :request, true)
""")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where.

    Attributes:
        name: name of the user.
        via: `browser`, `api_key`, `command` or `platform`.
        address: address the request came from.
        request_id: request it is part of.
    """

    name: str
    via: str
    address: str = ""
    request_id: str = ""


PLATFORM = Actor("platform", "platform")
"""No person acts."""


def act(conn: sa.Connection, actor: Actor) -> None:
    """Let what this transaction changes be recorded as done by an actor."""
    conn.execute(
        _ACT,
        {"actor": actor.name, "via": actor.via, "address": actor.address,
         "request": actor.request_id},
    )  # fmt: skip
