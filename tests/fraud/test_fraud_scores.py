"""Scoring on a real database: disciplined in time, independent of chunks, better than rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from ecom_assets.fraud.features import NAMES
from ecom_assets.fraud.scoring import score_by_rules
from ecom_assets.fraud.store import one_at_a_time, record_waiting, score_orders
from ecom_assets.fraud.training import measure, roc_auc
from ecom_assets.shared.flow import Stage, drain, waiting
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, list[Order]], None]

SCORES = """
    SELECT external_id, probability, method, version, features, reasons, scored_as_of
    FROM fraud.order_scores JOIN orders.orders USING (order_id)
    ORDER BY external_id
"""
LEARNT = "SELECT model_version, rows_used, positives, coefficients FROM fraud.models ORDER BY 1"


def score(database: DatabaseResource, chunk: int = 20_000) -> Mapping[str, int]:
    record_waiting(database.begin, batch=1_000)
    begin = partial(one_at_a_time, database.begin)
    return drain(begin, Stage.SCORE, partial(score_orders, run="run"), chunk=chunk)


def rows(database: DatabaseResource, statement: str) -> list[tuple[Any, ...]]:
    with database.begin() as conn:
        return [tuple(row) for row in conn.execute(sa.text(statement))]


@pytest.fixture(scope="module")
def scored(
    module_database: DatabaseResource, ring_shop: list[Order], place: Place
) -> DatabaseResource:
    with module_database.begin() as conn:
        place(conn, ring_shop)
    score(module_database)
    return module_database


def test_early_months_are_scored_by_rules_and_later_ones_by_their_model(
    scored: DatabaseResource,
) -> None:
    versions = rows(
        scored,
        "SELECT DISTINCT to_char(scored_as_of, 'YYYY-MM') AS month, method, version"
        " FROM fraud.order_scores ORDER BY month",
    )
    assert len(versions) == 12
    assert versions[0] == ("2024-01", "rules", "fraud_rules/1")
    assert versions[-1] == ("2024-12", "model", "logistic/2024-12")
    assert all(version == f"logistic/{month}" for month, how, version in versions if how == "model")


def test_a_model_uses_only_mature_labels_known_before_its_month(scored: DatabaseResource) -> None:
    used = rows(
        scored,
        """
        SELECT m.rows_used, m.positives, count(*), count(*) FILTER (WHERE label = 'fraud')
        FROM fraud.models AS m
        JOIN fraud.labels AS l ON l.known_at < m.trained_as_of
        JOIN orders.orders AS o USING (channel, external_id)
        WHERE o.decided_as_of < m.trained_as_of - interval '90 days'
        GROUP BY m.model_version, m.rows_used, m.positives
        """,
    )
    assert len(used) >= 5
    assert all((rows_used, frauds) == tuple(rest) for rows_used, frauds, *rest in used)


def test_models_beat_the_rules_in_months_they_never_saw(scored: DatabaseResource) -> None:
    found = rows(
        scored,
        "SELECT label = 'fraud', probability, features FROM fraud.labels"
        " JOIN orders.orders USING (channel, external_id) JOIN fraud.order_scores USING (order_id)"
        " WHERE method = 'model' AND decided_as_of >= '2024-09-01' ORDER BY order_id",
    )
    truth = np.array([row[0] for row in found])
    figures = pd.DataFrame([row[2] for row in found], columns=list(NAMES)).fillna(0.0)
    by_rules = score_by_rules(figures).probability
    by_model = measure(truth, np.array([row[1] for row in found]))
    assert by_model["roc_auc"] > roc_auc(truth, by_rules) + 0.1
    assert by_model["average_precision"] > measure(truth, by_rules)["average_precision"] + 0.1


@pytest.mark.parametrize("chunk", [400, 1_111])
def test_scores_do_not_depend_on_the_chunks(
    scored: DatabaseResource,
    database: DatabaseResource,
    ring_shop: list[Order],
    place: Place,
    chunk: int,
) -> None:
    with database.begin() as conn:
        place(conn, ring_shop)
    totals = score(database, chunk)
    assert totals["orders"] == totals["by_model"] + totals["by_rules"] == len(ring_shop)
    assert rows(database, SCORES) == rows(scored, SCORES)
    assert rows(database, LEARNT) == rows(scored, LEARNT)


def test_every_score_is_in_the_ledger_and_every_order_goes_on(
    scored: DatabaseResource, ring_shop: list[Order]
) -> None:
    unequal = rows(
        scored,
        "SELECT order_id FROM fraud.order_scores AS s LEFT JOIN decisions.ledger AS l USING"
        " (order_id) WHERE (l.inputs, l.version, l.reasons) IS DISTINCT FROM"
        " (s.features, s.version, s.reasons) OR l.kind <> 'fraud_score'",
    )
    assert unequal == []
    with scored.begin() as conn:
        assert waiting(conn) == {"risk": len(ring_shop)}
    outcomes = rows(scored, "SELECT DISTINCT outcome FROM decisions.ledger ORDER BY outcome")
    assert outcomes == [("high",), ("low",), ("medium",)]


def test_a_killed_run_continues_to_the_same_scores(
    scored: DatabaseResource, database: DatabaseResource, ring_shop: list[Order], place: Place
) -> None:
    chunks = iter(range(3))

    def dies(conn: sa.Connection) -> Mapping[str, int]:
        counts = score_orders(conn, "run")
        if next(chunks) == 2:
            raise KeyboardInterrupt
        return counts

    with database.begin() as conn:
        place(conn, ring_shop)
    record_waiting(database.begin)
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.SCORE, dies, chunk=700)
    score(database)
    assert rows(database, SCORES) == rows(scored, SCORES)


def test_a_second_run_changes_nothing(scored: DatabaseResource) -> None:
    before = rows(scored, LEARNT)
    assert score(scored)["orders"] == 0
    assert rows(scored, LEARNT) == before


def test_orders_that_came_to_wait_meanwhile_are_seen_too(
    database: DatabaseResource, place: Place
) -> None:
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    record_waiting(database.begin)
    with database.begin() as conn:
        place(
            conn,
            [
                {"id": str(number), "placed_at": noon + timedelta(minutes=number), "device": "d"}
                for number in range(3)
            ],
        )
    begin = partial(one_at_a_time, database.begin)
    drain(begin, Stage.SCORE, partial(score_orders, run="run"))
    shared = rows(database, "SELECT features -> 'device_customers' FROM fraud.order_scores")
    assert sorted(shared, key=str) == [(1,), (2,), (None,)]
