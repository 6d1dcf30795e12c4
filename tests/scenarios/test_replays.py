"""A past range decided anew: nothing changes under the rules in force, and nothing live ever."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.decisions import report
from ecom_assets.decisions import store as decisions
from ecom_assets.decisions.model import BadRequest, Request
from ecom_assets.definitions import build_defs
from ecom_assets.fraud.store import model_versions
from ecom_assets.replaying import IN_FORCE, replay
from ecom_assets.schema import schema
from ecom_assets.transport import store as transport
from ecom_assets.warehouse import store as warehouse
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


def outcomes(database: DatabaseResource, replay_id: int, kind: str) -> dict[int, sa.RowMapping]:
    """Rows of a kind by order; the simulated shop prices carriage and handling in euros only."""
    with database.begin() as conn:
        rows = conn.execute(
            sa.text(
                "SELECT * FROM decisions.replay_outcomes WHERE replay_id = :id AND kind = :kind"
            ),
            {"id": replay_id, "kind": kind},
        )
        return {row["order_id"]: row for row in rows.mappings()}


def test_naming_the_rules_in_force_changes_nothing_either(decided_shop: DatabaseResource) -> None:
    rules = {name: asdict(policy) for name, policy in IN_FORCE.items()}
    for settings in rules.values():
        settings.pop("version", None)
    assert run(decided_shop, rules)["changed_orders"] == 0


@pytest.mark.parametrize("chunk", [7, 400])
def test_a_part_of_the_time_changes_nothing_either(
    decided_shop: DatabaseResource, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """The stock at the start of the range is found from what went before."""
    for function in (warehouse.allocate_anew, transport.choose_anew):
        monkeypatch.setattr(function, "__defaults__", (chunk * 10,))
    with decided_shop.begin() as conn:
        middle = conn.execute(
            sa.text(
                "SELECT percentile_disc(ARRAY[0.5, 0.6]) WITHIN GROUP (ORDER BY decided_as_of)"
                " FROM orders.orders"
            )
        ).scalar_one()
    found = run(decided_shop, span=tuple(middle))
    assert 200 < found["orders"] < 400
    assert found["changed_orders"] == 0


# A hand-made check of carriers: of the services kept for a parcel, the score under another weight
# of lateness follows from the recorded one. Sites stay as they are.
_BY_HAND = sa.text("""
    WITH rescored AS (
        SELECT order_id, site_code, service_code, cost_minor,
            score - (1000 - :late_cost_minor) * (1 - on_time_probability) AS score
        FROM transport.carrier_choices WHERE is_eligible
    ), best AS (
        SELECT DISTINCT ON (order_id, site_code) order_id, cost_minor
        FROM rescored ORDER BY order_id, site_code, score, service_code COLLATE "C"
    )
    SELECT order_id, sum(cost_minor) FROM best GROUP BY order_id
""")


def test_other_weights_of_carriers_agree_with_a_computation_by_hand(
    decided_shop: DatabaseResource,
) -> None:
    found = run(decided_shop, {"carrier": {"late_cost_minor": 100}})
    replayed = outcomes(decided_shop, found["replay_id"], "carrier_choice")
    with decided_shop.begin() as conn:
        by_hand = dict(conn.execute(_BY_HAND, {"late_cost_minor": 100}).tuples().all())
    assert {order: row["amount_after_minor"] for order, row in replayed.items()} == by_hand
    assert found["summary"]["late_after"] > found["summary"]["late_before"]
    changed = [row for row in replayed.values() if row["is_changed"]]
    assert len(changed) > 100
    assert found["changed_orders"] == len(changed)


_RISK_BY_HAND = sa.text("""
    SELECT d.order_id FROM risk.decisions AS d
    WHERE d.outcome = 'review' AND d.reasons <@ ARRAY['expected_loss_exceeds_review_cost',
        'overpaid']
