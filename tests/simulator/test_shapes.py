"""The generated shop is shaped like real ones; figures are wide enough for another seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.shop import generate

ORDERS = 20_000


class Shop:
    """The files of one shop as frames, without the rows that are faulty on purpose."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        orders = self.read("orders")
        orders["placed_at"] = pd.to_datetime(orders["placed_at"], errors="coerce", utc=True)
        usable = orders.dropna(subset=["placed_at", "country"])
        self.orders = usable.drop_duplicates("external_id", keep="last")
        self.lines = self.read("order_lines").query("quantity > 0")
        self.truth = self.read("truth").set_index("external_id")["fraud"].dropna()

    def read(self, stem: str) -> Any:
        path = self._folder / f"{stem}.csv"
        return pd.read_csv(path, on_bad_lines="skip", encoding_errors="replace", low_memory=False)

    def dated(self, stem: str) -> Any:
        return self.read(stem).merge(self.orders[["external_id", "placed_at"]], on="external_id")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shapes") / "shop"
    generate(folder, ORDERS, 7)
    return Shop(folder)


def test_demand_has_a_long_tail(shop: Shop) -> None:
    sold = shop.lines.groupby("sku").size().sort_values(ascending=False)
    fifth, half = len(sold) // 5, len(sold) // 2
    assert 0.65 < sold.head(fifth).sum() / sold.sum() < 0.9
    assert sold.tail(half).sum() / sold.sum() < 0.15


def test_demand_falls_with_rank_as_zipf_says(shop: Shop) -> None:
    sold = np.sort(shop.lines.groupby("sku").size())[::-1][10:300]
    slope = np.polyfit(np.log(np.arange(11, 11 + len(sold))), np.log(sold), 1)[0]
    assert -1.25 < slope < -0.75


def test_weekdays_evenings_and_the_year_have_seasons(shop: Shop) -> None:
    placed = shop.orders["placed_at"].dt
    weekday = placed.day_of_week.value_counts(normalize=True)
    hour = placed.hour.value_counts(normalize=True)
    month = placed.month.value_counts()
    assert weekday[0] > 1.2 * weekday[5]
    assert hour[20] > 8 * hour[3]
    assert month[12] > 1.5 * month[7]
    assert month[10] > 1.1 * month[3]


def test_orders_come_in_the_order_of_time_within_the_span(shop: Shop) -> None:
    first = shop.orders.sort_index()["placed_at"]
    assert first.min() >= pd.Timestamp("2025-01-06", tz="UTC")
    assert first.max() < pd.Timestamp("2026-01-05", tz="UTC")
    # Only revised rows come later than their turn.
    assert (first.diff().dropna() < pd.Timedelta(0)).mean() < 0.002


def test_channels_and_currencies_follow_their_markets(shop: Shop) -> None:
    mix: Any = pd.crosstab(shop.orders["country"], shop.orders["channel"], normalize="index")
    assert mix.loc["SE", "nordmarkt"] > 5 * mix.loc["FR", "nordmarkt"]
    assert mix.loc["FR", "bazaar"] > 2 * mix.loc["SE", "bazaar"]
    money = shop.orders.groupby("country")["currency"].agg(lambda each: each.mode()[0])
    assert money[["DE", "GB", "SE"]].tolist() == ["EUR", "GBP", "SEK"]
    assert 0.03 < (shop.orders["channel"] == "phone").mean() < 0.12


def test_firms_call_in_office_hours(shop: Shop) -> None:
    calls = shop.orders.query("channel == 'phone'")
    is_repeat = calls.duplicated("customer_key")
    hours = calls[is_repeat]["placed_at"].dt.hour
    assert hours.between(7, 16).mean() > 0.8


def test_customers_come_back_and_some_often(shop: Shop) -> None:
    bought = shop.orders["customer_key"].value_counts()
    assert 1.6 < bought.mean() < 2.6
    assert 0.4 < (bought == 1).mean() < 0.7
    assert bought.max() >= 12


def test_customers_sign_up_before_they_order(shop: Shop) -> None:
    people = shop.read("customers").set_index("customer_key")
    assert people.index.is_unique
    signed = pd.to_datetime(people["signed_up_at"], utc=True)
    joined = shop.orders["customer_key"].map(signed)
    assert joined.notna().all()
    assert (joined <= shop.orders["placed_at"]).all()


