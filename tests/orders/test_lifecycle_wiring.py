"""Changes and holds through Dagster and the command line; the rules of a partial cancellation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom import cli
from ecom_assets.documents.rules import apportion
from ecom_assets.orders import store
from ecom_assets.orders.assets import lifecycle
from ecom_assets.orders.rules import keep_units
from ecom_assets.payments.assets import planned_releases
from ecom_assets.payments.rules import PaymentState, money_to_return
from ecom_assets.shared import holds
from ecom_assets.shared.flow import NEXT, Stage, drain, hand_on
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop with one order that was reviewed and held."""
    shop = ChangedShop(database)
    shop.open()
    shop.send("A", document(2, paid=100))
    shop.advance()
    return shop


def materialise(shop: ChangedShop, *assets: dg.AssetsDefinition, as_of: str | None = None) -> None:
    """Run assets as a job would."""
    config = {"ops": {"orders__holds": {"config": {"as_of": as_of}}}} if as_of else None
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"database": shop.database}
        result = dg.materialize(assets, instance=instance, resources=resources, run_config=config)
    assert result.success


def pass_through(shop: ChangedShop) -> None:
    for stage in (Stage.UNALLOCATE, Stage.RELEASE):

        def step(conn: sa.Connection, stage: Stage = stage) -> dict[str, int]:
            rows = sa.text("SELECT order_id, due_at FROM claimed")
            named = rows.columns(sa.column("order_id"), sa.column("due_at"))
            return {"passed": hand_on(conn, NEXT[stage], named)}

        drain(shop.database.begin, stage, step)


def test_the_assets_carry_a_cancellation_out(shop: ChangedShop) -> None:
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order(), None, minute(5), "ann")
    materialise(shop, lifecycle.changes)
    pass_through(shop)
    materialise(shop, lifecycle.settlements, planned_releases)
    assert shop.states()[2] == "cancelled"
    assert shop.rows("SELECT amount_minor FROM payments.planned_releases") == [(100,)]


def test_the_asset_ends_holds_that_expired_by_the_given_moment(shop: ChangedShop) -> None:
    shop.send("B", document(1))
    with shop.database.begin() as conn:
        order = sa.select(sa.literal(shop.order("B")))
        holds.hold(conn, order, "x", "ann", minute(1), minute(60))
    materialise(shop, lifecycle.holds)
    assert shop.states("B")[3] == "held"
    materialise(shop, lifecycle.holds, as_of=minute(61).isoformat())
    assert shop.states("B")[3] == "none"
    assert shop.states("A")[3] == "held", "a review ends by a decision only"


@given(st.integers(0, 10**12), st.integers(1, 10**6), st.data())
def test_what_is_kept_of_an_amount_is_what_an_invoice_would_charge(
    amount: int, ordered: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, ordered))
    assert keep_units(amount, ordered, kept) == apportion(amount, (kept, ordered - kept))[0]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(2, 9), st.integers(0, 999), st.integers(0, 999), st.data())
def test_the_database_keeps_the_share_that_the_rule_keeps(
    shop: ChangedShop, units: int, discount: int, tax: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(1, units - 1))
    (messages,) = shop.rows("SELECT count(*) FROM orders.inbox")
    name = f"H{messages[0]}"
    body = document(units)
    body["lines"][0] |= {"discount_minor": discount, "tax_minor": tax}
    shop.send(name, body)
    with shop.database.begin() as conn:
        line = {"line_no": 1, "quantity": taken}
        store.cancel(conn, shop.order(name), [line], minute(5), "ann")
    shop.change()
    kept = units - taken
    found = """
        SELECT quantity, discount_minor, tax_minor FROM orders.order_lines
        WHERE order_id = :order AND line_no = 1
    """
    assert shop.rows(found, order=shop.order(name)) == [
        (kept, keep_units(discount, units, kept), keep_units(tax, units, kept))
    ]


@given(st.booleans(), st.sampled_from(PaymentState), st.integers(0, 10**9), st.integers(0, 10**9))
def test_nobody_gets_back_more_than_was_authorised(
    is_cancelled: bool, state: PaymentState, authorised: int, due: int
) -> None:
    if state is PaymentState.OVERPAID:
        authorised = max(authorised, due)
    returned = money_to_return(is_cancelled, state, authorised, due)
    assert 0 <= returned <= authorised


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    shop: ChangedShop,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")  # set by an open platform, restored after the test
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", shop.database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def test_an_operator_holds_releases_shows_and_cancels(shop: ChangedShop, ecom: Run) -> None:
    shop.send("B", document(3))
    code, out, _ = ecom("order", "web/A", "--json", "--at", minute(5).isoformat())
    found = json.loads(out)
    assert (code, found["risk_state"], found["hold_state"]) == (0, "review", "held")
    assert found["timeline"][0]["event"] == "order_accepted"
    assert "held already" in ecom("orders", "hold", "web/A")[2]
    assert ecom("orders", "release", "web/A")[1] == "web/A is accepted\n"
    assert ecom("orders", "hold", "web/B", "--reason", "odd", "--hours", "2")[0] == 0
    assert ecom("orders", "release", str(shop.order("B")))[0] == 0
    assert "is not held" in ecom("orders", "release", "web/B")[2]
    assert "is not in review" in ecom("orders", "release", "web/B", "--reject")[2]
    assert ecom("orders", "cancel", "web/B", "--line", "1:2", "--at", "2026-05-02")[0] == 0
    shop.change()
    assert "1 x SKU-1" in ecom("orders", "show", "web/B")[1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("order", "web/Z"), "there is no accepted order web/Z"),
        (("order", "Z"), "is no order"),
        (("order", "9" * 30), "is no order"),
        (("order", "web/A", "--at", "2020-01-01"), "was not accepted by"),
        (("orders", "cancel", "web/A", "--line", "2x1"), "is no line"),
    ],
)
def test_a_slip_of_an_operator_is_one_line(
    ecom: Run, arguments: tuple[str, ...], problem: str
) -> None:
    code, out, err = ecom(*arguments)
    assert (code, out) == (1, "")
    assert problem in err
