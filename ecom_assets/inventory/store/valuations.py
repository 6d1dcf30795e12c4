"""Valuation of all stock, both methods in one pass over the ledger, and the proof of it.

The rules are those of `inventory.valuing`. A move dated back changes what followed it, so the
ledger is folded anew each time; only rows that differ are written.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ecom_assets.inventory.tables import VALUATIONS
from ecom_assets.shared.upsert import upsert

# Transfers bring and take nothing: what is in transit is still owned. A cost in another currency
# than the product's is none that could be added up. `moving_average` is the aggregate of the
# schema: units, value, cost in, cost out and last cost, in the order of the moves.
_WORTH = sa.text("""
    WITH kit AS (
        -- A kit of which nothing else is known costs what is in it.
        SELECT k.kit_sku, min(c.currency) AS currency,
            CAST(sum(k.quantity * c.unit_cost_minor) AS bigint) AS unit_cost_minor
        FROM catalog.kits AS k JOIN catalog.products AS c ON c.sku = k.component_sku
        GROUP BY k.kit_sku
        HAVING count(*) = count(c.unit_cost_minor) AND min(c.currency) = max(c.currency)
    ), moves AS MATERIALIZED (
        SELECT m.sku, m.moved_at, m.movement_id, CAST(m.quantity AS bigint) AS quantity,
            p.currency, coalesce(r.unit_cost_minor, p.unit_cost_minor, k.unit_cost_minor)
                AS unit_cost_minor
        FROM inventory.movements AS m
        JOIN catalog.products AS p ON p.sku = m.sku
        LEFT JOIN inventory.receipt_costs AS r
            ON m.kind = 'receipt' AND r.reference = m.reference AND r.sku = m.sku
            AND r.site_code = m.site_code AND r.currency = p.currency
        LEFT JOIN kit AS k ON k.kit_sku = m.sku AND k.currency = p.currency
        WHERE m.kind <> 'transfer' AND m.moved_at <= :as_of
    ), summed AS (
        SELECT sku, currency, sum(quantity) AS units,
            coalesce(sum(quantity) FILTER (WHERE quantity > 0), 0) AS units_in,
            coalesce(-sum(quantity) FILTER (WHERE quantity < 0), 0) AS units_out,
            coalesce(sum(quantity * coalesce(unit_cost_minor, 0)) FILTER (WHERE quantity > 0), 0)
                AS cost_in,
            coalesce(sum(quantity) FILTER (WHERE quantity > 0 AND unit_cost_minor IS NULL), 0)
                AS uncosted,
            coalesce(min(coalesce(unit_cost_minor, 0)) FILTER (WHERE quantity > 0), 0) AS lowest,
            coalesce(max(coalesce(unit_cost_minor, 0)) FILTER (WHERE quantity > 0), 0) AS highest,
            inventory.moving_average(quantity, coalesce(unit_cost_minor, 0)
                ORDER BY moved_at, movement_id) AS average
        FROM moves GROUP BY sku, currency HAVING sum(quantity) >= 0
    ), layers AS (
        SELECT m.sku, s.units_out, m.quantity, coalesce(m.unit_cost_minor, 0) AS unit_cost_minor,
            sum(m.quantity) OVER (
                PARTITION BY m.sku ORDER BY m.moved_at, m.movement_id ROWS UNBOUNDED PRECEDING
            ) AS until
        FROM moves AS m JOIN summed AS s ON s.sku = m.sku
        WHERE m.quantity > 0 AND s.units > 0
    ), fifo AS (
        SELECT sku, sum(greatest(0, least(quantity, until - units_out)) * unit_cost_minor) AS value
        FROM layers GROUP BY sku
    ), valued AS (
        SELECT s.*, 'fifo' AS method, coalesce(f.value, 0) AS value
        FROM summed AS s LEFT JOIN fifo AS f ON f.sku = s.sku
        UNION ALL
        SELECT s.*, 'average', s.average[2] FROM summed AS s
    )
    SELECT sku, method, CAST(units AS bigint) AS units, CAST(units_in AS bigint) AS units_in,
        CAST(units_out AS bigint) AS units_out, CAST(cost_in AS bigint) AS cost_in_minor,
        CAST(CASE method WHEN 'average' THEN average[4] ELSE cost_in - value END AS bigint)
            AS cost_out_minor,
        CAST(value AS bigint) AS value_minor, CAST(uncosted AS bigint) AS units_uncosted,
        lowest AS lowest_unit_cost_minor, highest AS highest_unit_cost_minor, currency
    FROM valued
""").columns(
    *(
        VALUATIONS.c[name]
        for name in (
            "sku", "method", "units", "units_in", "units_out", "cost_in_minor", "cost_out_minor",
            "value_minor", "units_uncosted", "lowest_unit_cost_minor", "highest_unit_cost_minor",
            "currency",
        )
    )
)  # fmt: skip
_VANISHED = sa.text("""
    DELETE FROM inventory.valuations AS v WHERE NOT EXISTS (
        SELECT FROM inventory.movements AS m
        WHERE m.sku = v.sku AND m.kind <> 'transfer' AND m.moved_at <= :as_of
    )
""")

DISAGREEMENTS = sa.text("""
    WITH owned AS (
        SELECT sku, sum(units) AS units FROM (
            SELECT sku, on_hand AS units FROM inventory.positions
            UNION ALL
            -- In transit by the ledger: imports may bring halves that `transfers` does not know.
            SELECT sku, -quantity FROM inventory.movements WHERE kind = 'transfer'
        ) AS parts
        GROUP BY sku
    )
    SELECT v.sku, v.method, v.units, o.units AS owned
    FROM inventory.valuations AS v LEFT JOIN owned AS o ON o.sku = v.sku
    WHERE v.units <> coalesce(o.units, 0)
    ORDER BY v.sku, v.method
""").columns(*map(sa.column, ("sku", "method", "units", "owned")))
"""Valuations of other units than are on hand and in transit; none, if as of the last move."""

TOTAL_WORTH = sa.text("""
    SELECT currency, sum(value_minor) AS amount_minor FROM inventory.valuations
    WHERE method = :method GROUP BY currency ORDER BY currency
""").columns(sa.column("currency"), sa.column("amount_minor"))
"""Value of all stock by one method, per currency."""


def value_stock(conn: sa.Connection, as_of: datetime, run: str) -> int:
    """Value all stock as of a moment; how many rows changed."""
    conn.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('inventory.valuations'))"))
    conn.execute(_VANISHED, {"as_of": as_of})
    stamps = {"changed_as_of": as_of, "run_id": run}
    return upsert(conn, VALUATIONS, _WORTH.bindparams(as_of=as_of), ("sku", "method"), stamps)


def last_move_at(conn: sa.Connection) -> datetime | None:
    """Business moment of the last move; `None` where nothing has moved."""
    found: datetime | None = conn.execute(
        sa.text("SELECT max(moved_at) FROM inventory.balances")
    ).scalar()
    return found


def balances_as_of(conn: sa.Connection, as_of: datetime) -> dict[tuple[str, str], int]:
    """Units on hand by SKU and site as of a moment, from the ledger; zeros are left out."""
    rows = conn.execute(
        sa.text("""
            SELECT sku, site_code, sum(quantity) FROM inventory.movements
            WHERE moved_at <= :as_of GROUP BY sku, site_code HAVING sum(quantity) <> 0
        """),
        {"as_of": as_of},
    )
    return {(sku, site): int(units) for sku, site, units in rows}
