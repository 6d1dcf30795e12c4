"""An order's way through a change of rules: tried, backtested, approved, in force, rolled back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.backoffice.model import RuleRefused
from ecom_assets.backoffice.store import rules, trials
from ecom_assets.decisions.model import Request
from ecom_assets.definitions import build_defs
from ecom_assets.replaying import replay
from ecom_assets.ruling import KINDS, kind_of
from ecom_assets.schema import schema
from ecom_assets.shared.policies import settings_of
from ecom_assets.trying import try_on_case, try_on_order
from fixtures.scratch import rolled_back
from importers.engine import run_import
from resources.database import DatabaseResource
from scenarios.conftest import run_order_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STRICT: dict[str, dict[str, Any]] = {
    "risk": {"review_from": 0.0, "review_cost_eur": 0.5},
    "routing": {"ranking": ["nearest"]},
    "carrier": {"late_cost_minor": 0},
    "payment_match": {"per_tender_minor": 0, "least_minor": 0},
    "reservation": {"promise_stands": "30 days"},
    "fraud_rules": {"base_log_odds": -2.0},
}
DECISIONS = {kind.name: kind.decision for kind in KINDS.values()}


def draft(conn: sa.Connection, kind: str) -> str:
    given = settings_of(KINDS[kind].form()) | STRICT[kind]
    return rules.draft(conn, KINDS[kind], given, "ann", NOW).label


def put_in_force(conn: sa.Connection, label: str, at: datetime) -> None:
    """Straight to force, as the rows say it: the way there is tested where it is walked."""
    sql = sa.text(
        "UPDATE backoffice.business_rules SET state = :state, decided_by = 'bob' WHERE label = :l"
    )
    for state in ("tested", "proposed", "approved"):
        conn.execute(sql, {"state": state, "l": label})
    rules.promote(conn, label, "bob", at)


def middle(conn: sa.Connection) -> datetime:
    found: datetime = conn.execute(
        sa.text(
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY decided_as_of) FROM orders.orders"
        )
    ).scalar_one()
    return found


def live_tables(conn: sa.Connection) -> dict[str, Any]:
    found = {}
    for table in schema().sorted_tables:
        row = sa.func.hashtextextended(sa.cast(sa.text("t"), sa.Text), 0)
        digest = sa.select(sa.func.count(), sa.func.sum(row)).select_from(table.alias("t"))
        found[table.fullname] = tuple(conn.execute(digest).one())
    return found


def run_trial(database: DatabaseResource, **config: Any) -> dg.ExecuteInProcessResult:
    job = build_defs({"database": database}).resolve_job_def("backoffice_rule_trial")
    given = {
        "ops": {"backoffice__rule_trials": {"config": config}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(run_config=given, instance=instance, raise_on_error=False)


_ORDER = sa.text("""
    SELECT l.order_id FROM decisions.ledger AS l
    JOIN warehouse.allocations USING (order_id) JOIN transport.carrier_choices USING (order_id)
    WHERE l.kind = :kind AND (l.kind <> 'fraud_score' OR l.version LIKE 'fraud_rules%')
    ORDER BY l.order_id LIMIT 1
