"""Imports beside each other and imports that die: all of one, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from importers import engine
from importers.engine import ImportReport, digest_of, run_import
from resources.database import DatabaseResource

TABLES = (
    "flow.imports", "flow.import_accounts", "flow.quarantine", "orders.inbox", "catalog.products",
    "catalog.suppliers", "customers.customers", "warehouse.sites", "inventory.movements",
    "transport.rates", "orders.observed_events",
)  # fmt: skip


def _counts(database: DatabaseResource) -> dict[str, int]:
    with database.begin() as conn:
        return {
            name: conn.execute(sa.select(sa.func.count()).select_from(sa.text(name))).scalar_one()
            for name in TABLES
        }


def _together(database: DatabaseResource, *folders: Path) -> list[ImportReport]:
    """Import the folders at once, each in a thread of its own."""
    reports: list[ImportReport] = []

    def run(number: int, folder: Path) -> None:
        reports.append(run_import(database.begin, "olist", folder, f"run {number}"))

    threads = [Thread(target=run, args=each) for each in enumerate(folders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return reports


def _copy(shop: Any, folder: Path, **tables: Any) -> Path:
    folder.mkdir()
    made: Path = type(shop)(folder).olist(**tables)
    return made


def test_two_imports_of_the_same_files_take_them_once(
    shop: Any, database: DatabaseResource
) -> None:
    folder = shop.olist(sellers=[{}, {"seller_id": ""}])
    reports = _together(database, folder, folder)
    assert sorted(report.is_repeat for report in reports) == [False, True]
    assert len({report.import_id for report in reports}) == 1
    assert reports[0].accounts == reports[1].accounts
    counts = _counts(database)
    assert (counts["flow.imports"], counts["flow.quarantine"], counts["orders.inbox"]) == (1, 1, 1)


def test_two_sets_of_one_shop_at_once_are_both_taken(
    shop: Any, tmp_path: Path, database: DatabaseResource
) -> None:
    later = {"order_id": "o2", "order_purchase_timestamp": "2017-08-01 09:00:00"}
    child = [{"order_id": "o2"}]
    one = _copy(shop, tmp_path / "one")
    two = _copy(shop, tmp_path / "two", orders=[later], items=child, payments=child, reviews=child)
    reports = _together(database, one, two)
    assert [report.orders_received for report in reports] == [1, 1]
    with database.begin() as conn:
        held = conn.execute(sa.text("""
            SELECT (SELECT sum(quantity) FROM inventory.movements),
                (SELECT sum(on_hand) FROM inventory.balances),
                (SELECT sum(on_hand) FROM inventory.positions)
        """)).one()  # fmt: skip
    assert tuple(held) == (2, 2, 2)


STEPS = ("stage", "require_fates", "take_orders", "settle", "_close_import", "accounts_of")


@pytest.mark.parametrize("step", STEPS)
def test_an_import_that_dies_at_any_step_leaves_nothing_and_can_be_repeated(
    shop: Any, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = shop.olist(sellers=[{}, {"seller_id": ""}])
    real: Callable[..., Any] = getattr(engine, step)

    def die(*given: Any) -> Any:
        real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine, step, die)
        with pytest.raises(KeyboardInterrupt):
            run_import(database.begin, "olist", folder, "killed")
    assert set(_counts(database).values()) == {0}
    assert run_import(database.begin, "olist", folder, "again").orders_received == 1


def test_an_import_that_died_does_not_hold_up_the_next(
    shop: Any, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no fate")

    folder = shop.olist()
    with monkeypatch.context() as patch:
        patch.setattr(engine, "require_fates", fail)
        with pytest.raises(RuntimeError, match="no fate"):
            run_import(database.begin, "olist", folder, "first")
    # The same connection comes back from the pool: no temporary table may be left on it.
    assert not run_import(database.begin, "olist", folder, "second").is_repeat
    assert not run_import(database.begin, "uci", shop.uci(), "third").is_repeat


def test_a_digest_knows_names_and_contents_but_not_folders(tmp_path: Path) -> None:
    def files(folder: str, **contents: str) -> list[Path]:
        (tmp_path / folder).mkdir()
        paths = [tmp_path / folder / name for name in contents]
        for path in paths:
            path.write_text(contents[path.name])
        return paths

    same = [files("a", x="1", y="2"), files("b", y="2", x="1")]
    assert digest_of(same[0]) == digest_of(same[1]) == digest_of(same[0][::-1])
    others = [files("c", x="2", y="1"), files("d", x="12", y=""), files("e", x="1")]
    assert len({digest_of(each) for each in [same[0], *others]}) == 4


def test_equal_files_of_another_format_are_another_import(
    shop: Any, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        conn.execute(
            sa.text("INSERT INTO flow.imports (format, digest, run_id) VALUES ('uci', :d, 'x')"),
            {"d": digest_of(sorted(shop.olist().iterdir()))},
        )
    assert not run_import(database.begin, "olist", shop.folder, "test").is_repeat
