"""The services a replay's parcels would have got: the live choice on other parcels or weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.replays import CHOICES, CHUNK
from ecom_assets.shared.versions import Version
from ecom_assets.shared.working import analyse
from ecom_assets.transport.policy import Policy
from ecom_assets.transport.store.choices import CANDIDATES, weights
from ecom_assets.transport.store.lanes import lay_out_card
from ecom_assets.transport.store.parcels import gather_parcels, open_parcels

_NEXT = sa.text("""
    SELECT order_id FROM replay_orders
    WHERE order_id > :after
        AND coalesce(due_at >= CAST(:rule_from_at AS timestamptz), true)
        AND coalesce(due_at < CAST(:rule_to_at AS timestamptz), true)
    ORDER BY order_id OFFSET :most LIMIT 1
""")

# As `parcels` gathers live allocations; what a parcel weighs is the policy's to assume.
_GATHER = sa.text("""
    INSERT INTO parcels
    SELECT a.order_id, a.site_code, max(t.due_at), sum(a.quantity),
        least(
            sum(CAST(a.quantity AS numeric)
                * coalesce(p.shipping_weight_g, :default_unit_weight_g)),
            2147483647
        ),
        bool_or(p.weight_g IS NULL),
        coalesce(sum(CAST(a.quantity AS numeric) * p.length_mm * p.width_mm * p.height_mm), 0),
        sum(a.quantity * l.line_total_minor / l.quantity), o.currency, max(a.distance_km),
        max(a.available_at), o.promised_at, ''
    FROM replay_orders AS t
    JOIN replay_allocations AS a USING (order_id)
    JOIN orders.orders AS o USING (order_id)
    JOIN orders.order_lines AS l USING (order_line_id)
    LEFT JOIN catalog.products AS p ON p.sku = a.sku
    WHERE t.order_id > :after AND t.order_id <= :last
        AND coalesce(t.due_at >= CAST(:rule_from_at AS timestamptz), true)
        AND coalesce(t.due_at < CAST(:rule_to_at AS timestamptz), true)
    GROUP BY a.order_id, a.site_code, o.order_id
""")
_PARCELS = sa.text("SELECT order_id, site_code FROM parcels").columns(
    sa.column("order_id"), sa.column("site_code")
)
_LAST = 2**63 - 1


def choose_anew(
    conn: sa.Connection,
    versions: Sequence[Version[Policy]],
    progress: Callable[[str], object],
    chunk: int = CHUNK,
) -> None:
    """Choose a service for every parcel of `replay_allocations`, into `replay_choices`.

    Args:
        conn: the replay's transaction; nothing live is written.
        versions: what the shop makes of lateness and damage, each for the orders of its period.
        progress: told after each chunk.
        chunk: orders at once.
    """
    found = CANDIDATES.subquery("candidate")
    parcels = _PARCELS.subquery("parcel")
    joined = (
        sa.select(
            parcels.c.order_id, parcels.c.site_code, found.c.service_code, found.c.cost_minor,
            found.c.currency, found.c.eta_at,
        ).outerjoin(
            found,
            sa.and_(
                found.c.order_id == parcels.c.order_id,
                found.c.site_code == parcels.c.site_code,
                found.c.is_chosen,
            ),
        )
    )  # fmt: skip
    statement = sa.insert(CHOICES).from_select([column.name for column in CHOICES.c], joined)
    count = 0
    for version in versions:
        for chosen in _chosen(conn, statement, version, chunk):
            count += chosen
            progress(f"carriers: {count:,} parcels")


def _chosen(
    conn: sa.Connection, statement: sa.Insert, version: Version[Policy], chunk: int
) -> Iterator[int]:
    given, after = weights(conn, version.policy), 0
    weight_g = version.policy.default_unit_weight_g
    while after < _LAST:
        place = {"after": after, "most": chunk - 1, **version.bounds}
        last = conn.execute(_NEXT, place).scalar() or _LAST
        open_parcels(conn)
        limits = {"after": after, "last": last, "default_unit_weight_g": weight_g}
        gathered = conn.execute(_GATHER, limits | version.bounds).rowcount
        analyse(conn, sa.text("ANALYZE parcels"), gathered)
        lay_out_card(conn, gathered, as_then=True)
        yield conn.execute(statement, given).rowcount
        # All chunks share a transaction, in which deleted rows would still be read.
        conn.execute(sa.text("TRUNCATE parcels, card_marks, zone_of, rate_of"))
        after = last


def choices_by(conn: sa.Connection, policy: Policy) -> dict[str, Mapping[str, Any]]:
    """What would carry each parcel of the orders in `claimed`, by site; nothing live is written.

    Args:
        conn: connection in whose transaction nothing else uses the working tables.
        policy: what the shop makes of lateness and damage.
    """
    lay_out_card(conn, gather_parcels(conn, policy.default_unit_weight_g), as_then=True)
    found = CANDIDATES.subquery("candidate")
    names = ("reason", "cost_minor", "currency")
    chosen = sa.select(
        found.c.site_code, found.c.service_code.label("outcome"), *(found.c[name] for name in names)
    ).where(found.c.is_chosen)
    rows = conn.execute(chosen, weights(conn, policy)).mappings()
    return {row["site_code"]: {name: row[name] for name in ("outcome", *names)} for row in rows}
