"""Which version decides: by each order's own moment, also where a batch spans a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ecom_assets.risk.rules import KIND, RiskPolicy
from ecom_assets.shared.flow import claim_given
from ecom_assets.shared.versions import (
    NoRule,
    Version,
    by_version,
    in_force,
    in_force_between,
    starts_of,
    version_at,
)

CHANGE = datetime(2024, 6, 1, tzinfo=UTC)
_CHANGED = (
    sa.text(
        "UPDATE backoffice.rule_periods SET valid_to_at = '2024-06-01Z',"
        " ended_because = 'superseded' WHERE kind = 'risk'"
    ),
    sa.text(
        "WITH made AS (INSERT INTO backoffice.business_rules (kind, version, label, parameters,"
        " state, created_by, created_at, decided_by)"
        " SELECT kind, 2, 'risk/2', parameters, 'in_force', 'ann', now(), 'bob'"
        " FROM backoffice.business_rules WHERE label = 'risk/1'"
        " RETURNING rule_id, kind)"
        " INSERT INTO backoffice.rule_periods (kind, rule_id, valid_from_at, begun_by)"
        " SELECT kind, rule_id, '2024-06-01Z', 'bob' FROM made"
    ),
)
_ORDERS = sa.text("""
    SELECT order_id, CAST(:first AS timestamptz) + order_id * interval '1 second' AS due_at
    FROM generate_series(1, CAST(:n AS integer)) AS order_id
""")


def claim(conn: sa.Connection, first: datetime, n: int) -> None:
    rows = _ORDERS.bindparams(first=first, n=n)
    claim_given(conn, rows.columns(sa.column("order_id"), sa.column("due_at")))


def decided(conn: sa.Connection) -> tuple[list[tuple[str, list[int]]], list[str]]:
    """What each version was given, and who held what before."""
    seen: list[tuple[str, list[int]]] = []
    held: list[str] = []

    def step(version: Version[RiskPolicy]) -> dict[str, int]:
        orders = conn.scalars(sa.text("SELECT order_id FROM claimed ORDER BY 1")).all()
        seen.append((version.label, list(orders)))
        return {"orders": len(orders)}

    counts = by_version(conn, KIND, RiskPolicy, step, lambda _: held.append("all"))
    assert counts["orders"] == conn.execute(sa.text("SELECT count(*) FROM claimed")).scalar_one()
    return seen, held


def change(conn: sa.Connection) -> None:
    for statement in _CHANGED:
        conn.execute(statement)


def test_one_version_sees_the_batch_as_it_is(conn: sa.Connection) -> None:
    claim(conn, CHANGE, 3)
    assert decided(conn) == ([("risk/1", [1, 2, 3])], [])


def test_a_change_in_the_middle_of_a_batch_parts_it_in_the_order_of_time(
    conn: sa.Connection,
) -> None:
    """The moment of the change belongs to the new version; all is locked before either decides."""
    change(conn)
    claim(conn, CHANGE - timedelta(seconds=3), 5)
    assert decided(conn) == ([("risk/1", [1, 2]), ("risk/2", [3, 4, 5])], ["all"])


def test_orders_of_before_are_decided_by_the_rule_of_their_time(conn: sa.Connection) -> None:
    change(conn)
    claim(conn, CHANGE - timedelta(days=300), 2)
    assert [each.label for each in in_force(conn, KIND, RiskPolicy)] == ["risk/1"]
    claim(conn, CHANGE + timedelta(days=300), 2)
    assert [each.label for each in in_force(conn, KIND, RiskPolicy)] == ["risk/2"]


def test_no_orders_are_no_problem_and_no_rule_is_one(conn: sa.Connection) -> None:
    claim(conn, CHANGE, 0)
    assert decided(conn)[0] == [("risk/1", [])]
    with pytest.raises(NoRule, match="no version of the rule weather"):
        in_force(conn, "weather", RiskPolicy)


def test_versions_of_a_range(conn: sa.Connection) -> None:
    change(conn)
    found = in_force_between(conn, KIND, RiskPolicy, CHANGE - timedelta(days=1), CHANGE)
    assert [each.label for each in found] == ["risk/1"]
    found = in_force_between(conn, KIND, RiskPolicy, CHANGE - timedelta(days=1), datetime.now(UTC))
    assert [each.label for each in found] == ["risk/1", "risk/2"]
    assert starts_of(found) == [CHANGE]
    assert version_at(found, CHANGE - timedelta(seconds=1)).label == "risk/1"
    assert version_at(found, CHANGE).label == "risk/2"


def test_a_setting_younger_than_a_version_has_its_default(conn: sa.Connection) -> None:
    """Code may come to know more than the versions in the database say."""
    conn.execute(sa.text("ALTER TABLE backoffice.business_rules DISABLE TRIGGER USER"))
    conn.execute(
        sa.text(
            "UPDATE backoffice.business_rules SET parameters = parameters - 'review_cost_eur'"
            " WHERE label = 'risk/1'"
        )
    )
    claim(conn, CHANGE, 1)
    (found,) = in_force(conn, KIND, RiskPolicy)
    assert found.policy == RiskPolicy()
