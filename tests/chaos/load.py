"""The load: orders handed to the real intake at a set rate, and changes of some of them.

Everything that was committed goes to an append-only list of our own, so that afterwards nobody has
to ask the platform what it was given. Where a commit was cut off and its outcome is not known, the
database is asked before anything is sent again.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TextIO

import sqlalchemy as sa

from ecom_assets.orders.model import Message
from ecom_assets.orders.store import cancel, edit, receive
from resources.database import DatabaseResource

PAUSE_S = 0.2
"""Pause before a failed transaction is tried again."""

FASTEST = 4.0
"""After an outage the load catches up with this multiple of its rate, and no faster."""

CHANGED = 0.04
"""Share of orders that somebody wants changed."""

CHANGE_AFTER_S = (1.0, 15.0)
"""Seconds after which a change is asked for, so that it meets orders anywhere on the path."""

_IS_RECEIVED = sa.text("""
    SELECT EXISTS (SELECT FROM orders.inbox WHERE channel = :channel AND external_id = :external_id)
""")
_IS_REQUESTED = sa.text("SELECT EXISTS (SELECT FROM orders.changes WHERE reason = :reason)")
_ORDER = sa.text("""
    SELECT order_id FROM orders.orders
    WHERE channel = :channel AND external_id = :external_id
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """A change that is to be asked for.

    Attributes:
        due: moment of `time.monotonic` from which it may be asked for.
        message: the order as it was received.
        what: `cancel`, `cancel_part` or `edit`.
        reason: unlike that of any other change.
    """

    due: float
    message: Message
    what: str
    reason: str


def read_messages(path: Path) -> Iterator[Message]:
    """The messages that were held back, in the order of their arrival."""
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            row["received_at"] = datetime.fromisoformat(row["received_at"])
            yield Message(**row)


class Load:
    """Hands messages over at a rate, in a thread of its own.

    Attributes:
        received: orders that were committed, as (channel, external id).
        requested: reasons of the changes that were committed.
        counts: what happened on the way: `committed`, `found_committed` (after an unknown commit),
            `failed` (transactions that were tried again).
        problem: what ended the thread early, if anything did.
    """

    def __init__(
        self, database: DatabaseResource, messages: Iterator[Message], rate: float, seed: int,
        log: Path,
    ) -> None:  # fmt: skip
        """A load that has not begun.

        Args:
            database: the database, by the direct way.
            messages: what to hand over; the load ends with them.
            rate: orders per second.
            seed: chooses which orders are changed, and how.
            log: file the list is appended to.
        """
        self.received: list[tuple[str, str]] = []
        self.requested: list[str] = []
        self.counts: Counter[str] = Counter()
        self.problem: BaseException | None = None
        self._database, self._messages, self._rate = database, messages, rate
        self._draw, self._log = Random(seed), log
        self._wishes: deque[Wish] = deque()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, when what is under way is known to be committed.

        Raises:
            RuntimeError: the load had ended early.
        """
        self._is_over.set()
        self._thread.join(120)
        if self.problem or self._thread.is_alive():
            raise RuntimeError("the load failed") from self.problem

    def _run(self) -> None:
        try:
            with self._log.open("a") as log:
                self._hand_over(log)
        except BaseException as error:
            self.problem = error

    def _hand_over(self, log: TextIO) -> None:
        due = time.monotonic()
        for message in self._messages:
            if self._is_over.wait(max(0.0, due - time.monotonic())):
                return
            self._receive(message, log)
            self._ask_for_changes(log)
            # What an outage held up comes faster than usual, as from a channel that tries again,
            # but not all at once.
            due = max(due + 1 / self._rate, time.monotonic() + 1 / (FASTEST * self._rate))

    def _receive(self, message: Message, log: TextIO) -> None:
        key = {"channel": message.channel, "external_id": message.external_id}
        self._commit(
            lambda conn: receive(conn, [message]),
            lambda conn: bool(conn.execute(_IS_RECEIVED, key).scalar_one()),
        )
        self.received.append((message.channel, message.external_id))
        _note(log, {"received": key, "at": time.time()})
        if self._draw.random() < CHANGED:
            number = len(self.received)
            what = self._draw.choice(["cancel", "cancel_part", "edit"])
            due = time.monotonic() + self._draw.uniform(*CHANGE_AFTER_S)
            self._wishes.append(Wish(due, message, what, f"chaos {number}"))

    def _ask_for_changes(self, log: TextIO) -> None:
        for _ in range(len(self._wishes)):
            wish = self._wishes.popleft()
            if wish.due > time.monotonic():
                self._wishes.append(wish)
                continue
            if not self._ask(wish):
                # Not accepted yet, or parked for good: looked at again a little later.
                later = time.monotonic() + 2
                self._wishes.append(Wish(later, wish.message, wish.what, wish.reason))
                continue
            self.requested.append(wish.reason)
            _note(log, {"requested": wish.reason, "at": time.time()})

    def _ask(self, wish: Wish) -> bool:
        """Ask for a change in one transaction; False if its order is not accepted."""
        is_known = False

        def transaction(conn: sa.Connection) -> None:
            nonlocal is_known
            key = {"channel": wish.message.channel, "external_id": wish.message.external_id}
            order = conn.execute(_ORDER, key).scalar_one_or_none()
            is_known = order is not None
            if order is not None:
                _request(conn, order, wish)

        self._commit(
            transaction,
            lambda conn: bool(conn.execute(_IS_REQUESTED, {"reason": wish.reason}).scalar_one()),
        )
        return is_known

    def _commit(
        self, work: Callable[[sa.Connection], object], is_done: Callable[[sa.Connection], bool]
    ) -> None:
        """Commit a transaction, however often it takes, and never twice."""
        is_unknown = False
        while True:
            try:
                with self._database.begin() as conn:
                    if is_unknown and is_done(conn):
                        self.counts["found_committed"] += 1
                        return
                    work(conn)
            except sa.exc.DBAPIError:
                # Any of these may have come after the server had committed.
                is_unknown = True
                self.counts["failed"] += 1
                time.sleep(PAUSE_S)
            else:
                self.counts["committed"] += 1
                return


def _request(conn: sa.Connection, order_id: int, wish: Wish) -> None:
    at = wish.message.received_at + timedelta(minutes=5)
    lines = wish.message.payload["lines"]
    if wish.what == "edit":
        edit(conn, order_id, with_one_more(wish.message.payload), at, "chaos", wish.reason)
        return
    part = [{"line_no": lines[0]["line_no"], "quantity": 1}] if wish.what == "cancel_part" else None
    cancel(conn, order_id, part, at, "chaos", wish.reason)


def with_one_more(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The document with one unit more of its first line, and the total that follows."""
    first, *rest = payload["lines"]
    more = {**first, "quantity": first["quantity"] + 1}
    changed = {**payload, "lines": [more, *rest]}
    if "total_minor" in changed:
        changed["total_minor"] += first["unit_price_minor"]
    return changed


def _note(log: TextIO, entry: Mapping[str, Any]) -> None:
    log.write(json.dumps(entry) + "\n")
    log.flush()
