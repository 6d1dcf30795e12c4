"""What buyers pay: the price of a moment, group and quantity, and what coupons take off."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.pricing import store
from ecom_assets.pricing.checkout import (
    BasketLine,
    Coupon,
    ListedPrice,
    listed_price,
    reduce_basket,
)
from fixtures.priced_shop import PricedShop, day

LINES = [BasketLine("A", "toys", 2, 1_000), BasketLine("B", "books", 1, 500, floor_minor=450)]
TENTH = Coupon("TENTH", discount_bps=1_000)
FIVE = Coupon("FIVE", discount_minor=500, is_combinable=True)
TOYS = Coupon("TOYS", discount_bps=500, is_combinable=True, category="toys")


def test_a_group_with_a_list_of_its_own_pays_by_it(shop: PricedShop) -> None:
    shop.take_prices(day(1), group="trade", A=900)
    shop.take_prices(day(1), units=10, A=850)
    found = [
        shop.price("A", day(2)), shop.price("A", day(2), 10), shop.price("A", day(2), 10, "trade"),
        shop.price("B", day(2), 1, "trade"), shop.price("A", day(0.5), 1, "trade"),
        shop.price("Z", day(2)), shop.price("A", day(-1)),
    ]  # fmt: skip
    assert found == [1_000, 850, 900, 1_000, 1_000, None, None]


PRICES = st.lists(
    st.tuples(
        st.sampled_from(["all", "trade", "staff"]), st.integers(1, 4), st.integers(1, 9_999),
        st.integers(0, 8), st.none() | st.integers(1, 4),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(PRICES, st.sampled_from(["all", "trade"]), st.integers(1, 5), st.integers(-1, 14))
def test_the_lookup_in_sql_finds_what_the_plain_one_finds(
    shop: PricedShop, rows: list[tuple[str, int, int, int, int | None]], group: str, units: int,
    moment: int,
) -> None:  # fmt: skip
    shop.conn.execute(sa.text("DELETE FROM pricing.prices"))
    kept: list[ListedPrice] = []
    for customers, quantity, price, start, length in rows:
        end = None if length is None else day(start + length)
        row = ListedPrice(customers, quantity, price, day(start), end)
        try:
            with shop.conn.begin_nested():
                shop.conn.execute(_PRICE, {
                    "list": shop_list(shop, customers), "units": quantity, "price": price,
                    "start": day(start), "end": end,
                })  # fmt: skip
        except sa.exc.IntegrityError:
            continue  # another price holds then: the database keeps the first
        kept.append(row)
    wanted = listed_price(kept, group, units, day(moment))
    assert shop.price("Q", day(moment), units, group) == (wanted and wanted.price_minor)


def shop_list(shop: PricedShop, group: str) -> int:
    return store.open_list(shop.conn, "web", "EUR", group)


_PRICE = sa.text("""
    INSERT INTO pricing.prices (price_list_id, sku, min_quantity, price_minor, regular_minor,
        valid_from_at, valid_to_at, rule, plan_id, run_id)
    VALUES (:list, 'Q', :units, :price, :price, :start, :end, 'import', 1, 'run')
""")


def test_coupons_that_combine_go_together_and_the_best_way_counts() -> None:
    assert reduce_basket(LINES, [TENTH]).by_line == (200, 50)
    both = reduce_basket(LINES, [TOYS, FIVE])
    assert both.codes == ("TOYS", "FIVE")
    assert both.by_line == (100 + 395, 50), "the second line does not fall below its floor"
    assert reduce_basket(LINES, [TENTH, FIVE]).codes == ("FIVE",)
    assert reduce_basket(LINES, [TENTH, replace(FIVE, discount_minor=100)]).codes == ("TENTH",)


def test_a_coupon_below_its_basket_or_without_effect_is_not_used() -> None:
    assert reduce_basket(LINES, [replace(TENTH, least_basket_minor=2_501)]).total == 0
    assert reduce_basket(LINES, [replace(TOYS, category="food")]).codes == ()


COUPONS = st.lists(
    st.builds(
        lambda code, bps, minor, combines, category: Coupon(
            code, bps, None if bps else minor, is_combinable=combines, category=category),
        st.sampled_from("UVWXYZ"), st.none() | st.integers(1, 10_000), st.integers(1, 9_999),
        st.booleans(), st.sampled_from(["", "toys"]),
    ),
    max_size=4, unique_by=lambda coupon: coupon.code,
)  # fmt: skip
BASKETS = st.lists(
    st.builds(
        BasketLine, st.just("A"), st.sampled_from(["toys", "books"]), st.integers(1, 9),
        st.integers(1, 9_999), st.integers(0, 9_999),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(BASKETS, COUPONS)
def test_no_line_falls_below_its_floor_and_no_coupon_makes_a_basket_dearer(
    lines: list[BasketLine], coupons: list[Coupon]
) -> None:
    found = reduce_basket(lines, coupons)
    for line, taken in zip(lines, found.by_line, strict=True):
        whole = line.price_minor * line.quantity
        assert 0 <= taken <= whole - min(line.floor_minor * line.quantity, whole)
    alone = [reduce_basket(lines, [coupon]).total for coupon in coupons]
    assert found.total >= max(alone, default=0) or len(coupons) > 1
    single = [c for c in coupons if c.code in found.codes and not c.is_combinable]
    assert not single or len(found.codes) == 1
