"""`ecom import prices`, `costs`, `offers`: what comes in by file, and what became of it."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer

from ecom.price_options import At, By, Channel, Currency, File, Json, begin, moment, person, tell
from ecom.price_report import feed_text

if TYPE_CHECKING:
    from importers.prices import Contents


def prices(
    file: File,
    currency: Currency = None,
    channel: Channel = None,
    at: At = None,
    only_plan: Annotated[bool, typer.Option("--plan-only", help="Apply nothing.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Take a file of prices as plans, one per price list; what passes the checks is applied.

    A wide file, such as one with a column `Amazon MRP`, makes a list per channel. A column of costs
    is taken first.
    """
    from ecom_assets.pricing import store
    from importers.prices import Given, has_costs, read_costs, read_prices

    when, run = moment(at), f"prices-{uuid.uuid4()}"
    given = Given(currency, channel, when)
    report: dict[str, Any] = {}
    with begin() as conn:
        if has_costs(file):
            report["costs"] = asdict(_take(conn, store.take_costs, read_costs(file, given), file,
                                           when, run))  # fmt: skip
        contents = read_prices(file, given)
        rows = list(contents.entries)
        taken = store.take_prices(
            conn, file.name, contents.digest, rows, when, run, by or person(),
            parked=len(contents.parked), only_plan=only_plan,
        )  # fmt: skip
        if not taken.account.is_repeat:
            _park(conn, contents, file, run)
        report["prices"] = asdict(taken.account)
        report["unused_columns"] = list(contents.unused)
        report["plans"] = [store.plan_of(conn, plan) for plan, _ in taken.plans]
    tell(report, as_json, feed_text)


def costs(file: File, currency: Currency = None, at: At = None, as_json: Json = False) -> None:
    """Take a file of costs; entries far from what is known are set apart with their reason."""
    from ecom_assets.pricing import store
    from importers.prices import Given, read_costs

    when, run = moment(at), f"prices-{uuid.uuid4()}"
    with begin() as conn:
        contents = read_costs(file, Given(currency, None, when))
        taken = _take(conn, store.take_costs, contents, file, when, run)
    tell({"costs": asdict(taken)}, as_json, feed_text)


def offers(
    file: File, competitor: Annotated[str | None, typer.Option(help="Where none is named.")] = None,
    currency: Currency = None, at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a file of competitors' offers; no flagged one is ever followed."""
    from ecom_assets.pricing import store
    from importers.prices import Given, read_offers

    when, run = moment(at), f"prices-{uuid.uuid4()}"
    with begin() as conn:
        contents = read_offers(file, Given(currency, competitor, when))
        taken = _take(conn, store.take_offers, contents, file, when, run)
    tell({"offers": asdict(taken)}, as_json, feed_text)


def _take(
    conn: sa.Connection, take: Any, contents: Contents, file: Path, at: datetime, run: str
) -> Any:
    rows = list(contents.entries)
    taken = take(conn, file.name, contents.digest, rows, at, run, parked=len(contents.parked))
    if not taken.is_repeat:
        _park(conn, contents, file, run)
    return taken


def _park(conn: sa.Connection, contents: Contents, file: Path, run: str) -> None:
    from ecom_assets.shared.quarantine import QUARANTINE

    if contents.parked:
        values = [
            {"source": file.name, "row_number": cell.row_number, "subject": cell.subject,
             "reason": cell.reason, "detail": cell.detail, "row": dict(cell.row), "run_id": run}
            for cell in contents.parked
        ]  # fmt: skip
        conn.execute(sa.insert(QUARANTINE), values)
