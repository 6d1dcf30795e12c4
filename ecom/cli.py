"""The command line; `ecom --help` lists the commands.

Results go to standard output, progress and problems to standard error. A problem a person can mend
is one line and exit code 1; a trace is written to a log file and never shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ecom import catalogue, importing, orders, prices, rules, stock_commands, taxes, users
from ecom.effects import commands as effects_commands
from ecom.problems import Problem, explain
from ecom.purchases import commands as purchases_commands
from ecom.settings import Settings, load

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)

app.add_typer(orders.app, name="orders")
app.command("order")(orders.show)
app.add_typer(effects_commands, name="effects")
app.add_typer(catalogue.commands, name="catalog")
app.add_typer(importing.commands, name="import")
app.add_typer(purchases_commands, name="purchases")
app.add_typer(prices.app, name="prices")
app.add_typer(rules.app, name="rules")
app.add_typer(taxes.app, name="taxes")
app.add_typer(stock_commands.commands, name="stock")
app.add_typer(users.commands, name="user")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
FORMATS = ", ".join(importing.SHOPS)
POLICIES = "park, reject-row or reject-batch"


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Do the work and exit.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder to import first.")] = None,
    form: Annotated[str | None, typer.Option("--format", help=f"Its format: {FORMATS}.")] = None,
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    as_json: Json = False,
) -> None:
    """Start everything, take data in, decide the orders, then serve the Dagster UI."""
    from ecom.up import run

    if (data is None) != (form is None):
        raise Problem("--data and --format go together")
    summary = run(load(), once=once, source=(form, data) if form and data else None, port=port)
    if as_json:
        _print(json.dumps(summary, default=str))


@app.command()
def status(as_json: Json = False) -> None:
    """Show where orders stand, what waits, and what is degraded."""
    from ecom.status import report, text

    found = report(load())
    _print(json.dumps(found, default=str) if as_json else "\n".join(text(found)))


@app.command("import-messages")
def import_messages(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines; - for standard input.")],
    policy: Annotated[str, typer.Option(help=f"What bad lines do: {POLICIES}.")] = "park",
    received_at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="Arrival of lines that name none."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take order messages and cancellations in, one JSON object a line."""
    from ecom.messages import bad_lines, in_words, take_file
    from ecom.platform import opened

    with opened(load()) as platform:
        report = take_file(platform.database.begin, file, policy, received_at)
    for line in bad_lines(report):
        sys.stderr.write(f"{line}\n")
    _print(json.dumps(asdict(report)) if as_json else in_words(report))
    if report.rejected:
        raise typer.Exit(1)


@app.command()
def consume(
    topic: Annotated[str, typer.Option(help="Kafka topic of order messages.")],
    group: Annotated[str, typer.Option(help="Consumers of a group share the topic.")] = "ecom",
    once: Annotated[bool, typer.Option("--once", help="End where the topic ends.")] = False,
    as_json: Json = False,
) -> None:
    """Take a Kafka topic in, every record exactly once, until Ctrl-C."""
    from ecom.consume import run as run_consumer
    from ecom.messages import in_words
    from ecom.platform import opened
    from ecom.progress import Progress

    with opened(load()) as platform:
        report = run_consumer(platform, topic, group, once, Progress())
    _print(json.dumps(asdict(report)) if as_json else in_words(report))


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    orders: Annotated[int, typer.Option(help="How many orders.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 7,
) -> None:
    """Write a simulated shop to a folder; import it with the format `sample`."""
    from ecom.progress import Progress
    from simulator.shop import generate

    generate(folder, orders, seed, Progress().say)


@app.command()
def replay(
    first: Annotated[str | None, typer.Option("--from", help="First day, in UTC.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="End of the range, excluded.")] = None,
    rules: Annotated[Path | None, typer.Option(help="TOML or JSON with other settings.")] = None,
    model: Annotated[str | None, typer.Option(help="Fraud model to score with.")] = None,
    delete: Annotated[int | None, typer.Option(help="Remove a replay instead.")] = None,
    as_json: Json = False,
) -> None:
    """Decide a past range of orders anew, without any effect, and compare."""
    from ecom import replay as replays
    from ecom_assets.decisions.report import lines, most_changed

    if delete is not None:
        replays.remove(delete)
        return
    if first is None or last is None:
        raise Problem("give the range: --from DATE --to DATE")
    row = replays.make(load(), first, last, replays.read_rules(rules) if rules else {}, model)
    if as_json:
        _print(json.dumps(row, default=str))
        return
    changed = most_changed(row["summary"])
    _print("\n".join([*lines(row), *(["orders that change most:"] if changed else []), *changed]))


@app.command("explain")
def explain_order(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Id, or channel/external_id.")],
    as_json: Json = False,
) -> None:
    """Show why an order was decided as it was: every decision with what it was made from."""
    from ecom.explain import chain
    from ecom_assets.decisions.explaining import tell

    found = chain(load(), order)
    _print(json.dumps(found, default=str) if as_json else "\n".join(tell(found)))


@app.command()
def psql() -> None:
    """Open PostgreSQL's own shell on the shop's database."""
    from ecom.platform import opened
    from ecom.postgres import binaries

    with opened(load(), migrating=False) as platform:
        code = subprocess.call([str(binaries() / "psql"), platform.url])
    raise typer.Exit(code)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One SQL statement.")],
    as_json: Json = False,
) -> None:
    """Run one statement in a read-only transaction and print its rows."""
    rows, names = _read(load(), statement)
    if as_json:
        _print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in names:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console().print(table)


def _read(settings: Settings, statement: str) -> tuple[list[tuple[Any, ...]], list[str]]:
    import psycopg

    from ecom.platform import opened

    with opened(settings, migrating=False) as platform, psycopg.connect(platform.url) as conn:
        conn.read_only = True
        try:
            cursor = conn.execute(statement.encode())
        except psycopg.Error as error:
            raise Problem(str(error).strip().splitlines()[0]) from error
        names = [column.name for column in cursor.description or []]
        return cursor.fetchall() if names else [], names


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> None:
    """Entry point of the process."""
    code = run()
    if code:
        _hush()
    sys.exit(code)


def run() -> int:
    """Run what the arguments ask for and turn every failure into one line.

    Returns:
        The exit code: 0, 1 for a problem, 2 for arguments that make no sense, 130 for Ctrl-C.
    """
    try:
        app()
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:
        sys.stdout.flush()
        sys.stderr.write(f"ecom: {explain(error)}\n")
        return 1
    return 0


def _hush() -> None:
    """Send to a file what connections say when the interpreter closes them over a dead server."""
    sys.stderr.flush()
    try:
        file = os.open(load().logs / "ecom.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        file = os.open(os.devnull, os.O_WRONLY)
    os.dup2(file, sys.stderr.fileno())
