"""What the commands about prices share: their options, the open database, how results are told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer

from ecom.problems import Problem
from ecom.settings import load

if TYPE_CHECKING:
    from resources.database import DatabaseResource

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, CSV.GZ or XLSX.")]
Plan = Annotated[int, typer.Argument(metavar="PLAN", help="Number of the plan.")]
Currency = Annotated[str | None, typer.Option(help="ISO 4217 code where the file has none.")]
Channel = Annotated[str | None, typer.Option(help="Sales channel where the file has none.")]
By = Annotated[str | None, typer.Option(help="Who decides; the account you use by default.")]
At = Annotated[
    datetime | None,
    typer.Option(
        help="Business moment, now by default; UTC if it has no offset.",
        formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def shop() -> Iterator[DatabaseResource]:
    """The shop's database."""
    from ecom.platform import opened

    with opened(load()) as platform:
        yield platform.database


@contextmanager
def begin() -> Iterator[sa.Connection]:
    """A transaction on the shop's database."""
    with shop() as database, database.begin() as conn:
        yield conn


@contextmanager
def refusals() -> Iterator[None]:
    """Tell a person why a plan or a rule was refused."""
    from ecom_assets.pricing.model import InvalidRule
    from ecom_assets.pricing.store import PlanRefused

    try:
        yield
    except (PlanRefused, InvalidRule) as error:
        raise Problem(str(error)) from error


def moment(given: datetime | None) -> datetime:
    """The moment given, in UTC if it names no zone, or now."""
    if given is None:
        return datetime.now(UTC)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def person() -> str:
    """Whose account this is."""
    try:
        return getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def tell(
    found: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], Sequence[str]]
) -> None:
    """Print a result as one JSON object or in words."""
    say(json.dumps(found, default=str) if as_json else "\n".join(text(found)))


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
