"""The one way for a caller's messages into the inbox: REST, channels, files of lines and Kafka.

Bulk importers fill the same feed set-wise themselves and take it with the same statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders.delivery import Delivery, IntakeReport, Policy, RowFault
from ecom_assets.orders.document import fault
from ecom_assets.orders.model import Message, MessageKind, Problem
from ecom_assets.orders.rules import field_of, find_cancellation_fault, find_fault
from ecom_assets.orders.storable import FIRST_YEAR, clean, find_storage_fault, rendered
from ecom_assets.orders.store.intake import take_told
from ecom_assets.shared import feeds, quarantine

SOURCE = "orders.intake"
"""Source of parked rows whose caller names none."""

PORTION = 200
"""Rows looked at together; so many of the largest still fit one JSON parameter."""

# Parked again by a caller who sends all of it again, a row would be on the list twice.
_NEW_FAULTS = sa.text("""
    SELECT :source AS source, g.row_number, g.subject, g.reason, g.detail, g.row
    FROM jsonb_to_recordset(:rows)
        AS g (row_number bigint, subject text, reason text, detail text, row jsonb)
    WHERE NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.state IN ('parked', 'replayed', 'discarded') AND q.reason = g.reason
          AND q.source = :source AND q.row_number = g.row_number AND q.row = g.row)
    ORDER BY g.row_number
