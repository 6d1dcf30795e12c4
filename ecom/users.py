"""`ecom user`: who may come in, for whom the entrance has no admin yet or none at hand."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecom.problems import Problem
from ecom.settings import load
from ecom_assets.backoffice.roles import Role

if TYPE_CHECKING:
    import sqlalchemy as sa

commands = typer.Typer(no_args_is_help=True, help="Users of the web entrance and their roles.")

DEFAULT_URL = "http://127.0.0.1:3000"

_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the user logs in with.")]
_Roles = Annotated[list[Role], typer.Option("--role", help="May be given several times.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command()
def add(
    name: _Name,
    role: _Roles,
    full_name: Annotated[str, typer.Option(help="How the person is called.")] = "",
    email: Annotated[str, typer.Option(help="Address of the person.")] = "",
) -> None:
    """Add a user; prints the link by which the person sets a password, good for a day."""
    from ecom_assets.backoffice.store import links, users

    with _changing() as (conn, now):
        made = users.add_user(conn, name, role, now, full_name, email)
        token = links.link_for(conn, made.user_id, now)
    _tell_link(token)


@commands.command()
def link(name: _Name) -> None:
    """Print a new link by which a user sets a password, such as when it was forgotten."""
    from ecom_assets.backoffice.store import links, users

    with _changing() as (conn, now):
        token = links.link_for(conn, users.user_named(conn, name).user_id, now)
    _tell_link(token)


@commands.command()
def roles(name: _Name, role: _Roles) -> None:
    """Give a user other roles; sessions that go on end."""
    _change(name, roles=role)


@commands.command()
def disable(name: _Name) -> None:
    """Let a user in no more; sessions end, keys stop working."""
    _change(name, is_active=False)


@commands.command()
def enable(name: _Name) -> None:
    """Let a disabled user in again."""
    _change(name, is_active=True)


@commands.command("list")
def list_(as_json: _Json = False) -> None:
    """List users with their roles."""
    from ecom.platform import opened
    from ecom_assets.backoffice.store import users

    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        found = users.all_users(conn)
    if as_json:
        rows = [{"name": user.name, "full_name": user.full_name, "roles": user.roles,
                 "is_active": user.is_active, "has_password": user.has_password}
                for user in found]  # fmt: skip
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for user in found:
        state = "" if user.is_active else ", disabled"
        sys.stdout.write(f"{user.name}: {', '.join(user.roles) or 'no role'}{state}\n")
    if not found:
        sys.stdout.write("no users; `ecom user add NAME --role admin` adds the first\n")


def _change(name: str, **changes: Any) -> None:
    from ecom_assets.backoffice.store import users

    with _changing() as (conn, now):
        users.change_user(conn, users.user_named(conn, name).user_id, now, **changes)


@contextmanager
def _changing() -> Iterator[tuple[sa.Connection, datetime]]:
    """A transaction recorded as done by who sits at the command line."""
    from ecom.platform import opened
    from ecom_assets.backoffice.store.acting import Actor, act
    from ecom_assets.backoffice.store.users import UserRefused

    # The wall clock is read where the person acts, and nowhere below.
    now = datetime.now(UTC)
    with opened(load()) as platform, platform.database.begin() as conn:
        act(conn, Actor(getpass.getuser(), "command"))
        try:
            yield conn, now
        except (UserRefused, LookupError) as error:
            raise Problem(str(error)) from error


def _tell_link(token: str) -> None:
    address = (os.environ.get("ECOM_PUBLIC_URL") or DEFAULT_URL).rstrip("/")
    sys.stdout.write(f"{address}/welcome/{token}\n")
