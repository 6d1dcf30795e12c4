"""A past range decided anew: nothing changes under the rules in force, and nothing live ever."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.decisions.model import Request
from ecom_assets.replaying import replay
from ecom_assets.schema import schema
from resources.database import DatabaseResource

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def run(
    database: DatabaseResource, rules: dict[str, Any] | None = None, **other: Any
) -> sa.RowMapping:
    """Replay everything and return the replay's row."""
    first, last = other.pop("span", ALWAYS)
    request = Request(first, last, rules or {}, **other)
    said: list[str] = []
    replay_id = replay(database, request, "replay-run", said.append)
    assert said
    with database.begin() as conn:
        found = sa.text("SELECT * FROM decisions.replays WHERE replay_id = :replay_id")
        return conn.execute(found, {"replay_id": replay_id}).mappings().one()


def live_tables(database: DatabaseResource) -> dict[str, tuple[Any, ...]]:
    """Rows and a digest of every table but those of replays."""
    found = {}
    with database.begin() as conn:
        for table in schema().sorted_tables:
            if table.name.startswith("replay"):
                continue
            row = sa.func.hashtextextended(sa.cast(sa.text("t"), sa.Text), 0)
            digest = sa.select(sa.func.count(), sa.func.sum(row)).select_from(table.alias("t"))
            found[table.fullname] = tuple(conn.execute(digest).one())
    return found


def test_the_rules_in_force_change_nothing(decided_shop: DatabaseResource) -> None:
    before = live_tables(decided_shop)
    found = run(decided_shop)
    assert found["state"] == "finished"
    assert found["orders"] > 2_500
    assert found["changed_orders"] == 0
    assert found["summary"]["most_changed"] == []
    assert {total["kind"] for total in found["summary"]["totals"]} == {
        "risk_decision", "allocation", "carrier_choice"
    }  # fmt: skip
    for total in found["summary"]["totals"]:
        assert total["amount_before_minor"] == total["amount_after_minor"] > 0
    assert live_tables(decided_shop) == before
