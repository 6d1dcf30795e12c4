"""Repricing through Dagster: plans with reasons, automatic lists, the sensor, backtests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom import cli
from ecom_assets.definitions import build_defs
from ecom_assets.orders.tables import INBOX, ORDER_LINES, ORDERS
from ecom_assets.pricing import store
from ecom_assets.pricing.model import Rule, RuleKind
from ecom_assets.pricing.store import analysis, backtests
from ecom_assets.pricing.store.observations import observe
from fixtures.priced_shop import NOON, PricedShop, day
from jobs.pricing import PRICING_BACKTEST, PRICING_ELASTICITY, PRICING_REPRICE
from resources.database import DatabaseResource
from sensors.pricing import PARTITIONS, pricing_feeds_arrived

SKUS = "ABCDEF"


@pytest.fixture
def open_shop(database: DatabaseResource) -> DatabaseResource:
    """The priced shop, committed, with a rule in force since the first day."""
    with database.begin() as conn:
        shop = PricedShop(conn)
        shop.add_products(*SKUS)
        shop.take_costs(**dict.fromkeys(SKUS, 600))
        shop.take_prices(**dict.fromkeys(SKUS, 1_000))
        store.limit(conn, shop.list_id(), margin_bps=1_000)
        shop.rule("plus", "cost_plus", markup_bps=5_000)
    return database


def run_job(database: DatabaseResource, name: str, instance: dg.DagsterInstance,
            config: dict[str, Any], **options: Any) -> dg.ExecuteInProcessResult:  # fmt: skip
    job = build_defs({"database": database}).resolve_job_def(name)
    return job.execute_in_process(run_config={"ops": config}, instance=instance, **options)


def metadata_of(result: dg.ExecuteInProcessResult, key: list[str]) -> dict[str, Any]:
    events = [event.materialization for event in result.get_asset_materialization_events()
              if event.asset_key == dg.AssetKey(key)]  # fmt: skip
    return {name: value.value for name, value in events[-1].metadata.items()}


def test_a_run_plans_and_applies_only_for_automatic_lists(open_shop: DatabaseResource) -> None:
    config = {"price_plans": {"config": {"as_of": day(1).isoformat()}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_job(open_shop, PRICING_REPRICE.name, instance, config)
        lines = metadata_of(result, ["pricing", "plan_lines"])
        assert "plus@1" in lines["moves"]
        assert metadata_of(result, ["pricing", "price_plans"])["lines_change"] == 6
        with open_shop.begin() as conn:
            assert PricedShop(conn).price("A", day(1)) == 1_000
            store.open_list(conn, "web", "EUR", is_automatic=True)
        config["price_plans"]["config"]["as_of"] = day(2).isoformat()
        result = run_job(open_shop, PRICING_REPRICE.name, instance, config)
        # the plan of the day before is of an automatic list now and still right; the second one
        # was made on the prices before it
        found = metadata_of(result, ["pricing", "prices"])
        assert (found["plans_verified"], found["plans_stale"]) == (1, 1)
    with open_shop.begin() as conn:
        assert PricedShop(conn).price("A", day(2)) == 900


def evaluate(
    database: DatabaseResource, instance: dg.DagsterInstance
) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    answer = pricing_feeds_arrived(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def test_feeds_that_came_ask_for_one_run_that_sees_them_all(open_shop: DatabaseResource) -> None:
    with open_shop.begin() as conn:
        PricedShop(conn).take_offers(day(0), A=990)
    with dg.DagsterInstance.ephemeral() as instance:
        answer = evaluate(open_shop, instance)
        assert isinstance(answer, dg.RunRequest)
        assert answer.tags["ecom/waiting"] == "1 of costs, 1 of offers"
        assert instance.get_dynamic_partitions(PARTITIONS) == ["web"]
        result = run_job(open_shop, PRICING_REPRICE.name, instance, answer.run_config["ops"])
        assert result.success
        assert isinstance(evaluate(open_shop, instance), dg.SkipReason)


def sell(conn: sa.Connection, sku: str, units: int, price: int, at: Any, number: str) -> None:
    inbox = {"channel": "web", "external_id": number, "revision": 1, "payload": {},
             "payload_hash": number, "received_at": at, "state": "accepted"}  # fmt: skip
    made = sa.insert(INBOX).values(inbox).returning(INBOX.c.inbox_id)
    inbox_id = conn.execute(made).scalar_one()
    money = dict.fromkeys(("items_minor", "discount_minor", "shipping_minor", "tax_minor"), 0)
    order = {"channel": "web", "external_id": number, "revision": 1, "inbox_id": inbox_id,
             "customer_key": "c", "placed_at": at, "decided_as_of": at, "currency": "EUR",
             "total_minor": 0, "ship_to_country": "DE", "run_id": "x", **money}  # fmt: skip
    order_id = conn.execute(
        sa.insert(ORDERS).values(order).returning(ORDERS.c.order_id)
    ).scalar_one()
    conn.execute(sa.insert(ORDER_LINES).values(
        order_id=order_id, line_no=1, sku=sku, quantity=units, unit_price_minor=price,
        discount_minor=0, tax_minor=0, line_total_minor=units * price,
    ))  # fmt: skip


def test_a_backtest_reckons_the_money_and_touches_no_price(open_shop: DatabaseResource) -> None:
    with open_shop.begin() as conn:
        shop = PricedShop(conn)
        for week in range(3):
            sell(conn, "A", 2, 1_000, day(week * 7 + 1), f"o{week}")
        before = shop.prices(day(30))
        tried = [Rule("more", 0, RuleKind.COST_PLUS, {"markup_bps": 10_000})]
        number = backtests.backtest(conn, shop.list_id(), tried, NOON, day(21), "run")
        found = backtests.found(conn, number)
        assert shop.prices(day(30)) == before
    # three weeks, two units a week, 200 more each
    assert (found["moments"], found["moved"], found["units"]) == (3, 18, 6)
    assert found["margin_change_minor"] == 6 * 200
    assert found["expected_change_minor"] is None, "no elasticity is known"
    assert found["summary"]["products"][0] == ["A", 1_200]


def test_backtests_are_partitioned_by_channel(open_shop: DatabaseResource) -> None:
    rule = {"name": "more", "kind": "cost_plus", "parameters": {"markup_bps": 10_000}}
    past = {"from_date": NOON.isoformat(), "to_date": day(7).isoformat()}
    config = {"pricing__backtests": {"config": {"rules": [rule], **past}}}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(PARTITIONS, ["web"])
        result = run_job(open_shop, PRICING_BACKTEST.name, instance, config, partition_key="web")
    assert metadata_of(result, ["pricing", "backtests"])["lists"] == 1


def test_observed_weeks_carry_prices_costs_and_tests(open_shop: DatabaseResource) -> None:
    with open_shop.begin() as conn:
        shop = PricedShop(conn)
        for week, units in ((0, 3), (2, 1)):
            sell(conn, "A", units, 1_000 + week, day(week * 7 + 1), f"o{week}")
        drawn = analysis.draw_test(conn, "t", shop.list_id(), ["A"], NOON, 4, 500, 1, "run")
        seen = observe(conn, "web", "EUR", day(28), 4)
    assert drawn == 4
    assert seen.skus == ["A"]
    assert seen.panel.units.tolist() == [[3, 0, 1, 0]]
    assert seen.panel.price.tolist() == [[1_000, 1_000, 1_002, 1_002]]
    assert seen.panel.seen.tolist() == [[True, True, True, False]]
    assert seen.panel.cost.tolist() == [[600] * 4]
    assert set(seen.panel.test[0].tolist()) <= {-0.05, 0.0, 0.05}


def test_elasticities_of_few_sales_are_kept_and_not_usable(open_shop: DatabaseResource) -> None:
    with open_shop.begin() as conn:
        for number, sku in enumerate(SKUS):
            sell(conn, sku, 2, 1_000, day(number), f"e{number}")
    config = {"pricing__elasticities": {"config": {"as_of": day(30).isoformat()}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_job(open_shop, PRICING_ELASTICITY.name, instance, config)
    found = metadata_of(result, ["pricing", "elasticities"])
    assert found["products_web_EUR"] == 6
    assert "best_sellers_with_intervals" in found
    with open_shop.begin() as conn:
        usable = conn.execute(sa.text("SELECT DISTINCT is_usable FROM pricing.elasticities"))
        assert list(usable.scalars()) == [False]


def test_a_markdown_plan_says_why_it_is_not_automated(open_shop: DatabaseResource) -> None:
    test_elasticities_of_few_sales_are_kept_and_not_usable(open_shop)
    with open_shop.begin() as conn:
        shop = PricedShop(conn)
        conn.execute(sa.text(
            "INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)"
            " VALUES ('A', 'N', 'receipt', 40, '2026-05-02Z', 'r')"
        ))  # fmt: skip
        made = analysis.plan_markdowns(conn, shop.list_id(), list(SKUS), 6, day(31), "run")
        row = conn.execute(sa.text("SELECT * FROM pricing.markdown_plans")).one()
    assert made == 1
    assert (row.stock, len(row.prices), row.is_automated) == (40, 6, False)
    assert "elasticity_is_an_association" in row.reasons


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    open_shop: DatabaseResource, tmp_path: Path,
) -> Run:  # fmt: skip
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", open_shop.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def test_an_operator_goes_from_a_file_to_live_prices_and_back(ecom: Run, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("""
        [[list]]
        list = "web/EUR"
        approve_above_bps = 100
        [[limit]]
        list = "web/EUR"
        sku = "B"
        minimum_minor = 950
        [[promotion]]
        name = "june"
        list = "web/EUR"
        discount_bps = 500
        is_combinable = false
        starts_at = 2026-06-01
        ends_at = 2026-06-08
        [[coupon]]
        code = "WELCOME"
        discount_bps = 1000
        is_combinable = false
        starts_at = 2026-01-01
        ends_at = 2027-01-01
        [[rule]]
        name = "sale"
        kind = "promotion"
    """)
    assert ecom("prices", "rules", str(file), "--at", "2026-05-02")[1].splitlines()[-1] == (
        "rule sale@1 is in force"
    )
    at = ("--at", "2026-06-02")
    assert "awaiting; 6 lines, 6 move" in ecom("prices", "plan", *at, "--by", "ann")[1]
    code, out, _ = ecom("prices", "show", "2")
    assert "B: change 10.00 EUR -> 9.50 EUR (by plus@1+sale@1; proposed 8.55 EUR; bound by" in out
    assert "not ready" in ecom("prices", "apply", "2")[2]
    assert "another person" in ecom("prices", "approve", "2", "--by", "ann")[2]
    assert ecom("prices", "approve", "2", "--by", "bob")[1] == "plan 2 is ready\n"
    assert "is verified: 6 prices began, 6 ended" in ecom("prices", "apply", "2")[1]
    quoted = json.loads(ecom("prices", "quote", "web", "A:3", "Z", "--currency", "EUR", "--json",
                             "--at", "2026-06-03")[1])  # fmt: skip
    assert [line["price_minor"] for line in quoted["lines"]] == [855, None]
    assert "plan 2 is undone" in ecom("prices", "rollback", "2", "--at", "2026-06-04")[1]
    assert "6 prices" in ecom("prices", "lists", "--at", "2026-06-05")[1]
    prices = tmp_path / "new.csv"
    prices.write_text("sku,price\nA,10.10\nB,Nill\nC,#REF!\nD,1\n")
    code, out, _ = ecom("import", "prices", str(prices), "--currency", "EUR", "--channel", "web",
                        "--at", "2026-06-06")  # fmt: skip
    assert "4 entries = 1 accepted + 0 unchanged + 1 flagged + 2 parked" in out
    assert "taken before" in ecom("import", "prices", str(prices), "--currency", "EUR",
                                  "--channel", "web")[1]  # fmt: skip
    rules = tmp_path / "try.toml"
    rules.write_text('[[rule]]\nname = "x"\nkind = "cost_plus"\nparameters = {markup_bps = 9000}\n')
    code, out, _ = ecom("prices", "backtest", str(rules), "--list", "1", "--from", "2026-05-02",
                        "--to", "2026-05-20")  # fmt: skip
    assert (code, out.splitlines()[0][:9]) == (0, "3 moments")


def test_a_slip_is_one_line(ecom: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[[rule]]\nname = "x"\nkind = "magic"\n')
    for arguments, problem in (
        (("prices", "rules", str(bad)), "rule 1: kind must be one of"),
        (("prices", "show", "99"), "there is no price plan 99"),
        (("prices", "apply", "99"), "there is no price plan 99"),
        (("prices", "plan", "--list", "77"), "there is no price list 77"),
        (("import", "prices", str(tmp_path / "none.csv")), "none.csv"),
    ):
        code, out, err = ecom(*arguments)
        assert (code, out) == (1, "")
        assert problem in err
