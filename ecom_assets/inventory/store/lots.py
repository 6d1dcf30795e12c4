"""Lots and serials: what is left of each lot, what expired, and where single units are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ecom_assets.inventory.store.movements import open_posting, post_covered

# The rule of `inventory.lots`: what is on hand belongs to the lots that expire last.
LOTS_LEFT = sa.text("""
    SELECT lot_id, sku, site_code, lot_code, received, received_at, expires_at,
        greatest(0, least(received, on_hand - later)) AS units_left
    FROM (
        SELECT l.*, coalesce(b.on_hand, 0) AS on_hand, coalesce(sum(l.received) OVER (
            PARTITION BY l.sku, l.site_code
            ORDER BY l.expires_at DESC NULLS FIRST, l.lot_id DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS later
        FROM inventory.lots AS l
        LEFT JOIN inventory.balances AS b ON b.sku = l.sku AND b.site_code = l.site_code
        WHERE l.written_off_at IS NULL
    ) AS live
    ORDER BY sku, site_code, expires_at, lot_id
""").columns(
    *map(sa.column, ("lot_id", "sku", "site_code")),
    sa.column("lot_code", sa.Text),
    *map(sa.column, ("received", "received_at", "expires_at")),
    sa.column("units_left", sa.BigInteger),
)
"""Units left of each lot that was not written off, those to pick first on top of their SKU."""

_EXPIRED = sa.text("""
    SELECT sku, site_code, 'adjustment' AS kind, CAST(0 AS bigint) AS quantity,
        CAST(:as_of AS timestamptz) AS moved_at, 'expired:' || lot_code AS reference
    FROM inventory.lots
    WHERE written_off_at IS NULL AND expires_at <= :as_of
""").columns(*map(sa.column, ("sku", "site_code", "kind", "quantity", "moved_at", "reference")))
_POSTING = sa.table(
    "posting",
    *map(sa.column, ("sku", "site_code", "reference", "reason")),
    sa.column("quantity", sa.BigInteger),
)
_LIVE = LOTS_LEFT.subquery("live")
# Of a lot that orders are promised units of, nothing is taken out: who decides is a person.
_LEFT = (
    sa.update(_POSTING)
    .values(
        quantity=-_LIVE.c.units_left,
        reason=sa.case((_LIVE.c.units_left == 0, sa.literal("nothing_left"))),
    )
    .where(
        _POSTING.c.sku == _LIVE.c.sku,
        _POSTING.c.site_code == _LIVE.c.site_code,
        _POSTING.c.reference == sa.literal("expired:") + _LIVE.c.lot_code,
    )
)
# Another run closed the lot while this one waited for its stock.
_CLOSED = sa.text("UPDATE posting SET reason = 'closed' WHERE quantity = 0 AND reason IS NULL")
_WRITE_OFF = sa.text("""
    UPDATE inventory.lots AS l SET written_off = -p.quantity, written_off_at = :as_of
    FROM posting AS p
    WHERE p.sku = l.sku AND p.site_code = l.site_code AND p.reference = 'expired:' || l.lot_code
        AND coalesce(p.reason, 'nothing_left') = 'nothing_left' AND l.written_off_at IS NULL
""")
_TOTALS = sa.text("""
    SELECT count(*) FILTER (WHERE reason IS NULL OR reason = 'nothing_left') AS lots,
        coalesce(-sum(quantity) FILTER (WHERE reason IS NULL), 0) AS units,
        coalesce(-sum(quantity) FILTER (WHERE reason = 'negative_balance'), 0) AS promised_units
    FROM posting
""")
_LEAVE = sa.text("""
    UPDATE inventory.serials
    SET state = :state, site_code = NULL, left_with = :reference, left_at = :at
    WHERE sku = :sku AND serial = ANY(:serials) AND state = 'in_stock' AND came_at <= :at
    RETURNING serial
""")
_CARRY = sa.text("""
    UPDATE inventory.serials SET site_code = :site
    WHERE sku = :sku AND serial = ANY(:serials) AND state = 'in_stock'
    RETURNING serial
""")


def write_off_expired(conn: sa.Connection, as_of: datetime) -> dict[str, int]:
    """Take out what is left of lots that expired by `as_of`.

    Args:
        conn: connection in a transaction of its own.
        as_of: business moment.

    Returns:
        `lots` closed, `units` taken out, and `promised_units` that stay, since orders are promised
        stock that only expired lots could give.
    """
    open_posting(conn, _EXPIRED.bindparams(as_of=as_of))
    conn.execute(_LEFT)
    conn.execute(_CLOSED)
    post_covered(conn)
    conn.execute(_WRITE_OFF, {"as_of": as_of})
    return {name: int(value) for name, value in conn.execute(_TOTALS).mappings().one().items()}


def take_out_serials(
    conn: sa.Connection, sku: str, serials: list[str], state: str, reference: str, at: datetime
) -> list[str]:
    """Let single units leave stock, `sold` or `written_off`; which of them were there."""
    values = {"sku": sku, "serials": serials, "state": state, "reference": reference, "at": at}
    return sorted(conn.execute(_LEAVE, values).scalars())


def carry_serials(conn: sa.Connection, sku: str, serials: list[str], site: str) -> list[str]:
    """Note that single units are at another site now; which of them are in stock."""
    return sorted(conn.execute(_CARRY, {"sku": sku, "serials": serials, "site": site}).scalars())
