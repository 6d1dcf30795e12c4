"""Rules as data: new versions, and those in force at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.model import InvalidRule, Rule, RuleKind
from ecom_assets.pricing.tables import PRICE_LISTS, RULES
from ecom_assets.pricing.validation import check_settings, loop_of

_ONE_WRITER = sa.text("SELECT pg_advisory_xact_lock(hashtext('pricing.rules'))")
_END = sa.text("""
    UPDATE pricing.rules SET valid_to_at = :at
    WHERE name = :name AND (valid_to_at IS NULL OR valid_to_at > :at)
    RETURNING version, valid_from_at
""")
_LATER = sa.text("SELECT 1 FROM pricing.rules WHERE name = :name AND valid_from_at > :at")
_LAST = sa.text("SELECT coalesce(max(version), 0) FROM pricing.rules WHERE name = :name")
_FOLLOWS = sa.text("""
    SELECT r.name, l.price_list_id AS follower,
        CAST(r.parameters ->> 'price_list_id' AS bigint) AS followed
    FROM pricing.rules AS r
        JOIN pricing.price_lists AS l
            ON coalesce(r.price_list_id, l.price_list_id) = l.price_list_id
    WHERE r.kind = 'follow_list' AND (r.valid_to_at IS NULL OR r.valid_to_at > :at)
""")


def add_rule(
    conn: sa.Connection, name: str, kind: str, parameters: Mapping[str, Any], at: datetime,
    by: str, **scope: Any,
) -> Rule:  # fmt: skip
    """Put a rule in force, as the next version of its name.

    Args:
        conn: connection inside a transaction.
        name: name of the rule.
        kind: what it does.
        parameters: settings of the kind.
        at: when it begins and the version before it ends.
        by: who wrote it.
        **scope: `price_list_id`, `category`, `sku`, `priority`, `is_approved_by_hand`.

    Raises:
        InvalidRule: the settings make no sense, the version in force begins later, or price lists
            would follow each other in a circle.
    """
    known = check_settings(kind, parameters)
    conn.execute(_ONE_WRITER)
    if conn.execute(_LATER, {"name": name, "at": at}).first():
        raise InvalidRule(f"a version of {name} begins later than {at.isoformat()}")
    conn.execute(_END, {"name": name, "at": at})
    version = conn.execute(_LAST, {"name": name}).scalar_one() + 1
    values = {
        "name": name, "version": version, "kind": known.value, "parameters": dict(parameters),
        "priority": 100, "is_approved_by_hand": False, "valid_from_at": at, "created_by": by,
    }  # fmt: skip
    made = sa.insert(RULES).values({**values, **scope}).returning(*RULES.c)
    row = conn.execute(made).one()
    if known is RuleKind.FOLLOW_LIST:
        _refuse_circles(conn, at)
    return _rule(row)


def end_rule(conn: sa.Connection, name: str, at: datetime) -> None:
    """Take a rule out of force.

    Raises:
        InvalidRule: no version of it is in force at the moment or later.
    """
    if not conn.execute(_END, {"name": name, "at": at}).all():
        raise InvalidRule(f"no rule {name} is in force")


def _refuse_circles(conn: sa.Connection, at: datetime) -> None:
    follows: dict[int, frozenset[int]] = {}
    for row in conn.execute(_FOLLOWS, {"at": at}):
        follows[row.follower] = follows.get(row.follower, frozenset()) | {row.followed}
    currencies = dict(
        conn.execute(sa.select(PRICE_LISTS.c.price_list_id, PRICE_LISTS.c.currency)).tuples().all()
    )
    for follower, followed in follows.items():
        if len(followed) > 1:
            raise InvalidRule(f"price list {follower} may follow one other list only")
        for other in followed:
            if currencies.get(other) != currencies[follower]:
                raise InvalidRule(f"price list {other} has not the currency of list {follower}")
        if way := loop_of(follows, follower):
            raise InvalidRule("price lists follow each other: " + " -> ".join(map(str, way)))


def rules_at(conn: sa.Connection, price_list_id: int, at: datetime) -> list[Rule]:
    """The rules of a list in force at a moment, in the order they are asked."""
    in_force = sa.and_(
        RULES.c.valid_from_at <= at,
        sa.or_(RULES.c.valid_to_at.is_(None), RULES.c.valid_to_at > at),
        sa.or_(RULES.c.price_list_id.is_(None), RULES.c.price_list_id == price_list_id),
    )
    found = sa.select(*RULES.c).where(in_force).order_by(RULES.c.priority, RULES.c.name)
    return [_rule(row) for row in conn.execute(found)]


def _rule(row: sa.Row[Any]) -> Rule:
    return Rule(row.name, row.version, RuleKind(row.kind), row.parameters, row.category, row.sku,
                row.priority, row.is_approved_by_hand)  # fmt: skip


def as_documents(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Rules as they are kept with a plan: enough to make it again."""
    names = ("name", "version", "kind", "parameters", "category", "sku", "priority",
             "is_approved_by_hand")  # fmt: skip
    return [{name: getattr(rule, name) for name in names} for rule in rules]


def of_documents(documents: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Rules from documents, checked.

    Raises:
        InvalidRule: a document makes no rule; the message names it.
    """
    rules = []
    for place, document in enumerate(documents, 1):
        given = {"version": 0, "parameters": {}, **document}
        try:
            given["kind"] = check_settings(given.get("kind", ""), given["parameters"])
            rules.append(Rule(**{"name": f"rule-{place}", **given}))
        except TypeError as error:
            raise InvalidRule(f"rule {place}: {error}") from error
        except InvalidRule as error:
            raise InvalidRule(f"rule {place}: {error}") from error
    return sorted(rules, key=lambda rule: (rule.priority, rule.name))