""")


@pytest.mark.parametrize("kind", STRICT)
def test_a_draft_is_tried_on_an_order_and_leaves_nothing(
    decided_shop: DatabaseResource, kind: str
) -> None:
    with rolled_back(decided_shop) as conn:
        label = draft(conn, kind)
        order = conn.execute(_ORDER, {"kind": DECISIONS[kind]}).scalar_one()
        before = live_tables(conn)
        same = try_on_order(conn, KINDS[kind], label, settings_of(KINDS[kind].form()), order)
        assert same
        assert not any(each.is_changed for each in same)
        other = try_on_order(conn, KINDS[kind], label, rules.find(conn, label).parameters, order)
        assert all(each.would_be for each in other)
        assert live_tables(conn) == before
        with pytest.raises(RuleRefused, match="has no"):
            try_on_order(conn, KINDS[kind], label, rules.find(conn, label).parameters, 0)


def test_a_made_up_case_is_judged_by_both() -> None:
    kind = KINDS["payment_match"]
    now, strict = settings_of(kind.form()), STRICT["payment_match"]
    tried = try_on_case(kind, "x", strict, now, {"due_minor": 100, "authorised_minor": 99})
    assert tried.decided["outcome"] == "authorised"
    assert tried.would_be["outcome"] == "underpaid"
    assert tried.is_changed


@pytest.mark.parametrize("kind", ["risk", "routing", "carrier", "payment_match", "fraud_rules"])
def test_a_backtest_keeps_the_diff_with_its_money(
    decided_shop: DatabaseResource, kind: str
) -> None:
    with decided_shop.begin() as conn:
        label = draft(conn, kind)
        last = conn.execute(sa.text("SELECT max(decided_as_of) FROM orders.orders")).scalar_one()
    as_of = (last + timedelta(seconds=1)).isoformat()
    result = run_trial(decided_shop, label=label, as_of=as_of, days=90)
    assert result.success
    with decided_shop.begin() as conn:
        (trial,) = trials.trials_of(conn, label)
    assert trial["stage"] == "backtest"
    assert trial["subjects"] > 0
    assert trial["summary"]["totals"]
    if kind in {"routing", "carrier"}:
        assert trial["changed"] > 0
    shown = result.asset_materializations_for_node("backoffice__rule_trials")[0].metadata
    assert label in str(shown["newest"].value)
    assert "data:image/png" in str(shown["money_effect_plot"].value)


def test_what_cannot_be_replayed_says_so(decided_shop: DatabaseResource) -> None:
    with decided_shop.begin() as conn:
        label = draft(conn, "reservation")
    result = run_trial(decided_shop, label=label)
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert "decides nothing that a replay could" in str(failure.event_specific_data)


def test_a_rule_in_shadow_decides_beside_and_changes_nothing(
    decided_shop: DatabaseResource,
) -> None:
    with decided_shop.begin() as conn:
        label, since = draft(conn, "carrier"), middle(conn)
        sql = sa.text(
            "UPDATE backoffice.business_rules SET state = :s, decided_by = 'bob' WHERE label = :l"
        )
        for state in ("tested", "proposed", "approved"):
            conn.execute(sql, {"s": state, "l": label})
        rules.shadow(conn, label, since)
        ledger = conn.execute(sa.text("SELECT count(*) FROM decisions.ledger")).scalar_one()
    ends = [since + timedelta(days=10), since + timedelta(days=20)]
    for end in ends:
        assert run_trial(decided_shop, as_of=end.isoformat()).success
    with decided_shop.begin() as conn:
        found = trials.trials_of(conn, label)
        assert [(each["from_at"], each["to_at"]) for each in found] == [
            (since, ends[0]), (ends[0], ends[1])
        ]  # fmt: skip
        assert all(each["stage"] == "shadow" and each["subjects"] > 0 for each in found)
        left = conn.execute(sa.text("SELECT count(*) FROM decisions.ledger")).scalar_one()
        assert left == ledger
        rules.withdraw(conn, label)


@pytest.fixture
def changed_shop(database: DatabaseResource, shop_files: Any) -> tuple[DatabaseResource, datetime]:
    """A shop whose rules all change in the middle of the time that its orders cover."""
    run_import(database.begin, "sample", shop_files, "test", None)
    with database.begin() as conn:
        at: datetime = conn.execute(
            sa.text(
                "SELECT percentile_disc(0.5) WITHIN GROUP"
                " (ORDER BY CAST(payload ->> 'placed_at' AS timestamptz)) FROM orders.inbox"
            )
        ).scalar_one()
        for kind in STRICT:
            put_in_force(conn, draft(conn, kind), at)
    assert run_order_job(database).success
    return database, at


_VERSIONS = sa.text("""
    SELECT kind, version, count(*), bool_and(decided_as_of < :at) AS are_before,
        bool_and(decided_as_of >= :at) AS are_after
    FROM decisions.ledger WHERE kind = ANY(:kinds) AND version NOT LIKE 'logistic%'
    GROUP BY kind, version
""")


def test_every_order_is_decided_by_the_version_of_its_own_time(
    changed_shop: tuple[DatabaseResource, datetime],
) -> None:
    database, at = changed_shop
    with database.begin() as conn:
        kinds = list(DECISIONS.values())
        rows = conn.execute(_VERSIONS, {"at": at, "kinds": kinds}).all()
    found = {(row.kind, row.version): row for row in rows}
    for kind, decision in DECISIONS.items():
        first = {"routing": "allocation-2", "carrier": "carrier-1", "reservation": "reservation-1"}
        assert found[decision, first.get(kind, f"{kind}/1")].are_before
        if kind != "fraud_rules":  # by then a model scores
            assert found[decision, f"{kind}/2"].are_after
    # And a replay knows the versions of the time: nothing comes out differently.
    request = Request(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    replay_id = replay(database, request, "replay-run", lambda _: None)
    with database.begin() as conn:
        sql = sa.text("SELECT changed_orders FROM decisions.replays WHERE replay_id = :id")
        assert conn.execute(sql, {"id": replay_id}).scalar_one() == 0
        rules.roll_back(conn, "risk", "carl", NOW)
        assert rules.label_in_force(conn, kind_of("risk").name) == "risk/1"
