"""A file of prices becomes plans: one per price list and moment, with a line per price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from ecom_assets.pricing.gates import JUMP_BPS
from ecom_assets.pricing.store import applying, checking, feeds
from ecom_assets.pricing.store.feeds import Taken
from ecom_assets.pricing.store.lists import open_list
from ecom_assets.pricing.store.planning import open_plan
from ecom_assets.shared.quarantine import PARKED_COLUMNS, park
from ecom_assets.shared.working import open_empty, working_table

CELLS = working_table(
    "price_cells",
    sa.Column("row_no", sa.BigInteger),
    sa.Column("channel", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("customer_group", sa.Text),
    sa.Column("sku", sa.Text),
    sa.Column("min_quantity", sa.Integer),
    sa.Column("price_minor", sa.BigInteger),
    sa.Column("minimum_minor", sa.BigInteger),
    sa.Column("ceiling_minor", sa.BigInteger),
    sa.Column("map_minor", sa.BigInteger),
    sa.Column("from_at", TIMESTAMP(timezone=True)),
    sa.Column("fate", sa.Text),
)
"""Prices of the file that is being taken."""

_COPY = """
    COPY price_cells (row_no, channel, currency, customer_group, sku, min_quantity, price_minor,
        minimum_minor, ceiling_minor, map_minor, from_at) FROM STDIN
"""
_TWICE = sa.text("""
    UPDATE price_cells AS e SET fate = CASE WHEN twice.amounts > 1 THEN 'parked' ELSE 'repeated' END
    FROM (
        SELECT channel, currency, customer_group, sku, min_quantity, from_at,
            count(DISTINCT price_minor) AS amounts, min(row_no) AS first_no
        FROM price_cells
        GROUP BY channel, currency, customer_group, sku, min_quantity, from_at HAVING count(*) > 1
    ) AS twice
    WHERE (e.channel, e.currency, e.customer_group, e.sku, e.min_quantity, e.from_at)
        = (twice.channel, twice.currency, twice.customer_group, twice.sku, twice.min_quantity,
            twice.from_at)
        AND (twice.amounts > 1 OR e.row_no > twice.first_no)
""")
_PARK = sa.text("""
    SELECT CAST(:source AS text) AS source, row_no AS row_number, channel || '/' || sku AS subject,
        'stated_twice' AS reason, 'the file states several prices of ' || sku AS detail,
        to_jsonb(price_cells) AS row
    FROM price_cells WHERE fate = 'parked'
""")
_GROUPS = sa.text("""
    SELECT channel, currency, customer_group, from_at FROM price_cells WHERE fate IS NULL
    GROUP BY 1, 2, 3, 4 ORDER BY from_at, channel, currency, customer_group
""")
_LINES = sa.text("""
    INSERT INTO pricing.plan_lines (plan_id, sku, min_quantity, outcome, old_minor, proposed_minor,
        new_minor, regular_minor, base_price_id, rule, bound, reasons, is_approval_needed)
    SELECT :plan_id, cell.sku, cell.min_quantity, judged.outcome, p.price_minor, cell.price_minor,
        CASE WHEN judged.outcome IN ('keep', 'hold') THEN p.price_minor ELSE cell.price_minor END,
        cell.price_minor, p.price_id, 'import', '{}',
        CASE WHEN judged.is_large THEN ARRAY['moves_more_than_allowed_without_approval']
            WHEN first.refusal IS NULL THEN '{}' ELSE ARRAY[first.refusal] END,
        judged.is_large
    FROM price_cells AS cell
        JOIN pricing.price_lists AS l USING (channel, currency, customer_group)
        LEFT JOIN pricing.prices AS p ON p.price_list_id = l.price_list_id AND p.sku = cell.sku
            AND p.min_quantity = cell.min_quantity AND p.valid_from_at <= cell.from_at
            AND (p.valid_to_at IS NULL OR p.valid_to_at > cell.from_at)
        LEFT JOIN catalog.products AS product ON product.sku = cell.sku
        LEFT JOIN pricing.costs AS c ON c.sku = cell.sku AND c.currency = cell.currency
            AND c.valid_from_at <= cell.from_at
            AND (c.valid_to_at IS NULL OR c.valid_to_at > cell.from_at)
        LEFT JOIN pricing.constraints AS s
            ON s.price_list_id = l.price_list_id AND s.sku = cell.sku
        LEFT JOIN pricing.constraints AS k
            ON k.price_list_id = l.price_list_id AND k.category = product.category
                AND k.category <> ''
        LEFT JOIN pricing.constraints AS a
            ON a.price_list_id = l.price_list_id AND a.category = '' AND a.sku = ''
        CROSS JOIN LATERAL (
            SELECT CASE WHEN p.price_minor = cell.price_minor THEN NULL
                WHEN c.cost_minor * (10000 + l.tax_bps) > cell.price_minor * 10000
                THEN 'below_cost'
                WHEN cell.price_minor < greatest(
                    CASE WHEN s.sku IS NOT NULL THEN s.minimum_minor
                        WHEN k.category IS NOT NULL THEN k.minimum_minor ELSE a.minimum_minor END,
                    coalesce(s.map_minor, k.map_minor, a.map_minor)) THEN 'below_minimum'
                WHEN cell.price_minor * 10000 > p.price_minor * :jump_bps
                    OR p.price_minor * 10000 > cell.price_minor * :jump_bps
                THEN 'far_from_price_in_force' END AS refusal
        ) AS first
        CROSS JOIN LATERAL (
            SELECT CASE WHEN first.refusal IS NOT NULL THEN 'hold'
                    WHEN p.price_id IS NULL THEN 'new'
                    WHEN p.price_minor = cell.price_minor THEN 'keep' ELSE 'change'
                END AS outcome,
                first.refusal IS NULL AND abs(cell.price_minor - p.price_minor) * 10000
                    > l.approve_above_bps * p.price_minor AS is_large
        ) AS answer (outcome, large)
        CROSS JOIN LATERAL (
            SELECT answer.outcome, coalesce(answer.large, false) AS is_large
        ) AS judged
    WHERE cell.fate IS NULL AND cell.channel = :channel AND cell.currency = :currency
        AND cell.customer_group = :customer_group AND cell.from_at = :from_at
    ORDER BY cell.sku, cell.min_quantity
