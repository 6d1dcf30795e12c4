"""Taking movements: once each, folded at once, refused where the stock does not cover them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.store import take_movements
from ecom_assets.shared import feeds

START = datetime(2026, 1, 1, tzinfo=UTC)


def move(kind: str, quantity: int, day: int, reference: str = "", **other: Any) -> dict[str, Any]:
    row = {
        "sku": "A",
        "site_code": "N",
        "kind": kind,
        "quantity": quantity,
        "moved_at": START + timedelta(days=day),
        "reference": reference or f"{kind}-{day}",
    }
    return row | other


def take(conn: sa.Connection, *moves: dict[str, Any]) -> int:
    feeds.MOVEMENTS.create(conn)
    if moves:
        conn.execute(sa.insert(feeds.MOVEMENTS), list(moves))
    taken = take_movements(conn, None)
    feeds.MOVEMENTS.drop(conn)
    return taken


@pytest.fixture(autouse=True)
def sites(conn: sa.Connection) -> None:
    conn.execute(
        sa.text("""
            INSERT INTO warehouse.sites
                (site_code, name, country, latitude, longitude, handling_minor, currency)
            VALUES ('N', 'North', 'DE', 53, 10, 100, 'EUR'), ('S', 'South', 'DE', 48, 11, 90, 'EUR')
        """)
    )


def on_hand(conn: sa.Connection) -> dict[tuple[str, str], int]:
    rows = conn.execute(sa.text("SELECT sku, site_code, on_hand FROM inventory.balances"))
    return {(sku, site): units for sku, site, units in rows}


def position(conn: sa.Connection, sku: str = "A") -> tuple[int, int]:
    query = sa.text("SELECT on_hand, reserved FROM inventory.positions WHERE sku = :sku")
    row = conn.execute(query, {"sku": sku}).one()
    return row.on_hand, row.reserved


def parked(conn: sa.Connection) -> list[tuple[str, str]]:
    query = sa.text("SELECT subject, reason FROM flow.quarantine ORDER BY quarantine_id")
    return [(subject, reason) for subject, reason in conn.execute(query)]


def test_new_movements_are_folded_into_balances_and_positions(conn: sa.Connection) -> None:
    taken = take(
        conn, move("opening", 5, 0), move("receipt", 3, 1), move("receipt", 2, 1, site_code="S")
    )
    assert taken == 3
    assert on_hand(conn) == {("A", "N"): 8, ("A", "S"): 2}
    assert position(conn) == (10, 0)


def test_a_known_movement_changes_nothing(conn: sa.Connection) -> None:
    take(conn, move("opening", 5, 0))
    assert take(conn, move("opening", 5, 0), move("opening", 5, 0)) == 0
    assert on_hand(conn) == {("A", "N"): 5}
    assert parked(conn) == []


def test_an_empty_feed_is_fine(conn: sa.Connection) -> None:
    assert take(conn) == 0


def test_the_last_move_dates_the_balance(conn: sa.Connection) -> None:
    take(conn, move("receipt", 5, 9), move("opening", 5, 0))
    take(conn, move("receipt", 1, 4))
    moved = conn.execute(sa.text("SELECT moved_at FROM inventory.balances")).scalar_one()
    assert moved == START + timedelta(days=9)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (move("sale", -1, 3), "sale_in_feed"),
        (move("theft", -1, 3), "unknown_kind"),
        (move("receipt", 0, 3), "quantity_out_of_range"),
        (move("receipt", 10**12, 3), "quantity_out_of_range"),
        (move("receipt", 1, 3, site_code="?"), "unknown_site"),
        (move("opening", 6, 0), "changed_movement"),
        (move("adjustment", -6, 3), "negative_balance"),
    ],
)
def test_a_bad_movement_is_parked_once_and_stops_no_other(
    conn: sa.Connection, bad: dict[str, Any], reason: str
) -> None:
    take(conn, move("opening", 5, 0))
    assert take(conn, bad, move("receipt", 1, 4, sku="B")) == 1
    assert take(conn, bad) == 0
    assert [found for _, found in parked(conn)] == [reason]
    assert on_hand(conn) == {("A", "N"): 5, ("B", "N"): 1}


def test_two_versions_of_one_movement_keep_the_earlier(conn: sa.Connection) -> None:
    assert take(conn, move("receipt", 4, 1, "R1"), move("receipt", 7, 2, "R1")) == 1
    assert on_hand(conn) == {("A", "N"): 4}
    assert [reason for _, reason in parked(conn)] == ["changed_movement"]


def test_stock_cannot_leave_before_it_came(conn: sa.Connection) -> None:
    take(conn, move("adjustment", -2, 1), move("receipt", 5, 2), move("adjustment", -3, 3))
    assert on_hand(conn) == {("A", "N"): 2}
    assert parked(conn) == [("adjustment/adjustment-1/A/N", "negative_balance")]


def test_promised_units_cannot_be_written_down(conn: sa.Connection) -> None:
    take(conn, move("opening", 5, 0))
    conn.execute(sa.text("UPDATE inventory.positions SET reserved = 4"))
    assert take(conn, move("adjustment", -1, 1), move("adjustment", -1, 2)) == 1
    assert position(conn) == (4, 4)


def test_units_allocated_at_a_site_cannot_leave_it(conn: sa.Connection) -> None:
    take(conn, move("opening", 5, 0), move("opening", 5, 0, site_code="S"))
    conn.execute(sa.text("INSERT INTO warehouse.site_loads VALUES ('A', 'N', 4)"))
    assert take(conn, move("adjustment", -2, 1), move("adjustment", -2, 1, site_code="S")) == 1
    assert on_hand(conn) == {("A", "N"): 5, ("A", "S"): 3}


def test_a_transfer_moves_both_halves_or_none(conn: sa.Connection) -> None:
    take(conn, move("opening", 5, 0))
    good = move("transfer", -2, 1, "T1"), move("transfer", 2, 2, "T1", site_code="S")
    bad = move("transfer", -9, 3, "T2"), move("transfer", 9, 4, "T2", site_code="S")
    lost_with_it = move("adjustment", -8, 5, site_code="S")
    assert take(conn, *good, *bad, lost_with_it) == 2
    assert on_hand(conn) == {("A", "N"): 3, ("A", "S"): 2}
    assert len(parked(conn)) == 3


def test_parked_movements_name_the_import_run(conn: sa.Connection) -> None:
    feeds.open_feeds(conn)
    conn.execute(sa.insert(feeds.MOVEMENTS), [move("opening", 5, 0), move("receipt", 0, 1)])
    import_id = conn.execute(
        sa.text("""
            INSERT INTO flow.imports (format, digest, run_id) VALUES ('sample', 'x', 'run-7')
            RETURNING import_id
        """)
    ).scalar_one()
    take_movements(conn, import_id)
    assert conn.execute(sa.text("SELECT run_id FROM flow.quarantine")).scalar_one() == "run-7"
    brought = conn.execute(sa.text("SELECT import_id FROM inventory.movements")).scalar_one()
    assert brought == import_id
