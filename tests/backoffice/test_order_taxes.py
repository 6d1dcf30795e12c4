"""Orders' taxes against the rates of their day, in SQL as in the plain rules; the OSS threshold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from backoffice.test_taxation import RATES
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from ecom_assets.backoffice.assets.taxes import oss_lines
from ecom_assets.backoffice.store import order_taxes as taxes
from ecom_assets.backoffice.store import oss, tax_files, tax_rates
from ecom_assets.backoffice.taxation import (
    Line,
    Mode,
    Rounding,
    line_taxes,
    rate_for,
    taxing_country,
    treatment,
)
from ecom_assets.definitions import build_defs
from ecom_assets.shared.states import open_states
from fixtures.scratch import rolled_back
from resources.database import DatabaseResource

_PLACE = sa.text("""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:orders AS jsonb)) AS g (
            id text, channel text, placed_at timestamptz, currency text, country text, region text,
            tax bigint, lines jsonb, fulfilment text)
    ), message AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, state)
        SELECT channel, id, 1, '{}', '', placed_at, 'accepted' FROM given
        RETURNING inbox_id, external_id
    ), placed AS (
        INSERT INTO orders.orders (
            channel, external_id, revision, inbox_id, customer_key, placed_at, decided_as_of,
            currency, items_minor, discount_minor, shipping_minor, tax_minor, total_minor,
            ship_to_country, ship_to_region, run_id)
        SELECT g.channel, id, 1, inbox_id, id, placed_at, placed_at, currency, t.total, 0, 0, tax,
            t.total, country, region, 'intake'
        FROM given AS g JOIN message ON external_id = id
        CROSS JOIN LATERAL (
            SELECT sum(CAST(line ->> 'amount' AS bigint)) AS total
            FROM jsonb_array_elements(lines) AS line) AS t
        ORDER BY id
        RETURNING order_id, external_id, placed_at
    )
    INSERT INTO orders.order_lines (
        order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor,
        line_total_minor)
    SELECT order_id, line.place, line.document ->> 'sku', 1,
        CAST(line.document ->> 'amount' AS bigint), 0, 0,
        CAST(line.document ->> 'amount' AS bigint)
    FROM given AS g JOIN placed ON external_id = id
    CROSS JOIN LATERAL jsonb_array_elements(g.lines) WITH ORDINALITY AS line (document, place)
