"""Which version of a rule decides: the one in force at each order's own moment of deciding.

A step asks for the versions its claimed orders need, by one look-up per batch. Nearly always that
is one. Where a version begins in the middle of a batch, the step runs once per version, in the
order of time, on the orders of each: every statement of a step then knows one policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import sqlalchemy as sa

from ecom_assets.shared.policies import P, policy_of


class NoRule(LookupError):
    """No version of a kind is in force at a moment at which one is needed."""


@dataclass(frozen=True, slots=True)
class Version(Generic[P]):
    """A version of a rule and a period in which it is in force.

    Attributes:
        label: what the ledger names, such as `risk/2`.
        policy: what it says.
        from_at: first moment; None for ever before.
        to_at: end, excluded; None where it is open.
    """

    label: str
    policy: P
    from_at: datetime | None = None
    to_at: datetime | None = None

    @property
    def bounds(self) -> dict[str, datetime | None]:
        """The period as parameters `rule_from_at` and `rule_to_at`."""
        return {"rule_from_at": self.from_at, "rule_to_at": self.to_at}


# No claimed order, no moment: then every version is found, and each finds nothing to do.
_OF_CLAIMED = sa.text("""
    SELECT r.label, r.parameters, p.valid_from_at, p.valid_to_at
    FROM (SELECT min(due_at) AS first_at, max(due_at) AS last_at FROM claimed) AS asked
    JOIN backoffice.rule_periods AS p
        ON p.kind = :kind AND coalesce(p.valid_from_at <= asked.last_at, true)
            AND coalesce(p.valid_to_at > asked.first_at, true)
    JOIN backoffice.business_rules AS r ON r.rule_id = p.rule_id
    ORDER BY p.valid_from_at NULLS FIRST
""")
_BETWEEN = sa.text("""
    SELECT r.label, r.parameters, p.valid_from_at, p.valid_to_at
    FROM backoffice.rule_periods AS p JOIN backoffice.business_rules AS r ON r.rule_id = p.rule_id
    WHERE p.kind = :kind AND coalesce(p.valid_from_at < :to_at, true)
        AND coalesce(p.valid_to_at > :from_at, true)
    ORDER BY p.valid_from_at NULLS FIRST
""")

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS claimed_at_once (
            order_id bigint PRIMARY KEY, due_at timestamptz NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM claimed_at_once"),
    sa.text("INSERT INTO claimed_at_once SELECT order_id, due_at FROM claimed"),
)
_EMPTY = sa.text("DELETE FROM claimed")
_THOSE_OF = sa.text("""
    INSERT INTO claimed
    SELECT order_id, due_at FROM claimed_at_once
    WHERE coalesce(due_at >= CAST(:rule_from_at AS timestamptz), true)
        AND coalesce(due_at < CAST(:rule_to_at AS timestamptz), true)
""")
_ALL = sa.text("INSERT INTO claimed SELECT order_id, due_at FROM claimed_at_once")

Step = Callable[[Version[P]], Mapping[str, int]]


def in_force(conn: sa.Connection, kind: str, form: type[P]) -> list[Version[P]]:
    """The versions that the claimed orders are decided by, in the order of time.

    Raises:
        NoRule: there is none.
    """
    return _versions(conn.execute(_OF_CLAIMED, {"kind": kind}).all(), kind, form)


def in_force_between(
    conn: sa.Connection, kind: str, form: type[P], from_at: datetime, to_at: datetime
) -> list[Version[P]]:
    """The versions that were in force within a range of moments, in the order of time.

    Raises:
        NoRule: there was none.
    """
    given = {"kind": kind, "from_at": from_at, "to_at": to_at}
    return _versions(conn.execute(_BETWEEN, given).all(), kind, form)


def version_at(versions: Sequence[Version[P]], at: datetime) -> Version[P]:
    """The version that is in force at a moment, of those in the order of time."""
    begun = [each for each in versions if each.from_at is None or each.from_at <= at]
    return begun[-1] if begun else versions[0]


def starts_of(versions: Sequence[Version[P]]) -> list[datetime]:
    """The moments at which a version follows another."""
    return [each.from_at for each in versions[1:] if each.from_at is not None]


def _versions(rows: Sequence[sa.Row[Any]], kind: str, form: type[P]) -> list[Version[P]]:
    if not rows:
        raise NoRule(f"no version of the rule {kind} is in force")
    # A setting that is younger than a version has its default there: what was so before it came.
    return [
        Version(label, policy_of(label, form, settings, label, False), from_at, to_at)
        for label, settings, from_at, to_at in rows
    ]


def by_version(
    conn: sa.Connection,
    kind: str,
    form: type[P],
    step: Step[P],
    hold: Callable[[sa.Connection], object] | None = None,
) -> Mapping[str, int]:
    """Run a step on the claimed orders, once per version that is in force for some of them.

    Args:
        conn: connection with `claimed` filled.
        kind: of the rule.
        form: dataclass of its policies.
        step: advances the claimed orders by one version; returns counts by name.
        hold: locks what all orders need, where one version's orders after the other's would break
            the locking order.

    Returns:
        The counts of the step, added up.
    """
    versions = in_force(conn, kind, form)
    if len(versions) == 1:
        return step(versions[0])
    for statement in _OPEN:
        conn.execute(statement)
    if hold:
        hold(conn)
    counts: Counter[str] = Counter()
    for version in versions:
        conn.execute(_EMPTY)
        conn.execute(_THOSE_OF, version.bounds)
        counts.update(step(version))
    conn.execute(_EMPTY)
    conn.execute(_ALL)
    return counts