""")


def test_accepting_more_gives_them_stock_sites_and_carriers(decided_shop: DatabaseResource) -> None:
    found = run(decided_shop, {"risk": {"review_cost_eur": 1_000_000}})
    with decided_shop.begin() as conn:
        expected = set(conn.execute(_RISK_BY_HAND).scalars())
    risks = outcomes(decided_shop, found["replay_id"], "risk_decision")
    assert {order for order, row in risks.items() if row["is_changed"]} == expected
    assert found["summary"]["newly_accepted"] == len(expected) > 10
    sites = outcomes(decided_shop, found["replay_id"], "allocation")
    newly = [sites[order] for order in expected if order in sites]
    assert len(newly) > len(expected) / 2
    assert {row["before"] for row in newly} == {"none"}
    assert all(row["amount_after_minor"] > 0 for row in newly)
    gained = found["summary"]["accepted_after"] - found["summary"]["accepted_before"]
    assert gained == len(expected)


def test_rejecting_all_leaves_nothing_to_ship(decided_shop: DatabaseResource) -> None:
    found = run(decided_shop, {"risk": {"reject_from": 0.0, "review_from": 0.0}})
    assert found["summary"]["accepted_after"] == 0
    after = {total["kind"]: total for total in found["summary"]["totals"]}
    assert after["carrier_choice"]["amount_after_minor"] == 0
    assert after["allocation"]["parcels_after"] == 0


def test_another_model_scores_anew_from_what_was_known(decided_shop: DatabaseResource) -> None:
    with decided_shop.begin() as conn:
        versions = model_versions(conn)
        scored = sa.text("SELECT order_id FROM fraud.order_scores WHERE version = :version")
        own = set(conn.execute(scored, {"version": versions[-1]}).scalars())
    found = run(decided_shop, model_version=versions[-1])
    risks = outcomes(decided_shop, found["replay_id"], "risk_decision")
    # The model's own month comes out as it was, to the digit.
    assert not [order for order in own if risks[order]["is_changed"]]
    assert own < set(risks)


def test_an_unknown_model_is_named_with_those_there_are(decided_shop: DatabaseResource) -> None:
    with pytest.raises(BadRequest, match=r"no fraud model best; known are logistic/\d{4}-\d\d"):
        run(decided_shop, model_version="best")


def test_a_replay_that_dies_stays_unfinished_and_can_be_removed(
    decided_shop: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decisions, "finish_replay", die)
    with pytest.raises(KeyboardInterrupt):
        run(decided_shop)
    with decided_shop.begin() as conn:
        left = conn.execute(
            sa.text("SELECT replay_id FROM decisions.replays WHERE state = 'unfinished'")
        ).scalar_one()
        assert outcomes(decided_shop, left, "allocation") == {}
        assert decisions.remove_replay(conn, left)
        assert not decisions.remove_replay(conn, left)


def test_a_range_without_orders_is_an_answer_too(decided_shop: DatabaseResource) -> None:
    before = datetime(1999, 1, 1, tzinfo=UTC)
    found = run(decided_shop, span=(before, ALWAYS[0]))
    assert (found["state"], found["orders"], found["summary"]["totals"]) == ("finished", 0, [])
    assert report.lines(dict(found))


def test_the_job_tells_what_it_found(decided_shop: DatabaseResource) -> None:
    job = build_defs({"database": decided_shop}).resolve_job_def("decisions_replay")
    config = {"from_date": "2000-01-01", "to_date": "2100-01-01",
              "rules": {"routing": {"ranking": ["nearest"]}}}  # fmt: skip
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance,
            run_config={
                "ops": {"decisions": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        bad = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "ops": {"decisions": {"config": {**config, "rules": {"risk": {"x": 1}}}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    shown = done.asset_materializations_for_node("decisions")[0].metadata
    assert "routing.ranking = nearest" in str(shown["summary"].value)
    assert "data:image/png" in str(shown["cost_change_per_day"].value)
    assert not bad.success
