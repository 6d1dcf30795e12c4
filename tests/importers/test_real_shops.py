"""The real shops: every row accounted for, every amount arrives. Skipped where the data are not."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from importers.engine import ImportReport

pytestmark = pytest.mark.slow
Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Find = Callable[..., Path]

_MONEY_IN = """
    SELECT count(*), sum((payload->>'shipping_minor')::bigint)
        + sum((SELECT sum((l->>'quantity')::bigint * (l->>'unit_price_minor')::bigint)
               FROM jsonb_array_elements(payload->'lines') AS l)),
        sum((SELECT sum((p->>'amount_minor')::bigint)
             FROM jsonb_array_elements(payload->'payments') AS p))
    FROM orders.inbox
"""


def _rows_of(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _count(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    return len(_rows_of(path))


def _assert_accounts(report: ImportReport, folder: Path, query: Query) -> None:
    quarantined = dict(
        query("SELECT source, count(*) FROM flow.quarantine WHERE detail <> '' GROUP BY source")
    )
    for account in report.accounts:
        assert account.rows_read == _count(folder / account.source)
        assert account.rows_read == (
            account.rows_accepted + account.rows_parked + account.rows_superseded
        )
        assert quarantined.get(account.source, 0) == account.rows_parked


def _assert_usable_supply(query: Query) -> None:
    assert query("SELECT count(*) BETWEEN 3 AND 10 FROM warehouse.sites") == [True]
    assert query("SELECT min(quantity) > 0 FROM inventory.movements") == [True]
    assert query("SELECT count(DISTINCT service_code) FROM transport.rates") == [7]
    # Enough stock for most of what was ordered, and not for all of it.
    [share] = query("""
        WITH ordered AS (
            SELECT sum((l->>'quantity')::bigint) AS units
            FROM orders.inbox, jsonb_array_elements(payload->'lines') AS l
        )
        SELECT (SELECT sum(quantity) FROM inventory.movements) / units FROM ordered
    """)
    assert 0.85 < share < 1


@pytest.mark.parametrize("name", ["sample", "full"])
def test_olist(real_folder: Find, take: Take, query: Query, name: str) -> None:
    folder = real_folder("olist", name)
    report = take("olist", folder)
    _assert_accounts(report, folder, query)
    _assert_usable_supply(query)
    files = {account.source.split("_dataset")[0]: account for account in report.accounts}
    assert files["olist_orders"].rows_parked == 0
    orders = {row["order_id"] for row in _rows_of(folder / files["olist_orders"].source)}
    goods = sum(
        Decimal(row["price"]) + Decimal(row["freight_value"])
        for row in _rows_of(folder / files["olist_order_items"].source)
        if row["order_id"] in orders
    )
    paid = sum(
        Decimal(row["payment_value"])
        for row in _rows_of(folder / files["olist_order_payments"].source)
        if row["order_id"] in orders
    )
    # Orders without items carry no freight, so both sides count only what the items say.
    assert query(_MONEY_IN) == [(len(orders), goods * 100, paid * 100)]
    assert query("SELECT count(*) FROM orders.observed_events WHERE kind = 'reviewed'") == [
        files["olist_order_reviews"].rows_accepted
    ]
    assert take("olist", folder).is_repeat


def test_uci(real_folder: Find, take: Take, query: Query) -> None:
    folder = real_folder("uci_online_retail")
    report = take("uci", folder)
    _assert_accounts(report, folder, query)
    _assert_usable_supply(query)
    [(orders, goods, paid)] = query(_MONEY_IN)
    assert orders == report.orders_received > 10_000
    assert goods == paid > 0
    assert query("SELECT DISTINCT kind FROM orders.observed_events ORDER BY 1") == [
        "cancelled",
        "returned",
    ]
    assert take("uci", folder).is_repeat