""")
# Only limits that the file names; a blank cell takes no limit away.
_LIMITS = sa.text("""
    INSERT INTO pricing.constraints AS c
        (price_list_id, sku, minimum_minor, ceiling_minor, map_minor)
    SELECT DISTINCT ON (cell.sku) l.price_list_id, cell.sku, cell.minimum_minor,
        cell.ceiling_minor, cell.map_minor
    FROM price_cells AS cell JOIN pricing.price_lists AS l USING (channel, currency, customer_group)
    WHERE cell.fate IS NULL AND cell.min_quantity = 1 AND l.price_list_id = :price_list_id
        AND num_nonnulls(cell.minimum_minor, cell.ceiling_minor, cell.map_minor) > 0
    ORDER BY cell.sku, cell.from_at DESC
    ON CONFLICT (price_list_id, category, sku) DO UPDATE SET
        minimum_minor = coalesce(excluded.minimum_minor, c.minimum_minor),
        ceiling_minor = coalesce(excluded.ceiling_minor, c.ceiling_minor),
        map_minor = coalesce(excluded.map_minor, c.map_minor)
""")
_OUTCOMES = sa.text("""
    SELECT count(*) FILTER (WHERE outcome IN ('new', 'change')) AS accepted,
        count(*) FILTER (WHERE outcome = 'hold') AS flagged
    FROM pricing.plan_lines WHERE plan_id = ANY (:plans)
""")


@dataclass(frozen=True, slots=True)
class PricesTaken:
    """What became of a file of prices: its account, and its plans with their states."""

    account: Taken
    plans: tuple[tuple[int, str], ...]


def take_prices(
    conn: sa.Connection, source: str, digest: str, rows: Iterable[Sequence[Any]], at: datetime,
    run: str, by: str, parked: int = 0, only_plan: bool = False,
) -> PricesTaken:  # fmt: skip
    """Make plans of a file of prices, and apply those that pass and need no approval.

    Args:
        conn: connection inside a transaction.
        source: file they came from.
        digest: SHA-256 of its contents and how it was read.
        rows: (row number, channel, currency, group, SKU, units from, price, minimum, ceiling, MAP,
            begins at), amounts in minor units.
        at: business moment of taking.
        run: command or Dagster run.
        by: who asks; that person cannot approve the plans.
        parked: prices the reader put into the quarantine already.
        only_plan: leave plans that are ready to be applied by a person.
    """
    if found := feeds.known_feed(conn, "prices", digest):
        return PricesTaken(found, ())
    _fill(conn, rows)
    conn.execute(_TWICE)
    entries = conn.execute(sa.text("SELECT count(*) FROM price_cells")).scalar_one() + parked
    named = _PARK.bindparams(source=source).columns(*map(sa.column, PARKED_COLUMNS))
    parked += park(conn, named, run)
    account = feeds.open_account(conn, "prices", source, digest, None, at, run, entries=entries,
                                 accepted=0, unchanged=0, flagged=0, parked=entries)  # fmt: skip
    plans = [_plan(conn, dict(group), account, at, run, by, only_plan)
             for group in conn.execute(_GROUPS).mappings().all()]  # fmt: skip
    found_counts = conn.execute(_OUTCOMES, {"plans": [plan for plan, _ in plans]}).one()
    counts = {
        "accepted": found_counts.accepted, "flagged": found_counts.flagged, "parked": parked,
        "unchanged": entries - found_counts.accepted - found_counts.flagged - parked,
    }  # fmt: skip
    feeds.set_counts(conn, account, **counts)
    return PricesTaken(Taken(account, "taken", None, entries, **counts), tuple(plans))


def _fill(conn: sa.Connection, rows: Iterable[Sequence[Any]]) -> None:
    open_empty(conn, CELLS)
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)
    conn.execute(sa.text("ANALYZE price_cells"))


def _plan(
    conn: sa.Connection, group: dict[str, Any], account: int, at: datetime, run: str, by: str,
    only_plan: bool,
) -> tuple[int, str]:  # fmt: skip
    price_list = open_list(conn, group["channel"], group["currency"], group["customer_group"])
    plan_id = open_plan(conn, price_list, "import", at, group["from_at"], by, run, [],
                        {"feed_id": account})  # fmt: skip
    # First: a price below a limit of the same file is not taken.
    conn.execute(_LIMITS, {"price_list_id": price_list})
    conn.execute(_LINES, {**group, "plan_id": plan_id, "jump_bps": JUMP_BPS})
    state = checking.conclude(conn, plan_id)
    if state == "ready" and not only_plan:
        state = applying.apply(conn, plan_id, run).state
    if state == "applied":
        state = applying.verify(conn, plan_id).state
    return plan_id, state
