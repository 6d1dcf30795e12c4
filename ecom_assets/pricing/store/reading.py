"""Reading what is known of every product of a list at a moment, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from psycopg import sql

from ecom_assets.pricing.model import FLIP_DAYS, PRIOR_DAYS, Policy, Rule, RuleKind
from ecom_assets.pricing.store.copying import copy_out

if TYPE_CHECKING:
    from ecom_assets.pricing.repricing import Columns
    from ecom_assets.pricing.repricing.columns import Ints

PACE_DAYS = 28
"""Days of sales by which the cover of a stock is reckoned."""

ENDLESS_DAYS = 99_999
"""Cover of a stock of which nothing was sold."""

# One pass per table, joined by SKU. `prior` counts the price in force too: it was asked in the last
# thirty days. Sorted by SKU, so that the lines are written in the order of their key.
_ITEMS = sql.SQL("""
    COPY (
        WITH list AS (
            SELECT * FROM pricing.price_lists WHERE price_list_id = %(price_list_id)s
        ), held AS (
            SELECT sku,
                max(price_id) FILTER (WHERE is_now) AS price_id,
                max(price_minor) FILTER (WHERE is_now) AS old,
                max(regular_minor) FILTER (WHERE is_now) AS regular,
                max(price_minor) FILTER (
                    WHERE valid_from_at <= %(at)s - interval '1 day'
                        AND (valid_to_at IS NULL OR valid_to_at > %(at)s - interval '1 day')
                ) AS anchor,
                min(price_minor) AS prior
            FROM (
                SELECT *, valid_to_at IS NULL OR valid_to_at > %(at)s AS is_now
                FROM pricing.prices
                WHERE price_list_id = %(price_list_id)s AND min_quantity = 1
                    AND valid_from_at <= %(at)s
                    AND (valid_to_at IS NULL
                        OR valid_to_at > %(at)s - %(prior_days)s * interval '1 day')
            ) AS price
            GROUP BY sku
        ), turned AS (
            SELECT sku, count(*) AS flips
            FROM (
                SELECT sku, rule <> lag(rule) OVER held AS is_other,
                    (price_minor - lag(price_minor) OVER held)
                        * (lag(price_minor) OVER held - lag(price_minor, 2) OVER held) AS turn
                FROM pricing.prices
                WHERE price_list_id = %(price_list_id)s AND min_quantity = 1
                    AND valid_from_at <= %(at)s
                    AND valid_from_at > %(at)s - %(flip_days)s * interval '1 day'
                WINDOW held AS (PARTITION BY sku ORDER BY valid_from_at)
            ) AS step
            WHERE turn < 0 AND is_other
            GROUP BY sku
        ), listed AS (
            SELECT coalesce(h.sku, c.sku) AS sku, h.price_id, h.old, h.regular, h.anchor, h.prior
            FROM held AS h
            FULL JOIN (
                SELECT sku FROM pricing.constraints
                WHERE price_list_id = %(price_list_id)s AND sku <> ''
            ) AS c ON c.sku = h.sku
        ), cost AS (
            SELECT c.sku, c.cost_minor FROM pricing.costs AS c JOIN list USING (currency)
            WHERE c.valid_from_at <= %(at)s AND (c.valid_to_at IS NULL OR c.valid_to_at > %(at)s)
        ), offer AS (
            SELECT sku, min(price_minor) AS offer_lowest,
                (array_agg(price_minor ORDER BY price_minor))[2] AS offer_second,
                floor(avg(price_minor))::bigint AS offer_mean
            FROM (
                SELECT DISTINCT ON (o.sku, o.competitor) o.sku, o.price_minor
                FROM pricing.competitor_offers AS o JOIN list USING (currency)
                WHERE o.state = 'accepted' AND o.observed_at <= %(at)s
                    AND o.observed_at > %(at)s - list.offer_max_age_hours * interval '1 hour'
                ORDER BY o.sku, o.competitor, o.observed_at DESC
            ) AS newest
            GROUP BY sku
        ), followed AS (
            SELECT sku, price_minor AS followed FROM pricing.prices
            WHERE price_list_id = %(followed_list_id)s AND min_quantity = 1
                AND valid_from_at <= %(at)s AND (valid_to_at IS NULL OR valid_to_at > %(at)s)
        ), stock AS (
            SELECT sku, sum(quantity) AS on_hand,
                -sum(quantity) FILTER (
                    WHERE kind = 'sale' AND moved_at > %(at)s - %(pace_days)s * interval '1 day'
                ) AS sold,
                max(moved_at) FILTER (WHERE kind IN ('opening', 'receipt') AND quantity > 0)
                    AS received_at
            FROM inventory.movements WHERE moved_at <= %(at)s
            GROUP BY sku
        ), running AS (
            SELECT * FROM pricing.promotions
            WHERE starts_at <= %(at)s AND ends_at > %(at)s
                AND (price_list_id IS NULL OR price_list_id = %(price_list_id)s)
        ), promoted AS (
            SELECT l.sku, r.discount_bps, r.is_combinable FROM listed AS l
                JOIN running AS r ON r.sku = l.sku
            UNION ALL
            SELECT p.sku, r.discount_bps, r.is_combinable FROM catalog.products AS p
                JOIN running AS r ON r.sku = '' AND r.category = p.category
            UNION ALL
            SELECT l.sku, r.discount_bps, r.is_combinable FROM listed AS l
                JOIN running AS r ON r.sku = '' AND r.category = ''
        ), promotion AS (
            SELECT sku, greatest(
                max(discount_bps) FILTER (WHERE NOT is_combinable),
                -- LEAST passes over what is empty: without the sum it would be the bound.
                least(coalesce(sum(discount_bps) FILTER (WHERE is_combinable), 0), 9500)
            ) AS promotion_bps
            FROM promoted GROUP BY sku
        ), demand AS (
            SELECT e.sku, round(-e.elasticity * 1000)::bigint AS size,
                round((e.high - e.low) * 1000)::bigint AS width
            FROM pricing.elasticities AS e JOIN list USING (channel, currency)
            WHERE e.estimated_as_of = (
                SELECT max(n.estimated_as_of) FROM pricing.elasticities AS n
                    JOIN list USING (channel, currency)
                WHERE n.estimated_as_of <= %(at)s
            )
        ), test AS (
            SELECT sku, max(arm_bps) AS test_bps FROM pricing.price_tests
            WHERE price_list_id = %(price_list_id)s AND starts_at <= %(at)s AND ends_at > %(at)s
            GROUP BY sku
        )
        SELECT l.sku, coalesce(p.category, '') AS category, l.price_id, l.old, l.regular,
            coalesce(l.anchor, l.old) AS anchor, l.prior, coalesce(turned.flips, 0) AS flips,
            cost.cost_minor AS cost,
            CASE WHEN s.sku IS NOT NULL THEN s.minimum_minor
                WHEN k.category IS NOT NULL THEN k.minimum_minor ELSE a.minimum_minor
            END AS minimum,
            CASE WHEN s.sku IS NOT NULL THEN s.margin_bps
                WHEN k.category IS NOT NULL THEN k.margin_bps ELSE a.margin_bps
            END AS margin_bps,
            coalesce(s.ceiling_minor, k.ceiling_minor, a.ceiling_minor) AS ceiling,
            coalesce(s.map_minor, k.map_minor, a.map_minor) AS map_price,
            coalesce(s.step_bps, k.step_bps, a.step_bps) AS step_bps,
            coalesce(s.charm_modulus, k.charm_modulus, a.charm_modulus) AS charm_modulus,
            CASE WHEN s.charm_modulus IS NOT NULL THEN s.charm_ending
                WHEN k.charm_modulus IS NOT NULL THEN k.charm_ending ELSE a.charm_ending
            END AS charm_ending,
            offer.offer_lowest, offer.offer_second, offer.offer_mean, followed.followed,
            CASE WHEN stock.on_hand IS NULL THEN NULL WHEN stock.on_hand <= 0 THEN 0
                WHEN stock.sold > 0
                THEN least(stock.on_hand * %(pace_days)s / stock.sold, %(endless)s)
                ELSE %(endless)s
            END AS cover_days,
            extract(day FROM %(at)s - stock.received_at)::bigint AS age_days,
            promotion.promotion_bps, coalesce(test.test_bps, 0) AS test_bps,
            demand.size AS elasticity_milli, demand.width AS width_milli
        FROM listed AS l
            LEFT JOIN catalog.products AS p ON p.sku = l.sku
            LEFT JOIN turned ON turned.sku = l.sku
            LEFT JOIN cost ON cost.sku = l.sku
            LEFT JOIN pricing.constraints AS s
                ON s.price_list_id = %(price_list_id)s AND s.sku = l.sku
            LEFT JOIN pricing.constraints AS k
                ON k.price_list_id = %(price_list_id)s AND k.category = p.category
                    AND k.category <> ''
            LEFT JOIN pricing.constraints AS a
                ON a.price_list_id = %(price_list_id)s AND a.category = '' AND a.sku = ''
            LEFT JOIN offer ON offer.sku = l.sku
            LEFT JOIN followed ON followed.sku = l.sku
            LEFT JOIN stock ON stock.sku = l.sku
            LEFT JOIN promotion ON promotion.sku = l.sku
            LEFT JOIN demand ON demand.sku = l.sku
            LEFT JOIN test ON test.sku = l.sku
        ORDER BY l.sku
    ) TO STDOUT (FORMAT csv, HEADER)
