"""File feeds: order files are taken once, offers are written whole, and no path leaves the root."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from marketplace.conftest import Syncing
from marketplace.test_listings import price_and_stock

from ecom_assets import connecting
from ecom_assets.marketplace.model import Kind, SyncState, Trouble
from ecom_assets.marketplace.store import connections
from fixtures.api_shop import ask
from fixtures.order_documents import build_document
from resources.channels import ChannelsResource
from resources.database import DatabaseResource
from resources.folders import FolderUnusable, opened

Connect = Callable[..., int]
HEADER = ("external_id,placed_at,currency,customer_key,ship_country,sku,quantity,unit_price,"
          "shipping,total,payment_method,paid_at")  # fmt: skip
ROW = "{},2026-05-01T10:00:00Z,EUR,ann,DE,{},{},11.90,{},{},card,2026-05-01T10:00:00Z"


@pytest.fixture
def folder(connect: Connect, means: ChannelsResource) -> tuple[int, Path]:
    """A file feed and its folder of orders."""
    key = connect(Kind.FILE_FEED)
    assert means.root
    place = means.root / "shop" / "orders"
    place.mkdir(parents=True)
    return key, place


def _put(place: Path, name: str, text: str) -> None:
    (place / name).write_text(text)
    os.utime(place / name, (1_777_000_000, 1_777_000_000))


def _line(number: int, channel: str = "shop") -> str:
    message = {"channel": channel, "external_id": str(number), "payload": build_document()}
    return json.dumps(message) + "\n"


def test_lines_and_tables_are_taken_once_and_moved(
    furnished: DatabaseResource, folder: tuple[int, Path], sync: Syncing
) -> None:
    key, place = folder
    _put(place, "a.jsonl", _line(1) + "no json\n" + _line(2, "other") + _line(3))
    rows = [ROW.format("T-1", "SKU-1", 2, "5.95", "41.65"), ROW.format("T-1", "SKU-2", 1, "", ""),
            ROW.format("T-2", "SKU-1", "two", "", "")]  # fmt: skip
    _put(place, "b.csv", "\n".join([HEADER, *rows]))
    _put(place, "c.csv.part", "x")
    found = sync(key)
    assert found.state is SyncState.DONE
    counts = {name: found.counts[name] for name in ("files_taken", "orders_new", "parked")}
    assert counts == {"files_taken": 2, "orders_new": 3, "parked": 3}
    assert sorted(os.listdir(place)) == ["c.csv.part", "taken"]
    payload = ask(furnished, "SELECT payload FROM orders.inbox WHERE external_id = 'T-1'")
    assert [line["unit_price_minor"] for line in payload["lines"]] == [1190, 1190]
    assert (payload["total_minor"], payload["payments"][0]["amount_minor"]) == (4165, 4165)
    # The same content again, under whatever name, is known.
    _put(place, "again.jsonl", (place / "taken" / "a.jsonl").read_text())
    again = sync(key)
    assert (again.counts["files_known"], again.counts["orders_new"]) == (1, 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sku\nA", "column external_id must be there"),
        (f"{HEADER},colour\n", "column colour is unknown"),
        (HEADER + "\nshort,row", "a cell for each column"),
        (HEADER + "\n" + ROW.format("T", "A", 1, "1.2.3", ""), "shipping must be an amount"),
        ("", "must be there"),
    ],
)
def test_a_file_that_is_no_table_of_orders_is_parked_with_the_reason(
    furnished: DatabaseResource, folder: tuple[int, Path], sync: Syncing, text: str, why: str
) -> None:
    key, place = folder
    _put(place, "b.csv", text)
    assert sync(key).state is SyncState.DONE
    assert why in ask(furnished, "SELECT detail FROM flow.quarantine")


def test_offers_are_written_whole_and_no_cell_is_a_formula(
    furnished: DatabaseResource, folder: tuple[int, Path], sync: Syncing
) -> None:
    key, place = folder
    price_and_stock(furnished)
    with furnished.begin() as conn:
        conn.exec_driver_sql(
            "INSERT INTO catalog.products (sku, name, category, currency)"
            " VALUES ('=1+2', 'x', 'c', 'EUR')"
        )
        conn.exec_driver_sql(
            "INSERT INTO pricing.prices (price_list_id, sku, min_quantity, price_minor,"
            " regular_minor, valid_from_at, rule, plan_id, run_id)"
            " SELECT price_list_id, '=1+2', 1, 5, 5, '2026-01-01Z', 'import', 1, 'test'"
            " FROM pricing.price_lists"
        )
    assert sync(key).counts["offers_written"] == 2
    with (place.parent / "offers.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["listing_id", "sku", "price", "currency", "stock"]
    assert sorted(rows[1:]) == [
        ["", "'=1+2", "0.05", "EUR", "0"],
        ["", "SKU-1", "12.90", "EUR", "3"],
    ]
    assert sorted(os.listdir(place.parent)) == ["offers.csv", "orders"]


def test_a_link_out_of_the_root_is_not_followed(
    furnished: DatabaseResource, connect: Connect, means: ChannelsResource, sync: Syncing,
    tmp_path: Path,
) -> None:  # fmt: skip
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret")
    assert means.root
    (means.root / "shop").symlink_to(outside)
    key = connect(Kind.FILE_FEED)
    found = sync(key)
    assert (found.trouble, os.listdir(outside)) == (Trouble.FOLDER_UNUSABLE, ["secret.csv"])
    (means.root / "shop").unlink()
    (means.root / "shop" / "orders").mkdir(parents=True)
    (means.root / "shop" / "orders" / "x.csv").symlink_to(outside / "secret.csv")
    os.mkfifo(means.root / "shop" / "orders" / "y.csv")
    assert sync(key).state is SyncState.DONE
    assert ask(furnished, "SELECT count(*) FROM flow.quarantine") == 0


@pytest.mark.parametrize("path", ["..", "a/../b", "", "/etc", "a//b", "a\x00b", "."])
def test_a_path_names_folders_below_the_root(tmp_path: Path, path: str) -> None:
    with pytest.raises(FolderUnusable), opened(tmp_path, path):
        raise AssertionError(path)


def test_a_test_tells_of_what_waits_or_of_what_is_wrong(
    furnished: DatabaseResource, folder: tuple[int, Path], means: ChannelsResource
) -> None:
    key, place = folder
    _put(place, "a.jsonl", _line(1))
    with furnished.begin() as conn:
        connection = connections.usable(conn, key)
    assert connection
    assert "1 order files wait" in connecting.test(connection, means).text
    missing = ChannelsResource(folders=str(place / "nowhere"))
    assert connecting.test(connection, missing).trouble is Trouble.FOLDER_UNUSABLE
    assert "ECOM_CHANNEL_FOLDERS" in connecting.test(connection, ChannelsResource()).text
