"""Movements at their edges: bounds, ties, transfers, several SKUs, and imports that die."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.store import DIFFERENCES, take_movements
from ecom_assets.shared import feeds
from fixtures.stock_shop import Move, day, open_sites, stock
from resources.database import DatabaseResource

LEAST, MOST = -(2**63), 2**63 - 1


@pytest.fixture(autouse=True)
def sites(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])


def balances(conn: sa.Connection) -> dict[str, int]:
    """Units on hand by SKU and site, proven equal to their movements."""
    assert conn.execute(DIFFERENCES).all() == []
    rows = conn.execute(sa.text("SELECT concat(sku, site_code), on_hand FROM inventory.balances"))
    return dict(rows.tuples().all())


def parked(conn: sa.Connection) -> list[tuple[str, str]]:
    """Reason and detail of the parked movements, in the order of parking."""
    query = sa.text("SELECT reason, detail FROM flow.quarantine ORDER BY quarantine_id")
    return [(reason, detail) for reason, detail in conn.execute(query)]


@pytest.mark.parametrize("quantity", [100_000_001, -100_000_001, LEAST, MOST, 0])
def test_a_quantity_out_of_range_is_parked_and_names_its_field(
    conn: sa.Connection, quantity: int
) -> None:
    assert stock(conn, [Move("A", quantity), Move("B", 1)]) == 1
    assert parked(conn) == [("quantity_out_of_range", "quantity: zero or beyond 100 million")]
    assert balances(conn) == {"BN": 1}


def test_the_largest_quantity_comes_and_goes(conn: sa.Connection) -> None:
    moves = [Move("A", 100_000_000), Move("A", -100_000_000, 1, kind="adjustment")]
    assert stock(conn, moves) == 2
    assert balances(conn) == {"AN": 0}


@pytest.mark.parametrize(
    "kind", ["opening", "receipt", "return", "transfer", "adjustment", "count"]
)
def test_every_kind_that_a_feed_may_bring_is_taken(conn: sa.Connection, kind: str) -> None:
    assert stock(conn, [Move("A", 3, kind=kind)]) == 1
    assert balances(conn) == {"AN": 3}


@pytest.mark.parametrize("kind", ["Receipt", " receipt", "", "расход", "sale "])
def test_kinds_are_taken_by_the_letter(conn: sa.Connection, kind: str) -> None:
    assert stock(conn, [Move("A", 3, kind=kind)]) == 0
    assert parked(conn) == [("unknown_kind", "kind: not a kind of movement")]


def test_at_one_moment_what_comes_in_is_there_before_what_goes_out(conn: sa.Connection) -> None:
    assert stock(conn, [Move("A", -5, 1, kind="adjustment"), Move("A", 5, 1)]) == 2
    assert balances(conn) == {"AN": 0}


@pytest.mark.parametrize(("lost", "left"), [(5, 0), (6, 5)])
def test_all_that_is_there_may_leave_and_not_a_unit_more(
    conn: sa.Connection, lost: int, left: int
) -> None:
    stock(conn, [Move("A", 5)])
    stock(conn, [Move("A", -lost, 1, kind="count")], "later")
    assert balances(conn) == {"AN": left}


def test_stock_of_one_site_does_not_cover_a_loss_at_another(conn: sa.Connection) -> None:
    stock(conn, [Move("A", 5, site_code="S")])
    assert stock(conn, [Move("A", -1, 1, "N", "adjustment")], "later") == 0
    assert balances(conn) == {"AS": 5}
    assert parked(conn)[0][1] == "quantity: more than the site has and has not promised"


def test_one_reference_may_name_moves_of_other_kinds_skus_and_sites(conn: sa.Connection) -> None:
    for kind, sku, site in [("receipt", "A", "N"), ("return", "A", "N"), ("receipt", "B", "N"),
                            ("receipt", "A", "S")]:  # fmt: skip
        assert stock(conn, [Move(sku, 1, 0, site, kind)], "same") == 1
    assert balances(conn) == {"AN": 2, "BN": 1, "AS": 1}


def test_a_change_of_the_moment_alone_is_a_changed_movement(conn: sa.Connection) -> None:
    stock(conn, [Move("A", 5, 1)])
    assert stock(conn, [Move("A", 5, 1.00001)]) == 0
    assert parked(conn) == [
        ("changed_movement", "quantity, moved_at: differ from the movement on record")
    ]


def test_a_transfer_in_several_imports_is_judged_half_by_half(conn: sa.Connection) -> None:
    stock(conn, [Move("A", 2)])
    assert stock(conn, [Move("A", -2, 1, "N", "transfer")], "out") == 1
    assert stock(conn, [Move("A", 2, 2, "S", "transfer")], "in") == 1
    assert balances(conn) == {"AN": 0, "AS": 2}


def transfer(conn: sa.Connection, *halves: tuple[str, str, int, float]) -> int:
    """Take transfers, each half `(reference, site, quantity, day)`."""
    feeds.MOVEMENTS.create(conn)
    rows = [
        {"sku": "A", "site_code": site, "kind": "transfer", "quantity": quantity,
         "moved_at": day(at), "reference": reference}
        for reference, site, quantity, at in halves
    ]  # fmt: skip
    conn.execute(sa.insert(feeds.MOVEMENTS), rows)
    taken = take_movements(conn, None)
    feeds.MOVEMENTS.drop(conn)
    return taken


def test_a_chain_of_transfers_falls_with_its_first(conn: sa.Connection) -> None:
    # T1 brings S what T2 takes back to N; without T1, T2 is uncovered, and without T2, T3.
    stock(conn, [Move("A", 1)])
    chain = [("T1", "N", -2, 1), ("T1", "S", 2, 1), ("T2", "S", -2, 2), ("T2", "N", 2, 2),
             ("T3", "N", -3, 3), ("T3", "S", 3, 3)]  # fmt: skip
    assert transfer(conn, *chain) == 0
    assert balances(conn) == {"AN": 1}
    assert [reason for reason, _ in parked(conn)] == ["negative_balance"] * 6


def test_two_transfers_that_share_no_reference_do_not_fall_together(conn: sa.Connection) -> None:
    stock(conn, [Move("A", 2)])
    moves = [("T1", "N", -9, 1), ("T1", "S", 9, 1), ("T2", "N", -1, 0.5), ("T2", "S", 1, 0.5)]
    assert transfer(conn, *moves) == 2
    assert balances(conn) == {"AN": 1, "AS": 1}


def test_names_in_any_script_and_of_any_length_are_kept(conn: sa.Connection) -> None:
    # Without repetition in it: a key of the index must stay below a third of a page compressed.
    sku = "товар-" + "".join(chr(0x4E00 + number) for number in range(500))
    assert stock(conn, [Move(sku, 2)]) == 1
    assert balances(conn) == {f"{sku}N": 2}


def test_an_import_that_dies_leaves_nothing_and_the_next_takes_all(
    database: DatabaseResource,
) -> None:
    class PowerCut(Exception):
        pass

    def bring(error: Exception | None = None) -> None:
        with database.begin() as conn:
            open_sites(conn, [("N", 53, 10)])
            assert stock(conn, [Move("A", 5), Move("A", 0)]) == 1
            if error:
                raise error

    with pytest.raises(PowerCut):
        bring(PowerCut())
    with database.begin() as conn:
        assert (balances(conn), parked(conn)) == ({}, [])
    bring()
    with database.begin() as conn:
        assert balances(conn) == {"AN": 5}


MOVES = st.lists(
    st.builds(
        Move, st.sampled_from("AB"), st.integers(-5, 8), st.integers(0, 5), st.sampled_from("NS"),
        st.sampled_from(["receipt", "adjustment", "transfer"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(MOVES, max_size=3))
def test_every_row_of_any_feed_is_either_taken_or_parked(
    conn: sa.Connection, batches: list[list[Move]]
) -> None:
    trial = conn.begin_nested()
    taken = sum(stock(conn, moves, f"{number}/") for number, moves in enumerate(batches))
    assert taken + len(parked(conn)) == sum(map(len, batches))
    assert (
        sum(balances(conn).values())
        == conn.execute(
            sa.text("SELECT coalesce(sum(on_hand), 0) FROM inventory.positions")
        ).scalar_one()
    )
    trial.rollback()


def test_a_moment_is_kept_whatever_zone_it_is_given_in(conn: sa.Connection) -> None:
    leap = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
    row: dict[str, Any] = {
        "sku": "A", "site_code": "N", "kind": "receipt", "quantity": 1, "reference": "r",
        "moved_at": leap.astimezone(tz=None) + timedelta(0),
    }  # fmt: skip
    feeds.MOVEMENTS.create(conn)
    conn.execute(sa.insert(feeds.MOVEMENTS), [row])
    take_movements(conn, None)
    assert conn.execute(sa.text("SELECT moved_at FROM inventory.balances")).scalar_one() == leap
