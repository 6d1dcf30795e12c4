"""A rule tried on the past of a list: what it would have moved, and the money that makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ecom_assets.pricing.model import Policy, Rule
from ecom_assets.pricing.store.planning import proposed
from ecom_assets.pricing.store.reading import read_policy
from ecom_assets.pricing.store.rules import as_documents
from ecom_assets.pricing.tables import BACKTESTS

if TYPE_CHECKING:
    from ecom_assets.pricing.repricing import Lines
    from ecom_assets.pricing.repricing.columns import Ints
    from ecom_assets.pricing.store.reading import Known

_SHOWN = 20

_SOLD = sa.text("""
    SELECT line.sku, sum(line.quantity) AS units
    FROM orders.orders AS o JOIN orders.order_lines AS line USING (order_id)
        JOIN pricing.price_lists AS l ON l.channel = o.channel AND l.currency = o.currency
    WHERE l.price_list_id = :price_list_id AND o.placed_at >= :start AND o.placed_at < :end
    GROUP BY line.sku
""")


@dataclass
class _Money:
    """Sums over the moments of a backtest, in minor units."""

    moved: int = 0
    units: int = 0
    same: float = 0.0
    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    answers: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    products: Counter[str] = field(default_factory=Counter)


def backtest(
    conn: sa.Connection, price_list_id: int, rules: Sequence[Rule], start: datetime, end: datetime,
    run: str, every: timedelta = timedelta(days=7),
) -> int:  # fmt: skip
    """Reprice a list at moments of the past by other rules, without touching a price.

    At each moment only what was known then is used: prices, costs, offers, stock, elasticities.
    The money is reckoned twice: as if the same units had been sold, and with the units that
    elasticities expect, where they are known.

    Returns:
        Id of the row in `pricing.backtests`.
    """
    policy, money, moments = read_policy(conn, price_list_id), _Money(), 0
    moment = start
    while moment < end:
        until = min(moment + every, end)
        values = {"price_list_id": price_list_id, "start": moment, "end": until}
        sold = {sku: int(units) for sku, units in conn.execute(_SOLD, values).tuples()}
        lines, known = proposed(conn, price_list_id, rules, moment)
        _reckon(money, lines, known, sold, policy)
        moment, moments = until, moments + 1
    values = {
        "price_list_id": price_list_id, "from_at": start, "to_at": end,
        "rules": as_documents(rules), "moments": moments, "moved": money.moved,
        "units": money.units, "margin_change_minor": round(money.same), "run_id": run,
        "expected_change_minor": round(money.expected) if money.answers else None,
        "low_change_minor": round(money.low) if money.answers else None,
        "high_change_minor": round(money.high) if money.answers else None,
        "summary": {
            "rules": dict(money.rules), "limits": dict(money.limits),
            "lines_with_elasticity": money.answers,
            "products": [[sku, round(amount)] for sku, amount in sorted(
                money.products.items(), key=lambda item: (-abs(item[1]), item[0]))[:_SHOWN]],
        },
    }  # fmt: skip
    made = sa.insert(BACKTESTS).values(values).returning(BACKTESTS.c.backtest_id)
    return int(conn.execute(made).scalar_one())


def _reckon(
    money: _Money, lines: Lines, known: Known, sold: dict[str, int], policy: Policy
) -> None:
    import numpy as np

    from ecom_assets.pricing.model import BPS
    from ecom_assets.pricing.repricing.columns import LIMIT_BIT

    items, old = known.items, known.items["old"]
    moves = np.flatnonzero((old > 0) & (lines.new > 0) & (lines.new != old))
    money.moved += len(moves)
    money.rules.update(lines.labels[code] for code in lines.rule[moves].tolist())
    for limit, bit in LIMIT_BIT.items():
        money.limits[str(limit)] += int(((lines.bound[moves] & bit) != 0).sum())
    units = np.array([sold.get(sku, 0) for sku in items.sku[moves]], dtype=float)
    money.units += int(units.sum())
    before, after = (
        old[moves] * BPS / (BPS + policy.tax_bps),
        lines.new[moves] * BPS / (BPS + policy.tax_bps),
    )
    same = units * (after - before)
    money.same += float(same.sum())
    for sku, amount in zip(items.sku[moves].tolist(), same.tolist(), strict=True):
        money.products[sku] += amount
    _answer(money, items["elasticity_milli"][moves], items["width_milli"][moves],
            np.maximum(items["cost"][moves], 0), units, before, after)  # fmt: skip


def _answer(
    money: _Money, size: Ints, width: Ints, cost: Ints, units: Any, before: Any, after: Any
) -> None:
    """The change of margin with the units that the elasticity expects, and its interval.

    Errors of products are taken to be independent, so that squares add up.
    """
    import numpy as np

    is_known = (size != -1) & (width != -1)
    money.answers += int(is_known.sum())
    elasticity, half = -size / 1000, width / 2000

    def change(e: Any) -> Any:
        with np.errstate(over="ignore"):
            sold = units * np.exp(np.clip(e * np.log(after / before), -3, 3))
        return np.where(is_known, sold * (after - cost) - units * (before - cost), 0.0)

    middle = change(elasticity)
    spread = np.abs(change(elasticity + half) - change(elasticity - half)) / 2
    total, wide = float(middle.sum()), float(np.sqrt((spread**2).sum()))
    money.expected += total
    money.low += total - wide
    money.high += total + wide


_FOUND = sa.text("""
    SELECT b.*, l.channel, l.currency FROM pricing.backtests AS b
        JOIN pricing.price_lists AS l USING (price_list_id)
    WHERE b.backtest_id = :backtest_id
""")


def found(conn: sa.Connection, backtest_id: int) -> dict[str, Any]:
    """A backtest with the channel and currency of its list."""
    return dict(conn.execute(_FOUND, {"backtest_id": backtest_id}).mappings().one())
