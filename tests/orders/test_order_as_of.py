"""An order as of any moment: the timeline folded is what it was then, and what it is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom.order_report import report, text
from ecom.problems import Problem
from ecom_assets.orders import store
from ecom_assets.shared import holds
from ecom_assets.shared.flow import Stage
from fixtures.changed_shop import STEPS, ChangedShop, document, minute
from resources.database import DatabaseResource

STATES = "payment_state, risk_state, fulfilment_state, hold_state"
AS_OF = sa.text(f"""
    SELECT {STATES}, changed_at, revision, total_minor, lines
    FROM decisions.order_as_of(:order, :moment)
""")  # noqa: S608 - names above
NOW = sa.text(f"""
    SELECT {STATES}, changed_at, revision, total_minor,
        orders.content_of(order_id) -> 'lines' AS lines
    FROM flow.order_states JOIN orders.orders USING (order_id) WHERE order_id = :order
""")  # noqa: S608 - names above

Act = Callable[[ChangedShop, str, float], None]


def _edit(units: int, paid: int | None) -> Act:
    return lambda shop, name, at: shop.send(name, document(units, paid), at)


def _cancel(shop: ChangedShop, name: str, at: float) -> None:
    with shop.database.begin() as conn:
        store.cancel(conn, shop.order(name), [{"line_no": 1, "quantity": 1}], minute(at), "ann")


def _hold(shop: ChangedShop, name: str, at: float) -> None:
    with shop.database.begin() as conn:
        holds.hold(conn, sa.select(sa.literal(shop.order(name))), "x", "ann", minute(at))


def _release(shop: ChangedShop, name: str, at: float) -> None:
    with shop.database.begin() as conn:
        holds.release(conn, sa.select(sa.literal(shop.order(name))), "ann", minute(at))


def _advance(stage: Stage) -> Act:
    return lambda shop, name, at: shop.advance(stage)


ACTS = st.sampled_from(
    [_edit(1, None), _edit(4, 100), _edit(2, 9000), _cancel, _hold, _release]
    + [_advance(stage) for stage in STEPS if stage in (Stage.PAYMENT, Stage.RISK)]
)


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop."""
    shop = ChangedShop(database)
    shop.open(1000)
    return shop


def _look(shop: ChangedShop, statement: sa.TextClause, **given: Any) -> tuple[Any, ...]:
    with shop.database.begin() as conn:
        return tuple(conn.execute(statement, given).one())


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=5), data=st.data())
def test_the_timeline_folded_is_what_was_recorded_then_and_is_now(
    shop: ChangedShop, acts: list[Act], data: st.DataObject
) -> None:
    # Hypothesis keeps the shop: every example has an order of its own, at its own hours.
    number = shop.rows("SELECT count(*) FROM orders.orders")[0][0]
    name, clock = f"H{number}", 100.0 * number
    shop.send(name, document(3), clock)
    order, recorded = shop.order(name), {}
    for step, act in enumerate(acts, start=1):
        moment = minute(clock + 10 * step)
        act(shop, name, clock + 10 * step)
        shop.change()
        recorded[moment] = _look(shop, NOW, order=order)
        assert _look(shop, AS_OF, order=order, moment=minute(1e7)) == recorded[moment]
    shop.advance()
    for moment, known in recorded.items():
        # What was done later about an earlier moment, such as a payment that was matched as of the
        # order's own moment, is known of that moment now; what a person did is not moved.
        found = _look(shop, AS_OF, order=order, moment=moment)
        assert found[5:] == known[5:], "revision, total and lines are those of the moment"
    assert _look(shop, AS_OF, order=order, moment=minute(1e7)) == _look(shop, NOW, order=order)


def test_every_snapshot_of_an_order_comes_back(shop: ChangedShop) -> None:
    shop.send("A", document(3, paid=100))
    shop.advance()
    snapshots = {minute(5): _look(shop, NOW, order=shop.order())}
    shop.send("A", document(4, paid=200), at=10)
    shop.change()
    shop.advance()
    snapshots[minute(15)] = _look(shop, NOW, order=shop.order())
    _cancel(shop, "A", 20)
    shop.change()
    shop.advance()
    snapshots[minute(25)] = _look(shop, NOW, order=shop.order())
    shop.send("A", document(2), at=30)
    shop.change()
    shop.advance()
    snapshots[minute(35)] = _look(shop, NOW, order=shop.order())
    assert [found[2] for found in snapshots.values()] == ["new", "new", "new", "shipped"]
    for moment, known in snapshots.items():
        assert _look(shop, AS_OF, order=shop.order(), moment=moment) == known


def test_before_its_acceptance_an_order_is_not_there(shop: ChangedShop) -> None:
    shop.send("A", document(1))
    given = {"order": shop.order(), "moment": minute(-1)}
    with shop.database.begin() as conn:
        assert conn.execute(AS_OF, given).all() == []
        with pytest.raises(Problem, match="was not accepted by"):
            report(conn, shop.order(), minute(-1))


def test_the_report_reads_like_a_story(shop: ChangedShop) -> None:
    shop.send("A", document(3, paid=100))
    shop.advance()
    shop.send("A", document(2), at=10)
    shop.change()
    shop.advance()
    with shop.database.begin() as conn:
        now = "\n".join(text(report(conn, shop.order(), minute(60))))
        then = text(report(conn, shop.order(), minute(5)))
    assert "web/A" in now
    assert "payment authorised, risk accepted, fulfilment shipped, hold none" in now
    assert "fulfilment: new -> reserved" in now
    assert "2 x SKU-1" in now
    assert "before" not in now
    assert "payment underpaid, risk review, fulfilment new, hold held" in then
    assert any("3 x SKU-1" in line for line in then)
