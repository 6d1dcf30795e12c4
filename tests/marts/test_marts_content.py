"""What analysts find: the right rows, no personal data, answers to the questions of the guide."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from ecom.settings import ROOT
from ecom_assets.marts.assets.specs import models
from ecom_assets.schema import schema

GUIDE = (ROOT / "docs" / "analysts.md").read_text()
QUESTIONS = re.findall(r"^### \d+\. (.+?)$.*?^```sql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def _order(marts: sa.Connection, external_id: str) -> sa.RowMapping:
    query = sa.text("SELECT * FROM marts.orders WHERE external_id = :id")
    return marts.execute(query, {"id": external_id}).mappings().one()


def test_a_split_order_adds_its_parcels_up(marts: sa.Connection) -> None:
    order = _order(marts, "E1")
    assert (order["is_split"], order["sites_count"], order["parcels_count"]) == (True, 2, 2)
    assert (order["freight_cost_minor"], order["freight_currency"]) == (800, "EUR")
    assert (order["lines_count"], order["units_ordered"], order["units_shipped"]) == (2, 3, 3)
    assert (order["payment_method"], order["tenders_count"], order["installments"]) == (
        "card",
        2,
        3,
    )
    assert order["invoice_number"] == "INV-2024-1"


def test_what_the_source_says_stands_beside_the_decision(marts: sa.Connection) -> None:
    assert _order(marts, "E1")["is_observed_on_time"] is True
    assert _order(marts, "E1")["observed_review_score"] == 4.5
    assert _order(marts, "E2")["is_observed_on_time"] is False
    assert _order(marts, "E2")["observed_review_score"] is None
    query = "SELECT external_id, observed_outcome FROM marts.orders"
    assert dict(marts.exec_driver_sql(query).tuples().all()) == {
        "E1": "delivered", "E2": "delivered", "E3": "cancelled", "E4": "cancelled",
        "E5": "handed_over", "E6": "open", "E7": "returned", "E8": "open", "E9": "unknown",
    }  # fmt: skip


def test_an_order_that_was_just_accepted_is_there(marts: sa.Connection) -> None:
    order = _order(marts, "E9")
    assert order["risk_state"] == "undecided"
    assert (order["parcels_count"], order["units_reserved"], order["tenders_count"]) == (0, 0, 0)
    assert (order["fraud_probability"], order["invoice_number"]) == (None, None)


def test_days_are_utc_days_whatever_the_session_says(marts: sa.Connection) -> None:
    assert str(_order(marts, "E7")["placed_date"]) == "2024-01-07"


def test_verdicts_and_deciles(marts: sa.Connection) -> None:
    query = "SELECT order_id, verdict, score_decile FROM marts.decision_outcomes ORDER BY 1"
    found = marts.exec_driver_sql(query).all()
    assert [verdict for _, verdict, _ in found] == [
        "accepted_and_delivered", "accepted_and_delivered", "accepted_but_cancelled",
        "rejected_and_cancelled", "no_comparison", "no_comparison", "accepted_but_returned",
        "no_comparison", "no_comparison",
    ]  # fmt: skip
    assert [decile for _, _, decile in found] == [1, 2, 3, 8, 4, 5, 6, 7, None]


def test_products_know_what_is_sold_and_left(marts: sa.Connection) -> None:
    query = """
        SELECT sku, units_ordered, units_sold, revenue_minor, units_backordered, units_on_hand
        FROM marts.products ORDER BY sku
    """
    assert [tuple(row) for row in marts.exec_driver_sql(query)] == [
        ("A", 14, 4, 4000, 0, 4),
        ("B", 2, 1, 500, 0, 5),
        ("C", 4, 1, 4000, 2, 0),
    ]


def test_parcels_show_what_they_were_chosen_from(marts: sa.Connection) -> None:
    query = """
        SELECT service_name, services_considered, services_eligible, cheapest_cost_minor,
               is_delivered_on_time, days_after_promise
        FROM marts.shipments WHERE order_id = 2
    """
    assert tuple(marts.exec_driver_sql(query).one()) == ("Slow road", 2, 2, 400, False, 2.0)


def test_customers_and_their_values(marts: sa.Connection) -> None:
    query = """
        SELECT c.country, c.orders_count, c.is_repeat, c.rejected_orders_count, v.currency,
               v.ordered_minor, v.approved_minor
        FROM marts.customers AS c JOIN marts.customer_values AS v USING (customer_hash)
        ORDER BY c.country
    """
    assert [tuple(row) for row in marts.exec_driver_sql(query)] == [
        ("DE", 3, True, 0, "EUR", 4900, 4100),
        ("FR", 3, True, 1, "EUR", 11900, 1300),
        ("GB", 3, True, 0, "GBP", 16900, 12600),
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: model["name"])
def test_described_columns_are_the_columns(marts: sa.Connection, model: dict[str, Any]) -> None:
    found = [c["name"] for c in sa.inspect(marts).get_columns(model["name"], model["schema"])]
    assert found == list(model["columns"])


@pytest.mark.parametrize("model", models(), ids=lambda model: model["name"])
def test_nothing_personal_reaches_analysts(marts: sa.Connection, model: dict[str, Any]) -> None:
    query = sa.select(sa.text("t::text")).select_from(
        sa.table(model["name"], schema=model["schema"]).alias("t")
    )
    rows = "\n".join(marts.execute(query).scalars())
    assert rows or model["name"] == "stg_fraud_labels"
    assert "SECRET" not in rows


def test_no_view_reads_a_personal_column(marts: sa.Connection) -> None:
    query = sa.text("""
        SELECT DISTINCT base.relnamespace::regnamespace::text, base.relname, attname
        FROM pg_depend AS d
        JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_class AS v ON v.oid = r.ev_class
        JOIN pg_class AS base ON base.oid = d.refobjid
        JOIN pg_attribute AS a ON a.attrelid = base.oid AND a.attnum = d.refobjsubid
        WHERE v.relnamespace = 'staging'::regnamespace AND base.oid <> v.oid
    """)
    used = {f"{area}.{table}.{column}" for area, table, column in marts.execute(query)}
    personal = {
        f"{table.fullname}.{column.name}"
        for table in schema().tables.values()
        for column in table.columns
        if column.info.get("personal")
    }
    assert "orders.orders.total_minor" in used
    assert used & personal == set()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT email FROM orders.orders",
        "SELECT name FROM customers.customers",
        "UPDATE marts.orders SET total_minor = 0",
        "DELETE FROM staging.stg_orders",
        "CREATE TABLE marts.own (id int)",
    ],
)
def test_analysts_read_their_schemas_only(marts: sa.Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        marts.exec_driver_sql(statement)


def test_the_guide_asks_ten_questions_and_lists_every_mart() -> None:
    assert len(QUESTIONS) == 10
    named = set(re.findall(r"^\| `marts\.(\w+)`", GUIDE, re.MULTILINE))
    assert named == {model["name"] for model in models() if model["schema"] == "marts"}


@pytest.mark.parametrize(("question", "query"), QUESTIONS, ids=lambda text: text[:30])
def test_a_question_of_the_guide_is_answered(
    marts: sa.Connection, question: str, query: str
) -> None:
    assert marts.execute(sa.text(query.replace(":", r"\:"))).all(), question
