"""The decision of new orders and of changes in one go, composed of the steps of the areas.

Beside `definitions` and `replaying` the only module that knows several areas. Orders that somebody
waits for go through all deciding stages in one transaction: one commit instead of nine. The steps
are those of the areas' assets, so it makes no difference to an order which way it went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from ecom_assets.fraud import store as fraud
from ecom_assets.inventory import store as inventory
from ecom_assets.orders import store as orders
from ecom_assets.orders.store import figures
from ecom_assets.payments import store as payments
from ecom_assets.risk import store as risk
from ecom_assets.shared import flow
from ecom_assets.shared.flow import Stage
from ecom_assets.transport import store as transport
from ecom_assets.warehouse import store as warehouse
from resources.database import be_impatient
from resources.retry import retried

MOST = 200
"""Orders decided in one transaction. Where more wait they go stage by stage, so that what came in
at once, such as an import, is decided in the order of its moments, however it is cut."""

Begin = Callable[[], AbstractContextManager[sa.Connection]]
Advanced = dict[str, Counter[str]]
"""Counts per table, as `area/table`; only tables that a step advanced are in it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of the decision.

    Attributes:
        stage: whose orders it advances.
        tables: the assets it writes, as `area/table`.
        step: advances the claimed orders, given connection and run id.
        make_ready: brings about what the stage needs, in a transaction of its own.
        call: hands further orders to the stage once nobody waits for it, and says how many; in a
            transaction of its own.
    """

    stage: Stage
    tables: tuple[str, ...]
    step: Callable[[sa.Connection, str], Mapping[str, int]]
    make_ready: Callable[[sa.Connection], object] | None = None
    call: Callable[[sa.Connection], int] = lambda _: 0


_ACCEPTED = ("orders/inbox", "orders/orders", "orders/order_lines")
PARTS = (
    Part(
        Stage.PAYMENT,
        ("payments/transactions", "payments/order_payments"),
        payments.match_payments,
    ),
    Part(Stage.SCORE, ("fraud/sightings", "fraud/order_scores"), fraud.score_orders),
    Part(Stage.RISK, ("risk/decisions",), risk.decide_orders),
    Part(
        Stage.RESERVE,
        ("inventory/reservations",),
        inventory.reserve,
        inventory.assemble_kits,
        inventory.call_backorders,
    ),
    Part(Stage.ALLOCATE, ("warehouse/allocations",), warehouse.allocate),
    Part(Stage.CARRIER, ("transport/carrier_choices",), transport.choose_carriers),
)
"""The stages after acceptance, in order."""


CHANGES = (
    Part(Stage.UNALLOCATE, ("warehouse/withdrawals",), warehouse.withdraw),
    Part(Stage.RELEASE, ("inventory/releases",), inventory.release),
    Part(Stage.SETTLE, ("orders/settlements",), orders.settle_changes),
    Part(Stage.RETURN_MONEY, ("payments/planned_releases",), payments.plan_releases),
)
"""The stages that carry out a cancellation or an edit, in order."""


_ROUNDS = 4
"""How often one call looks for changes: an edited order begins anew, then its money is given back,
then another change of it may begin. What is left then is the next call's."""


class _InSteps(Exception):
    """Kits must be made before orders reserve, or stock came for others before these get sites."""


def is_due(conn: sa.Connection) -> bool:
    """Whether a message is pending, an order waits to be decided, or a change to be carried out."""
    return (
        figures.has_pending(conn)
        or flow.is_anyone_waiting(conn, flow.DECIDING)
        or _is_change_due(conn)
    )


def _is_change_due(conn: sa.Connection) -> bool:
    return flow.is_anyone_waiting(conn, flow.CHANGING) or orders.count_startable(conn) > 0


def decide(begin: Begin, run: str, warn: Callable[[str], object]) -> Advanced:
    """Take what waits from the inbox to the choice of its carrier, and carry out changes.

    Few orders go through all stages in one transaction. Many, or few of which a stage cannot take
    one, go stage by stage, so that those at other stages pass.

    Args:
        begin: opens a transaction that commits on success.
        run: Dagster run id.
        warn: told why the orders could not go together.

    Returns:
        What was advanced; empty if nothing waited.

    Raises:
        Exception: what the first stage that failed raised, after the others had their turn.
    """
    advanced = _decide(begin, run, warn)
    for _ in range(_ROUNDS):
        with begin() as conn:
            if not _is_change_due(conn):
                break
        _add(advanced, _change(begin, run, warn))
        _add(advanced, _decide(begin, run, warn))
    return advanced