""")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the products of a list, and the price rows it was read from."""

    items: Columns
    price_ids: Ints


def read_items(
    conn: sa.Connection, price_list_id: int, rules: Sequence[Rule], at: datetime
) -> Known:
    """Everything the rules and limits ask of every product of a list at a moment."""
    import numpy as np

    from ecom_assets.pricing.repricing import NONE, Columns
    from ecom_assets.pricing.repricing.columns import NUMBERS

    followed = next((r.parameters["price_list_id"] for r in rules
                     if r.kind is RuleKind.FOLLOW_LIST), 0)  # fmt: skip
    # Hashes of a million products do not fit the default and would go by the disk.
    conn.execute(sa.text("SET LOCAL work_mem = '96MB'"))
    values = {
        "price_list_id": price_list_id, "at": at, "followed_list_id": followed,
        "prior_days": PRIOR_DAYS, "flip_days": FLIP_DAYS, "pace_days": PACE_DAYS,
        "endless": ENDLESS_DAYS,
    }  # fmt: skip
    table = copy_out(conn, _ITEMS, values, ("sku", "category"), ("price_id", *NUMBERS))

    def whole(name: str) -> Ints:
        return np.asarray(table.column(name).fill_null(NONE).to_numpy(), dtype=np.int64)

    category = table.column("category").combine_chunks().dictionary_encode()
    if table.num_rows == 0 or not hasattr(category, "indices"):
        codes, names = np.zeros(0, dtype=np.int32), []
    else:
        codes, names = category.indices.to_numpy().astype(np.int32), category.dictionary.to_pylist()
    skus = np.asarray(table.column("sku").to_pylist(), dtype=object)
    return Known(Columns(skus, codes, names, {name: whole(name) for name in NUMBERS}),
                 whole("price_id"))  # fmt: skip


_POLICY = sa.text("""
    SELECT tax_bps, approve_above_bps FROM pricing.price_lists WHERE price_list_id = :price_list_id
""")


def read_policy(conn: sa.Connection, price_list_id: int) -> Policy:
    """What a list says of all its lines."""
    row = conn.execute(_POLICY, {"price_list_id": price_list_id}).one()
    return Policy(row.tax_bps, row.approve_above_bps)
