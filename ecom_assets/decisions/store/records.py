"""`decisions.replays`: opened before the work and finished with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ecom_assets.decisions.model import Request
from ecom_assets.decisions.tables import REPLAYS


def open_replay(
    conn: sa.Connection, request: Request, policies: Mapping[str, Any], run: str
) -> int:
    """Put a replay on record as unfinished; it stays so if its run dies.

    Args:
        conn: a transaction of its own, so that the record is there whatever happens next.
        request: what is asked for.
        policies: all settings in use, by section.
        run: Dagster run id.

    Returns:
        The replay's id.
    """
    row = {
        "from_at": request.from_at, "to_at": request.to_at, "rules": dict(request.rules),
        "model_version": request.model_version, "policies": dict(policies), "state": "unfinished",
        "run_id": run,
    }  # fmt: skip
    statement = sa.insert(REPLAYS).values(row).returning(REPLAYS.c.replay_id)
    replay_id: int = conn.execute(statement).scalar_one()
    return replay_id


def finish_replay(conn: sa.Connection, replay_id: int, summary: Mapping[str, Any]) -> None:
    """Put a replay's figures on record, in the transaction that wrote its outcomes."""
    conn.execute(
        sa.update(REPLAYS)
        .where(REPLAYS.c.replay_id == replay_id)
        .values(
            state="finished",
            orders=summary["orders"],
            changed_orders=summary["changed_orders"],
            summary=dict(summary),
        )
    )


def find_replay(conn: sa.Connection, replay_id: int) -> sa.RowMapping:
    """A replay's row."""
    statement = sa.select(REPLAYS).where(REPLAYS.c.replay_id == replay_id)
    return conn.execute(statement).mappings().one()


def replay_of_run(conn: sa.Connection, run: str) -> sa.RowMapping | None:
    """The replay that a run made; None where the run refused the request."""
    return conn.execute(sa.select(REPLAYS).where(REPLAYS.c.run_id == run)).mappings().first()


def remove_replay(conn: sa.Connection, replay_id: int) -> bool:
    """Remove a replay with its outcomes; whether there was one."""
    statement = sa.delete(REPLAYS).where(REPLAYS.c.replay_id == replay_id)
    return conn.execute(statement).rowcount > 0
