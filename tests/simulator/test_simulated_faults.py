"""Faulty rows as they stand in the files: each kind once, whole, and counted where it belongs."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import mess, shop
from simulator.csvfile import CsvFile, moments
from simulator.heads import CHANNELS, build_heads, external_ids
from simulator.lines import build_lines
from simulator.mess import LATEST, Fault
from simulator.shop import MANIFEST, generate
from simulator.spec import ShopSpec
from simulator.world import World

SPEC = ShopSpec(3_000, 17)
Row = dict[str, str]


@pytest.fixture(scope="module", autouse=True)
def many_faults() -> Any:
    """Every fault thirty times as often, so that a small shop has enough of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mess, "SHARE", 0.02)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, many_faults: None) -> Path:
    made = tmp_path_factory.mktemp("faults") / "shop"
    generate(made, SPEC.orders, SPEC.seed)
    return made


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Fault]:
    return {
        row["external_id"]: Fault[row["fault"].upper()]
        for row in _rows(folder, "truth") if row["fault"]
    }  # fmt: skip


def _text(folder: Path, stem: str) -> str:
    return (folder / f"{stem}.csv").read_text(encoding="utf-8", errors="surrogateescape")


def _rows(folder: Path, stem: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(_text(folder, stem), newline="")))


def _orders_with(folder: Path, truth: dict[str, Fault], fault: Fault) -> list[Row]:
    found = [row for row in _rows(folder, "orders") if truth.get(row["external_id"]) == fault]
    assert len(found) > 20
    return found


def _lines_of(folder: Path) -> dict[str, list[Row]]:
    lines = defaultdict(list)
    for row in _rows(folder, "order_lines"):
        lines[row["external_id"]].append(row)
    return lines


def test_every_fault_occurs_and_is_told(folder: Path, truth: dict[str, Fault]) -> None:
    assert set(truth.values()) == set(Fault) - {Fault.NONE}
    told = json.loads((folder / MANIFEST).read_text())["faults"]
    counts = {fault.name.lower(): list(truth.values()).count(fault) for fault in Fault if fault}
    assert told == dict(sorted(counts.items()))


def test_a_repeated_order_comes_again_unchanged_and_not_long_after(
    folder: Path, truth: dict[str, Fault]
) -> None:
    places = defaultdict(list)
    for place, row in enumerate(_rows(folder, "orders")):
        if truth.get(row["external_id"]) == Fault.DUPLICATE_ORDER:
            places[row["external_id"]].append((place, row))
    assert len(places) > 20
    for (first, one), (second, other) in places.values():
        assert one == other
        # Others may come again in between, but never as many as there are first rows.
        assert first < second <= first + 2 * LATEST


def test_a_revised_order_comes_later_with_another_address_only(
    folder: Path, truth: dict[str, Fault]
) -> None:
    rows = _orders_with(folder, truth, Fault.REVISED_ORDER)
    by_order = defaultdict(list)
    for row in rows:
        by_order[row["external_id"]].append(row)
    for first, second in by_order.values():
        changed = {name for name in first if first[name] != second[name]}
        assert changed == {"received_at", "line1"}
        assert second["received_at"] > first["received_at"]
        assert second["line1"] == f"{first['line1']}, 2nd floor"


def test_a_repeated_line_is_the_first_of_its_order(folder: Path, truth: dict[str, Fault]) -> None:
    lines = _lines_of(folder)
    for external_id, fault in truth.items():
        numbers = [int(row["line_no"]) for row in lines[external_id]]
        if fault == Fault.DUPLICATE_LINE:
            assert numbers == [1, *range(1, max(numbers) + 1)]
            assert lines[external_id][0] == lines[external_id][1]
        elif fault != Fault.WITHOUT_LINES:
            assert numbers == list(range(1, len(numbers) + 1))


def test_orders_without_lines_have_payments_and_outcomes_all_the_same(
    folder: Path, truth: dict[str, Fault]
) -> None:
    bare = {each for each, fault in truth.items() if fault == Fault.WITHOUT_LINES}
    assert bare.isdisjoint(_lines_of(folder))
    for stem in ("orders", "payments", "observed_events", "labels"):
        assert bare <= {row["external_id"] for row in _rows(folder, stem)}


def test_unknown_skus_are_in_no_catalogue_and_on_first_lines(
    folder: Path, truth: dict[str, Fault]
) -> None:
    known = {row["sku"] for row in _rows(folder, "products")}
    unknown = [row for row in _rows(folder, "order_lines") if row["sku"] not in known]
    assert {row["line_no"] for row in unknown} == {"1"}
    assert {row["external_id"] for row in unknown} == {
        each for each, fault in truth.items() if fault == Fault.UNKNOWN_SKU
    }


def test_negative_quantities_are_those_told(folder: Path, truth: dict[str, Fault]) -> None:
    negative = [row for row in _rows(folder, "order_lines") if int(row["quantity"]) <= 0]
    assert {row["line_no"] for row in negative} == {"1"}
    assert {row["external_id"] for row in negative} == {
        each for each, fault in truth.items() if fault == Fault.NEGATIVE_QUANTITY
    }


