"""`ecom rules`: business rules from a draft in a file to force and back."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecom.price_options import At, By, Json, begin, moment, person, say, tell
from ecom.problems import Problem

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ecom_assets.backoffice.model import Rule, Tried

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="Business rules by version: what is in force, drafts, tests, approval, and back.",
)  # fmt: skip

Label = Annotated[str, typer.Argument(metavar="RULE", help="Its label, such as risk/2.")]
Comment = Annotated[str, typer.Option(help="Why; kept with the rule.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML or JSON; see docs/rules.md.")]


@contextmanager
def _acting(by: str | None) -> Iterator[tuple[sa.Connection, str]]:
    """A transaction recorded as done by a person; what is refused is told in one line."""
    from ecom_assets.backoffice.store.acting import Actor, act

    name = (by or person()).strip()
    with begin() as conn:
        act(conn, Actor(name, "command"))
        try:
            yield conn, name
        except ValueError as error:
            raise Problem(str(error)) from error


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help="One kind only.")] = None,
    as_json: Json = False,
) -> None:
    """List the kinds of rules and their versions, newest first."""
    from ecom_assets.backoffice.store import rules
    from ecom_assets.ruling import KINDS

    with begin() as conn:
        found = [_row(rule) for rule in rules.versions(conn, kind)]
    tell({"rules": found}, as_json, lambda given: [
        f"{row['label']}: {row['state']}, by {row['created_by']}"
        f"{', ' + row['note'] if row['note'] else ''}" for row in given["rules"]
    ] or [f"no rules; kinds are {', '.join(KINDS)}"])  # fmt: skip


@app.command()
def show(label: Label, as_json: Json = False) -> None:
    """Show what a version says, its tests and trials."""
    from ecom_assets.backoffice.store import rules, trials

    with _acting(None) as (conn, _):
        found = {"rule": _row(rules.find(conn, label)), "trials": trials.trials_of(conn, label)}
    tell(found, as_json, _shown)


def _row(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in type(rule).__slots__}


def _shown(found: Mapping[str, Any]) -> list[str]:
    rule = found["rule"]
    people = f"drafted by {rule['created_by']}"
    if rule["decided_by"]:
        people += f", decided by {rule['decided_by']}"
    return [
        f"{rule['label']}: {rule['state']}, {people}",
        *(f"  {name} = {json.dumps(value)}" for name, value in rule["parameters"].items()),
        f"  {len(rule['examples'])} tests of its own, based on {rule['based_on'] or 'nothing'}",
        *(_trial(trial) for trial in found["trials"]),
    ]


def _trial(trial: Mapping[str, Any]) -> str:
    if trial["stage"] == "test":
        return f"  test: {trial['changed']} of {trial['subjects']} examples failed"
    return (
        f"  {trial['stage']} {trial['from_at']:%Y-%m-%d} to {trial['to_at']:%Y-%m-%d}:"
        f" {trial['changed']:,} of {trial['subjects']:,} orders decided differently"
        f" (replay {trial['replay_id']})"
    )


def _document(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{file.name}: {error}") from error
    if not isinstance(found, dict):
        raise Problem(f"{file.name}: the document must be a table")
    return found


@app.command()
def draft(file: File, by: By = None, at: At = None) -> None:
    """Keep a draft: kind, settings, and examples with what must come of them."""
    from ecom_assets.backoffice.store import rules
    from ecom_assets.ruling import kind_of

    given = _document(file)
    if strange := sorted(set(given) - {"kind", "settings", "examples", "note"}):
        raise Problem(f"{file.name}: {strange[0]} is not known; give kind, settings and examples")
    with _acting(by) as (conn, name):
        made = rules.draft(
            conn, kind_of(str(given.get("kind", ""))), given.get("settings", {}), name,
            moment(at), given.get("examples", ()), str(given.get("note", "")),
        )  # fmt: skip
    say(f"{made.label} is a draft, based on {made.based_on}")


@app.command("test")
def try_(
    label: Label,
    order: Annotated[int | None, typer.Option(help="Try it on this order as well.")] = None,
    case: Annotated[Path | None, typer.Option(help="Try it on a made-up case, a file.")] = None,
    at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Run a version's own tests, and try it on an order or a made-up case; nothing is decided."""
    from ecom_assets.backoffice.store import rules, trials
    from ecom_assets.ruling import kind_of
    from ecom_assets.trying import try_on_case, try_on_order

    with _acting(None) as (conn, _):
        kind, rule = kind_of(label), rules.find(conn, label)
        failed = trials.run_tests(conn, kind, label, moment(at)) if rule.examples else []
        tried: list[Tried] = []
        if order is not None:
            tried += try_on_order(conn, kind, label, rule.parameters, order)
        if case is not None:
            now = rules.find(conn, rules.label_in_force(conn, kind.name)).parameters
            tried.append(try_on_case(kind, label, rule.parameters, now, _document(case)))
    rows = [{name: getattr(each, name) for name in type(each).__slots__} for each in tried]
    found = {"failed": failed, "examples": len(rule.examples), "tried": rows}
    tell(found, as_json, _tested)
    if failed:
        raise typer.Exit(1)


