"""`ecom prices`: price lists, what feeds them, plans from proposal to effect and back."""

from __future__ import annotations

import json
import os
import sys
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer

from ecom.price_report import feed_text, line_text, plan_text
from ecom.problems import Problem
from ecom.settings import load

if TYPE_CHECKING:
    from importers.prices import Contents

FORMAT = "prices"
"""Name under which `ecom import` takes a file of prices."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="Price lists, costs, offers, rules and plans.",
)  # fmt: skip

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


@app.command("import")
def import_(
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

    moment, run = _moment(at), f"prices-{uuid.uuid4()}"
    given = Given(currency, channel, moment)
    report: dict[str, Any] = {}
    with _begin() as conn:
        if has_costs(file):
            report["costs"] = asdict(_take(conn, store.take_costs, read_costs(file, given), file,
                                           moment, run))  # fmt: skip
        contents = read_prices(file, given)
        rows = list(contents.entries)
        _park(conn, contents, file, run)
        taken = store.take_prices(
            conn, file.name, contents.digest, rows, moment, run, by or _person(),
            parked=len(contents.parked), only_plan=only_plan,
        )  # fmt: skip
        report["prices"] = asdict(taken.account)
        report["unused_columns"] = list(contents.unused)
        report["plans"] = [store.plan_of(conn, plan) for plan, _ in taken.plans]
    _tell(report, as_json, feed_text)


@app.command()
def costs(
    file: File, currency: Currency = None, at: At = None, as_json: Json = False
) -> None:
    """Take a file of costs; entries far from what is known are set apart with their reason."""
    from ecom_assets.pricing import store
    from importers.prices import Given, read_costs

    moment, run = _moment(at), f"prices-{uuid.uuid4()}"
    with _begin() as conn:
        contents = read_costs(file, Given(currency, None, moment))
        taken = _take(conn, store.take_costs, contents, file, moment, run)
    _tell({"costs": asdict(taken)}, as_json, feed_text)


@app.command()
def offers(
    file: File, competitor: Annotated[str | None, typer.Option(help="Where none is named.")] = None,
    currency: Currency = None, at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a file of competitors' offers; no flagged one is ever followed."""
    from ecom_assets.pricing import store
    from importers.prices import Given, read_offers

    moment, run = _moment(at), f"prices-{uuid.uuid4()}"
    with _begin() as conn:
        contents = read_offers(file, Given(currency, competitor, moment))
        taken = _take(conn, store.take_offers, contents, file, moment, run)
    _tell({"offers": asdict(taken)}, as_json, feed_text)


@app.command()
def lists(at: At = None, as_json: Json = False) -> None:
    """Show the price lists and how many prices hold in each."""
    from ecom_assets.pricing.store import listed

    with _begin() as conn:
        found = listed(conn, _moment(at))
    _tell({"lists": found}, as_json, lambda given: [
        f"{row['price_list_id']}: {row['channel']} {row['currency']} {row['customer_group']}:"
        f" {row['prices']:,} prices" for row in given["lists"]
    ])  # fmt: skip


@app.command()
def rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML with tables [[rule]].")],
    at: At = None, by: By = None,
) -> None:  # fmt: skip
    """Put rules in force, each as the next version of its name."""
    from ecom_assets.pricing.model import InvalidRule
    from ecom_assets.pricing.store import add_rule

    with _begin() as conn:
        for place, rule in enumerate(_rules_in(file), 1):
            given = {"parameters": {}, **rule}
            try:
                made = add_rule(conn, at=_moment(at), by=by or _person(), **given)
            except (InvalidRule, TypeError) as error:
                raise Problem(f"{file.name}, rule {place}: {error}") from error
            _print(f"{made.label} is in force")


