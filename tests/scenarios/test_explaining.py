"""The chain of decisions about orders of a simulated shop, as a newcomer reads it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.decisions.explaining import tell
from ecom_assets.decisions.store import chain_of
from ecom_assets.decisions.wording import KINDS, OUTCOMES, REASONS
from resources.database import DatabaseResource


def chain(database: DatabaseResource, name: str) -> dict[str, Any]:
    with database.begin() as conn:
        found = chain_of(conn, name)
    assert found is not None
    return found


def names(database: DatabaseResource, query: str) -> list[str]:
    with database.begin() as conn:
        return list(conn.execute(sa.text(query)).scalars())


@pytest.mark.parametrize("place", range(10))
def test_every_decision_of_ten_orders_is_told_with_its_rule_and_run(
    decided_shop: DatabaseResource, place: int
) -> None:
    name = names(
        decided_shop,
        "SELECT order_id::text FROM orders.orders ORDER BY md5(external_id) LIMIT 10",
    )[place]
    found = chain(decided_shop, name)
    text = "\n".join(tell(found))
    assert len(found["decisions"]) >= 4
    moments = [decision["decided_as_of"] for decision in found["decisions"]]
    assert moments == sorted(moments)
    for decision in found["decisions"]:
        assert f"rule {decision['version']}; run /runs/{decision['run_id']}" in text
    for service in found["services"]:
        assert service["reason"] in text
    for document in found["documents"]:
        assert document["name"] in text
    # No code of a program in what people read: features and reasons are words.
    assert "_" not in text.replace(found["order"]["external_id"], "").replace(
        "fraud_rules", ""
    ).replace("payment_match", "")
    assert json.loads(json.dumps(found, default=str))["messages"][0]["state"] == "accepted"


def test_an_order_is_found_by_its_channel_and_name(decided_shop: DatabaseResource) -> None:
    with decided_shop.begin() as conn:
        order_id, channel, external_id = conn.execute(
            sa.text("SELECT order_id, channel, external_id FROM orders.orders LIMIT 1")
        ).one()
    found = chain(decided_shop, f"{channel}/{external_id}")
    assert found["order"]["order_id"] == order_id
    assert found == chain(decided_shop, str(order_id))


def test_a_message_that_became_no_order_is_told_with_its_reason(
    decided_shop: DatabaseResource,
) -> None:
    name = names(
        decided_shop,
        "SELECT channel || '/' || external_id FROM orders.inbox AS m WHERE state = 'parked' AND"
        " NOT EXISTS (SELECT FROM orders.orders AS o WHERE (o.channel, o.external_id)"
        " = (m.channel, m.external_id)) LIMIT 1",
    )[0]
    lines = tell(chain(decided_shop, name))
    assert lines[0] == "No order yet."
    assert any("parked (" in line for line in lines)


def test_what_nobody_knows_is_not_explained(decided_shop: DatabaseResource) -> None:
    with decided_shop.begin() as conn:
        for name in ("", "0", "web/", "/", "nowhere/1", "1; DROP TABLE x", "9" * 30):
            assert chain_of(conn, name) is None


def test_split_orders_and_held_ones_are_told(decided_shop: DatabaseResource) -> None:
    split = names(
        decided_shop,
        "SELECT order_id::text FROM decisions.ledger WHERE kind = 'allocation'"
        " AND outcome = 'split_by_line' LIMIT 1",
    )[0]
    text = "\n".join(tell(chain(decided_shop, split)))
    assert text.count("Who carries the parcel from") >= 2
    assert "no site had every SKU, but each SKU was whole somewhere" in text
    held = names(
        decided_shop, "SELECT order_id::text FROM risk.decisions WHERE outcome = 'review' LIMIT 1"
    )[0]
    text = "\n".join(tell(chain(decided_shop, held)))
    assert "a person has to look at it first; the order is held" in text
    assert "Which site ships it?" not in text


def test_every_kind_outcome_and_reason_of_the_shop_has_words(
    decided_shop: DatabaseResource,
) -> None:
    assert set(names(decided_shop, "SELECT DISTINCT kind FROM decisions.ledger")) <= set(KINDS)
    reasons = names(
        decided_shop,
        "SELECT DISTINCT unnest(reasons) FROM decisions.ledger"
        " WHERE kind NOT IN ('fraud_score', 'payment_match')",
    )
    assert set(reasons) <= set(REASONS)
    with decided_shop.begin() as conn:
        outcomes = conn.execute(
            sa.text(
                "SELECT DISTINCT kind, outcome FROM decisions.ledger WHERE kind <> 'carrier_choice'"
            )
        ).tuples()
        assert set(outcomes) <= set(OUTCOMES)


def test_a_decision_nobody_wrote_words_for_is_told_as_it_is() -> None:
    moment = "2026-01-01 00:00"
    decision = {
        "kind": "gift_wrap", "subject": "", "attempt": 2, "outcome": "blue_paper",
        "reasons": ["is_birthday"], "inputs": {"age_years": 7}, "version": "gift-1", "run_id": "r",
        "decided_as_of": datetime.fromisoformat(moment),
        "recorded_at": datetime.fromisoformat(moment),
    }  # fmt: skip
    lines = tell({"order": None, "messages": [], "decisions": [decision], "services": [],
                  "documents": []})  # fmt: skip
    assert lines[3:] == [
        "",
        "1. Gift wrap blue paper (decided for the 2. time)",
        "   because is birthday",
        "   age years: 7",
        f"   [knowing what was known at {moment}; rule gift-1; run /runs/r at {moment}]",
    ]
