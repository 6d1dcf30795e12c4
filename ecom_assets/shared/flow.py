"""The order path as a queue per stage: who is next, claimed safely by any number of workers.

A stage claims orders, does its work and hands them on in *one* transaction, so a killed run leaves
every order either before the stage or after it. Claims use `FOR UPDATE SKIP LOCKED`; no cursor over
ids exists, so orders whose transactions commit out of order are never missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import lru_cache, partial

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from ecom_assets.shared.columns import METADATA, Rows, flag, moment, reference, text
from ecom_assets.shared.setting_aside import NO_RUN, Chunks
from ecom_assets.shared.states import ORDER_STATES
from ecom_assets.shared.working import analyse

CHUNK = 20_000
"""Orders a stage advances in one transaction: large enough to be set-based, small enough to show
progress and to keep a killed run's loss small."""


class Stage(StrEnum):
    """Stages of the order path, in order; `NEXT` says which follow which."""

    CUSTOMER = "customer"
    PAYMENT = "payment"
    SCORE = "score"
    RISK = "risk"
    RESERVE = "reserve"
    ALLOCATE = "allocate"
    CARRIER = "carrier"
    SHIP = "ship"
    POST_SALE = "post_sale"
    PACKING_SLIP = "packing_slip"
    INVOICE = "invoice"
    NOTIFY_CONFIRMED = "notify_confirmed"
    NOTIFY_SHIPPED = "notify_shipped"
    UNALLOCATE = "unallocate"
    RELEASE = "release"
    SETTLE = "settle"
    RETURN_MONEY = "return_money"


NEXT: dict[Stage, tuple[Stage, ...]] = {
    Stage.CUSTOMER: (),
    Stage.PAYMENT: (Stage.SCORE,),
    Stage.SCORE: (Stage.RISK,),
    Stage.RISK: (Stage.RESERVE, Stage.NOTIFY_CONFIRMED),
    Stage.RESERVE: (Stage.ALLOCATE,),
    Stage.ALLOCATE: (Stage.CARRIER,),
    Stage.CARRIER: (Stage.SHIP,),
    Stage.SHIP: (Stage.POST_SALE, Stage.PACKING_SLIP, Stage.INVOICE, Stage.NOTIFY_SHIPPED),
    Stage.POST_SALE: (),
    Stage.PACKING_SLIP: (),
    Stage.INVOICE: (),
    Stage.NOTIFY_CONFIRMED: (),
    Stage.NOTIFY_SHIPPED: (),
    # A cancelled or edited order takes back what was decided, then is settled: ended or anew.
    Stage.UNALLOCATE: (Stage.RELEASE,),
    Stage.RELEASE: (Stage.SETTLE,),
    Stage.SETTLE: (),
    Stage.RETURN_MONEY: (),
}
"""The stages an order is handed to when a stage let it pass."""

FIRST: tuple[Stage, ...] = (Stage.CUSTOMER, Stage.PAYMENT)
"""The stages an accepted order is handed to."""

HOLDABLE: tuple[Stage, ...] = (
    Stage.PAYMENT, Stage.SCORE, Stage.RISK, Stage.RESERVE, Stage.ALLOCATE, Stage.CARRIER,
    Stage.SHIP,
)  # fmt: skip
"""Stages that decide about an order or let goods leave: a hold stops them, a change undoes them.
They follow each other, so an order waits for one of them at most. The others keep the books of what
has happened, or take back what a change makes void; those go on."""

DECIDING: tuple[Stage, ...] = HOLDABLE[:-1]
"""Stages that decide an order, in order; what follows carries the decision out."""

TAKE_BACK: tuple[Stage, ...] = (Stage.UNALLOCATE, Stage.RELEASE, Stage.SETTLE)
"""Stages of an order that is being changed; while it waits for one, nobody else may advance it."""

CHANGING: tuple[Stage, ...] = (*TAKE_BACK, Stage.RETURN_MONEY)
"""Stages that carry out a change, in order."""

AFTER_SHIPPING: tuple[Stage, ...] = (Stage.POST_SALE, Stage.PACKING_SLIP, Stage.INVOICE)
"""Stages that book what has left the house."""


PENDING = sa.Table(
    "pending",
    METADATA,
    text("stage", "stage that must advance the order next", primary_key=True),
    reference("order_id", "order that waits", primary_key=True),
    moment("due_at", "the order's own moment; earlier orders are decided first"),
    flag("is_held", "whether a hold keeps the stage from advancing it", server_default="false"),
    # Without the held ones, so that a claim reads no more rows than it takes.
    sa.Index(
        "pending_claimable_idx",
        "stage",
        "due_at",
        "order_id",
        postgresql_where=sa.text("NOT is_held"),
    ),
    schema="flow",
    comment="Orders that wait for a stage of the order path.",
)

# One per session: steps read it by a fixed name. What a transaction left is gone at the next claim.
_CLAIM_TABLE = sa.text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS claimed"
    " (order_id bigint PRIMARY KEY, due_at timestamptz NOT NULL) ON COMMIT PRESERVE ROWS"
)
_ANALYSE = sa.text("ANALYZE claimed")
# Locked before deleted: a DELETE alone would wait for rows another worker holds. The index on
# (stage, due_at, order_id) of what is not held serves the order.
_CLAIM = sa.text("""
    WITH next AS (
        SELECT stage, order_id FROM flow.pending
        WHERE stage = :stage AND NOT is_held
        ORDER BY due_at, order_id
        LIMIT :most
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM flow.pending AS p USING next
        WHERE p.stage = next.stage AND p.order_id = next.order_id
        RETURNING p.order_id, p.due_at
    )
    INSERT INTO claimed SELECT order_id, due_at FROM taken
""")

