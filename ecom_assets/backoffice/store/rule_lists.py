"""Business rules as people look at them: versions, what is in force, and since when."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.backoffice.model import RuleState
from ecom_assets.backoffice.tables import RULE_PERIODS, RULES

_SHOWN = [column for column in RULES.c if column.name != "recorded_at"]
_IN_FORCE = sa.text("""
    SELECT r.kind, r.version, r.label, p.valid_from_at, p.begun_by, r.created_by, r.decided_by,
        r.parameters
    FROM backoffice.rule_periods AS p JOIN backoffice.business_rules AS r USING (rule_id)
    WHERE p.valid_to_at IS NULL
    ORDER BY r.kind
""")


def listed(
    conn: sa.Connection, kind: str | None, state: RuleState | None, before: int | None, most: int
) -> Sequence[sa.RowMapping]:
    """Versions of all kinds, the newest first.

    Args:
        conn: connection to read with.
        kind: only of this kind.
        state: only those that came so far.
        before: only those drafted before the one of this key.
        most: rows.
    """
    query = sa.select(*_SHOWN).order_by(RULES.c.rule_id.desc()).limit(most)
    if kind is not None:
        query = query.where(RULES.c.kind == kind)
    if state is not None:
        query = query.where(RULES.c.state == state)
    if before is not None:
        query = query.where(RULES.c.rule_id < before)
    return conn.execute(query).mappings().all()


def version(conn: sa.Connection, kind: str, number: int) -> sa.RowMapping | None:
    """A version of a kind by its number; None where there is none."""
    query = sa.select(*_SHOWN).where(RULES.c.kind == kind, RULES.c.version == number)
    return conn.execute(query).mappings().one_or_none()


def in_force(conn: sa.Connection) -> dict[str, sa.RowMapping]:
    """What is in force of each kind, since when and by whom."""
    return {row["kind"]: row for row in conn.execute(_IN_FORCE).mappings()}


def periods(
    conn: sa.Connection, kind: str, before: int | None, most: int
) -> Sequence[sa.RowMapping]:
    """When which version of a kind was in force, the newest first.

    Args:
        conn: connection to read with.
        kind: the kind.
        before: only those before the one of this key.
        most: rows.
    """
    shown = (
        RULE_PERIODS.c.rule_period_id, RULES.c.version, RULES.c.label,
        RULE_PERIODS.c.valid_from_at, RULE_PERIODS.c.valid_to_at, RULE_PERIODS.c.begun_by,
        RULE_PERIODS.c.ended_because,
    )  # fmt: skip
    query = (
        sa.select(*shown)
        .join(RULES, RULES.c.rule_id == RULE_PERIODS.c.rule_id)
        .where(RULE_PERIODS.c.kind == kind)
        .order_by(RULE_PERIODS.c.rule_period_id.desc())
        .limit(most)
    )
    if before is not None:
        query = query.where(RULE_PERIODS.c.rule_period_id < before)
    return conn.execute(query).mappings().all()
