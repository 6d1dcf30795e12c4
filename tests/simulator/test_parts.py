"""The parts of the simulator: made from any numbers, and true to what they promise."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import carriers, mess
from simulator.catalog import CATEGORIES
from simulator.csvfile import CsvFile, addresses_of_network, moments, tokens
from simulator.draws import Draws
from simulator.heads import Channel, build_heads, external_ids
from simulator.lines import MOST_LINES, build_lines, per_country
from simulator.mess import Fault
from simulator.names import words
from simulator.outcomes import DAY, KINDS, build_events, build_labels
from simulator.payments import METHODS, NEVER, build_payments
from simulator.people import (
    BUSINESS_EVERY,
    RING_GROUP,
    SLOTS,
    THEFT_GROUP,
    joined,
    joining_order,
)
from simulator.places import CITIES, COUNTRIES, SITES
from simulator.season import day_of_year
from simulator.spec import ShopSpec
from simulator.stock import Suppliers, plan, site_shares, spread
from simulator.world import World

SPEC = ShopSpec(5_000, 21)
WORLD = World.build(SPEC)
ALL = np.arange(SPEC.orders)
HEADS = build_heads(WORLD, ALL)
LINES = build_lines(WORLD, HEADS)
PAYMENTS = build_payments(WORLD, HEADS, LINES.total_minor)

some_orders = st.lists(st.integers(0, SPEC.orders - 1), min_size=1, max_size=30, unique=True)


def equal_at(some: Any, whole: Any, place: Any) -> bool:
    """Whether every array of `some` is the one of `whole` at these places."""
    names = [field.name for field in fields(some)]
    return all(np.array_equal(getattr(some, n), getattr(whole, n)[place]) for n in names)


@given(some_orders)
@settings(max_examples=40, deadline=None)
def test_any_orders_can_be_made_on_their_own(numbers: list[int]) -> None:
    some = np.array(sorted(numbers))
    assert equal_at(build_heads(WORLD, some), HEADS, some)


@given(some_orders)
@settings(max_examples=40, deadline=None)
def test_any_lines_can_be_made_on_their_own(numbers: list[int]) -> None:
    some = np.array(sorted(numbers))
    made = build_lines(WORLD, build_heads(WORLD, some))
    place = np.isin(LINES.owner, some)
    assert np.array_equal(made.key, LINES.key[place])
    assert np.array_equal(made.unit_minor, LINES.unit_minor[place])
    assert np.array_equal(made.total_minor, LINES.total_minor[some])


@given(st.integers(1, 10**7))
def test_products_grow_slower_than_orders(orders: int) -> None:
    small, large = ShopSpec(orders, 1), ShopSpec(4 * orders, 1)
    assert small.skus <= large.skus < 2 * small.skus + 1
    assert small.skus >= 20
    assert small.suppliers >= 3


def test_moments_rise_with_the_number_of_the_order() -> None:
    assert (np.diff(HEADS.placed) >= 0).all()
    assert SPEC.start_s <= HEADS.placed[0]
    assert HEADS.placed[-1] < SPEC.end_s


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2025-01-01", 1), ("2025-03-01", 60), ("2024-03-01", 61), ("2024-12-31T23:59:59", 366)],
)
def test_days_of_the_year_know_leap_years(moment: str, day: int) -> None:
    second = np.array([np.datetime64(moment, "s")]).astype(np.int64)
    assert day_of_year(second).tolist() == [day]


@given(st.integers(0, 10**6))
def test_customers_join_with_the_order_that_counts_them(customer: int) -> None:
    number = np.array([SPEC.first_customers + customer])
    order = joining_order(SPEC, number)
    assert joined(SPEC, order) > number
    assert joined(SPEC, order - 1) <= number


def test_no_customer_orders_before_joining() -> None:
    is_honest = HEADS.customer < WORLD.people.honest
    assert (HEADS.customer < joined(SPEC, ALL))[is_honest].all()
    assert (WORLD.people.signed_up(HEADS.customer) <= HEADS.placed).all()


def test_every_honest_customer_has_a_first_order() -> None:
    ordered = set(HEADS.customer.tolist())
    newcomers = range(SPEC.first_customers, WORLD.people.honest)
    # Where a ring takes the order the account stays without one.
    missing = [each for each in newcomers if each not in ordered]
    assert len(missing) <= len(WORLD.rings.order)
    assert HEADS.is_first.sum() >= 0.95 * len(newcomers)


def test_only_firms_call_and_firms_only_call() -> None:
    is_firm = (HEADS.customer % BUSINESS_EVERY == 0) & (HEADS.ring < 0)
    assert ((HEADS.channel == Channel.PHONE) == is_firm).all()


def test_external_ids_are_all_different_within_a_channel() -> None:
    names = external_ids(ALL, HEADS.channel)
    assert len(set(zip(HEADS.channel.tolist(), names, strict=True))) == SPEC.orders


def test_groups_of_homes_rings_and_thieves_never_meet() -> None:
    group = HEADS.address // SLOTS
    is_ring = HEADS.ring >= 0
    is_theft = HEADS.is_fraud & ~is_ring
    assert (group[~HEADS.is_fraud] < RING_GROUP).all()
    assert ((group[is_ring] >= RING_GROUP) & (group[is_ring] < THEFT_GROUP)).all()
    assert (group[is_theft] >= THEFT_GROUP).all()


def test_rings_order_with_accounts_of_their_own() -> None:
    rings = WORLD.rings
    is_ring = HEADS.ring >= 0
    account = HEADS.customer[is_ring] - WORLD.people.honest
    assert (rings.ring_of_account(account) == HEADS.ring[is_ring]).all()
    assert np.array_equal(np.flatnonzero(is_ring), rings.order)
    assert account.max() < rings.accounts
    # An account is opened hours before the ring strikes, not months.
    signed = WORLD.people.signed_up(HEADS.customer[is_ring])
    first = WORLD.season.placed(rings.opening[HEADS.ring[is_ring]])
    assert ((first - signed) < 4 * DAY).all()


def test_stolen_accounts_are_old_ones_with_new_devices() -> None:
    is_theft = HEADS.is_fraud & (HEADS.ring < 0)
    assert is_theft.sum() > 5
    assert (HEADS.customer[is_theft] < WORLD.people.honest).all()
    assert not np.isin(HEADS.device[is_theft], HEADS.device[~is_theft]).any()


def test_addresses_of_a_group_lie_in_one_country_and_near_their_city() -> None:
    address = np.arange(4_000)
    found = WORLD.people.addresses(address)
    assert (found.country.reshape(-1, SLOTS) == found.country[::SLOTS, None]).all()
    place = {(city.country, city.name): (city.latitude, city.longitude) for city in CITIES}
    for row in range(0, 4_000, 97):
        country = COUNTRIES[found.country[row]].code
        latitude, longitude = place[country, found.city[row]]
        assert abs(found.latitude[row] - latitude) < 0.5
        assert abs(found.longitude[row] - longitude) < 0.5


def test_places_are_consistent() -> None:
    codes = {each.code for each in COUNTRIES}
    assert {city.country for city in CITIES} == codes
    assert sum(each.share for each in COUNTRIES) == pytest.approx(1.0)
    assert sum(site.share for site in SITES) == pytest.approx(1.0)
    assert len({site.code for site in SITES}) == len(SITES)


def test_people_of_one_home_may_share_a_name() -> None:
    customer = np.arange(2_000)
    group = WORLD.people.group(customer)
    shares = group[1::2] == group[::2]
    assert 0.1 < shares.mean() < 0.25
    contacts = WORLD.people.contacts(customer)
    family = np.array([str(name).split(" ")[-1] for name in contacts.name])
    assert (family[1::2] == family[::2])[shares].mean() > 0.8
    assert (family[1::2] == family[::2])[~shares].mean() < 0.05
    assert len(set(contacts.email)) == len(customer)


def test_words_are_plain_and_capitalised() -> None:
    made = words(Draws(1), "w", 500)
    assert all(word.isascii() and word.istitle() and word.isalpha() for word in made)
    assert len(set(made)) > 400


def test_asking_the_catalogue_gives_products_as_popular_as_they_are() -> None:
    catalog = WORLD.catalog
    chance = (np.arange(100_000) + 0.5) / 100_000
    for period in (0, 6, 12):
        asked = catalog.ask(np.full(len(chance), period), chance)
        share = np.bincount(asked, minlength=SPEC.skus) / len(chance)
        expected = np.diff(catalog.popularity[period], prepend=0.0)
        assert np.abs(share - expected).max() < 1e-4


def test_toys_sell_before_christmas_and_garden_goods_in_spring() -> None:
    share = np.diff(WORLD.catalog.popularity, axis=1, prepend=0.0)
    codes = [each.code for each in CATEGORIES]
    toys = share[:, WORLD.catalog.category == codes.index("TO")].sum(axis=1)
    garden = share[:, WORLD.catalog.category == codes.index("GA")].sum(axis=1)
    assert toys[12] > 2 * toys[6]
    assert garden[4] > 3 * garden[12]


def test_skus_are_all_different() -> None:
    assert len(set(WORLD.catalog.sku)) == SPEC.skus


def test_totals_are_lines_and_shipping() -> None:
    goods = LINES.quantity * LINES.unit_minor - LINES.discount_minor
    sums = np.zeros(SPEC.orders, dtype=np.int64)
    np.add.at(sums, LINES.owner, goods)
    assert np.array_equal(sums + LINES.shipping_minor, LINES.total_minor)
    assert (LINES.discount_minor >= 0).all()
    assert (goods > 0).all()


def test_lines_are_numbered_from_one_without_a_gap() -> None:
    counts = np.bincount(LINES.owner)
    assert counts.min() == 1
    assert counts.max() <= MOST_LINES
    expected = np.concatenate([np.arange(1, count + 1) for count in counts])
    assert np.array_equal(LINES.line_no, expected)
    assert len(np.unique(LINES.key)) == len(LINES.key)


def test_contained_tax_follows_the_rate_of_the_country() -> None:
    goods = LINES.quantity * LINES.unit_minor - LINES.discount_minor
    vat = per_country("vat")[HEADS.country[LINES.owner]]
    assert np.abs(goods - LINES.tax_minor - goods / (1 + vat)).max() <= 0.5


def test_small_orders_pay_shipping_in_their_currency() -> None:
    euro = per_country("per_euro")[HEADS.country]
    is_free = LINES.shipping_minor == 0
    goods = LINES.total_minor - LINES.shipping_minor
    assert (goods[is_free] >= 6_000 * euro[is_free]).all()
    assert (goods[~is_free] < 6_000 * euro[~is_free]).all()


def test_tenders_add_up_except_for_mistyped_transfers() -> None:
    paid = np.bincount(PAYMENTS.owner, weights=PAYMENTS.amount_minor).astype(np.int64)
    off = np.flatnonzero(paid != LINES.total_minor)
    assert 0 < len(off) < 0.01 * SPEC.orders
    methods = METHODS[PAYMENTS.method[np.isin(PAYMENTS.owner, off) & (PAYMENTS.sequence == 1)]]
    assert set(methods) == {"transfer"}
    assert (PAYMENTS.amount_minor > 0).all()


def test_cards_and_only_cards_are_checked() -> None:
    assert ((PAYMENTS.avs != "") == PAYMENTS.has_card).all()
    assert ((PAYMENTS.cvv != "") == PAYMENTS.has_card).all()
    assert set(PAYMENTS.installments[~PAYMENTS.has_card]) == {1}


def test_events_follow_payment_and_never_both_ways() -> None:
    events = build_events(WORLD, HEADS, LINES, PAYMENTS.paid)
    table = np.full((SPEC.orders, len(KINDS)), 0)
    table[events.owner, events.kind] = 1
    cancelled, handed, delivered, reviewed, returned = table.T
    assert (cancelled + handed == 1).all()
    assert (delivered <= handed).all()
    assert (reviewed <= delivered).all()
    assert (returned <= delivered).all()
    assert (cancelled[PAYMENTS.paid == NEVER] == 1).all()
    scores = events.value[KINDS[events.kind] == "reviewed"]
    assert set(scores) <= {1, 2, 3, 4, 5}
    assert (np.diff(events.owner) >= 0).all()


def test_labels_tell_fraud_and_nothing_else() -> None:
    labels = build_labels(WORLD, HEADS)
    assert np.array_equal(labels.is_fraud, HEADS.is_fraud)
    assert (labels.known > HEADS.placed).all()
    assert set(labels.source[labels.is_fraud]) <= {"chargeback", "investigation"}
    assert set(labels.source[~labels.is_fraud]) == {"simulation"}


def test_every_fault_is_about_as_frequent_as_the_others() -> None:
    world = World.build(ShopSpec(200_000, 4))
    found = np.bincount(mess.faults(world, np.arange(200_000)), minlength=len(Fault))[1:]
    assert len(found) == len(Fault) - 1
    assert found.min() > 80
    assert found.max() < 220


@given(st.integers(1, 5_000))
@settings(max_examples=25, deadline=None)
def test_second_rows_come_once_whatever_the_block(block: int) -> None:
    whole = mess.coming_again(WORLD, 0, SPEC.orders)
    parts = [
        mess.coming_again(WORLD, start, min(start + block, SPEC.orders))
        for start in range(0, SPEC.orders, block)
    ]
    for place in range(2):
        together = np.concatenate([part[place] for part in parts])
        assert np.array_equal(np.sort(together), np.sort(whole[place]))
    assert (whole[1] >= whole[0]).all()


def test_stock_is_planned_for_what_is_asked() -> None:
    rng = np.random.default_rng(1)
    units = np.diff(WORLD.catalog.popularity[0], prepend=0.0) * 400
    demand = rng.poisson(units, size=(52, SPEC.skus))
    opening, deliveries = plan(WORLD, demand, Suppliers.build(WORLD))
    assert (opening > 0).all()
    assert (deliveries.quantity > 0).all()
    assert (deliveries.moment < SPEC.end_s).all()
    bought = opening.sum() + deliveries.quantity.sum()
    assert demand.sum() < bought < 2 * demand.sum()


def test_nothing_asked_is_little_bought() -> None:
    demand = np.zeros((52, SPEC.skus), dtype=np.int64)
    opening, deliveries = plan(WORLD, demand, Suppliers.build(WORLD))
    assert set(opening.tolist()) == {1}
    assert deliveries.quantity.sum() == 0


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=20),
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
)
def test_spreading_keeps_every_unit(quantities: list[int], weights: list[float]) -> None:
    shares = np.tile(np.array(weights) / sum(weights), (len(quantities), 1))
    parts = spread(np.array(quantities), shares)
    assert parts.sum(axis=1).tolist() == quantities
    assert (parts >= 0).all()


def test_fast_products_lie_everywhere_and_slow_ones_at_home() -> None:
    demand = np.zeros((52, SPEC.skus), dtype=np.int64)
    demand[:, 0], demand[:, 1] = 50, 1
    shares = site_shares(WORLD, demand)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert (shares[0] > 0).all()
    assert sorted(shares[2].tolist()) == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_rates_cover_all_weights_without_gap_or_overlap() -> None:
    rows = list(carriers.rates(SPEC))
    for service in carriers.SERVICES:
        for zone, _, _ in carriers.ZONES:
            for is_open in (False, True):
                bands = [
                    (row[2], row[3])
                    for row in rows
                    if row[:2] == (service.code, zone) and (row[8] is None) == is_open
                ]
                assert bands[0][0] == 0
                assert bands[-1][1] == service.max_g
                assert all(left[1] == right[0] for left, right in pairwise(bands))


def test_prices_change_once_and_services_belong_to_carriers() -> None:
    rows = list(carriers.rates(SPEC))
    ends = {row[8] for row in rows if row[8] is not None}
    begins = {row[7] for row in rows if row[8] is None}
    assert ends == begins
    assert SPEC.start_s < ends.pop() < SPEC.end_s
    assert {each.carrier for each in carriers.SERVICES} == {code for code, _ in carriers.CARRIERS}
    assert [zone[2] for zone in carriers.ZONES[:-1]] == [zone[1] for zone in carriers.ZONES[1:]]


def test_moments_are_written_in_utc_and_lost_ones_empty() -> None:
    shown = moments(np.array([1_736_121_600, -1]), without=-1)
    assert shown.tolist() == ["2025-01-06 00:00:00", ""]


def test_tokens_and_networks_show_no_real_address() -> None:
    words_ = np.array([0x0102030405060708], dtype=np.uint64)
    assert tokens("dev-", words_).tolist() == ["dev-0102030405060708"]
    assert addresses_of_network(words_).tolist() == ["10.7.6.5"]


def test_csv_files_quote_what_must_be_and_count_rows(tmp_path: Any) -> None:
    with CsvFile(tmp_path, "x", ("a", "b")) as file:
        file.columns(np.array([1, 2]), ["plain", 'with "quotes", and comma'])
        file.rows([(3, "Gr\udcfcn")])
    written = (tmp_path / "x.csv").read_bytes()
    assert written == b'a,b\n1,plain\n2,"with ""quotes"", and comma"\n3,Gr\xfcn\n'
    assert file.account.as_dict() == {"rows": 3, "accepted": 3, "parked": 0, "superseded": 0}