""")
_ALL = sa.text("SELECT order_id, placed_at AS changed_at FROM orders.orders").columns(
    sa.column("order_id"), sa.column("changed_at")
)
GERMAN: dict[str, Any] = {
    "seller_country": "DE", "is_tax_in_prices": True, "rounding": "line",
    "rounding_mode": "half_up", "tax_point": "order",
}  # fmt: skip


def place(conn: sa.Connection, *orders: dict[str, Any]) -> None:
    usual = {
        "channel": "web", "placed_at": "2020-06-30T12:00Z", "currency": "EUR", "country": "DE",
        "region": None, "tax": 0, "lines": [{"sku": "A", "amount": 11_900}],
    }  # fmt: skip
    given = [{"id": f"{at:03}", **usual, **order} for at, order in enumerate(orders)]
    conn.execute(_PLACE, {"orders": json.dumps(given)})
    open_states(conn, _ALL)


def set_up(conn: sa.Connection, **settings: Any) -> None:
    for rate in RATES:
        tax_rates.add_rate(conn, rate, "law", "ann")
    tax_rates.set_category(conn, "books", sku="B")
    tax_rates.set_channel(conn, "web", **(GERMAN | settings))


def judged(conn: sa.Connection) -> list[sa.Row[Any]]:
    taxes.judge(conn, taxes.next_due(conn, 0, False), "run")
    query = "SELECT * FROM backoffice.order_taxes ORDER BY order_id"
    return list(conn.execute(sa.text(query)).all())


def test_orders_are_held_against_the_rates_of_their_day(conn: sa.Connection) -> None:
    set_up(conn)
    place(
        conn,
        {"tax": 1_900},
        {"tax": 1_901},
        {"tax": 1_641, "placed_at": "2020-07-01T00:00Z"},
        {"tax": 0},
        {"tax": 1_500},
        {"tax": 0, "country": "US"},
        {"tax": 1_900, "country": "FR"},
        {"channel": "other"},
        {"placed_at": "2001-01-01T00:00Z"},
        {"tax": 700, "lines": [{"sku": "B", "amount": 10_700}]},
    )
    rows = judged(conn)
    assert [(row.treatment, row.outcome, row.expected_minor) for row in rows] == [
        ("domestic", "agrees", 1_900), ("domestic", "agrees", 1_900),
        ("domestic", "agrees", 1_641), ("domestic", "not_stated", 1_900),
        ("domestic", "differs", 1_900), ("outside", "agrees", 0), ("origin", "agrees", 1_900),
        ("domestic", "no_rate", None), ("domestic", "agrees", 700),
    ]  # fmt: skip
    assert rows[0].lines[0] | {"tax_rate_id": 0} == {
        "line_no": 1, "tax_category": "standard", "rate_bps": 1900, "tax_rate_id": 0,
        "tax_minor": 1_900,
    }  # fmt: skip
    assert taxes.next_due(conn, 0, False) == []
    assert len(taxes.next_due(conn, 0, True)) == 9


@pytest.mark.parametrize(("tax_point", "expected"), [("order", 1_900), ("invoice", 1_641)])
def test_a_rate_that_changes_in_mid_order(
    conn: sa.Connection, tax_point: str, expected: int
) -> None:
    """Placed at 19 %, supplied at 16 %: the tax point says which of them holds."""
    set_up(conn, tax_point=tax_point)
    place(conn, {"tax": 1_900})
    assert [row.expected_minor for row in judged(conn)] == [1_900]
    conn.execute(sa.text("INSERT INTO documents.series VALUES ('INV-2020', 43)"))
    conn.execute(
        sa.text(
            "INSERT INTO documents.invoices (series, number, order_id, issued_at, currency,"
            " goods_minor, shipping_minor, total_minor, content, template_version, pdf, sha256,"
            " run_id) SELECT 'INV-2020', 42, order_id, '2020-07-02', 'EUR', 11900, 0, 11900, '{}',"
            " 'v', '', '', 'r' FROM orders.orders"
        )
    )
    (row,) = judged(conn)
    assert row.expected_minor == expected
    assert row.outcome == ("agrees" if tax_point == "order" else "differs")
    explained = taxes.explain_invoice(conn, "INV-2020-000042")
    assert explained
    tax = explained["tax"]
    assert isinstance(tax, dict)
    assert tax["lines"][0]["tax_rate_id"] > 0
    assert taxes.explain_invoice(conn, "INV-2020-000043") is None


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    with rolled_back(module_database) as conn:
        yield conn


ORDERS = st.fixed_dictionaries(
    {
        "placed_at": st.sampled_from(["2020-06-30T23:59Z", "2020-07-01T00:00Z", "2021-02-01Z"]),
        "country": st.sampled_from(["DE", "ES", "FR", "US"]),
        "region": st.sampled_from([None, "CN"]),
        "lines": st.lists(
            st.fixed_dictionaries(
                {"sku": st.sampled_from(["A", "B"]), "amount": st.integers(0, 10**9)}
            ),
            min_size=1, max_size=4,
        ),
    }
)  # fmt: skip
CHANNELS = st.fixed_dictionaries(
    {
        "is_tax_in_prices": st.booleans(),
        "rounding": st.sampled_from(["line", "document"]),
        "rounding_mode": st.sampled_from(["half_up", "half_even", "down"]),
        "is_in_oss": st.booleans(),
    }
)


def expected_tax(order: dict[str, Any], channel: dict[str, Any]) -> int | None:
    on = date.fromisoformat(order["placed_at"][:10])
    kind = treatment("DE", order["country"], is_in_oss=channel["is_in_oss"])
    country = taxing_country(kind, "DE", order["country"])
    region = (order["region"] or "") if country == order["country"] else ""
    lines = []
    for line in order["lines"]:
        category = "books" if line["sku"] == "B" else "standard"
        rate = rate_for(RATES, country, region, category, on) if country else None
        if country and rate is None:
            return None
        lines.append(Line(line["amount"], rate.rate_bps if rate else 0))
    mode = Mode(channel["rounding_mode"])
    return sum(line_taxes(lines, channel["is_tax_in_prices"], Rounding(channel["rounding"]), mode))


@given(st.lists(ORDERS, min_size=1, max_size=4), CHANNELS)
@tuned(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_the_database_reckons_like_the_reference(
    scratch: sa.Connection, orders: list[dict[str, Any]], channel: dict[str, Any]
) -> None:
    point = scratch.begin_nested()
    set_up(scratch, **channel)
    place(scratch, *orders)
    found = [row.expected_minor for row in judged(scratch)]
    point.rollback()
    assert found == [expected_tax(order, channel) for order in orders]


def test_a_file_of_rates_is_taken_whole_or_not_at_all(conn: sa.Connection) -> None:
    head = "country,region,tax_category,rate_percent,valid_from_date,valid_to_date"
    good = [head, "fr,,,20,2014-01-01,", "FR,,books,5.5,2014-01-01,"]
    assert tax_files.take_rates(conn, good, "f.csv", "ann") == (2, 0)
    assert tax_files.take_rates(conn, good, "f.csv", "ann") == (0, 2)
    assert tax_files.take_rates(conn, [head, "FR,,,21,2030-01-01,"], "f", "ann") == (1, 0)
    found = [tax_rates.rate_on(conn, "FR", "books", date(year, 1, 1)) for year in (2013, 2029)]
    assert [rate.rate_bps if rate else None for rate in found] == [None, 550]
    standard = [tax_rates.rate_on(conn, "FR", "toys", date(y, 1, 1)) for y in (2029, 2030)]
    assert [rate.rate_bps if rate else None for rate in standard] == [2000, 2100]
    for line, said in (
        ("FRA,,,20,2014-01-01,", "line 2: country 'FRA' is not of ISO 3166-1"),
        ("FR,,,many,2014-01-01,", "line 2: rate_percent must be a number"),
        ("FR,,,19.999,2040-01-01,", "line 2: rate_percent must be a number from 0 to 100"),
        ("FR,,,19,,", "line 2: valid_from_date must say"),
        ("FR,,,19,2020-01-01,", "line 2: 19 % standard in FR from 2020-01-01: another"),
    ):
        with pytest.raises(tax_rates.TaxRefused) as caught:
            tax_files.take_rates(conn, [head, line], "f", "ann")
        assert str(caught.value).startswith(said)
    with pytest.raises(tax_rates.TaxRefused, match="no column rate_percent"):
        tax_files.take_rates(conn, ["country,region,tax_category", "x"], "f", "ann")


AS_OF = datetime(2021, 1, 1, tzinfo=UTC)


def test_the_threshold_says_when_it_was_passed_and_what_it_does_not_know(
    conn: sa.Connection,
) -> None:
    set_up(conn)
    large = [{"sku": "A", "amount": 600_000}]
    place(
        conn,
        {"country": "FR", "lines": large, "placed_at": "2020-02-01T00:00Z"},
        {"country": "AT", "lines": large, "placed_at": "2020-03-01T00:00Z"},
        {"country": "PL", "lines": large, "placed_at": "2020-04-06T00:00Z", "currency": "PLN"},
        {"country": "SE", "lines": large, "placed_at": "2020-04-01T00:00Z", "currency": "SEK"},
        {"country": "US", "lines": large},
        {"country": "DE", "lines": large},
    )
    rows = [("PLN", date(2020, 4, 3), Decimal("4.5")), ("SEK", date(2020, 3, 1), Decimal(11))]
    assert tax_rates.take_exchange_rates(conn, rows, "ECB") == 2
    assert tax_rates.take_exchange_rates(conn, rows, "ECB") == 0
    assert oss.count_turnover(conn, 2020, AS_OF, "run") == 4
    (line,) = oss_lines(conn, AS_OF)
    assert line.startswith("2020 from DE: 4 orders, 13,333.33 EUR, passed 10,000 EUR on 2020-03-01")
    assert "AT LEAST: 1 orders in SEK have no exchange rate" in line


def test_the_assets_show_what_they_found(database: DatabaseResource) -> None:
    with database.begin() as conn:
        set_up(conn)
        place(conn, {"tax": 1_900}, {"tax": 5}, {"country": "FR", "tax": 1_900})
    job = build_defs({"database": database}).resolve_job_def("backoffice_taxes")
    config = {
        "ops": {"backoffice__oss_turnover": {"config": {"as_of": "2020-12-31T00:00+00:00"}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=config, instance=instance)
    assert result.success
    (shown,) = result.asset_materializations_for_node("backoffice__order_taxes")
    assert shown.metadata["judged"].value == 3
    assert "differs" in str(shown.metadata["by_channel_and_country"].value)
    (shown,) = result.asset_materializations_for_node("backoffice__oss_turnover")
    assert "2020 from DE: 1 orders, 100.00 EUR, below" in str(shown.metadata["standing"].value)
