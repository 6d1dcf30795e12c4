"""Kits: SKUs that are put together from others when they are sold.

`catalog.kits` says what a kit holds. A kit is available as far as its scarcest component; whoever
promises one holds its components (`components_of`, then `hold_stock`), all in one statement under
the locks of stock, so two kits that share a component cannot both be promised the last of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from ecom_assets.inventory.availability import explode

_KITS_OF = sa.text("""
    WITH RECURSIVE within AS (
        SELECT kit_sku, component_sku, quantity FROM catalog.kits
        WHERE kit_sku = ANY(CAST(:skus AS text[]))
        UNION
        SELECT k.kit_sku, k.component_sku, k.quantity
        FROM within AS w JOIN catalog.kits AS k ON k.kit_sku = w.component_sku
    )
    SELECT kit_sku, component_sku, quantity FROM within ORDER BY kit_sku, component_sku
""")

# Kits of kits are taken apart down to what is kept in stock; the catalogue refuses cycles, and the
# depth ends what slipped in.
_FILL = (
    sa.text("DROP TABLE IF EXISTS kit_now"),
    sa.text("""
        CREATE TEMPORARY TABLE kit_now (
            sku text, step integer, available_at timestamptz, units integer, cause text
        ) ON COMMIT DROP
    """),
    sa.text("""
        WITH RECURSIVE taken_apart AS (
            SELECT kit_sku, component_sku, CAST(quantity AS bigint) AS takes, 1 AS depth
            FROM catalog.kits
            UNION ALL
            SELECT t.kit_sku, k.component_sku, t.takes * k.quantity, t.depth + 1
            FROM taken_apart AS t JOIN catalog.kits AS k ON k.kit_sku = t.component_sku
            WHERE t.depth < 10
        ), parts AS (
            SELECT kit_sku, component_sku, sum(takes) AS takes FROM taken_apart AS t
            WHERE NOT EXISTS (SELECT FROM catalog.kits AS k WHERE k.kit_sku = t.component_sku)
            GROUP BY kit_sku, component_sku
        ), moments AS (
            SELECT kit_sku, CAST(NULL AS timestamptz) AS at FROM parts
            UNION
            SELECT p.kit_sku, n.available_at FROM parts AS p
            JOIN atp_now AS n ON n.sku IN (p.component_sku, p.kit_sku) AND n.step > 0
        ), composed AS (
            SELECT m.kit_sku, m.at, min(coalesce(c.units, 0) / p.takes) AS units
            FROM moments AS m
            JOIN parts AS p ON p.kit_sku = m.kit_sku
            LEFT JOIN LATERAL (
                SELECT n.units FROM atp_now AS n
                WHERE n.sku = p.component_sku
                    AND (n.available_at IS NULL OR n.available_at <= m.at)
                ORDER BY n.step DESC LIMIT 1
            ) AS c ON true
            GROUP BY m.kit_sku, m.at
        )
        INSERT INTO kit_now
        SELECT c.kit_sku, row_number() OVER (
                PARTITION BY c.kit_sku ORDER BY c.at NULLS FIRST
            ) - 1, c.at, floor(c.units) + coalesce(own.units, 0), 'kit'
        FROM composed AS c
        LEFT JOIN LATERAL (
            SELECT n.units FROM atp_now AS n
            WHERE n.sku = c.kit_sku AND (n.available_at IS NULL OR n.available_at <= c.at)
            ORDER BY n.step DESC LIMIT 1
        ) AS own ON true
    """),
    sa.text("DELETE FROM atp_now WHERE sku IN (SELECT sku FROM kit_now)"),
    sa.text("INSERT INTO atp_now SELECT * FROM kit_now"),
)
_INDEX = sa.text("CREATE INDEX ON atp_now (sku, step)")


def kits_of(conn: sa.Connection, skus: Sequence[str]) -> dict[str, dict[str, int]]:
    """Components of those SKUs that are kits, and of the kits in them."""
    kits: dict[str, dict[str, int]] = {}
    for kit, component, quantity in conn.execute(_KITS_OF, {"skus": list(skus)}):
        kits.setdefault(kit, {})[component] = int(quantity)
    return kits


def components_of(conn: sa.Connection, wishes: Mapping[str, int]) -> dict[str, int]:
    """What must be held to promise the wishes, units by SKU: kits by their components."""
    return explode(wishes, kits_of(conn, list(wishes)))


def fill_kits(conn: sa.Connection) -> None:
    """Replace the rows of kits in `atp_now` by what their components allow."""
    if not conn.execute(sa.text("SELECT EXISTS (SELECT FROM catalog.kits)")).scalar_one():
        return
    conn.execute(_INDEX)
    for statement in _FILL:
        conn.execute(statement)
