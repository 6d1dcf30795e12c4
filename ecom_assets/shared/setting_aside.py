"""Orders that a stage cannot take: found and set aside, so that those beside them go on.

A chunk that fails for what is in it is tried again in halves until one order is left. Its wait is
marked as held and told in the quarantine. `give_another_chance` lets it be claimed again, once the
rule or the row is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import sqlalchemy as sa

from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park
from ecom_assets.shared.states import IllegalTransition
from resources.retry import retried

REASON = "stage_failed"
"""Reason of the orders in the quarantine."""

NO_RUN = "no run"
"""Run id of what is drained outside of a run."""

MOST_IN_A_ROW = 3
"""Orders set aside one after the other before the fault is taken to be the stage's, not theirs."""

_ROW_CLASSES = ("22", "23")

_HOLD = sa.text("""
    UPDATE flow.pending SET is_held = true
    WHERE stage = :stage AND order_id = :order_id AND NOT is_held
""")
_TOLD = sa.text("""
    SELECT 'flow.' || g.stage AS source, g.order_id AS row_number,
        coalesce(o.channel || '/' || o.external_id, CAST(g.order_id AS text)) AS subject,
        CAST(:reason AS text) AS reason, CAST(:detail AS text) AS detail, to_jsonb(g) AS row
    FROM (SELECT CAST(:order_id AS bigint) AS order_id, CAST(:stage AS text) AS stage) AS g
    LEFT JOIN orders.orders AS o USING (order_id)
""").columns(*(QUARANTINE.c[name] for name in PARKED_COLUMNS))
# An order that a person holds stays held; the release of that hold lets it go on.
_FREE = sa.text("""
    WITH aside AS (
        SELECT p.stage, p.order_id
        FROM flow.pending AS p
        JOIN flow.order_states AS s USING (order_id)
        WHERE p.is_held AND s.hold_state = 'none' AND EXISTS (
            SELECT FROM flow.quarantine AS q
            WHERE q.state = 'parked' AND q.reason = :reason
                AND q.source = 'flow.' || p.stage AND q.row_number = p.order_id)
        ORDER BY p.order_id, p.stage
        FOR UPDATE OF p
    )
    UPDATE flow.pending AS p SET is_held = false FROM aside
    WHERE p.stage = aside.stage AND p.order_id = aside.order_id
""")
_SETTLE = sa.text("""
    UPDATE flow.quarantine AS q SET state = 'replayed'
    WHERE q.state = 'parked' AND q.reason = :reason AND NOT EXISTS (
        SELECT FROM flow.pending AS p
        WHERE p.is_held AND q.source = 'flow.' || p.stage AND q.row_number = p.order_id)
""")

Begin = Callable[[], AbstractContextManager[sa.Connection]]


def is_about_rows(error: BaseException) -> bool:
    """Whether an error may be due to one row: a value that does not fit, an illegal move.

    SQLSTATE class 22 (data) and 23 (integrity), and errors of value or arithmetic in a rule.
    """
    if isinstance(error, sa.exc.DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_ROW_CLASSES)
    return isinstance(error, ValueError | ArithmeticError | IllegalTransition)


class Chunks:
    """The chunks of a stage, one transaction each, without the orders that it cannot take."""

    def __init__(
        self,
        begin: Begin,
        claim: Callable[[sa.Connection, int], int],
        step: Callable[[sa.Connection], Mapping[str, int]],
        stage: str,
        most: int,
        run: str,
    ) -> None:
        """Describe a stage.

        Args:
            begin: opens a transaction that commits on success.
            claim: takes up to so many orders into `claimed`, and says how many.
            step: advances them; returns counts by name.
            stage: name of the stage.
            most: orders per transaction.
            run: Dagster run id.
        """
        self._begin, self._claim, self._step = begin, claim, step
        self._stage, self._full, self._run = stage, most, run
        self._most, self._claimed, self._in_a_row = most, 0, 0
        self._last: int | None = None

    def advance(self) -> Mapping[str, int]:
        """Advance a chunk, or find out more about one that fails; empty if nobody waits.

        Raises:
            Exception: the stage failed for another reason than an order, or for several in a row.
        """
        try:
            counts = retried(self._advance)
        except Exception as error:
            if not is_about_rows(error):
                raise
            return self._narrow(error)
        self._most, self._in_a_row = self._full, 0
        return counts

    def _advance(self) -> Mapping[str, int]:
        with self._begin() as conn:
            self._claimed = self._claim(conn, self._most)
            if self._most == 1:
                self._last = conn.execute(sa.text("SELECT order_id FROM claimed")).scalar()
            return {**self._step(conn), "orders": self._claimed} if self._claimed else {}

    def _narrow(self, error: Exception) -> Mapping[str, int]:
        if self._most > 1 or self._last is None:
            self._most = max(1, self._claimed // 2)
            return {"orders": 0}
        self._in_a_row += 1
        if self._in_a_row > MOST_IN_A_ROW:
            raise error
        with self._begin() as conn:
            aside = _set_aside(conn, self._stage, self._last, error, self._run)
        self._most = self._full
        return {"orders": 0, "set_aside": aside}


def _set_aside(conn: sa.Connection, stage: str, order_id: int, error: Exception, run: str) -> int:
    # Another worker may have the order by now; then it is that one's to judge.
    held = conn.execute(_HOLD, {"stage": stage, "order_id": order_id}).rowcount
    if held:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
        first_line = (str(cause).splitlines() or [""])[0]
        detail = f"{stage}: {type(cause).__name__}: {first_line}"
        given = {"stage": stage, "order_id": order_id, "reason": REASON, "detail": detail}
        park(conn, _TOLD.bindparams(**given), run)
    return held


def give_another_chance(conn: sa.Connection) -> int:
    """Let the orders that were set aside be claimed again; those that fail again come back.

    Returns:
        How many waits are no longer held.
    """
    freed = conn.execute(_FREE, {"reason": REASON}).rowcount
    conn.execute(_SETTLE, {"reason": REASON})
    return freed
