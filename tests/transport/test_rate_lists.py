"""Price lists against the rate card: what they would do, done once, and never to the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.transport.model import CardRefused, Rate, RateCard, Service, Zone
from ecom_assets.transport.price_file import ReadRow
from ecom_assets.transport.store import rate_lists, rates
from ecom_assets.transport.store.rate_lists import apply, preview, rows_of
from ecom_assets.transport.tables import RATES
from fixtures.allocated_shop import Shop

OLD, NEW = (datetime(year, 1, 1, tzinfo=UTC) for year in (2017, 2019))
LATER = NEW + timedelta(days=90)
CARD = RateCard(
    (Service("std", 30_000, 0, 0.99), Service("gone", 30_000, 0, 0.99, OLD)),
    (Zone("near", 0, 100), Zone("far", 100, inf), Zone("shut", 0, 1, OLD)),
    (
        Rate("std", "near", 0, 5_000, 500, "EUR", 2.0, 0.5, OLD),
        Rate("std", "near", 5_000, 30_000, 900, "EUR", 3.0, 0.5, OLD),
        Rate("std", "far", 0, 30_000, 1_500, "EUR", 4.0, 1.0, OLD),
    ),
)


@pytest.fixture
def carded(shop: Shop) -> sa.Connection:
    """A shop with a small rate card."""
    shop.take(CARD)
    return shop.conn


def row(number: int = 2, **members: Any) -> ReadRow:
    values = {
        "service_code": "std", "zone_code": "near", "from_g": 0, "to_g": 5_000,
        "price_minor": 550, "currency": "EUR", "transit_days": None, "transit_spread_days": None,
        "valid_from_at": NEW, "valid_to_at": None,
    }  # fmt: skip
    return ReadRow(number, {**values, **members})


def show(conn: sa.Connection, *rows: ReadRow) -> tuple[Any, list[Any]]:
    made = preview(conn, "list.csv", b"content", rows, "ann", NEW)
    return made, rows_of(conn, made["rate_list_id"], None, None, 100)


def rates_of(conn: sa.Connection) -> list[tuple[Any, ...]]:
    shown = (RATES.c.zone_code, RATES.c.from_g, RATES.c.price_minor, RATES.c.valid_to_at)
    return sorted(conn.execute(sa.select(*shown)).tuples(), key=str)


def test_a_preview_says_what_would_be_and_changes_nothing(carded: sa.Connection) -> None:
    before = rates_of(carded)
    made, (change, create, same, bad) = show(
        carded, row(2), row(3, from_g=30_000, to_g=31_000, price_minor=990, transit_days=3.0),
        row(4, zone_code="far", to_g=30_000, price_minor=1_500), row(5, zone_code="moon"),
    )  # fmt: skip
    assert rates_of(carded) == before
    counts = [made[name] for name in ("created", "changed", "unchanged", "failed")]
    assert (made["state"], counts) == ("previewed", [1, 1, 1, 1])
    assert change["outcome"] == "change"
    assert [(old["price_minor"], old["valid_to_at"]) for old in change["replaces"]] == [(500, None)]
    # The lane's own transit time, since the list tells none.
    assert (change["transit_days"], change["transit_spread_days"]) == (2.0, 0.5)
    assert (create["outcome"], create["transit_spread_days"]) == ("create", 0.5)
    assert same["outcome"] == "unchanged"
    assert (bad["outcome"], bad["field"], bad["problem"]) == ("error", "zone_code", "unknown_zone")
    assert bad["message"] == "zone_code is not among the zones"


def test_what_is_applied_ends_what_it_replaces(carded: sa.Connection) -> None:
    made, _ = show(carded, row(2), row(3, zone_code="far", to_g=30_000, price_minor=1_500))
    old = carded.execute(sa.select(RATES).where(RATES.c.price_minor == 500)).one()
    applied = apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)
    assert (applied["state"], applied["decided_by"]) == ("applied", "bob")
    assert rates_of(carded) == [
        ("far", 0, 1_500, None), ("near", 0, 500, NEW), ("near", 0, 550, None),
        ("near", 5_000, 900, None),
    ]  # fmt: skip
    kept = carded.execute(sa.select(RATES).where(RATES.c.rate_id == old.rate_id)).one()
    assert {**kept._mapping, "valid_to_at": None} == dict(old._mapping)
    with pytest.raises(CardRefused, match="applied already"):
        apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)


def test_what_changed_meanwhile_is_not_applied(carded: sa.Connection) -> None:
    made, _ = show(carded, row())
    other, _ = show(carded, row(price_minor=560))
    apply(carded, other["rate_list_id"], other["plan_hash"], "bob", NEW)
    before = rates_of(carded)
    with pytest.raises(CardRefused) as refused:
        apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)
    assert refused.value.code == "rates_changed"
    assert rates_of(carded) == before


def test_another_preview_a_bad_row_or_a_discarded_list_is_not_applied(
    carded: sa.Connection,
) -> None:
    made, _ = show(carded, row(), ReadRow(3, {}, "price", "missing", "is empty"))
    for name, code in ((made["plan_hash"], "has_errors"), ("0" * 64, "other_preview")):
        with pytest.raises(CardRefused) as refused:
            apply(carded, made["rate_list_id"], name, "bob", NEW)
        assert refused.value.code == code
    assert rate_lists.discard(carded, made["rate_list_id"], "bob", NEW)["state"] == "discarded"
    with pytest.raises(CardRefused, match="discarded already"):
        rate_lists.discard(carded, made["rate_list_id"], "bob", NEW)
    with pytest.raises(LookupError):
        apply(carded, 9_999, made["plan_hash"], "bob", NEW)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"to_g": 3_000}], "part_of_band"),
        ([{"valid_to_at": LATER}], "ends_too_early"),
        ([{"valid_from_at": OLD}], "later_rate"),
        ([{"valid_from_at": OLD - timedelta(days=1)}], "later_rate"),
        ([{"valid_from_at": OLD, "from_g": 1_000}], "overlapping_band"),
        ([{"from_g": 40_000, "to_g": 41_000},
          {"from_g": 40_500, "to_g": 42_000, "valid_from_at": LATER}], "overlapping_row"),
        ([{"from_g": 40_000, "to_g": 41_000}, {"from_g": 40_500, "to_g": 42_000}],
         "overlapping_band"),
        ([{"service_code": "gone"}], "archived_service"),
        ([{"zone_code": "shut"}], "archived_zone"),
        ([{"price_minor": -1}], "negative_price"),
        ([{"transit_days": 400.0}], "bad_transit_time"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_stand_beside_the_card_says_why(
    carded: sa.Connection, rows: list[dict[str, Any]], problem: str
) -> None:
    made, found = show(carded, *(row(2 + n, **members) for n, members in enumerate(rows)))
    assert made["failed"]
    assert problem in {each["problem"] for each in found}
    assert all(each["message"] and each["field"] for each in found if each["problem"])


def test_a_band_may_be_split_and_bands_be_joined(carded: sa.Connection) -> None:
    split = [row(2, to_g=2_000, price_minor=400), row(3, from_g=2_000, price_minor=560)]
    made, found = show(carded, *split, row(4, zone_code="far", to_g=30_000, price_minor=1_400))
    assert [each["outcome"] for each in found] == ["change"] * 3
    apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)
    made, found = show(carded, row(2, to_g=30_000, price_minor=700, valid_from_at=LATER))
    assert len(found[0]["replaces"]) == 3
    apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)
    open_rates = sa.select(RATES.c.price_minor).where(
        RATES.c.zone_code == "near", RATES.c.valid_to_at.is_(None)
    )
    assert carded.scalars(open_rates).all() == [700]


def test_a_lane_without_transit_times_must_be_told_them(carded: sa.Connection) -> None:
    carded.execute(sa.text("DELETE FROM transport.rates WHERE zone_code = 'far'"))
    _, (bad, good) = show(
        carded, row(2, zone_code="far"),
        row(3, zone_code="far", from_g=5_000, to_g=9_000, transit_days=1.0,
            transit_spread_days=0.0),
    )  # fmt: skip
    assert (bad["problem"], bad["field"]) == ("no_transit_time", "transit_days")
    assert good["outcome"] == "create"


def test_one_rate_is_judged_like_a_list_of_one(carded: sa.Connection) -> None:
    values = dict(row(from_g=30_000, to_g=40_000, transit_days=1.0, transit_spread_days=0.1).values)
    assert rates.add(carded, values)["price_minor"] == 550
    with pytest.raises(CardRefused) as refused:
        rates.add(carded, {**values, "from_g": 35_000, "valid_from_at": LATER})
    assert refused.value.code in ("overlapping_rate", "part_of_band")


def test_lists_are_listed_the_newest_first(carded: sa.Connection) -> None:
    first, second = (show(carded, row(price_minor=price))[0] for price in (1, 2))
    found = rate_lists.listed(carded, "previewed", None, 10)
    assert [each["rate_list_id"] for each in found] == [
        second["rate_list_id"], first["rate_list_id"],
    ]  # fmt: skip
    assert rate_lists.listed(carded, None, second["rate_list_id"], 10)[0] == first
    assert rate_lists.find(carded, first["rate_list_id"]) == first
    assert rows_of(carded, first["rate_list_id"], "change", 1, 10)[0]["row_number"] == 2


def test_the_entrance_applies_lists_with_the_few_rights_it_has(carded: sa.Connection) -> None:
    carded.execute(sa.text("SET LOCAL ROLE ecom_app"))
    made, _ = show(carded, row())
    applied = apply(carded, made["rate_list_id"], made["plan_hash"], "bob", NEW)
    assert applied["state"] == "applied"
    carded.execute(sa.text("RESET ROLE"))