@pytest.mark.parametrize(
    ("fault", "column", "values"),
    [
        (Fault.MISSING_COUNTRY, "country", {""}),
        (Fault.UNKNOWN_CURRENCY, "currency", {"XXQ", "EURO"}),
        (Fault.BAD_TIMESTAMP, "placed_at", {"yesterday", "2025-02-30 10:00:00",
         "06/01/2025 9:14", "2025-13-01 00:00:00", ""}),
        (Fault.NOT_UTF8, "name", {"Gr\udcfcn M\udcf6rk"}),
    ],
)  # fmt: skip
def test_a_faulty_cell_is_faulty_and_its_neighbours_are_not(
    folder: Path, truth: dict[str, Fault], fault: Fault, column: str, values: set[str]
) -> None:
    rows = _orders_with(folder, truth, fault)
    assert {row[column] for row in rows} == values
    for row in rows:
        assert row["customer_key"].startswith("C")
        assert row["received_at"].startswith("2025") or row["received_at"].startswith("2026")
        assert int(row["total_minor"]) > 0


def test_a_total_that_differs_differs_by_ten_units_of_money(
    folder: Path, truth: dict[str, Fault]
) -> None:
    lines = _lines_of(folder)
    for row in _orders_with(folder, truth, Fault.TOTAL_DIFFERS):
        goods = sum(
            int(line["quantity"]) * int(line["unit_price_minor"]) - int(line["discount_minor"])
            for line in lines[row["external_id"]]
        )
        assert int(row["total_minor"]) == goods + int(row["shipping_minor"]) + 1_000


def test_rows_of_a_wrong_width_are_those_told_and_both_shorter_and_longer(
    folder: Path, truth: dict[str, Fault]
) -> None:
    records = list(csv.reader(io.StringIO(_text(folder, "orders"), newline="")))
    width = len(records[0])
    wrong = {record[1]: len(record) for record in records if len(record) != width}
    assert set(wrong) == {e for e, fault in truth.items() if fault == Fault.WRONG_FIELD_COUNT}
    assert set(wrong.values()) == {width - 4, width + 2}


def test_only_the_rows_told_hold_bytes_that_are_no_utf8(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        broken = 0
        for line in path.read_bytes().splitlines():
            try:
                line.decode()
            except UnicodeDecodeError:
                broken += 1
        told = json.loads((folder / MANIFEST).read_text())["faults"]["not_utf8"]
        assert broken == (told if path.name == "orders.csv" else 0)


def test_parked_rows_of_the_manifest_are_those_about_unusable_orders(
    folder: Path, truth: dict[str, Fault]
) -> None:
    unusable = {each for each, fault in truth.items() if fault in mess.UNUSABLE}
    files = json.loads((folder / MANIFEST).read_text())["files"]
    for stem in ("orders", "order_lines", "payments", "observed_events", "labels"):
        about = sum(row["external_id"] in unusable for row in _rows(folder, stem))
        assert files[f"{stem}.csv"]["parked"] == about


@pytest.mark.parametrize("block", [1, 7, 250, 3_000])
def test_second_rows_come_once_whatever_the_block(block: int) -> None:
    world = World.build(SPEC)
    found: list[tuple[int, int]] = []
    for start in range(0, SPEC.orders, block):
        stop = min(start + block, SPEC.orders)
        again, behind = mess.coming_again(world, start, stop)
        assert ((behind >= start) & (behind < stop)).all()
        found += zip(again.tolist(), behind.tolist(), strict=True)
    fault = mess.faults(world, np.arange(SPEC.orders))
    twice = np.flatnonzero(np.isin(fault, (Fault.DUPLICATE_ORDER, Fault.REVISED_ORDER)))
    assert sorted(again for again, _ in found) == twice.tolist()
    assert all(0 <= behind - again < LATEST for again, behind in found)


def test_keys_in_files_are_those_of_the_heads(folder: Path, truth: dict[str, Fault]) -> None:
    heads = build_heads(World.build(SPEC), np.arange(SPEC.orders))
    names = zip(CHANNELS[heads.channel], external_ids(heads.order, heads.channel), strict=True)
    rows = {(row["channel"], row["external_id"]) for row in _rows(folder, "labels")}
    assert rows == set(names)


def test_demand_counts_what_was_asked_and_not_what_the_file_spoilt(folder: Path) -> None:
    world = World.build(SPEC)
    lines = build_lines(world, build_heads(world, np.arange(SPEC.orders)))
    written = sum(abs(int(row["quantity"])) for row in _rows(folder, "order_lines"))
    # Lost lines and repeated ones are the only difference.
    assert written != lines.quantity.sum()
    assert abs(written - lines.quantity.sum()) < 0.05 * lines.quantity.sum()


@pytest.mark.parametrize("content", ["", "[]", '{"shop": null}', "\x00", '{"shop": {"orders": 1}}'])
def test_a_manifest_of_anything_else_is_no_whole_shop(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    assert not shop.is_whole(tmp_path, SPEC)


def test_columns_of_unequal_length_are_refused(tmp_path: Path) -> None:
    with CsvFile(tmp_path, "x", ("a", "b")) as file, pytest.raises(ValueError, match="shorter"):
        file.columns([1, 2], ["only one"])
    assert file.account.rows == 0


@pytest.mark.parametrize(
    ("second", "shown"),
    [(0, "1970-01-01 00:00:00"), (-1, "1969-12-31 23:59:59"), (951_782_400, "2000-02-29 00:00:00"),
     (1_767_225_599, "2025-12-31 23:59:59"), (4_102_444_800, "2100-01-01 00:00:00")],
)  # fmt: skip
def test_moments_at_the_edges_of_years(second: int, shown: str) -> None:
    assert moments(np.array([second])).tolist() == [shown]