Step = Callable[[sa.Connection], Mapping[str, int]]
"""Advances the orders in `claimed` inside the given transaction; returns counts by name."""


def claim(conn: sa.Connection, stage: Stage, most: int = CHUNK) -> int:
    """Take up to `most` orders that wait for `stage` into the temporary table `claimed`.

    The rows leave `flow.pending` when the transaction commits and stay when it does not.

    Returns:
        How many orders were claimed; they are in `claimed(order_id, due_at)`.
    """
    conn.execute(_CLAIM_TABLE)
    conn.execute(sa.text("DELETE FROM claimed"))
    count = conn.execute(_CLAIM, {"stage": stage.value, "most": most}).rowcount
    analyse(conn, _ANALYSE, count)
    return count


def claim_given(conn: sa.Connection, orders: Rows) -> int:
    """Fill `claimed` with the given `(order_id, due_at)`, for work that takes from no queue.

    Returns:
        How many orders there are.
    """
    conn.execute(_CLAIM_TABLE)
    conn.execute(sa.text("DELETE FROM claimed"))
    given = orders.subquery()
    source = sa.select(given.c.order_id, given.c.due_at)
    claimed = sa.table("claimed", sa.column("order_id"), sa.column("due_at"))
    count = conn.execute(sa.insert(claimed).from_select(["order_id", "due_at"], source)).rowcount
    analyse(conn, _ANALYSE, count)
    return count


def hand_on(conn: sa.Connection, stages: Iterable[Stage], orders: Rows) -> int:
    """Let orders wait for each of `stages` (`NEXT[stage]`, or `FIRST` for accepted orders).

    Orders on hold wait as held for the stages that a hold stops.

    Args:
        conn: connection inside the transaction that did the work before.
        stages: the stages that come next.
        orders: a select of `(order_id, due_at)`.

    Returns:
        How many waits were added; an order that already waits for a stage is left alone.
    """
    return sum(conn.execute(_waits(stage, orders)).rowcount for stage in stages)


@lru_cache(maxsize=256)
def _waits(stage: Stage, orders: Rows) -> sa.Insert:
    given = orders.cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    columns = [sa.literal(stage.value), given.c.order_id, given.c.due_at]
    source = sa.select(*columns, sa.false())
    if stage in HOLDABLE:
        # Shared locks: a hold that is about to be placed is waited for, and then seen.
        state = (
            sa.select(ORDER_STATES.c.order_id, ORDER_STATES.c.hold_state)
            .join(given, given.c.order_id == ORDER_STATES.c.order_id)
            .with_for_update(read=True, of=ORDER_STATES)
            .cte("state")
        )
        is_held = sa.func.coalesce(state.c.hold_state == "held", sa.false())
        source = sa.select(*columns, is_held).select_from(
            given.outerjoin(state, state.c.order_id == given.c.order_id)
        )
    # A replayed message may come in while its order still waits; the first moment stays.
    names = ["stage", "order_id", "due_at", "is_held"]
    return insert(PENDING).from_select(names, source).on_conflict_do_nothing()


def waiting(conn: sa.Connection) -> dict[str, int]:
    """Orders that wait, by stage, in the order of the path; stages without any are left out.

    Held orders are not counted: no run can advance them.
    """
    rows = conn.execute(
        sa.select(PENDING.c.stage, sa.func.count())
        .where(~PENDING.c.is_held)
        .group_by(PENDING.c.stage)
    ).tuples()
    counts = dict(rows.all())
    return {stage.value: counts[stage.value] for stage in Stage if stage.value in counts}


def is_anyone_waiting(conn: sa.Connection, stages: Iterable[Stage]) -> bool:
    """Whether an order that is not held waits for one of `stages`."""
    names = [stage.value for stage in stages]
    found = sa.exists().where(PENDING.c.stage == sa.any_(sa.literal(names, ARRAY(sa.Text))))
    return bool(conn.execute(sa.select(found.where(~PENDING.c.is_held))).scalar_one())


def count_waiting(conn: sa.Connection, stages: Iterable[Stage], most: int) -> int:
    """Waits for one of `stages` that no hold stops, counted up to `most`."""
    names = sa.literal([stage.value for stage in stages], ARRAY(sa.Text))
    found = sa.select(PENDING.c.order_id).where(PENDING.c.stage == sa.any_(names))
    some = found.where(~PENDING.c.is_held).limit(most).subquery()
    return conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def drain(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    stage: Stage,
    step: Step,
    progress: Callable[[str], object] | None = None,
    chunk: int | None = None,
    run: str = NO_RUN,
) -> Counter[str]:
    """Advance every order that waits for `stage`, a chunk per transaction.

    A chunk whose transaction the database ended, or lost, is begun anew (`resources.retry`). An
    order that the stage cannot take is set aside (`setting_aside`).

    Args:
        begin: opens a transaction that commits on success (`DatabaseResource.begin`).
        stage: the stage to advance.
        step: advances the orders in `claimed` and returns counts by name.
        progress: told after each chunk, in a short line.
        chunk: orders per transaction, `CHUNK` by default.
        run: Dagster run id, told with the orders that are set aside.

    Returns:
        The counts of all chunks added up, with `orders` = orders advanced, and `set_aside` if any.
    """
    totals: Counter[str] = Counter(orders=0)
    claiming = partial(_claim_of, stage)
    chunks = Chunks(begin, claiming, step, stage.value, chunk or CHUNK, run)
    while counts := chunks.advance():
        # Only now: what is told must have been committed.
        totals.update(counts)
        if progress:
            progress(f"{stage.value}: {totals['orders']:,} orders")
    return totals


def _claim_of(stage: Stage, conn: sa.Connection, most: int) -> int:
    return claim(conn, stage, most)
