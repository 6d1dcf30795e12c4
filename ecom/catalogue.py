"""`ecom catalog` and `ecom import catalog`: plan, apply, revert, export; completeness and copy."""

from __future__ import annotations

import csv
import tomllib
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import sqlalchemy as sa
import typer

from ecom.catalogue_text import report_on, say, show_applied, show_report, show_rows
from ecom.problems import Problem
from ecom.settings import load

if TYPE_CHECKING:
    from ecom_assets.catalog.model import Applied

commands = typer.Typer(no_args_is_help=True, help="Products: plans, completeness, export, copy.")
plan_commands = typer.Typer(no_args_is_help=True, help="What imports would change, or changed.")
commands.add_typer(plan_commands, name="plan")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Hash = Annotated[str, typer.Argument(metavar="HASH", help="The plan's hash, or its beginning.")]
Most = Annotated[int, typer.Option(help="Lines shown.", min=1)]


def columns_of(given: Sequence[str]) -> dict[str, str]:
    """Columns by field from `FIELD=NAME` options.

    Raises:
        Problem: one has no `=`.
    """
    pairs = [each.partition("=") for each in given]
    if wrong := [field for field, mark, _ in pairs if not mark]:
        raise Problem(f"--column {wrong[0]}: write it as FIELD=NAME, such as sku=Article")
    return {field.strip(): name for field, _, name in pairs}


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    form: Annotated[
        str | None, typer.Option("--as", help="csv, xlsx, shopify or merchant.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Of prices that state none.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=NAME, where names do not say it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan a catalogue file; `ecom catalog plan apply` carries the plan out."""
    from ecom_assets.catalog.store.files import plan_file

    run, named = f"command-{uuid.uuid4()}", columns_of(column or [])

    def work(conn: sa.Connection) -> dict[str, Any]:
        plan = plan_file(conn, file, datetime.now(UTC), run, form, named, currency)
        return report_on(conn, plan, 10)

    show_report(_in_transaction(work), as_json)


@plan_commands.command("list")
def list_(most: Most = 20, as_json: Json = False) -> None:
    """Show the newest plans."""
    from ecom_assets.catalog.store.plans import LISTED, rows_of

    rows = _in_transaction(lambda conn: rows_of(conn.execute(LISTED.limit(most))))
    show_rows(rows, as_json)


@plan_commands.command("show")
def show(plan: Hash, most: Most = 50, as_json: Json = False) -> None:
    """Show a plan: counts, what was found, and the differences field by field."""
    from ecom_assets.catalog.store.plans import find_plan

    show_report(_in_transaction(lambda conn: report_on(conn, find_plan(conn, plan), most)), as_json)


@plan_commands.command("apply")
def apply(plan: Hash, as_json: Json = False) -> None:
    """Write what a plan says; refused where the catalogue moved since, naming the rows."""
    from ecom_assets.catalog.store import apply_plan

    show_applied(_change(lambda conn, at, run: apply_plan(conn, plan, at, run)), as_json)


@plan_commands.command("revert")
def revert(plan: Hash, as_json: Json = False) -> None:
    """Restore the values from before a plan, where nobody has changed them since."""
    from ecom_assets.catalog.store import revert_plan

    show_applied(_change(lambda conn, at, run: revert_plan(conn, plan, at, run)), as_json)


@commands.command()
def archive(
    skus: Annotated[list[str], typer.Argument(metavar="SKU...")],
    restore: Annotated[bool, typer.Option("--restore", help="Take them back instead.")] = False,
) -> None:
    """Plan to take products out of the range; apply the plan to do it."""
    from ecom_assets.catalog.store.files import plan_statuses

    run, status = f"command-{uuid.uuid4()}", "active" if restore else "archived"

    def work(conn: sa.Connection) -> dict[str, Any]:
        return report_on(conn, plan_statuses(conn, skus, status, datetime.now(UTC), run), 50)

    show_report(_in_transaction(work), False)


@commands.command()
def taxonomy(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Take the categories of Google's product taxonomy (the text file with ids)."""
    from ecom_assets.catalog.store.taxonomy import take_taxonomy

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    changed = _in_transaction(lambda conn: take_taxonomy(conn, lines))
    say(f"{changed:,} categories new or changed")


@commands.command()
def demands(file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML.")]) -> None:
    """Take families with their attributes and what channels ask for, then judge all products."""
    from ecom_assets.catalog.demands import read_demands
    from ecom_assets.catalog.reading import BadFile
    from ecom_assets.catalog.store.completeness import judge_completeness
    from ecom_assets.catalog.store.requirements import set_families, set_requirements

    try:
        found = read_demands(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, BadFile) as error:
        raise Problem(f"{file}: {getattr(error, 'strerror', None) or error}") from error

    def work(conn: sa.Connection) -> int:
        set_families(conn, found.families, found.attributes)
        set_requirements(conn, found.channels, found.requirements)
        return judge_completeness(conn, f"command-{uuid.uuid4()}")

    changed = _in_transaction(work)
    say(f"{len(found.families)} families, {len(found.requirements)} demands of channels;"
           f" {changed:,} judgements changed")  # fmt: skip


@commands.command()
def channel(
    name: Annotated[str, typer.Argument(metavar="CHANNEL")], most: Most = 50, as_json: Json = False
) -> None:
    """Show which products a channel does not get, and why."""
    from ecom_assets.catalog.store.plans import rows_of

    held = sa.text("""
        SELECT sku, held_back_by FROM catalog.channel_products
        WHERE channel = :channel AND NOT is_listable ORDER BY sku LIMIT :most
    """)
    given = {"channel": name, "most": most}
    show_rows(_in_transaction(lambda conn: rows_of(conn.execute(held, given))), as_json)


@commands.command()
def lineage(sku: Annotated[str, typer.Argument(metavar="SKU")], as_json: Json = False) -> None:
    """Show where each value of a product came from."""
    from ecom_assets.catalog.store.plans import lineage as lineage_of

    show_rows(_in_transaction(lambda conn: lineage_of(conn, sku)), as_json)


@commands.command()
def export(file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV to write.")]) -> None:
    """Write all products to a CSV file that no spreadsheet runs as formulas."""
    from ecom_assets.catalog.store.exporting import export_rows

    def work(conn: sa.Connection) -> int:
        # Renamed when it is whole, so that nobody reads half of it.
        unfinished = file.with_name(f"{file.name}.part")
        with unfinished.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            count = sum(1 for row in export_rows(conn) if writer.writerow(row))
        unfinished.replace(file)
        return count - 1

    try:
        say(f"{_in_transaction(work):,} products written to {file}")
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error


@commands.command()
def copy(
    skus: Annotated[list[str], typer.Argument(metavar="SKU...")],
    locale: Annotated[str, typer.Option(help="Language of the copy, such as de.")] = "",
    as_json: Json = False,
) -> None:
    """Write drafts of product copy; without OPENAI_API_KEY from templates."""
    from ecom.platform import opened
    from ecom.progress import Progress
    from ecom.work import run_job
    from ecom_assets.catalog.store.plans import rows_of
    from ecom_assets.catalog.tables import COPY_DRAFTS

    run = str(uuid.uuid4())
    config = {"ops": {"catalog__copy_drafts": {"config": {"skus": skus, "locale": locale}}}}
    names = ("sku", "state", "writer", "text", "problems", "degraded")
    with opened(load()) as platform:
        with platform.instance() as instance:
            run_job(instance, "catalog_copy", Progress(), config, run)
        drafts = sa.select(*(COPY_DRAFTS.c[name] for name in names))
        with platform.database.begin() as conn:
            mine = drafts.where(COPY_DRAFTS.c.run_id == run).order_by(COPY_DRAFTS.c.draft_id)
            rows = rows_of(conn.execute(mine))
    show_rows(rows, as_json)


Result = TypeVar("Result")


def _in_transaction(work: Callable[[sa.Connection], Result]) -> Result:
    """Do work in a transaction; what it refuses is a problem a person can mend."""
    from ecom.platform import opened
    from ecom_assets.catalog.model import PlanRefused
    from ecom_assets.catalog.reading import BadFile

    with opened(load()) as platform:
        try:
            with platform.database.begin() as conn:
                return work(conn)
        except (BadFile, PlanRefused) as error:
            raise Problem(str(error)) from error


def _change(work: Callable[[sa.Connection, datetime, str], Applied]) -> Applied:
    """Apply or revert, then judge the products it touched."""
    from ecom_assets.catalog import store
    from ecom_assets.catalog.store.completeness import judge_completeness, judge_scores

    run = f"command-{uuid.uuid4()}"

    def whole(conn: sa.Connection) -> Applied:
        done = work(conn, datetime.now(UTC), run)
        store.fill_shipping_weights(conn)
        judge_completeness(conn, run, done.plan.plan_id)
        judge_scores(conn, run, done.plan.plan_id)
        return done

    return _in_transaction(whole)
