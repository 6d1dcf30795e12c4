"""`ecom purchases`: what the platform proposes to order, for a person to accept or reject."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ecom.problems import Problem
from ecom.settings import load

commands = typer.Typer(
    no_args_is_help=True, help="Purchase proposals that are open, why, and what becomes of them."
)

_Number = Annotated[int, typer.Argument(metavar="ID", help="Number from `purchases list`.")]
_By = Annotated[str, typer.Option(help="Who decides; kept with the proposal.")]
_Note = Annotated[str, typer.Option(help="Why; kept with the proposal.")]


@commands.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List open proposals, each line with the figures it was made from."""
    rows = _listed()
    if as_json:
        sys.stdout.write(json.dumps(rows, default=str) + "\n")
        return
    for row in rows:
        sys.stdout.write(
            f"{row['proposal_id']}: {row['state']}, {row['supplier_key'] or 'no supplier'} to"
            f" {row['site_code']}, {row['total_minor'] / 100:,.2f} {row['currency']}"
            f" ({', '.join(row['reasons'])})\n"
        )
        for line in row["lines"]:
            sys.stdout.write(f"    {line['quantity']} of {line['sku']}: {line['explanation']}\n")
    if not rows:
        sys.stdout.write("nothing to decide\n")


def _listed() -> list[dict[str, Any]]:
    from ecom.platform import opened
    from ecom_assets.inventory.store import OPEN_LINES, OPEN_PROPOSALS

    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        rows = [dict(row) for row in conn.execute(OPEN_PROPOSALS).mappings()]
        lines = [dict(row) for row in conn.execute(OPEN_LINES, {"most": None}).mappings()]
    for row in rows:
        row["lines"] = [each for each in lines if each["proposal_id"] == row["proposal_id"]]
    return rows


@commands.command()
def accept(number: _Number, by: _By, note: _Note = "") -> None:
    """Accept a proposal: its units count as on order until receipts name it."""
    _decide(number, "accepted", by, note)


@commands.command()
def reject(number: _Number, by: _By, note: _Note = "") -> None:
    """Reject a proposal; the next run may propose again what is still due."""
    _decide(number, "rejected", by, note)


def _decide(number: int, outcome: str, by: str, note: str) -> None:
    from ecom.platform import opened
    from ecom_assets.inventory.store import NotOpen, decide_proposal

    if not by.strip():
        raise Problem("--by needs a name")
    # The wall clock is read where the person decides, and nowhere below.
    now = datetime.now(UTC)
    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        try:
            decide_proposal(conn, number, outcome, by.strip(), now, note)
        except NotOpen as error:
            raise Problem(str(error)) from error
    sys.stdout.write(f"proposal {number} is {outcome}\n")