""").columns(*(sa.column(name) for name in quarantine.PARKED_COLUMNS))


def receive(
    conn: sa.Connection, messages: Iterable[Message], policy: Policy = Policy.PARK
) -> IntakeReport:
    """Take messages into `orders.inbox`; their numbers in the report count from 1.

    Taking a message again, at once or years later, adds nothing. The order in which messages come
    does not matter, their `received_at` does.

    Args:
        conn: connection inside the caller's transaction (READ COMMITTED).
        messages: the messages.
        policy: what happens to rows that cannot be used.
    """
    rows = (Delivery(number, message) for number, message in enumerate(messages, start=1))
    return take_deliveries(conn, rows, policy, SOURCE, SOURCE)


def take_deliveries(
    conn: sa.Connection,
    rows: Iterable[Delivery],
    policy: Policy,
    source: str,
    run: str,
    is_told: bool = False,
) -> IntakeReport:
    """Take rows of a source into `orders.inbox`, as `receive` does.

    Rows are read in portions, so that a file of any size fits the memory; only bad rows are kept
    for the report. Call it once in a transaction: all good rows go in by one statement in the order
    of their keys, so that two transactions never wait for each other.

    Args:
        conn: connection inside the caller's transaction (READ COMMITTED).
        rows: the rows; their numbers are unique within the source.
        policy: what happens to rows that cannot be used.
        source: where the rows come from, such as a file's name; parked rows are kept under it.
        run: who takes them, as the quarantine records it.
        is_told: whether the report shall name the rows that are new.
    """
    conn.execute(CreateTable(feeds.ORDERS, if_not_exists=True))
    given = parked = 0
    faults: dict[int, str] = {}
    for portion in _portions(rows):
        bad = _faults(conn, portion, policy)
        _stage(conn, [row for row in portion if row.message and row.number not in bad], is_told)
        if policy is Policy.PARK:
            parked += _park(conn, [(row, bad[row.number]) for row in portion if row.number in bad],
                            source, run)  # fmt: skip
        given, faults = given + len(portion), faults | bad
    is_refused = bool(faults) and policy is Policy.REJECT_BATCH
    added, new = (0, []) if is_refused else take_told(conn, None)
    # The feed lives until the transaction ends; a second call must not see these messages again.
    conn.execute(sa.delete(feeds.ORDERS))
    rejected = given if is_refused else len(faults) if policy is Policy.REJECT_ROW else 0
    named = tuple(_row_fault(number, found) for number, found in faults.items())
    repeated = given - added - parked - rejected
    return IntakeReport(given, added, repeated, rejected, parked, named, tuple(sorted(new)))


def find_fault_of(conn: sa.Connection, document: Mapping[str, Any]) -> RowFault | None:
    """What keeps an order document from being stored or accepted, if anything."""
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    message = Message("document", "document", at, document)
    found = find_storage_fault(message)
    if found is None:
        found = _business_fault(message, _known_skus(conn, [message]))
    return None if found is None else _row_fault(1, found)


def _portions(rows: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    left = iter(rows)
    while portion := list(islice(left, PORTION)):
        yield portion


def _faults(conn: sa.Connection, rows: Sequence[Delivery], policy: Policy) -> dict[int, str]:
    """The bad rows, by number, with their fault; what a rule finds is left to the acceptance."""
    found = _storage_faults(rows)
    if policy is not Policy.PARK:
        found |= _business_faults(conn, [row for row in rows if row.number not in found])
    return {row.number: found[row.number] for row in rows if row.number in found}


def _storage_faults(rows: Iterable[Delivery]) -> dict[int, str]:
    found = {}
    for row in rows:
        fault_ = row.fault if row.message is None else find_storage_fault(row.message)
        if fault_ is not None:
            found[row.number] = fault_
    return found


def _business_faults(conn: sa.Connection, rows: Sequence[Delivery]) -> dict[int, str]:
    """What the acceptance would say of the rows, by the rules it goes by."""
    messages = {row.number: row.message for row in rows if row.message}
    skus = _known_skus(conn, messages.values())
    found = {number: _business_fault(message, skus) for number, message in messages.items()}
    return {number: said for number, said in found.items() if said}


def _business_fault(message: Message, skus: frozenset[str]) -> str | None:
    if not isinstance(message.payload, dict):
        return fault(Problem.MALFORMED, "payload must be a JSON object")
    if message.kind == MessageKind.CANCELLATION:
        return find_cancellation_fault(message.payload)
    return find_fault(message.payload, skus)


def _known_skus(conn: sa.Connection, messages: Iterable[Message]) -> frozenset[str]:
    named = {sku.strip(" ") for message in messages for sku in _skus(message.payload)}
    # One array rather than a list of parameters, of which a statement has no more than 65,535.
    query = sa.select(PRODUCTS.c.sku).where(PRODUCTS.c.sku == sa.any_(sa.bindparam("skus")))
    return frozenset(conn.execute(query, {"skus": sorted(named)}).scalars())


def _skus(payload: object) -> Iterable[str]:
    lines = payload.get("lines") if isinstance(payload, Mapping) else None
    for line in lines if isinstance(lines, list) else ():
        sku = line.get("sku") if isinstance(line, dict) else None
        if isinstance(sku, str):
            yield sku


def _row_fault(number: int, found: str) -> RowFault:
    reason, _, detail = found.partition(": ")
    return RowFault(number, field_of(found), reason, detail)


def _stage(conn: sa.Connection, given: Iterable[Delivery], is_told: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "channel": row.message.channel,
            "external_id": row.message.external_id,
            "received_at": row.message.received_at,
            "payload": row.message.payload,
            "kind": str(row.message.kind),
            "row_no": row.number if is_told else None,
        }
        for row in given
        if row.message
    ]
    # An insert of no rows would add one of defaults.
    if rows:
        conn.execute(sa.insert(feeds.ORDERS), rows)


def _park(conn: sa.Connection, bad: Sequence[tuple[Delivery, str]], source: str, run: str) -> int:
    if not bad:
        return 0
    rows = [_parked_row(row, found) for row, found in bad]
    statement = _NEW_FAULTS.bindparams(
        sa.bindparam("rows", rows, type_=JSONB), source=clean(source)
    )
    return quarantine.park(conn, statement, run)


def _parked_row(row: Delivery, found: str) -> dict[str, Any]:
    reason, _, detail = found.partition(": ")
    message = row.message
    known = f"{message.channel}/{message.external_id}" if message else ""
    return {
        "row_number": row.number,
        "subject": clean(known)[:500],
        "reason": reason,
        "detail": clean(detail),
        "row": rendered(row.row if row.row is not None else _members(message)),
    }


def _members(message: Message | None) -> dict[str, object] | None:
    if message is None:
        return None
    return {name: getattr(message, name) for name in Message.__slots__}
