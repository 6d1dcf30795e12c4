"""Plans and rows of the catalogue in words, for the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from ecom_assets.catalog.model import Applied, Plan


def report_on(conn: sa.Connection, plan: Plan, most: int) -> dict[str, Any]:
    """Everything people see of a plan, as one object; lists hold `most` lines."""
    from ecom_assets.catalog.store import plans

    found = {
        "fields": plans.field_counts(conn, plan),
        "found": plans.finding_counts(conn, plan),
        "findings": plans.findings(conn, plan, most, only_errors=False),
        "differences": plans.differences(conn, plan, most),
    }
    return {"plan": asdict(plan), **found}


def show_report(report: dict[str, Any], as_json: bool) -> None:
    """Print what `report_on` found."""
    if as_json:
        say(json.dumps(report, default=str))
        return
    plan = report["plan"]
    say(
        f"plan {plan['hash'][:12]} of {plan['source']} ({plan['format']}), {plan['state']}:"
        f" {plan['rows_read']:,} rows = {plan['rows_create']:,} create"
        f" + {plan['rows_update']:,} update + {plan['rows_skip']:,} skip"
        f" + {plan['rows_error']:,} error"
    )
    for each in report["found"]:
        kind = "error" if each["is_error"] else "note"
        say(f"  {kind} {each['code']} in {each['field'] or 'the row'}: {each['rows']:,} rows")
    for each in report["findings"]:
        say(f"  row {each['row']} {each['sku'] or ''} {each['field']}: {each['code']}"
               f" ({each['value']})")  # fmt: skip
    for each in report["differences"]:
        say(f"  row {each['row']} {each['sku']} {each['action']} {each['field']}:"
               f" {_short(each['before'])} -> {_short(each['after'])}")  # fmt: skip
    if plan["state"] == "planned":
        say(f"apply it with: ecom catalog plan apply {plan['hash'][:12]}")


def _short(value: str | None) -> str:
    text = "nothing" if value is None else " ".join(value.split())
    return text if len(text) <= 60 else text[:59] + "…"


def show_applied(done: Applied, as_json: bool) -> None:
    """Print what applying or reverting a plan did."""
    if as_json:
        say(json.dumps(asdict(done), default=str))
        return
    verb = "removed" if done.plan.state == "reverted" else "created"
    kept = f", {done.kept:,} rows kept as they were changed or used since" if done.kept else ""
    say(f"plan {done.plan.hash[:12]} is {done.plan.state}: {done.created:,} {verb},"
           f" {done.updated:,} updated{kept}")  # fmt: skip


def show_rows(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows, one a line, without what is empty."""
    if as_json:
        say(json.dumps(list(rows), default=str))
        return
    for row in rows:
        say("  ".join(f"{name}={_short(str(value))}" for name, value in row.items()
                         if value not in (None, "", [])))  # fmt: skip
    if not rows:
        say("nothing")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
