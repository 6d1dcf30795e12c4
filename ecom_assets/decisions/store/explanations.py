"""Everything that was decided about one order, with where it came from and what it led to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

# An external id may look like a number: a channel before it tells the two apart.
_ORDER = sa.text("""
    SELECT order_id, channel, external_id, customer_key, placed_at, decided_as_of, promised_at,
        currency, total_minor, revision
    FROM orders.orders
    WHERE CAST(order_id AS text) = :name OR (channel, external_id) = (:channel, :external_id)
    ORDER BY (channel, external_id) = (:channel, :external_id) DESC
    LIMIT 1
""")
_MESSAGES = sa.text("""
    SELECT m.channel, m.external_id, m.revision, m.received_at, m.state, m.reason, i.format,
        i.run_id AS import_run_id
    FROM orders.inbox AS m
    LEFT JOIN flow.imports AS i USING (import_id)
    WHERE (m.channel, m.external_id) = (:channel, :external_id)
    ORDER BY m.revision
""")
_DECISIONS = sa.text("""
    SELECT decision_id, kind, subject, attempt, outcome, reasons, inputs, version, decided_as_of,
        run_id, recorded_at
    FROM decisions.ledger
    WHERE order_id = :order_id
    ORDER BY decided_as_of, decision_id
""")
_SERVICES = sa.text("""
    SELECT x.site_code, x.service_code, s.name AS service, c.name AS carrier, x.zone_code,
        x.billable_weight_g, x.cost_minor, x.currency, x.eta_at, x.on_time_probability, x.score,
        x.is_eligible, x.is_chosen, x.reason
    FROM transport.carrier_choices AS x
    JOIN transport.services AS s USING (service_code)
    JOIN transport.carriers AS c USING (carrier_code)
    WHERE x.order_id = :order_id
    ORDER BY x.site_code, x.score NULLS LAST, x.service_code
""")
_DOCUMENTS = sa.text("""
    SELECT 'invoice' AS kind, series || '/' || number AS name, issued_at, total_minor, currency,
        NULL AS units
    FROM documents.invoices WHERE order_id = :order_id
    UNION ALL
    SELECT 'packing slip', 'parcel from ' || h.site_code, p.issued_at, NULL, NULL, p.units
    FROM documents.packing_slips AS p
    JOIN transport.shipments AS h USING (shipment_id)
    WHERE p.order_id = :order_id
    ORDER BY issued_at, kind, name
""")


def chain_of(conn: sa.Connection, name: str) -> dict[str, Any] | None:
    """Everything about an order, or about messages that have not become one.

    Args:
        conn: connection to read with.
        name: order id, or `channel/external_id`.

    Returns:
        `order` (None if there is none yet), `messages`, `decisions`, `services` and `documents`,
        each a list of rows in the order of time; None if nothing is known by that name.
    """
    channel, _, external_id = name.partition("/")
    given = {"name": name, "channel": channel, "external_id": external_id}
    order = conn.execute(_ORDER, given).mappings().first()
    messages = _rows(conn, _MESSAGES, dict(order) if order else given)
    if order is None and not messages:
        return None
    about = {"order_id": order["order_id"] if order else None}
    return {
        "order": dict(order) if order else None,
        "messages": messages,
        "decisions": _rows(conn, _DECISIONS, about),
        "services": _rows(conn, _SERVICES, about),
        "documents": _rows(conn, _DOCUMENTS, about),
    }


def _rows(
    conn: sa.Connection, statement: sa.TextClause, given: dict[str, Any]
) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(statement, given).mappings()]
