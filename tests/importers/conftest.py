"""Small foreign shops, written by hand: one good order each, which tests then bend."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom.settings import ROOT
from importers import olist, uci
from importers.engine import ImportReport, run_import
from importers.source import SourceFile
from resources.database import DatabaseResource

SHARED = ROOT.parent / "shared" / "data"
Fields = dict[str, str]
Query = Callable[..., list[Any]]


def write_table(path: Path, columns: tuple[str, ...], rows: list[Fields]) -> Path:
    """Write rows as CSV, compressed if the name says so; fields that are not given are empty."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


OLIST_ROWS: dict[SourceFile, Fields] = {
    olist.ORDERS: {
        "order_id": "o1", "customer_id": "c1", "order_status": "delivered",
        "order_purchase_timestamp": "2017-05-02 10:00:00",
        "order_approved_at": "2017-05-02 10:15:00",
        "order_delivered_carrier_date": "2017-05-03 09:00:00",
        "order_delivered_customer_date": "2017-05-08 18:30:00",
        "order_estimated_delivery_date": "2017-05-20 00:00:00",
    },
    olist.ITEMS: {
        "order_id": "o1", "order_item_id": "1", "product_id": "p1", "seller_id": "s1",
        "shipping_limit_date": "2017-05-06 10:15:00", "price": "50.00", "freight_value": "12.50",
    },
    olist.PAYMENTS: {
        "order_id": "o1", "payment_sequential": "1", "payment_type": "credit_card",
        "payment_installments": "2", "payment_value": "62.50",
    },
    olist.REVIEWS: {
        "review_id": "r1", "order_id": "o1", "review_score": "4",
        "review_creation_date": "2017-05-09 00:00:00",
        "review_answer_timestamp": "2017-05-10 08:00:00",
    },
    olist.CUSTOMERS: {
        "customer_id": "c1", "customer_unique_id": "person1", "customer_zip_code_prefix": "20100",
        "customer_city": "rio de janeiro", "customer_state": "RJ",
    },
    olist.PRODUCTS: {
        "product_id": "p1", "product_category_name": "beleza", "product_weight_g": "700",
        "product_length_cm": "30", "product_height_cm": "10", "product_width_cm": "20",
    },
    olist.SELLERS: {
        "seller_id": "s1", "seller_zip_code_prefix": "1001", "seller_city": "sao paulo",
        "seller_state": "SP",
    },
    olist.PLACES: {
        "geolocation_zip_code_prefix": "20100", "geolocation_lat": "-22.9",
        "geolocation_lng": "-43.2", "geolocation_city": "rio", "geolocation_state": "RJ",
    },
    olist.CATEGORIES: {
        "product_category_name": "beleza", "product_category_name_english": "beauty",
    },
}  # fmt: skip
UCI_ROW = {
    "InvoiceNo": "500001", "StockCode": "10001", "Description": "RED CUP", "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:30:00", "UnitPrice": "2.50", "CustomerID": "17000",
    "Country": "United Kingdom",
}  # fmt: skip


class Shop:
    """A folder in the form of a source; tables not given hold the one good row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def olist(self, **tables: list[Fields]) -> Path:
        """Write the nine tables; a row names only the fields in which it differs."""
        for file, row in OLIST_ROWS.items():
            rows = [{**row, **changes} for changes in tables.get(file.name, [{}])]
            name = file.patterns[0].replace("*", "")
            write_table(self.folder / name, file.columns, rows)
        return self.folder

    def uci(self, *lines: Fields) -> Path:
        """Write the lines as CSV; a line names only the fields in which it differs."""
        rows = [{**UCI_ROW, **changes} for changes in lines or ({},)]
        write_table(self.folder / "online_retail.csv", uci.LINES.columns, rows)
        return self.folder


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def undone(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A transaction on a database of the module that is taken back after the test."""
    with module_database.engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def take(undone: sa.Connection) -> Callable[[str, Path], ImportReport]:
    """Import a folder; nothing of it is left after the test."""
    return lambda name, folder: run_import(lambda: nullcontext(undone), name, folder, "test")


@pytest.fixture
def query(undone: sa.Connection) -> Query:
    """Rows of a select as tuples; a single column comes without its tuple."""

    def run(statement: str) -> list[Any]:
        rows = undone.execute(sa.text(statement)).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    return run


@pytest.fixture
def parked(query: Query) -> Callable[[], list[Any]]:
    """What is in the quarantine: row number, reason and detail, by file and row."""
    return lambda: query(
        "SELECT row_number, reason, detail FROM flow.quarantine ORDER BY source, row_number"
    )


@pytest.fixture
def real_folder() -> Callable[..., Path]:
    """Finds a folder of real data; the test is skipped where it is not there."""

    def find(*names: str) -> Path:
        folder = SHARED.joinpath(*names)
        if not folder.is_dir():
            pytest.skip(f"no real data at {folder}")
        return folder

    return find
