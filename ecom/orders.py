"""`ecom order` and `ecom orders`: what happened to an order, and what operators do with it.

An order is named `channel/external id`, or by its order id.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import sqlalchemy as sa
import typer

from ecom.problems import Problem
from ecom.settings import load

app = typer.Typer(
    no_args_is_help=True, help="Hold, release, cancel or show orders.", add_completion=False
)

Order = Annotated[str, typer.Argument(metavar="ORDER", help="channel/external id, or order id.")]
Reason = Annotated[str, typer.Option(help="Why, in a word or a code.")]
At = Annotated[
    datetime | None,
    typer.Option(
        help="Business moment, now by default; UTC if it has no offset.",
        formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def show(order: Order, at: At = None, as_json: Json = False) -> None:
    """Show an order as it is, or as it was at a moment, with what happened until then."""
    from ecom.order_report import report, text

    with _begin() as conn:
        found = report(conn, _find(conn, order), _moment(at))
    _print(json.dumps(found, default=str) if as_json else "\n".join(text(found)))


@app.command()
def hold(
    order: Order,
    reason: Reason = "by_operator",
    hours: Annotated[float | None, typer.Option(help="Hours after which it ends.", min=0)] = None,
    at: At = None,
) -> None:
    """Keep an order from being advanced until it is released."""
    from datetime import timedelta

    from ecom_assets.shared import holds

    moment = _moment(at)
    expires_at = moment + timedelta(hours=hours) if hours is not None else None
    with _begin() as conn:
        given = sa.select(sa.literal(_find(conn, order)))
        if not holds.hold(conn, given, reason, _person(), moment, expires_at):
            raise Problem(f"{order} was not held: it is held already, has shipped or is cancelled")
    _print(f"{order} is held")


@app.command()
def release(
    order: Order,
    reject: Annotated[
        bool, typer.Option("--reject", help="Reject an order that is in review.")
    ] = False,
    at: At = None,
) -> None:
    """End the hold of an order; an order in review is thereby accepted, or rejected."""
    from ecom_assets.risk.rules import Outcome
    from ecom_assets.risk.store import review
    from ecom_assets.shared import holds

    outcome = Outcome.REJECTED if reject else Outcome.ACCEPTED
    with _begin() as conn:
        given = sa.select(sa.literal(_find(conn, order)))
        if review(conn, given, outcome, _person(), _moment(at)):
            _print(f"{order} is {outcome.value}")
            return
        if reject:
            raise Problem(f"{order} is not in review")
        if not holds.release(conn, given, _person(), _moment(at)):
            raise Problem(f"{order} is not held")
    _print(f"{order} is released")


@app.command()
def cancel(
    order: Order,
    reason: Reason = "by_operator",
    line: Annotated[
        list[str] | None, typer.Option(help="NUMBER:UNITS to cancel of a line; may be repeated.")
    ] = None,
    at: At = None,
) -> None:
    """Cancel an order, or units of its lines, as far as it has not shipped."""
    from ecom_assets.orders.store import cancel as ask

    lines = [_line(text) for text in line] if line else None
    with _begin() as conn:
        change = ask(conn, _find(conn, order), lines, _moment(at), _person(), reason)
    _print(f"change {change} waits; a running platform carries it out within seconds")


@contextmanager
def _begin() -> Iterator[sa.Connection]:
    from ecom.platform import opened

    with opened(load()) as platform, platform.database.begin() as conn:
        yield conn


def _find(conn: sa.Connection, order: str) -> int:
    from ecom_assets.orders.tables import ORDERS

    channel, slash, external_id = order.partition("/")
    named = sa.and_(ORDERS.c.channel == channel, ORDERS.c.external_id == external_id)
    if not slash:
        # Too long for an id is no id of ours, and would be an error of the database.
        if not (order.isdecimal() and len(order) < 19):
            raise Problem(f"{order!r} is no order: write channel/external id, or the order id")
        named = ORDERS.c.order_id == int(order)
    found = conn.execute(sa.select(ORDERS.c.order_id).where(named)).scalar()
    if found is None:
        raise Problem(f"there is no accepted order {order}")
    return int(found)


def _line(text: str) -> dict[str, int]:
    number, _, units = text.partition(":")
    if not (number.isdecimal() and units.isdecimal()):
        raise Problem(f"{text!r} is no line: write its number and the units, such as 2:1")
    return {"line_no": int(number), "quantity": int(units)}


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _person() -> str:
    """Who acts, for the record; an account without a name is known by its number."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"account {os.getuid()}"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