@app.command()
def plan(
    price_list: Annotated[int | None, typer.Option("--list", help="One list only.")] = None,
    at: At = None, by: By = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Reprice by the rules into plans; nothing is live before `apply`."""
    from ecom_assets.pricing import store

    moment, run = _moment(at), f"prices-{uuid.uuid4()}"
    made: list[Any] = []
    with _begin() as conn:
        known = [row["price_list_id"] for row in store.listed(conn, moment)]
        if price_list is not None and price_list not in known:
            raise Problem(f"there is no price list {price_list}; see `ecom prices lists`")
        feeds = store.see_feeds(conn, moment)
        for number in [price_list] if price_list is not None else known:
            plan_id = store.plan_list(conn, number, moment, run, by or _person(), {"feeds": feeds})
            made.append(store.plan_of(conn, plan_id))
    _tell({"plans": made}, as_json, lambda given: [
        text for head in given["plans"] for text in plan_text(head)
    ])  # fmt: skip


@app.command()
def show(
    number: Plan,
    most: Annotated[int, typer.Option(help="Lines shown.")] = 20,
    held: Annotated[bool, typer.Option("--held", help="Those that were not repriced.")] = False,
    as_json: Json = False,
) -> None:
    """Show a plan: what its checks found, counts by rule and limit, lines with their reasons."""
    from ecom_assets.pricing import store

    with _begin() as conn:
        head = store.plan_of(conn, number)
        if head is None:
            raise Problem(f"there is no price plan {number}")
        outcomes = ("hold",) if held else ("change", "new", "end")
        lines = store.lines_of(conn, number, outcomes, most)
        found = {"plan": head, "counts": store.counts(conn, [number]), "lines": lines}
    _tell(found, as_json, lambda given: [
        *plan_text(given["plan"], given["counts"]),
        *(line_text(line, given["plan"]["currency"]) for line in given["lines"]),
    ])  # fmt: skip


@app.command()
def approve(
    number: Plan,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = None, at: At = None,
) -> None:  # fmt: skip
    """Approve a plan that asks for it; never the person who asked for the plan."""
    from ecom_assets.pricing import store

    with _begin() as conn, _refusals():
        store.decide(conn, number, by or _person(), _moment(at), not refuse, comment)
    _print(f"plan {number} is {'refused' if refuse else 'ready'}")


@app.command()
def apply(number: Plan) -> None:
    """Make a plan's prices effective, then read them back."""
    from ecom_assets.pricing import store

    with _begin() as conn, _refusals():
        done = store.apply(conn, number, f"prices-{uuid.uuid4()}")
    if done.state == "stale":
        raise Problem(f"plan {number} was made on other prices: {', '.join(done.moved_since)}"
                      " moved since; make a new plan")  # fmt: skip
    with _begin() as conn:
        proof = store.verify(conn, number)
    _print(f"plan {number} is {proof.state}: {done.begun:,} prices began, {done.ended:,} ended")


@app.command()
def rollback(number: Plan, by: By = None, at: At = None) -> None:
    """Take a plan that is in effect back; prices that moved on since are left and named."""
    from ecom_assets.pricing import store

    with _begin() as conn, _refusals():
        undoing = store.roll_back(conn, number, by or _person(), _moment(at),
                                  f"prices-{uuid.uuid4()}")  # fmt: skip
        head = store.plan_of(conn, undoing)
    _print("\n".join([f"plan {number} is undone", *plan_text(head or {})]))


@app.command()
def quote(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL")],
    lines: Annotated[list[str], typer.Argument(metavar="SKU[:UNITS]...")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")],
    group: Annotated[str, typer.Option(help="Customer group.")] = "all",
    at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Show what buyers pay at a moment."""
    from ecom_assets.pricing.store import prices_at

    wanted = [_wanted(text) for text in lines]
    with _begin() as conn:
        rows = prices_at(conn, channel, currency, wanted, _moment(at), group)
    found = [{"sku": sku, "units": units, **(row._asdict() if row else {"price_minor": None})}
             for (sku, units), row in zip(wanted, rows, strict=True)]  # fmt: skip
    _tell({"lines": found}, as_json, lambda given: [
        f"{row['sku']}: no price" if row["price_minor"] is None else
        line_text({"outcome": "price", "old_minor": None, "new_minor": row["price_minor"],
                   "bound": (), "reasons": (), **row}, currency)
        for row in given["lines"]
    ])  # fmt: skip


def _wanted(text: str) -> tuple[str, int]:
    sku, mark, units = text.rpartition(":")
    return (sku, int(units)) if mark and units.isdigit() else (text, 1)


def _take(
    conn: sa.Connection, take: Any, contents: Contents, file: Path, at: datetime, run: str
) -> Any:
    rows = list(contents.entries)
    _park(conn, contents, file, run)
    return take(conn, file.name, contents.digest, rows, at, run, parked=len(contents.parked))


def _park(conn: sa.Connection, contents: Contents, file: Path, run: str) -> None:
    from ecom_assets.shared.quarantine import QUARANTINE

    if contents.parked:
        values = [
            {"source": file.name, "row_number": cell.row_number, "subject": cell.subject,
             "reason": cell.reason, "detail": cell.detail, "row": dict(cell.row), "run_id": run}
            for cell in contents.parked
        ]  # fmt: skip
        conn.execute(sa.insert(QUARANTINE), values)


def _rules_in(file: Path) -> list[dict[str, Any]]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("rule")
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{file.name}: {error}") from error
    if not isinstance(found, list) or not found:
        raise Problem(f"{file.name}: no table [[rule]]")
    return found


@contextmanager
def _refusals() -> Iterator[None]:
    from ecom_assets.pricing.store import PlanRefused

    try:
        yield
    except PlanRefused as error:
        raise Problem(str(error)) from error


@contextmanager
def _begin() -> Iterator[sa.Connection]:
    from ecom.platform import opened

    with opened(load()) as platform, platform.database.begin() as conn:
        yield conn


def _moment(given: datetime | None) -> datetime:
    if given is None:
        return datetime.now(UTC)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _person() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def _tell(found: dict[str, Any], as_json: bool, text: Any) -> None:
    _print(json.dumps(found, default=str) if as_json else "\n".join(text(found)))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