def _tested(found: Mapping[str, Any]) -> list[str]:
    passed = found["examples"] - len({line.partition(":")[0] for line in found["failed"]})
    lines = [f"{passed} of {found['examples']} examples pass", *found["failed"]]
    for tried in found["tried"]:
        lines.append(f"{tried['decided_by']}: {json.dumps(tried['decided'], default=str)}")
        lines.append(
            f"{tried['label']}: {tried['note'] or json.dumps(tried['would_be'], default=str)}"
        )
    return lines


@app.command()
def backtest(
    label: Label,
    days: Annotated[int, typer.Option(help="How many days back.")] = 90,
    at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Decide the last days anew by a version, as a Dagster run, and keep the diff with it."""
    _trial_job({"label": label, "days": days}, moment(at))
    show(label, as_json)


@app.command("shadow-run")
def shadow_run(at: At = None) -> None:
    """Let all rules in shadow decide the orders since the last time beside those in force."""
    _trial_job({}, moment(at))
    say("done; `ecom rules show RULE` tells what differed")


def _trial_job(config: dict[str, Any], at: datetime) -> None:
    from ecom.platform import opened
    from ecom.progress import Progress
    from ecom.settings import load
    from ecom.work import run_job

    given = {"ops": {"backoffice__rule_trials": {"config": config | {"as_of": at.isoformat()}}}}
    with opened(load()) as platform, platform.instance() as instance:
        run_job(instance, "backoffice_rule_trial", Progress(), given)


@app.command()
def propose(label: Label, by: By = None, at: At = None) -> None:
    """Ask for approval of a version that was tested and backtested."""
    from ecom_assets.backoffice.store import rules
    from ecom_assets.ruling import kind_of

    with _acting(by) as (conn, name):
        rules.propose(conn, kind_of(label), label, name, moment(at))
    say(f"{label} is proposed")


@app.command()
def approve(label: Label, by: By = None, comment: Comment = "", at: At = None) -> None:
    """Approve a proposed version; never who drafted or proposed it."""
    from ecom_assets.backoffice.store import rules

    with _acting(by) as (conn, name):
        rules.approve(conn, label, name, moment(at), comment)
    say(f"{label} is approved")


@app.command()
def reject(label: Label, by: By = None, comment: Comment = "", at: At = None) -> None:
    """Reject a proposed version, for good."""
    from ecom_assets.backoffice.store import rules

    with _acting(by) as (conn, name):
        rules.reject(conn, label, name, moment(at), comment)
    say(f"{label} is rejected")


@app.command()
def withdraw(label: Label, by: By = None) -> None:
    """Give up a version that is not in force."""
    from ecom_assets.backoffice.store import rules

    with _acting(by) as (conn, _):
        rules.withdraw(conn, label)
    say(f"{label} is withdrawn")


@app.command()
def shadow(label: Label, by: By = None, at: At = None) -> None:
    """Let an approved version decide beside the one in force, without effect."""
    from ecom_assets.backoffice.store import rules

    with _acting(by) as (conn, _):
        rules.shadow(conn, label, moment(at))
    say(f"{label} is in shadow")


@app.command()
def promote(label: Label, by: By = None, at: At = None) -> None:
    """Put an approved version in force, from now or a moment to come."""
    from ecom_assets.backoffice.store import rules

    with _acting(by) as (conn, name):
        rules.promote(conn, label, name, moment(at))
    say(f"{label} is in force from {moment(at):%Y-%m-%d %H:%M} UTC on")


@app.command("roll-back")
def roll_back(
    kind: Annotated[str, typer.Argument(help="Kind of rule, such as risk.")],
    by: By = None, at: At = None,
) -> None:  # fmt: skip
    """Put the version before the one in force back."""
    from ecom_assets.backoffice.store import rules
    from ecom_assets.ruling import kind_of

    with _acting(by) as (conn, name):
        back = rules.roll_back(conn, kind_of(kind).name, name, moment(at))
    say(f"{back.label} is in force again")
