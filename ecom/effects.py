"""`ecom effects`: what left the platform and nobody saw the end of, for a person to settle."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from ecom.problems import Problem
from ecom.settings import load

commands = typer.Typer(
    no_args_is_help=True, help="E-mails and other effects that are open, and how to settle them."
)


@commands.command("list")
def list_(
    failed: Annotated[bool, typer.Option("--failed", help="Those that failed as well.")] = False,
    planned: Annotated[bool, typer.Option("--planned", help="Those that wait as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List effects nobody knows the end of; look their reference up where they went."""
    rows = _listed(failed, planned)
    if as_json:
        sys.stdout.write(json.dumps(rows, default=str) + "\n")
        return
    for row in rows:
        order = f", order {row['order_id']}" if row["order_id"] else ""
        sys.stdout.write(
            f"{row['effect_id']}: {row['kind']} {row['state']} after {row['attempts']} attempts"
            f"{order}, {row['reference']}: {row['last_error'] or 'not sent yet'}\n"
        )
    if not rows:
        sys.stdout.write("nothing to settle\n")


def _listed(failed: bool, planned: bool) -> list[dict[str, Any]]:
    from ecom.platform import opened
    from ecom_assets.effects.store import listed
    from ecom_assets.shared.outbox import EffectState

    states = [EffectState.UNKNOWN]
    states += [EffectState.FAILED] if failed else []
    states += [EffectState.PLANNED] if planned else []
    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        return [dict(row) for row in conn.execute(listed(*states)).mappings()]


@commands.command()
def resolve(
    effect_id: Annotated[int, typer.Argument(metavar="ID", help="Number from `effects list`.")],
    by: Annotated[str, typer.Option(help="Who looked; kept with the effect.")],
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="Whether it happened.")
    ] = None,
) -> None:
    """Settle an effect by hand: it happened, or it did not and is planned again."""
    from ecom.platform import opened
    from ecom_assets.effects.store import NotInDoubt
    from ecom_assets.effects.store import resolve as settle

    if sent is None:
        raise Problem("say what you found: --sent or --not-sent")
    if not by.strip():
        raise Problem("--by needs a name")
    with opened(load(), migrating=False) as platform, platform.database.begin() as conn:
        try:
            settle(conn, effect_id, sent, by.strip())
        except NotInDoubt as error:
            raise Problem(str(error)) from error
    state = "confirmed" if sent else "planned again"
    sys.stdout.write(f"effect {effect_id} is {state}\n")
