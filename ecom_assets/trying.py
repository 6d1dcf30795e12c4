"""A draft tried on one order, composed: what would be decided, and what was, with the reasons.

Nothing stays: what must be worked out by the live statements is done in a savepoint that is rolled
back. Everything is judged on what was known at the order's own moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.model import Kind, RuleRefused, Tried
from ecom_assets.decisions import store as decisions
from ecom_assets.risk import store as risk
from ecom_assets.risk.rules import RiskPolicy
from ecom_assets.shared import replays
from ecom_assets.shared.flow import claim_given
from ecom_assets.shared.policies import policy_of
from ecom_assets.shared.versions import Version, in_force_between
from ecom_assets.transport import store as transport
from ecom_assets.warehouse import store as warehouse

_DECIDED = sa.text("""
    SELECT DISTINCT ON (l.subject) l.subject, l.version, l.outcome, l.reasons, l.inputs,
        l.decided_as_of
    FROM decisions.ledger AS l
    WHERE l.order_id = :order_id AND l.kind = :kind
    ORDER BY l.subject, l.attempt DESC
""")
_INPUTS = {
    "risk": ("payment_state", "probability", "total_minor", "minor_per_eur", "is_new_country",
             "is_first_order"),
    "payment_match": ("due_minor", "authorised_minor", "pending_minor", "tenders"),
}  # fmt: skip
"""Members of a decision's inputs that make its case; all of them, for a kind that is not here."""

_RANGE = sa.text("INSERT INTO replay_range VALUES (:order_id, :at)")
_SITES = sa.text("""
    SELECT site_code, sku, sum(quantity) AS units FROM replay_allocations GROUP BY site_code, sku
""")
_WERE = sa.text("""
    SELECT site_code, sku, sum(quantity) AS units, min(allocated_as_of) AS at
    FROM warehouse.allocations WHERE order_id = :order_id GROUP BY site_code, sku
""")
_OWN = sa.text("""
    SELECT order_id, max(decided_as_of) AS due_at FROM decisions.ledger
    WHERE order_id = :order_id AND kind = 'carrier_choice' GROUP BY order_id
""").columns(sa.column("order_id"), sa.column("due_at"))


def try_on_order(
    conn: sa.Connection, kind: Kind, label: str, parameters: Mapping[str, Any], order_id: int
) -> list[Tried]:
    """What a draft would decide about an order beside what was decided, by part of the order.

    Args:
        conn: connection inside a transaction; nothing it sees afterwards is changed.
        kind: of the rule.
        label: of the draft.
        parameters: what it says.
        order_id: the order.

    Raises:
        RuleRefused: no such decision was made about the order.
    """
    decided = conn.execute(_DECIDED, {"order_id": order_id, "kind": kind.decision}).all()
    if not decided:
        raise RuleRefused(f"order {order_id} has no {kind.decision} to compare with")
    policy = policy_of(label, kind.form, parameters, label, False)
    whole = _WHOLE.get(kind.name)
    if whole is None:
        return [_of_inputs(kind, label, policy, row) for row in decided]
    point = conn.begin_nested()
    try:
        return whole(conn, label, policy, order_id, decided)
    finally:
        point.rollback()


def try_on_case(
    kind: Kind, label: str, parameters: Mapping[str, Any], now: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Tried:  # fmt: skip
    """What a draft makes of a made-up case beside what other parameters make of it.

    Raises:
        ValueError: the case is none.
    """
    before, after = (
        policy_of(kind.name, kind.form, each, is_complete=False) for each in (now, parameters)
    )
    return Tried(label, "", "in force", kind.outcome(before, given), kind.outcome(after, given))


def _of_inputs(kind: Kind, label: str, policy: Any, row: sa.Row[Any]) -> Tried:
    """From the ledger alone: it keeps all that the rule was given."""
    decided = {"outcome": row.outcome, "reasons": row.reasons}
    if kind.name == "fraud_rules" and not row.version.startswith("fraud_rules/"):
        note = f"scored by the model {row.version}; rules score only where no model does"
        return Tried(label, row.subject, row.version, decided, note=note)
    if kind.name == "reservation":
        would = kind.outcome(policy, {"reserved_as_of": row.decided_as_of.isoformat()})
        return Tried(label, row.subject, row.version, decided, would)
    names = _INPUTS.get(kind.name, tuple(row.inputs))
    given = {name: row.inputs[name] for name in names}
    would = kind.outcome(policy, given)
    # Of a payment's reasons the ledger also keeps what is odd about its tenders.
    if kind.name == "payment_match":
        decided["reasons"] = row.reasons[:1]
    return Tried(label, row.subject, row.version, decided, would)


def _sites(
    conn: sa.Connection, label: str, policy: Any, order_id: int, decided: list[sa.Row[Any]]
) -> list[Tried]:
    were = conn.execute(_WERE, {"order_id": order_id}).all()
    if not were:
        raise RuleRefused(f"order {order_id} has no sites any more: what it had was taken back")
    at = min(row.at for row in were)
    replays.open_tables(conn)
    conn.execute(_RANGE, {"order_id": order_id, "at": at})
    risk.decide_anew(conn, in_force_between(conn, "risk", RiskPolicy, at, _after(at)))
    decisions.fill_orders(conn)
    decisions.keep_promises(conn)
    warehouse.allocate_anew(conn, at, [Version(label, policy)], lambda _: None)
    would = {"sites": _by_site(conn.execute(_SITES).all()), "ranking": list(policy.ranking)}
    row = decided[0]
    was = {"sites": _by_site(were), "reasons": row.reasons, "ranking": row.inputs.get("ranking")}
    return [Tried(label, row.subject, row.version, was, would)]


def _after(at: datetime) -> datetime:
    return at + timedelta(microseconds=1)


def _by_site(rows: list[sa.Row[Any]] | Any) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.site_code, {})[row.sku] = int(row.units)
    return dict(sorted(found.items()))


def _services(
    conn: sa.Connection, label: str, policy: Any, order_id: int, decided: list[sa.Row[Any]]
) -> list[Tried]:
    claim_given(conn, _OWN.bindparams(order_id=order_id))
    found = transport.choices_by(conn, policy)
    tried = []
    for row in decided:
        chosen = found.get(row.subject)
        would = chosen or {"outcome": "none"}
        was = {"outcome": row.outcome, "reasons": row.reasons}
        tried.append(Tried(label, row.subject, row.version, was, would))
    return tried


_Whole = Callable[[sa.Connection, str, Any, int, Any], list[Tried]]
_WHOLE: Mapping[str, _Whole] = {"routing": _sites, "carrier": _services}
"""Kinds whose decisions take more than the ledger's inputs."""
