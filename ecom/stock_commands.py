"""`ecom stock`: what happens to stock and what is said about it, from files; counts to approve."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from ecom.problems import Problem
from ecom.settings import load

commands = typer.Typer(
    no_args_is_help=True, help="Receipts, counts, transfers, units, reserves; counts to approve."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Counts = Annotated[list[int], typer.Argument(metavar="ID...", help="From `stock counts`.")]
_By = Annotated[str, typer.Option(help="Who decides; kept with the count.")]

_WAITING = sa.text("""
    SELECT count_id, reference, site_code, sku, counted_at, counted, expected, difference
    FROM inventory.counts WHERE state = 'needs_approval' ORDER BY count_id
""")


@commands.command()
def take(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="See docs/stock.md.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header.")],
    as_json: Json = False,
) -> None:
    """Take a file of receipts, counts, transfers, arrivals, expected, units, safety or buffers.

    A file that cannot be read is refused as a whole, naming row and column. Rows that do not fit
    the stock are set apart with their reason; a file given again changes nothing.
    """
    from ecom.platform import opened
    from ecom.stock_files import FORMS, read, stage

    if kind not in FORMS:
        raise Problem(f"unknown kind {kind!r}; known: {', '.join(FORMS)}")
    rows = read(kind, file)
    with opened(load()) as platform, platform.database.begin() as conn:
        try:
            counts = _taker(kind)(conn, stage(conn, kind, rows), f"command-{uuid.uuid4()}")
        except sa.exc.IntegrityError as error:
            raise Problem(f"{file.name}: {str(error.orig).splitlines()[0]}") from error
    found = {"rows": len(rows), **counts}
    told = ", ".join(f"{number:,} {name}" for name, number in found.items())
    sys.stdout.write((json.dumps(found) if as_json else told) + "\n")


Taker = Callable[[sa.Connection, sa.Select[Any], str], Mapping[str, int]]


def _taker(kind: str) -> Taker:
    from ecom_assets.inventory import store

    moves: dict[str, Taker] = {
        "receipts": store.take_receipts,
        "counts": store.take_counts,
        "transfers": store.send_transfers,
        "arrivals": store.take_arrivals,
    }
    said = {
        "expected": store.take_expected_receipts,
        "units": store.take_units,
        "safety": store.take_safety_stocks,
        "buffers": store.take_buffers,
    }
    return moves.get(kind) or (lambda conn, rows, _: {"changed": said[kind](conn, rows)})


@commands.command()
def counts(as_json: Json = False) -> None:
    """List counts that differ beyond the tolerance and wait for a person."""
    from ecom.platform import opened

    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        rows = [dict(row) for row in conn.execute(_WAITING).mappings()]
    lines = [
        f"{row['count_id']}: {row['reference']} at {row['site_code']}: {row['counted']} of"
        f" {row['sku']} counted, {row['expected']} on the books ({row['difference']:+})"
        for row in rows
    ]
    told = [json.dumps(rows, default=str)] if as_json else lines or ["nothing to decide"]
    sys.stdout.write("".join(f"{line}\n" for line in told))


@commands.command()
def approve(ids: _Counts, by: _By) -> None:
    """Post counts, compared anew with the stock of now."""
    _settle(ids, by, is_approved=True)


@commands.command()
def reject(ids: _Counts, by: _By) -> None:
    """Refuse counts; the stock stays as it is."""
    _settle(ids, by, is_approved=False)


def _settle(ids: list[int], by: str, *, is_approved: bool) -> None:
    from ecom.platform import opened
    from ecom_assets.inventory import store

    if not by.strip():
        raise Problem("--by needs a name")
    settle = store.approve_counts if is_approved else store.reject_counts
    run = f"command-{uuid.uuid4()}"
    # The wall clock is read where the person decides, and nowhere below.
    now = datetime.now(UTC)
    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        found = settle(conn, ids, by.strip(), now, run)
    if not found:
        raise Problem("none of these counts waits for a decision")
    sys.stdout.write(", ".join(f"{number} {state}" for state, number in found.items()) + "\n")
