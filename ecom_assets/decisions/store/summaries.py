"""What a replay comes to: money, splits, lateness, approvals, and the orders that change most."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.money import roughly_minor_per_eur

MOST_CHANGED = 10
"""Orders that a summary names."""

MOST_BARS = 60
"""Bars of a plot that stay readable."""

_TOTALS = sa.text("""
    SELECT kind, currency, count(*) AS orders, count(*) FILTER (WHERE is_changed) AS changed,
        sum(amount_before_minor) AS amount_before_minor,
        sum(amount_after_minor) AS amount_after_minor,
        sum(parcels_before) AS parcels_before, sum(parcels_after) AS parcels_after,
        sum(late_before) AS late_before, sum(late_after) AS late_after
    FROM decisions.replay_outcomes
    WHERE replay_id = :replay_id
    GROUP BY kind, currency
    ORDER BY kind, currency
""")
_COUNTS = sa.text("""
    WITH per_order AS (
        SELECT order_id, bool_or(is_changed) AS is_changed,
            sum(parcels_before) FILTER (WHERE kind = 'carrier_choice') AS parcels_before,
            sum(parcels_after) FILTER (WHERE kind = 'carrier_choice') AS parcels_after,
            sum(late_before) AS late_before, sum(late_after) AS late_after,
            bool_or(before = 'accepted') FILTER (WHERE kind = 'risk_decision') AS was_accepted,
            bool_or(after = 'accepted') FILTER (WHERE kind = 'risk_decision') AS is_accepted
        FROM decisions.replay_outcomes
        WHERE replay_id = :replay_id
        GROUP BY order_id
    )
    SELECT count(*) AS orders, count(*) FILTER (WHERE is_changed) AS changed_orders,
        count(*) FILTER (WHERE was_accepted) AS accepted_before,
        count(*) FILTER (WHERE is_accepted) AS accepted_after,
        count(*) FILTER (WHERE is_accepted AND NOT was_accepted) AS newly_accepted,
        count(*) FILTER (WHERE was_accepted AND NOT is_accepted) AS no_longer_accepted,
        count(*) FILTER (WHERE parcels_before > 1) AS split_before,
        count(*) FILTER (WHERE parcels_after > 1) AS split_after,
        count(*) FILTER (WHERE late_before > 0) AS late_before,
        count(*) FILTER (WHERE late_after > 0) AS late_after
    FROM per_order
""")

# Compared across currencies by rough worth: it only decides which orders are named.
_MOST_CHANGED = sa.text("""
    WITH moved AS (
        SELECT order_id, sum(abs(amount_after_minor - amount_before_minor)
            / CAST(rate.minor_per_eur AS numeric)) AS worth_eur
        FROM decisions.replay_outcomes AS u
        JOIN jsonb_each_text(CAST(:rates AS jsonb)) AS rate (currency, minor_per_eur)
            ON rate.currency = u.currency
        WHERE replay_id = :replay_id AND is_changed
        GROUP BY order_id
        ORDER BY worth_eur DESC, order_id
        LIMIT :most
    )
    SELECT u.order_id, o.channel || '/' || o.external_id AS order, u.kind, u.currency, u.before,
        u.after, u.amount_before_minor, u.amount_after_minor
    FROM moved AS m
    JOIN decisions.replay_outcomes AS u ON u.order_id = m.order_id AND u.replay_id = :replay_id
    JOIN orders.orders AS o ON o.order_id = m.order_id
    WHERE u.is_changed
    ORDER BY m.worth_eur DESC, u.order_id, u.kind DESC, u.currency
""")
_CURRENCIES = sa.text("""
    SELECT currency FROM decisions.replay_outcomes
    WHERE replay_id = :replay_id AND kind <> 'risk_decision'
    GROUP BY currency ORDER BY count(*) DESC, currency
""")
_PER_DAY = sa.text("""
    WITH span AS (
        SELECT date_trunc('day', from_at) AS first,
            greatest(1, ceil(extract(epoch FROM to_at - from_at) / 86400 / :most)) AS days
        FROM decisions.replays WHERE replay_id = :replay_id
    )
    SELECT CAST(date_bin(s.days * interval '1 day', u.decided_as_of, s.first) AS date) AS day,
        sum(u.amount_after_minor - u.amount_before_minor) AS change_minor
    FROM span AS s
    CROSS JOIN decisions.replay_outcomes AS u
    WHERE u.replay_id = :replay_id AND u.currency = :currency AND u.kind <> 'risk_decision'
    GROUP BY day
    ORDER BY day
""")


def summarise(conn: sa.Connection, replay_id: int) -> dict[str, Any]:
    """The figures of a replay as one document, whose members are those of `replays.summary`."""
    given = {"replay_id": replay_id}
    totals = [_whole(row) for row in conn.execute(_TOTALS, given).mappings()]
    counts = conn.execute(_COUNTS, given).mappings().one()
    rates = {row["currency"]: roughly_minor_per_eur(row["currency"]) for row in totals}
    named = conn.execute(
        _MOST_CHANGED, given | {"rates": json.dumps(rates), "most": MOST_CHANGED}
    ).mappings()
    return {**_whole(counts), "totals": totals, "most_changed": [dict(row) for row in named]}


def _whole(row: sa.RowMapping) -> dict[str, Any]:
    # Sums of bigints are numeric in the database and decimals here, which JSON does not know.
    return {name: value if isinstance(value, str) else int(value) for name, value in row.items()}


def cost_per_day(conn: sa.Connection, replay_id: int) -> tuple[str, list[tuple[str, int]]]:
    """By how much handling and carriage change per day, in the currency most orders have.

    Returns:
        The currency, empty where there is none, and `(day, change_minor)` in the order of time;
        a long range is told in steps of several days.
    """
    currency = conn.execute(_CURRENCIES, {"replay_id": replay_id}).scalar()
    if currency is None:
        return "", []
    given = {"replay_id": replay_id, "currency": currency, "most": MOST_BARS}
    return currency, [(str(day), int(minor)) for day, minor in conn.execute(_PER_DAY, given)]
