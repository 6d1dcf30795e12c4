"""Scores at the edges: windows to the second, months to the moment, labels that come late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from ecom_assets.fraud.features import NAMES, design, reason
from ecom_assets.fraud.rules import BASE_LOG_ODDS, MOST, RULES, assess
from ecom_assets.fraud.scoring import MOST_REASONS, score_by_model, score_by_rules
from ecom_assets.fraud.store import histogram, model_figures, record_waiting, score_orders
from ecom_assets.fraud.store.figures import months, take_figures
from ecom_assets.fraud.store.models import MATURITY, model_for
from ecom_assets.fraud.store.sightings import record_claimed
from ecom_assets.fraud.tables import MODELS, ORDER_SCORES
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, list[Order]], None]
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def figures(conn: sa.Connection, place: Place, *orders: Order) -> list[dict[str, float]]:
    """The features of each order, in the order given."""
    named = [{"id": f"{at:03}", "placed_at": NOON, **order} for at, order in enumerate(orders)]
    place(conn, named)
    claim(conn, Stage.SCORE)
    record_claimed(conn)
    take_figures(conn)
    found = conn.execute(
        sa.text(
            "SELECT features FROM figures JOIN orders.orders USING (order_id) ORDER BY external_id"
        )
    )
    return list(found.scalars())


def rows(conn: sa.Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.text(statement))]


@pytest.mark.parametrize(
    ("shows", "window", "feature"),
    [
        ({"card": "x"}, timedelta(hours=24), "card_orders_24h"),
        ({"device": "x"}, timedelta(hours=1), "device_orders_1h"),
        ({"device": "x"}, timedelta(days=7), "device_orders_7d"),
        ({"ip": "x"}, timedelta(hours=1), "ip_orders_1h"),
        ({"email": "x@x"}, timedelta(hours=24), "email_orders_24h"),
        ({"street": "x"}, timedelta(days=30), "address_orders_30d"),
        ({"customer": "x"}, timedelta(hours=24), "customer_orders_24h"),
    ],
)
def test_a_window_ends_at_the_microsecond(
    scratch: sa.Connection, place: Place, shows: Order, window: timedelta, feature: str
) -> None:
    """March of a leap year: a window of 30 days before it is not a calendar month."""
    inside, outside = NOON - window, NOON - window - TICK
    *_, found = figures(
        scratch, place, {**shows, "placed_at": outside}, {**shows, "placed_at": inside}, shows
    )
    assert found[feature] == 1


def test_of_orders_of_one_moment_the_earlier_by_id_was_before(
    scratch: sa.Connection, place: Place
) -> None:
    same = {"device": "d", "email": "x@x"}
    found = figures(scratch, place, *({**same, "customer": str(at)} for at in range(3)))
    assert [each.get("device_customers", 0) for each in found] == [0, 1, 2]
    assert [each.get("email_orders_24h", 0) for each in found] == [0, 1, 2]


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_what_an_order_does_not_show_links_it_to_nobody(
    scratch: sa.Connection, place: Place, blank: str | None
) -> None:
    silent = dict.fromkeys(("device", "card", "ip", "email", "street"), blank)
    figures(scratch, place, {**silent, "customer": "a"}, {**silent, "customer": "b"})
    assert rows(scratch, "SELECT * FROM fraud.sightings") == []


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ({"email": "Jörg@X.de"}, {"email": " jörg@x.de "}, True),
        ({"device": "AB"}, {"device": "ab"}, False),
        ({"device": "名" * 500}, {"device": "名" * 500}, True),
        ({"device": "x"}, {"ip": "x"}, False),
        ({"street": "Hill 1", "country": "DE"}, {"street": "Hill 1", "country": "AT"}, False),
        ({"street": "Hill 1"}, {"street": " HILL 1"}, True),
    ],
)
def test_values_are_told_apart(
    scratch: sa.Connection, place: Place, one: Order, other: Order, are_same: bool
) -> None:
    _, found = figures(scratch, place, {**one, "customer": "a"}, {**other, "customer": "b"})
    shared = [name for name in found if name.endswith("_customers")]
    assert bool(shared) is are_same


@pytest.mark.parametrize(
    ("at", "is_night"),
    [
        (NOON.replace(hour=4, minute=59, second=59), True),
        (NOON.replace(hour=5), False),
        (NOON.replace(hour=0), True),
        (NOON.replace(hour=23), False),
        (datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=9))), True),
    ],
)
def test_night_is_that_of_utc(
    scratch: sa.Connection, place: Place, at: datetime, is_night: bool
) -> None:
    (found,) = figures(scratch, place, {"placed_at": at})
    assert ("is_night" in found) is is_night


@pytest.mark.parametrize(
    ("known_at", "links"), [(NOON - TICK, 1), (NOON, 0), (NOON + timedelta(days=1), 0)]
)
def test_a_label_counts_only_if_it_was_known_before_the_order(
    scratch: sa.Connection, place: Place, known_at: datetime, links: int
) -> None:
    before = {"placed_at": NOON - timedelta(days=40), "device": "d", "card": "c"}
    fraud = {**before, "label": "fraud", "known_at": known_at}
    honest = {**before, "label": "legitimate", "known_at": before["placed_at"]}
    *_, found = figures(scratch, place, fraud, honest, {"device": "d", "ip": "i"})
    assert found.get("known_fraud_links", 0) == links


def test_an_order_linked_in_two_ways_counts_both(scratch: sa.Connection, place: Place) -> None:
    shows = {"device": "d", "card": "c", "street": "Hill 1", "email": "x@x"}
    fraud = {**shows, "placed_at": NOON - timedelta(days=9), "label": "fraud",
             "known_at": NOON - timedelta(days=1)}  # fmt: skip
    _, found = figures(scratch, place, fraud, {**shows, "email": "y@y"})
    assert found["known_fraud_links"] == 3


def test_months_are_those_of_utc_even_at_the_turn_of_a_year(
    scratch: sa.Connection, place: Place
) -> None:
    west = timezone(-timedelta(hours=5))
    turn = datetime(2024, 1, 1, tzinfo=UTC)
    figures(
        scratch, place, {"placed_at": turn - TICK}, {"placed_at": turn},
        {"placed_at": datetime(2024, 2, 29, 20, tzinfo=west)},
        {"placed_at": turn - TICK, "due_at": datetime(2024, 2, 29, 18, tzinfo=west)},
    )  # fmt: skip
    first = [(2023, 12), (2024, 1), (2024, 2), (2024, 3)]
    assert months(scratch) == [datetime(*month, 1, tzinfo=UTC) for month in first]


def learn(
    conn: sa.Connection, place: Place, count: int, *, last: datetime, known: datetime
) -> None:
    """Scored orders, a minute apart up to `last`; every fifth is a fraud from one device."""
    orders = [
        {"id": f"l{at:04}", "placed_at": last - timedelta(minutes=count - 1 - at),
         "known_at": known,
         "label": "legitimate" if at % 5 else "fraud",
         "device": f"d{at}" if at % 5 else "ring", "total": 5_000 + at}
        for at in range(count)
    ]  # fmt: skip
    place(conn, orders)
    claim(conn, Stage.SCORE)
    score_orders(conn, "run")


MONTH = datetime(2024, 6, 1, tzinfo=UTC)
MATURE = MONTH - MATURITY - TICK


@pytest.mark.parametrize(
    ("count", "last", "known", "learns"),
    [
        (200, MATURE, MONTH - TICK, True),
        (199, MATURE, MONTH - TICK, False),
        (200, MATURE + TICK, MONTH - TICK, False),
        (200, MATURE, MONTH, False),
    ],
)
def test_a_model_learns_from_enough_mature_orders_with_labels_known_in_time(
    scratch: sa.Connection, place: Place, count: int, last: datetime, known: datetime, learns: bool
) -> None:
    learn(scratch, place, count, last=last, known=known)
    model = model_for(scratch, MONTH, "run")
    assert (model is not None) is learns
    found = scratch.execute(sa.select(MODELS.c.rows_used, MODELS.c.positives)).all()
    assert [tuple(row) for row in found] == ([(count, count // 5)] if learns else [])


def test_a_label_that_comes_late_leaves_the_model_of_its_month_alone(
    scratch: sa.Connection, place: Place
) -> None:
    learn(scratch, place, 200, last=MATURE, known=MONTH - TICK)
    before = model_for(scratch, MONTH, "run")
    scratch.execute(sa.text("UPDATE fraud.labels SET label = 'legitimate'"))
    assert model_for(scratch, MONTH, "again") == before
    assert rows(scratch, "SELECT model_version, run_id FROM fraud.models") == [
        ("logistic/2024-06", "run")
    ]
    shown = scratch.execute(model_figures()).mappings().one()
    assert (shown["model_version"], shown["positives"]) == ("logistic/2024-06", 40)
    assert float(shown["roc_auc"]) > 0.9


@pytest.mark.parametrize(
    ("probability", "bar"),
    [(0.0, "< 0.1%"), (0.000999, "< 0.1%"), (0.001, "< 0.2%"), (0.099999, "< 10.0%"),
     (0.1, "< 20.0%"), (0.899999, "< 90.0%"), (0.9, "≥ 90%"), (1.0, "≥ 90%")],
)  # fmt: skip
def test_a_probability_falls_into_one_bar(
    scratch: sa.Connection, place: Place, probability: float, bar: str
) -> None:
    figures(scratch, place, {})
    score_orders(scratch, "run")
    scratch.execute(sa.update(ORDER_SCORES).values(probability=probability))
    shown = histogram(scratch)
    assert len(shown) == 11
    assert {name for name, count in shown.items() if count} == {bar}


def test_the_ledger_names_a_probability_like_the_rules(
    scratch: sa.Connection, place: Place
) -> None:
    """One order by the base rate, one with a failed check, one with several."""
    checks = [{}, {"avs": "N", "cvv": "N"}, {"avs": "N", "cvv": "n", "device": "d", "card": "c"}]
    ring = [{"device": "d", "card": "c", "customer": str(at)} for at in range(3)]
    figures(scratch, place, *ring, *checks)
    assert score_orders(scratch, "run") == {"by_model": 0, "by_rules": 6}
    found = rows(
        scratch,
        "SELECT l.outcome, s.probability, s.features, s.reasons FROM decisions.ledger AS l"
        " JOIN fraud.order_scores AS s USING (order_id) ORDER BY order_id",
    )
    assert [outcome for outcome, *_ in found[3:]] == ["low", "medium", "high"]
    for _, probability, features, reasons in found:
        expected = assess(features)
        assert (probability, tuple(reasons)) == (expected.probability, expected.reasons)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason)
def test_each_rule_holds_from_its_threshold_on(rule: Any) -> None:
    below = assess({rule.feature: np.nextafter(rule.at_least, 0)})
    at = assess({rule.feature: rule.at_least})
    assert rule.reason not in below.reasons
    assert rule.reason in at.reasons
    expected = 1 / (1 + np.exp(-(BASE_LOG_ODDS + rule.points)))
    assert at.probability == pytest.approx(min(MOST, expected), abs=1e-6)


def test_an_empty_frame_is_scored_to_nothing() -> None:
    empty = pd.DataFrame(columns=list(NAMES), dtype=float)
    assert design(empty).shape == (0, len(NAMES))
    assert score_by_rules(empty).probability.tolist() == []


def test_a_model_names_at_most_three_reasons_strongest_first() -> None:
    names = NAMES[:5]
    parts = {name: {"weight": at / 10, "mean": 0.0, "scale": 1.0} for at, name in enumerate(names)}
    frame = pd.DataFrame(1.0, index=[0], columns=list(names)).assign(is_card=8.0)
    scored = score_by_model(frame, {"intercept": -2.0, "features": parts})
    named = [word for word in scored.reasons[0] if word]
    assert len(named) <= MOST_REASONS
    assert named[0] == reason("is_card")


def test_waiting_orders_are_recorded_once_in_batches(
    database: DatabaseResource, place: Place
) -> None:
    """An order that shows nothing must not keep the loop from ending."""
    with database.begin() as conn:
        place(conn, [{"id": str(at), "placed_at": NOON, **({"device": "d"} if at % 2 else {})}
                     for at in range(7)])  # fmt: skip
    assert record_waiting(database.begin, batch=2) == 3
    assert record_waiting(database.begin, batch=2) == 0
    assert drain(database.begin, Stage.SCORE, partial(score_orders, run="run"))["orders"] == 7
    with database.begin() as conn:
        assert waiting(conn) == {"risk": 7}
