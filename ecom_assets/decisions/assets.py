"""Assets of the decisions area: replays of a past range under other rules."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.decisions import store
from ecom_assets.decisions.model import BadRequest, Request
from ecom_assets.decisions.report import lines
from ecom_assets.decisions.tables import REPLAY_OUTCOMES, REPLAYS
from ecom_assets.shared import metadata
from ecom_assets.shared.money import exponent
from resources.database import DatabaseResource

Replay = Callable[[DatabaseResource, Request, str, Callable[[str], object]], int]
"""Makes a replay; put together by the composition root, since it takes the rules of many areas."""


class ReplayRequest(dg.Config):
    """What to decide anew, and by what.

    Attributes:
        from_date: first day or moment of deciding, ISO 8601, in UTC where it names no zone.
        to_date: end of the range, excluded.
        rules: settings that differ from those in force, by section: risk, routing, carrier.
        model_version: fraud model to score with; empty keeps the recorded scores.
    """

    from_date: str
    to_date: str
    rules: dict[str, Any] = {}
    model_version: str = ""


_MOST_RECENT = sa.select(
    *(REPLAYS.c[name] for name in ("replay_id", "from_at", "to_at", "rules", "model_version")),
    *(REPLAYS.c[name] for name in ("state", "orders", "changed_orders")),
).order_by(REPLAYS.c.replay_id.desc())


@dg.multi_asset(
    name="decisions",
    specs=[
        dg.AssetSpec(
            ["decisions", "replays"],
            deps=[
                ["risk", "decisions"], ["warehouse", "allocations"],
                ["transport", "carrier_choices"], ["fraud", "models"],
            ],
            kinds={"postgres"},
            description="Past ranges decided anew under other rules, with what that comes to.",
        ),
        dg.AssetSpec(
            ["decisions", "replay_outcomes"],
            deps=[["decisions", "replays"]],
            kinds={"postgres"},
            description="Order by order, what was decided and what would have been.",
        ),
    ],
)  # fmt: skip
def replays(
    context: dg.AssetExecutionContext,
    config: ReplayRequest,
    database: DatabaseResource,
    replay: dg.ResourceParam[Replay],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Decide a past range anew; live orders are read and never touched."""
    try:
        request = Request.of_texts(
            config.from_date, config.to_date, config.rules, config.model_version
        )
        replay_id = replay(database, request, context.run.run_id, context.log.info)
    except BadRequest as error:
        # The same request fails the same way: a retry would only repeat it.
        raise dg.Failure(str(error), allow_retries=False) from error
    with database.begin() as conn:
        yield dg.MaterializeResult(
            asset_key=["decisions", "replays"], metadata=_replay_shown(conn, replay_id)
        )
        yield dg.MaterializeResult(
            asset_key=["decisions", "replay_outcomes"], metadata=_outcomes_shown(conn, replay_id)
        )


def _replay_shown(conn: sa.Connection, replay_id: int) -> dict[str, Any]:
    found = dict(store.find_replay(conn, replay_id))
    currency, days = store.cost_per_day(conn, replay_id)
    major = 10 ** exponent(currency)
    return {
        "replay": dg.MetadataValue.int(replay_id),
        "orders": dg.MetadataValue.int(found["orders"]),
        "changed_orders": dg.MetadataValue.int(found["changed_orders"]),
        "summary": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines(found))),
        "cost_change_per_day": metadata.bar_plot(
            [day for day, _ in days],
            [minor / major for _, minor in days],
            "Handling and carriage, change per day",
            currency or "none",
        ),
        "newest": metadata.preview(conn, _MOST_RECENT),
    }


def _outcomes_shown(conn: sa.Connection, replay_id: int) -> dict[str, Any]:
    outcomes = REPLAY_OUTCOMES.c
    changed = (
        sa.select(
            outcomes.order_id, outcomes.kind, outcomes.before, outcomes.after, outcomes.currency,
            outcomes.amount_before_minor, outcomes.amount_after_minor,
        )
        .where(outcomes.replay_id == replay_id, outcomes.is_changed)
        .order_by(outcomes.order_id, outcomes.kind)
    )  # fmt: skip
    return {
        **metadata.advanced(conn, REPLAY_OUTCOMES, {}),
        "changed": metadata.preview(conn, changed),
    }


ASSETS = [replays]
