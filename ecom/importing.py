"""`ecom import`: a whole shop from a folder, or one area's file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ecom import catalogue, price_feeds
from ecom.problems import Problem
from ecom.settings import load

SHOPS = {
    "sample": "the sample shop's own files, such as `ecom simulate` writes",
    "olist": "the marketplace data set of Olist",
    "uci": "the two years of invoices called Online Retail II",
}
"""Formats of a whole shop, and what each is."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the format's files.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class _Formats(TyperGroup):
    """Commands of which an unknown one is a format nobody knows."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands:
            raise Problem(f"unknown format {args[0]!r}; known: {', '.join(self.commands)}")
        return super().resolve_command(ctx, args)


commands = typer.Typer(
    cls=_Formats, no_args_is_help=True, help="Take a shop or one area's file in."
)


def _say(lines: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _of_shop(form: str) -> Callable[[Path, bool], None]:
    def take(folder: Folder, as_json: Json = False) -> None:
        from ecom.platform import opened
        from ecom.progress import Progress
        from ecom.work import take_in

        with opened(load()) as platform:
            report = take_in(platform, form, folder, Progress())
        accounts = [asdict(account) for account in report.accounts]
        if as_json:
            lines = [json.dumps({"is_repeat": report.is_repeat, "accounts": accounts})]
        else:
            lines = [
                f"{row['source']}: {row['rows_read']:,} rows = {row['rows_accepted']:,} accepted"
                f" + {row['rows_parked']:,} parked + {row['rows_superseded']:,} superseded"
                for row in accounts
            ]
        _say(lines)

    return take


for _form, _what in SHOPS.items():
    commands.command(_form, help=f"A folder of {_what}; a running platform decides its orders.")(
        _of_shop(_form)
    )
commands.command("catalog")(catalogue.import_)
commands.command("prices")(price_feeds.prices)
commands.command("costs")(price_feeds.costs)
commands.command("offers")(price_feeds.offers)


@commands.command("stock")
def of_stock(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX or table:NAME.")],
    site: Annotated[str | None, typer.Option(help="Location the file is of.")] = None,
    delta: Annotated[bool, typer.Option("--delta", help="It names only some SKUs.")] = False,
    as_of: Annotated[str | None, typer.Option(help="Moment of the levels, ISO 8601.")] = None,
    may_shrink: Annotated[
        bool, typer.Option("--may-shrink", help="Most SKUs may be left out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Apply the levels a location sent, for what differs.

    A snapshot names all SKUs of the location; with --delta and a column `change` a file holds
    changes. The moment is when the file was written, if none is given.
    """
    from ecom.stock import in_words, take_in

    synced = take_in(load(), source, site, delta, as_of, may_shrink)
    _say([json.dumps(asdict(synced))] if as_json else in_words(synced))
