"""`ecom prices`: price lists, what feeds them, plans from proposal to effect and back."""

from __future__ import annotations

import tomllib
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ecom.price_options import (
    At,
    By,
    Json,
    Plan,
    begin,
    moment,
    person,
    refusals,
    say,
    shop,
    tell,
)
from ecom.price_report import backtest_text, line_text, plan_text
from ecom.problems import Problem

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="Price lists, costs, offers, rules and plans.",
)  # fmt: skip


@app.command()
def lists(at: At = None, as_json: Json = False) -> None:
    """Show the price lists and how many prices hold in each."""
    from ecom_assets.pricing.store import listed

    with begin() as conn:
        found = listed(conn, moment(at))
    tell({"lists": found}, as_json, lambda given: [
        f"{row['price_list_id']}: {row['channel']} {row['currency']} {row['customer_group']}:"
        f" {row['prices']:,} prices" for row in given["lists"]
    ])  # fmt: skip


@app.command()
def rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML; see docs/prices.md.")],
    at: At = None, by: By = None,
) -> None:  # fmt: skip
    """Take lists, limits, promotions, coupons and rules; a rule is the next version of its name."""
    from ecom_assets.pricing.store.documents import take_document

    with begin() as conn, refusals():
        say("\n".join(take_document(conn, _document(file), moment(at), by or person())))


@app.command()
def plan(
    price_list: Annotated[int | None, typer.Option("--list", help="One list only.")] = None,
    at: At = None, by: By = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Reprice by the rules into plans; nothing is live before `apply`."""
    from ecom_assets.pricing import store

    when, run = moment(at), f"prices-{uuid.uuid4()}"
    made: list[Any] = []
    with begin() as conn:
        known = [row["price_list_id"] for row in store.listed(conn, when)]
        if price_list is not None and price_list not in known:
            raise Problem(f"there is no price list {price_list}; see `ecom prices lists`")
        feeds = store.see_feeds(conn, when)
        for number in [price_list] if price_list is not None else known:
            plan_id = store.plan_list(conn, number, when, run, by or person(), {"feeds": feeds})
            made.append(store.plan_of(conn, plan_id))
    tell({"plans": made}, as_json, lambda given: [
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

    with begin() as conn:
        head = store.plan_of(conn, number)
        if head is None:
            raise Problem(f"there is no price plan {number}")
        outcomes = ("hold",) if held else ("change", "new", "end")
        lines = store.lines_of(conn, number, outcomes, most)
        found = {"plan": head, "counts": store.counts(conn, [number]), "lines": lines}
    tell(found, as_json, lambda given: [
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

    with begin() as conn, refusals():
        store.decide(conn, number, by or person(), moment(at), not refuse, comment)
    say(f"plan {number} is {'refused' if refuse else 'ready'}")


@app.command()
def apply(number: Plan) -> None:
    """Make a plan's prices effective, then read them back."""
    from ecom_assets.pricing import store

    with shop() as database:
        with database.begin() as conn, refusals():
            done = store.apply(conn, number, f"prices-{uuid.uuid4()}")
        if done.state == "stale":
            raise Problem(f"plan {number} was made on other prices: {', '.join(done.moved_since)}"
                          " moved since; make a new plan")  # fmt: skip
        # In a transaction of its own: what is read back is what buyers get.
        with database.begin() as conn:
            proof = store.verify(conn, number)
    say(f"plan {number} is {proof.state}: {done.begun:,} prices began, {done.ended:,} ended")


@app.command()
def rollback(number: Plan, by: By = None, at: At = None) -> None:
    """Take a plan that is in effect back; prices that moved on since are left and named."""
    from ecom_assets.pricing import store

    with begin() as conn, refusals():
        undoing = store.roll_back(conn, number, by or person(), moment(at),
                                  f"prices-{uuid.uuid4()}")  # fmt: skip
        head = store.plan_of(conn, undoing)
    say("\n".join([f"plan {number} is undone", *plan_text(head or {})]))


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
    with begin() as conn:
        rows = prices_at(conn, channel, currency, wanted, moment(at), group)
    found = [{"sku": sku, "units": units, **(row._asdict() if row else {"price_minor": None})}
             for (sku, units), row in zip(wanted, rows, strict=True)]  # fmt: skip
    tell({"lines": found}, as_json, lambda given: [
        f"{row['sku']}: no price" if row["price_minor"] is None else
        line_text({"outcome": "price", "old_minor": None, "new_minor": row["price_minor"],
                   "bound": (), "reasons": (), **row}, currency)
        for row in given["lines"]
    ])  # fmt: skip


@app.command()
def backtest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML with tables [[rule]].")],
    price_list: Annotated[int, typer.Option("--list", help="List to try them on.")],
    first: Annotated[datetime, typer.Option("--from", help="First day.")],
    last: Annotated[datetime, typer.Option("--to", help="End, excluded.")],
    as_json: Json = False,
) -> None:
    """Try rules on the past of a list; nothing becomes live."""
    from ecom_assets.pricing.store import backtests
    from ecom_assets.pricing.store.rules import of_documents

    with begin() as conn, refusals():
        tried = of_documents(_document(file).get("rule", ()))
        number = backtests.backtest(conn, price_list, tried, moment(first), moment(last),
                                    f"prices-{uuid.uuid4()}")  # fmt: skip
        found = backtests.found(conn, number)
    tell(found, as_json, backtest_text)


def _wanted(text: str) -> tuple[str, int]:
    sku, mark, units = text.rpartition(":")
    return (sku, int(units)) if mark and units.isdigit() else (text, 1)


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{file.name}: {error}") from error
