"""Making price plans: read what is known, ask the rules, write a line per product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ecom_assets.pricing.model import Rule
from ecom_assets.pricing.store import checking
from ecom_assets.pricing.store.copying import copy_in
from ecom_assets.pricing.store.reading import Known, read_items, read_policy
from ecom_assets.pricing.store.rules import as_documents, rules_at
from ecom_assets.pricing.tables import PLAN_LINES, PRICE_PLANS

if TYPE_CHECKING:
    import pyarrow as pa

    from ecom_assets.pricing.repricing import Lines

_WAITING_FEEDS = sa.text("""
    UPDATE pricing.feeds SET repriced_as_of = :at
    WHERE repriced_as_of IS NULL AND state = 'taken' AND taken_as_of <= :at
    RETURNING feed_id
""")


def see_feeds(conn: sa.Connection, at: datetime) -> list[int]:
    """Mark the feeds that wait for a repricing as seen by the one of this transaction."""
    return sorted(conn.execute(_WAITING_FEEDS, {"at": at}).scalars())


_WAITING = sa.text("""
    SELECT kind, count(*) AS feeds FROM pricing.feeds
    WHERE repriced_as_of IS NULL AND state = 'taken' GROUP BY kind ORDER BY kind
""")


def waiting(conn: sa.Connection) -> dict[str, int]:
    """Feeds that no repricing has seen, by kind."""
    return {row.kind: row.feeds for row in conn.execute(_WAITING)}


def plan_list(
    conn: sa.Connection, price_list_id: int, at: datetime, run: str, by: str,
    inputs: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Reprice a whole list into a plan and check it.

    Args:
        conn: connection inside a transaction.
        price_list_id: list to reprice.
        at: business moment; nothing known later is used.
        run: Dagster run or command.
        by: who or what asks, which cannot approve the plan.
        inputs: kept with the plan beside what was read.

    Returns:
        Id of the plan, whose state says what the checks found.
    """
    rules = rules_at(conn, price_list_id, at)
    lines, known = proposed(conn, price_list_id, rules, at)
    plan_id = open_plan(conn, price_list_id, "reprice", at, at, by, run, as_documents(rules),
                        {**(inputs or {}), "products": len(known.items)})  # fmt: skip
    copy_in(conn, PLAN_LINES, as_table(plan_id, known, lines))
    checking.conclude(conn, plan_id)
    return plan_id


def proposed(
    conn: sa.Connection, price_list_id: int, rules: Sequence[Rule], at: datetime
) -> tuple[Lines, Known]:
    """What rules make of a list at a moment, without writing anything."""
    from ecom_assets.pricing.repricing import reprice_all

    known = read_items(conn, price_list_id, rules, at)
    return reprice_all(known.items, rules, read_policy(conn, price_list_id)), known


def open_plan(
    conn: sa.Connection, price_list_id: int, kind: str, at: datetime, effective_at: datetime,
    by: str, run: str, rules: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any],
    undoes: int | None = None,
) -> int:  # fmt: skip
    """Write the head of a plan without lines; returns its id."""
    values = {
        "price_list_id": price_list_id, "kind": kind, "state": "planned", "planned_as_of": at,
        "effective_at": effective_at, "requested_by": by, "rules": list(rules),
        "inputs": dict(inputs), "lines": 0, "moved": 0, "held": 0, "undoes_plan_id": undoes,
        "run_id": run,
    }  # fmt: skip
    made = sa.insert(PRICE_PLANS).values(values).returning(PRICE_PLANS.c.plan_id)
    return int(conn.execute(made).scalar_one())


def as_table(plan_id: int, known: Known, lines: Lines) -> pa.Table:
    """Plan lines as Arrow columns, named as in `pricing.plan_lines`."""
    import numpy as np
    import pyarrow as pa

    from ecom_assets.pricing.repricing import NONE
    from ecom_assets.pricing.repricing.columns import LIMIT_BIT, OUTCOMES, REASON_BIT, names_of

    def amount(values: Any) -> pa.Array:
        return pa.array(values, mask=values == NONE)

    def words(codes: Any, names: Sequence[str]) -> pa.Array:
        place = pa.array(codes.astype(np.int32))
        return pa.DictionaryArray.from_arrays(place, pa.array(names, pa.string())).cast(pa.string())

    def sets(bits: Any, table: Any) -> pa.Array:
        found, place = np.unique(bits, return_inverse=True)
        names = ["{" + ",".join(names_of(int(one), table)) + "}" for one in found]
        return words(place.reshape(-1), names)

    size = len(known.items)
    return pa.table({
        "plan_id": pa.array(np.full(size, plan_id)),
        "sku": pa.array(known.items.sku, pa.string()),
        "min_quantity": pa.array(np.ones(size, dtype=np.int32)),
        "outcome": words(lines.outcome, [str(outcome) for outcome in OUTCOMES]),
        "old_minor": amount(known.items["old"]),
        "proposed_minor": amount(lines.proposed),
        "new_minor": amount(lines.new),
        "regular_minor": amount(lines.regular),
        "reference_minor": amount(lines.reference),
        "base_price_id": amount(known.price_ids),
        "rule": words(lines.rule, lines.labels),
        "bound": sets(lines.bound, LIMIT_BIT),
        "reasons": sets(lines.reasons, REASON_BIT),
        "is_approval_needed": pa.array(lines.asks),
    })  # fmt: skip