def test_people_have_several_addresses_and_homes_are_shared(shop: Shop) -> None:
    places = shop.orders.assign(place=shop.orders["line1"] + shop.orders["postal_code"])
    honest = places[~places["external_id"].isin(shop.truth.index)]
    assert (honest.groupby("customer_key")["place"].nunique() > 1).mean() > 0.05
    assert (honest.groupby("place")["customer_key"].nunique() > 1).mean() > 0.03


def test_fraud_is_rare_and_mostly_in_rings(shop: Shop) -> None:
    assert 0.010 < len(shop.truth) / ORDERS < 0.020
    is_ring = shop.truth.str.startswith("ring-")
    assert 0.5 < is_ring.mean() < 0.9


def test_rings_share_devices_and_addresses_and_strike_in_bursts(shop: Shop) -> None:
    orders = shop.orders.set_index("external_id").join(shop.truth.rename("ring"), how="inner")
    rings = orders[orders["ring"].str.startswith("ring-")].groupby("ring")
    sizes = rings.size()
    large = sizes[sizes >= 5].index
    assert len(large) > 10
    assert (rings["device_id"].nunique()[large] <= 2).all()
    assert (rings["customer_key"].nunique()[large] > 1).mean() > 0.9
    span = rings["placed_at"].agg(lambda each: each.max() - each.min())[large]
    assert (span < pd.Timedelta(days=4)).all()


def test_frauds_are_dearer_than_honest_orders(shop: Shop) -> None:
    euro = shop.orders.query("currency == 'EUR'").set_index("external_id")["total_minor"]
    is_fraud = euro.index.isin(shop.truth.index)
    assert euro[is_fraud].median() > 2 * euro[~is_fraud].median()


def test_honest_orders_share_devices_and_fail_checks_too(shop: Shop) -> None:
    honest = shop.orders[~shop.orders["external_id"].isin(shop.truth.index)]
    assert (honest.groupby("device_id")["customer_key"].nunique() > 1).sum() > 50
    checks = shop.read("payments").set_index("external_id")["cvv_result"]
    assert 0.005 < (checks[~checks.index.isin(shop.truth.index)] == "N").mean() < 0.03


def test_labels_become_known_late(shop: Shop) -> None:
    labels = shop.dated("labels")
    delay: Any = pd.to_datetime(labels["known_at"], utc=True) - labels["placed_at"]
    days = delay / pd.Timedelta(days=1)
    by_source = days.groupby(labels["source"])
    assert by_source.min()["chargeback"] >= 14
    assert by_source.max()["chargeback"] <= 56
    assert by_source.max()["investigation"] <= 10
    assert days[labels["label"] == "legitimate"].between(89.99, 90.01).all()


def test_payments_are_split_late_and_never(shop: Shop) -> None:
    tenders = shop.dated("payments")
    authorised: Any = pd.to_datetime(tenders["authorised_at"], utc=True)
    wait = (authorised - tenders["placed_at"]) / pd.Timedelta(hours=1)
    assert 0.002 < authorised.isna().mean() < 0.02
    assert (wait.dropna() >= 0).all()
    assert wait[tenders["method"] == "transfer"].median() > 12
    assert wait[tenders["method"] == "card"].max() < 1
    assert 0.02 < (tenders["sequence"] == 2).mean() < 0.06
    assert tenders["card_fingerprint"].notna().equals(tenders["method"] == "card")


def test_tenders_add_up_to_the_order_except_for_slips(shop: Shop) -> None:
    paid = shop.read("payments").groupby("external_id")["amount_minor"].sum()
    due = shop.orders.set_index("external_id")["total_minor"]
    difference = (paid.reindex(due.index) - due).abs()
    assert (difference == 0).mean() > 0.99
    assert (difference[difference < 1_000]).max() <= 90


