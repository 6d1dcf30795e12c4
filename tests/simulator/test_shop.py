"""A whole generated shop: the same whenever and however it is made, and never half of one."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from simulator.mess import PARKED_BY_THE_INBOX
from simulator.shop import MANIFEST, ShopSpec, generate, is_whole


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "small"
    generate(folder, 2_000, 11)
    return folder


def manifest(folder: Path) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = json.loads((folder / MANIFEST).read_text())
    return found


def test_equal_specifications_give_equal_files(small: Path, tmp_path: Path) -> None:
    generate(tmp_path / "again", 2_000, 11)
    assert digests(tmp_path / "again") == digests(small)


@pytest.mark.parametrize("block", [13, 333, 2_000])
def test_files_do_not_depend_on_the_block(small: Path, tmp_path: Path, block: int) -> None:
    generate(tmp_path / "blocks", 2_000, 11, block=block)
    assert digests(tmp_path / "blocks") == digests(small)


def test_files_do_not_depend_on_zone_locale_or_hash_seed(small: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from simulator.shop import generate; " \
           f"generate(Path({str(tmp_path / 'odd')!r}), 2000, 11)"  # fmt: skip
    odd = {**os.environ, "TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "99"}
    subprocess.run([sys.executable, "-c", code], check=True, env=odd, cwd=Path(__file__).parents[2])
    assert digests(tmp_path / "odd") == digests(small)


def test_another_seed_gives_another_shop(small: Path, tmp_path: Path) -> None:
    generate(tmp_path / "other", 2_000, 12)
    ours, theirs = digests(small), digests(tmp_path / "other")
    drawn = {"orders.csv", "order_lines.csv", "payments.csv", "customers.csv", "products.csv"}
    assert all(ours[name] != theirs[name] for name in drawn)


def test_manifest_counts_the_rows_of_every_file(small: Path) -> None:
    for name, account in manifest(small)["files"].items():
        with (small / name).open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            rows = sum(1 for _ in csv.reader(stream)) - 1
        assert account["rows"] == rows, name
        assert account["rows"] == sum(
            account[fate] for fate in ("accepted", "parked", "superseded")
        )


def test_manifest_and_truth_agree_on_faults_and_frauds(small: Path) -> None:
    with (small / "truth.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    told = json.loads((small / MANIFEST).read_text())
    assert Counter(row["fault"] for row in rows if row["fault"]) == told["faults"]
    assert sum(row["fraud"] != "" for row in rows) == told["frauds"]
    for fault, reason in PARKED_BY_THE_INBOX.items():
        assert told["inbox_parked"][reason] == told["faults"].get(fault.name.lower(), 0)


def test_labels_tell_the_same_frauds_as_the_truth(small: Path) -> None:
    with (small / "labels.csv").open(encoding="utf-8") as stream:
        labelled = {r["external_id"] for r in csv.DictReader(stream) if r["label"] == "fraud"}
    with (small / "truth.csv").open(encoding="utf-8") as stream:
        assert labelled == {r["external_id"] for r in csv.DictReader(stream) if r["fraud"]}


def test_a_whole_shop_is_left_as_it_is(small: Path) -> None:
    before = (small / MANIFEST).stat().st_mtime_ns
    told: list[str] = []
    generate(small, 2_000, 11, told.append)
    assert (small / MANIFEST).stat().st_mtime_ns == before
    assert told == []


def test_another_shop_replaces_the_one_that_is_there(tmp_path: Path) -> None:
    generate(tmp_path / "shop", 50, 1)
    generate(tmp_path / "shop", 60, 1)
    assert is_whole(tmp_path / "shop", ShopSpec(60, 1))
    assert not is_whole(tmp_path / "shop", ShopSpec(50, 1))


def test_foreign_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="no generated shop"):
        generate(tmp_path, 50, 1)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_killed_generation_is_no_shop_and_the_next_one_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "shop"

    def die(line: str) -> None:
        if "200 of" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(folder, 400, 1, die, block=200)
    assert not folder.exists()
    generate(folder, 400, 1)
    assert is_whole(folder, ShopSpec(400, 1))
    assert [p.name for p in tmp_path.iterdir()] == ["shop"]


def test_a_broken_manifest_is_no_shop(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"shop": {"orders"')
    assert not is_whole(tmp_path, ShopSpec(50, 1))


def test_progress_counts_up_to_all_orders(tmp_path: Path) -> None:
    told: list[str] = []
    generate(tmp_path / "shop", 500, 3, told.append, block=200)
    assert [line.split(" of ")[0] for line in told[1:]] == [
        "shop: 200", "shop: 400", "shop: 500",
    ]  # fmt: skip


@pytest.mark.parametrize("orders", [1, 2, 7])
def test_the_smallest_shops_are_shops(tmp_path: Path, orders: int) -> None:
    generate(tmp_path / "shop", orders, 5)
    account = manifest(tmp_path / "shop")["files"]["orders.csv"]
    assert account["accepted"] + account["parked"] == orders


@pytest.mark.parametrize(("orders", "days"), [(0, 364), (-5, 364), (10, 10), (10, 0)])
def test_impossible_shops_are_refused(orders: int, days: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        ShopSpec(orders, 1, days=days)


def test_memory_follows_the_block_and_not_the_orders(
    tmp_path: Path,
) -> None:

    def peak(orders: int) -> int:
        tracemalloc.start()
        generate(tmp_path / str(orders), orders, 1, block=1_000)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # Sixteen times the orders have 3.5 times the products; nothing else grows.
    assert peak(16_000) < 5 * peak(1_000)