def _add(advanced: Advanced, more: Advanced) -> None:
    for table, counts in more.items():
        advanced.setdefault(table, Counter()).update(counts)


def _decide(begin: Begin, run: str, warn: Callable[[str], object]) -> Advanced:
    if _are_many(begin):
        return _apart(begin, run)
    try:
        return retried(partial(_together, begin, run))
    except _InSteps:
        return _apart(begin, run)
    except Exception as error:  # whatever it is, it may be one order's
        warn(f"deciding stage by stage: {error}")
        return _apart(begin, run)


def _change(begin: Begin, run: str, warn: Callable[[str], object]) -> Advanced:
    advanced: Advanced = {}
    started = orders.start_pending(begin, run)
    _note(advanced, ("orders/changes",), started, started.total())
    try:
        _add(advanced, retried(partial(_changed_together, begin, run)))
    except Exception as error:  # as above
        warn(f"changing stage by stage: {error}")
        _in_turn(begin, run, CHANGES, advanced)
    return advanced


def _changed_together(begin: Begin, run: str) -> Advanced:
    advanced: Advanced = {}
    with begin() as conn:
        be_impatient(conn)
        for part in CHANGES:
            _advance(conn, run, part, advanced)
    return advanced


def _advance(conn: sa.Connection, run: str, part: Part, advanced: Advanced) -> None:
    if claimed := flow.claim(conn, part.stage, MOST):
        _note(advanced, part.tables, part.step(conn, run), claimed)


def _are_many(begin: Begin) -> bool:
    with begin() as conn:
        waiting = figures.count_pending(conn, MOST + 1)
        return waiting + flow.count_waiting(conn, flow.DECIDING, MOST + 1) > MOST


def _together(begin: Begin, run: str) -> Advanced:
    advanced: Advanced = {}
    with begin() as conn:
        # A worker stopped in the middle must not keep its orders, and all scoring, for long.
        be_impatient(conn)
        accepted = orders.accept_once(conn, run, MOST)
        _note(advanced, _ACCEPTED, accepted, accepted["messages"])
        for part in PARTS:
            if part.stage is Stage.SCORE:
                fraud.score_alone(conn)
            if part.stage is Stage.RESERVE and inventory.are_kits_asked(conn):
                raise _InSteps
            _advance(conn, run, part, advanced)
            if part.stage is Stage.RESERVE and inventory.are_noted(conn):
                raise _InSteps
    return advanced


def _apart(begin: Begin, run: str) -> Advanced:
    accepted = orders.accept_pending(begin, run)
    advanced: Advanced = {}
    _note(advanced, _ACCEPTED, accepted, accepted["messages"])
    _in_turn(begin, run, PARTS, advanced)
    return advanced


def _in_turn(begin: Begin, run: str, parts: tuple[Part, ...], advanced: Advanced) -> None:
    failed: list[Exception] = []
    for part in parts:
        try:
            counts = _drain(begin, run, part)
        except Exception as error:  # raised below: the orders behind it go on meanwhile
            failed.append(error)
        else:
            _note(advanced, part.tables, counts, counts["orders"])
    if failed:
        raise failed[0]


def _drain(begin: Begin, run: str, part: Part) -> Counter[str]:
    own = partial(fraud.one_at_a_time, begin) if part.stage is Stage.SCORE else begin
    step = partial(_step, part, run)
    retried(partial(_make_ready, begin, part))
    counts = flow.drain(own, part.stage, step, run=run)
    while retried(partial(_call, begin, part)):
        counts.update(flow.drain(own, part.stage, step, run=run))
    return counts


def _make_ready(begin: Begin, part: Part) -> None:
    if part.make_ready:
        with begin() as conn:
            part.make_ready(conn)


def _call(begin: Begin, part: Part) -> int:
    _make_ready(begin, part)
    with begin() as conn:
        return part.call(conn)


def _step(part: Part, run: str, conn: sa.Connection) -> Mapping[str, int]:
    return part.step(conn, run)


def _note(advanced: Advanced, tables: tuple[str, ...], counts: Mapping[str, int], n: int) -> None:
    if n:
        for table in tables:
            advanced[table] = Counter({**counts, "orders": n})