def test_totals_are_those_of_the_lines(shop: Shop) -> None:
    lines = shop.read("order_lines").drop_duplicates(["external_id", "line_no"])
    value = lines["quantity"] * lines["unit_price_minor"] - lines["discount_minor"]
    goods = value.groupby(lines["external_id"]).sum()
    orders = shop.orders.set_index("external_id")
    wrong = orders["total_minor"] != goods.reindex(orders.index) + orders["shipping_minor"]
    faulty = shop.read("truth").dropna(subset=["fault"])["external_id"]
    assert set(wrong[wrong].index) <= set(faulty)


def test_outcomes_follow_each_other(shop: Shop) -> None:
    events = shop.dated("observed_events")
    assert not events.duplicated(["external_id", "kind"]).any()
    shares = events["kind"].value_counts() / ORDERS
    assert 0.015 < shares["cancelled"] < 0.04
    assert 0.05 < shares["returned"] < 0.15
    assert shares["delivered"] < shares["handed_over"]
    moments = events.assign(at=pd.to_datetime(events["happened_at"], utc=True)).pivot(
        index="external_id", columns="kind", values="at"
    )
    both = moments.dropna(subset=["handed_over", "delivered"])
    assert (both["delivered"] > both["handed_over"]).all()
    assert not (moments["cancelled"].notna() & moments["delivered"].notna()).any()


def test_some_facts_are_odd(shop: Shop) -> None:
    events = shop.dated("observed_events")
    moment = pd.to_datetime(events["happened_at"], utc=True)
    assert 3 < (moment < events["placed_at"]).sum() < 60
    assert 3 < moment[events["kind"] == "delivered"].isna().sum() < 60


def test_a_few_lines_in_a_hundred_find_the_shelf_empty(shop: Shop) -> None:
    moves = shop.read("movements").assign(
        at=lambda each: pd.to_datetime(each["moved_at"], utc=True), is_line=False
    )
    asked = shop.lines.merge(shop.orders[["external_id", "placed_at"]], on="external_id")
    asked = asked.assign(quantity=-asked["quantity"], at=asked["placed_at"], is_line=True)
    columns = ["sku", "at", "quantity", "is_line"]
    flow = pd.concat([moves[columns], asked[columns]]).sort_values(["at", "is_line"], kind="stable")
    left = flow.groupby("sku")["quantity"].cumsum()
    assert 0.005 < (left[flow["is_line"]] < 0).mean() < 0.06


def test_stock_lies_at_one_or_several_sites(shop: Shop) -> None:
    moves = shop.read("movements")
    assert not moves.duplicated(["kind", "reference", "sku", "site_code"]).any()
    assert (moves["quantity"] > 0).all()
    sites = moves.groupby("sku")["site_code"].nunique()
    assert sites.max() == 5
    assert 0.5 < (sites == 1).mean() < 0.95


def test_rate_card_covers_every_weight_and_changes_once(shop: Shop) -> None:
    rates = shop.read("rates")
    assert not rates.duplicated(["service_code", "zone_code", "from_g", "valid_from_at"]).any()
    assert rates["valid_from_at"].nunique() == 2
    assert rates["to_g"].max() == 2_000_000
    now = rates[rates["valid_to_at"].isna()]
    by_weight = now.groupby(["service_code", "zone_code"])["price_minor"]
    assert by_weight.apply(lambda prices: prices.is_monotonic_increasing).all()
    by_zone = now.groupby(["service_code", "from_g"])["price_minor"]
    assert by_zone.apply(lambda prices: prices.is_monotonic_increasing).all()


def test_products_lack_what_products_lack(shop: Shop) -> None:
    products = shop.read("products").drop_duplicates("sku")
    assert 0.005 < products["weight_g"].isna().mean() < 0.03
    assert 0.003 < products["category"].isna().mean() < 0.02
    assert (products["unit_cost_minor"] < products["list_price_minor"]).all()
    sides = products[["length_mm", "width_mm", "height_mm"]]
    assert (sides.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)


def test_names_strain_documents_and_belong_to_nobody(shop: Shop) -> None:
    people = shop.read("customers")
    assert people["name"].str.contains("[一-龥]").any()
    assert people["name"].str.contains("[ء-ي]").any()
    assert people["name"].str.len().max() > 50
    given = people["email"].str.endswith("@example.com")
    assert given.all()
    hidden = shop.orders[shop.orders["channel"].isin(["bazaar", "nordmarkt"])]
    assert hidden["email"].str.endswith(".example.org").all()
