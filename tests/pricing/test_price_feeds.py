"""Costs and offers come in through gates; the gates in SQL say what the plain ones say."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.pricing import store
from ecom_assets.pricing.gates import Entry, flag, hold
from ecom_assets.pricing.store import feeds
from ecom_assets.pricing.tables import COMPETITOR_OFFERS, COSTS
from ecom_assets.shared.quarantine import QUARANTINE
from fixtures.priced_shop import NOON, PricedShop, day, digest

SKUS = [f"S{n}" for n in range(12)]


def offers(shop: PricedShop) -> dict[str, tuple[str, str | None]]:
    found = sa.select(COMPETITOR_OFFERS).order_by(COMPETITOR_OFFERS.c.observed_at)
    return {row.sku: (row.state, row.reason) for row in shop.conn.execute(found)}


def test_a_feed_a_hundred_times_too_dear_moves_no_price(shop: PricedShop) -> None:
    shop.rule("follow", "follow_competitor", position="lowest")
    shop.take_offers(**dict.fromkeys("ABCDEF", 990))
    store.apply(shop.conn, shop.plan(day(0.5)), "run")
    before = shop.prices(day(1))
    assert set(before.values()) == {990}
    taken = shop.take_offers(day(1), **dict.fromkeys("ABCDEF", 99_000))
    assert (taken.state, taken.reason, taken.flagged) == ("held", "too_many_flagged", 6)
    plan = shop.plan(day(1))
    assert {line["outcome"] for line in shop.lines(plan).values()} == {"keep"}
    store.apply(shop.conn, plan, "run")
    assert shop.prices(day(2)) == before


def test_one_offer_far_off_is_flagged_and_the_others_are_followed(shop: PricedShop) -> None:
    shop.rule("follow", "follow_competitor", position="lowest")
    shop.take_offers(**dict.fromkeys("ABCDEF", 990))
    taken = shop.take_offers(day(1), A=99_000, B=980, C=980, D=980, E=980, F=980)
    assert (taken.state, taken.accepted, taken.flagged) == ("taken", 5, 1)
    assert offers(shop)["A"] == ("flagged", "far_above_known; known 990")
    lines = shop.lines(shop.plan(day(1)))
    assert [lines[sku]["new_minor"] for sku in "AB"] == [990, 980]


def test_a_switch_of_currency_is_held_back(shop: PricedShop) -> None:
    shop.take_offers(**dict.fromkeys("ABCDEF", 990))
    taken = shop.take_offers(day(1), currency="INR", **dict.fromkeys("ABCDEF", 89_000))
    assert (taken.state, taken.flagged) == ("held", 6)
    # the amounts of another currency under the old code: a shift of all of them
    taken = shop.take_offers(day(2), **dict.fromkeys("ABCDEF", 1_800))
    assert (taken.state, taken.reason) == ("held", "shifted_as_a_whole")


def test_costs_are_dated_and_a_cost_far_off_is_parked(shop: PricedShop) -> None:
    taken = shop.take_costs(day(2), A=620, B=600, C=60_000)
    assert (taken.accepted, taken.unchanged, taken.flagged) == (1, 1, 1)
    held = sa.select(COSTS.c.cost_minor, COSTS.c.valid_from_at, COSTS.c.valid_to_at)
    rows = shop.conn.execute(held.where(COSTS.c.sku == "A").order_by(COSTS.c.valid_from_at)).all()
    assert [tuple(row) for row in rows] == [(600, NOON, day(2)), (620, day(2), None)]
    (parked,) = shop.conn.execute(sa.select(QUARANTINE)).all()
    assert (parked.reason, parked.subject) == ("far_above_known", "C")
    assert "60000 EUR, known is 600 EUR" in parked.detail


def test_a_feed_is_taken_once(shop: PricedShop) -> None:
    same, rows = digest(), [(1, "", "A", "EUR", 630, day(1))]
    first = store.take_costs(shop.conn, "c.csv", same, rows, day(1), "run")
    again = store.take_costs(shop.conn, "c.csv", same, rows, day(2), "run")
    assert (first.accepted, first.is_repeat) == (1, False)
    assert (again.feed_id, again.is_repeat) == (first.feed_id, True)


def test_what_is_stated_twice_is_parked_and_what_is_repeated_is_not(shop: PricedShop) -> None:
    rows = [(1, "", "A", "EUR", 610, day(1)), (2, "", "A", "EUR", 620, day(1)),
            (3, "", "B", "EUR", 610, day(1)), (4, "", "B", "EUR", 610, day(1))]  # fmt: skip
    taken = store.take_costs(shop.conn, "c.csv", digest(), rows, day(1), "run")
    assert (taken.accepted, taken.unchanged, taken.parked) == (1, 1, 2)


def test_the_database_refuses_two_costs_at_once(shop: PricedShop) -> None:
    values = {"sku": "A", "currency": "EUR", "cost_minor": 1, "valid_from_at": day(3),
              "feed_id": 1}  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="costs_never_overlap"):
        shop.conn.execute(sa.insert(COSTS).values(values))


def test_feeds_wait_until_a_repricing_has_seen_them(shop: PricedShop) -> None:
    shop.take_offers(day(1), A=990)
    assert store.waiting(shop.conn) == {"costs": 1, "offers": 1}
    assert len(store.see_feeds(shop.conn, day(1))) == 2
    assert store.waiting(shop.conn) == {}


ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 100_000) | st.sampled_from([3_000, 333, 334, 1_500, 1_501]),
        st.none() | st.just(1_000) | st.integers(1, 100_000),
        st.none() | st.sampled_from(["EUR", "INR"]),
    ),
    max_size=len(SKUS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(ENTRIES)
def test_the_gates_in_sql_say_what_the_plain_ones_say(
    conn: sa.Connection, given: list[tuple[int, int | None, str | None]]
) -> None:
    # a cost in euros known in euros only: what is known in rupees says nothing of the amount
    entries = [
        Entry(amount, None if currency == "INR" else known, "EUR", currency and (
            currency if currency == "INR" or known else None))
        for amount, known, currency in given
    ]  # fmt: skip
    entries = [
        Entry(e.amount, e.known if e.known_currency else None, "EUR", e.known_currency)
        for e in entries
    ]
    conn.execute(sa.text("DELETE FROM pricing.costs"))
    for sku, entry in zip(SKUS, entries, strict=False):
        if entry.known_currency:
            conn.execute(_KNOWN, {"sku": sku, "cost": entry.known or 5, "digest": digest(),
                                  "currency": entry.known_currency})  # fmt: skip
    rows = [(no, "", sku, "EUR", entry.amount, day(5))
            for no, (sku, entry) in enumerate(zip(SKUS, entries, strict=False), 1)]  # fmt: skip
    feeds.open_entries(conn, rows)
    held = feeds.judge(conn, "costs")
    said = conn.execute(sa.select(feeds.ENTRIES.c.reason).order_by(feeds.ENTRIES.c.row_no))
    assert list(said.scalars()) == [flag(entry) for entry in entries]
    assert held == hold(entries)


_KNOWN = sa.text("""
    WITH feed AS (
        INSERT INTO pricing.feeds (kind, source, digest, state, entries, accepted, unchanged,
            flagged, parked, taken_as_of, run_id)
        VALUES ('costs', 'x', :digest, 'taken', 0, 0, 0, 0, 0, '2026-01-01Z', 'run')
        RETURNING feed_id
    )
    INSERT INTO pricing.costs (sku, currency, cost_minor, valid_from_at, feed_id)
    SELECT :sku, :currency, :cost, '2026-01-01Z', feed_id FROM feed
""")
