"""Plans letters to customers in the transaction of the decision they tell of.

The address is the one given with the order and no other: an address of an earlier order may be
somebody else's by now. What a letter says is fixed when it is planned.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.customers.notices import (
    ADDRESS,
    KIND,
    MOST_ADDRESS,
    MOST_LOCAL,
    POLICY,
    Letter,
    NoticePolicy,
    template,
)
from ecom_assets.shared.outbox import PLANNED_COLUMNS, plan

# One per session, like `claimed`.
_ADDRESSEE_TABLE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS addressees (
        order_id bigint PRIMARY KEY, due_at timestamptz, channel text, external_id text,
        email text, customer_name text, verdict text
    ) ON COMMIT PRESERVE ROWS
""")
# Reference of the address rule: notices.can_be_written_to. Collation "C", because ranges of
# letters must not depend on the server's locale.
_ADDRESSEES = sa.text("""
    INSERT INTO addressees
    SELECT o.order_id, c.due_at, o.channel, o.external_id, o.email, o.customer_name,
        CASE
            WHEN i.import_id IS NOT NULL AND NOT :tells_imported THEN 'imported'
            WHEN coalesce(length(o.email) <= :most_address
                AND strpos(o.email, '@') <= :most_local + 1
                AND o.email COLLATE "C" ~ :address, false) THEN 'mailable'
            ELSE 'without_address'
        END AS verdict
    FROM claimed AS c
    JOIN orders.orders AS o USING (order_id)
    JOIN orders.inbox AS i USING (inbox_id)
""")
_VERDICTS = sa.text("SELECT verdict, count(*) FROM addressees GROUP BY verdict")

# The key is a JSON array, so that no two keys can look alike whatever the parts hold. Its digest
# makes the Message-ID: short enough for one line, and the same whenever it is planned.
_CONFIRMED = sa.text("""
    WITH keyed AS (
        SELECT *, CAST(jsonb_build_array(CAST(:letter AS text), channel, external_id) AS text)
            AS idempotency_key
        FROM addressees WHERE verdict = 'mailable'
    )
    SELECT k.idempotency_key,
        '<' || left(encode(sha256(convert_to(k.idempotency_key, 'UTF8')), 'hex'), 40)
            || '@' || :domain || '>' AS reference,
        k.order_id,
        jsonb_build_object(
            'to', k.email, 'name', k.customer_name, 'template', CAST(:template AS text),
            'facts', jsonb_build_object(
                'order', k.external_id, 'name', k.customer_name, 'placed_at', o.placed_at,
                'currency', o.currency, 'items_minor', o.items_minor,
                'discount_minor', o.discount_minor, 'shipping_minor', o.shipping_minor,
                'total_minor', o.total_minor, 'lines', (
                    SELECT jsonb_agg(jsonb_build_object(
                        'name', coalesce(nullif(p.name, ''), l.sku), 'quantity', l.quantity,
                        'amount_minor', l.quantity * l.unit_price_minor) ORDER BY l.line_no)
                    FROM orders.order_lines AS l LEFT JOIN catalog.products AS p USING (sku)
                    WHERE l.order_id = k.order_id))) AS payload,
        k.due_at
    FROM keyed AS k JOIN orders.orders AS o USING (order_id)
""")

# A site ships one parcel of an order at a moment: a later parcel is another letter.
_SHIPPED = sa.text("""
    WITH keyed AS (
        SELECT a.*, s.site_code, s.shipped_at, s.eta_at, s.units, r.name AS carrier,
            v.name AS service,
            CAST(jsonb_build_array(CAST(:letter AS text), a.channel, a.external_id, s.site_code,
                s.shipped_at) AS text) AS idempotency_key
        FROM addressees AS a
        JOIN transport.shipments AS s USING (order_id)
        JOIN transport.services AS v USING (service_code)
        JOIN transport.carriers AS r USING (carrier_code)
        WHERE a.verdict = 'mailable'
    )
    SELECT k.idempotency_key,
        '<' || left(encode(sha256(convert_to(k.idempotency_key, 'UTF8')), 'hex'), 40)
            || '@' || :domain || '>' AS reference,
        k.order_id,
        jsonb_build_object(
            'to', k.email, 'name', k.customer_name, 'template', CAST(:template AS text),
            'facts', jsonb_build_object(
                'order', k.external_id, 'name', k.customer_name, 'carrier', k.carrier,
                'service', k.service, 'units', k.units, 'shipped_at', k.shipped_at,
                'eta_at', k.eta_at, 'lines', coalesce((
                    SELECT jsonb_agg(jsonb_build_object(
                        'name', coalesce(nullif(p.name, ''), l.sku), 'quantity', x.quantity)
                        ORDER BY l.line_no)
                    FROM warehouse.allocations AS x
                    JOIN orders.order_lines AS l USING (order_line_id)
                    LEFT JOIN catalog.products AS p ON p.sku = l.sku
                    WHERE x.order_id = k.order_id AND x.site_code = k.site_code), '[]'))
            ) AS payload,
        k.shipped_at AS due_at
    FROM keyed AS k
""")


def plan_confirmed(
    conn: sa.Connection, domain: str, run: str, policy: NoticePolicy = POLICY
) -> dict[str, int]:
    """Plan a letter for every claimed order: it was accepted.

    Args:
        conn: connection with `claimed` filled for `Stage.NOTIFY_CONFIRMED`.
        domain: what Message-IDs end in.
        run: Dagster run id.
        policy: who is written to.

    Returns:
        `planned` letters; orders that get none: `imported`, `without_address`.
    """
    return _plan(conn, Letter.CONFIRMED, _CONFIRMED, domain, run, policy)


def plan_shipped(
    conn: sa.Connection, domain: str, run: str, policy: NoticePolicy = POLICY
) -> dict[str, int]:
    """Plan a letter for every parcel of the claimed orders: it is due when the parcel leaves.

    Arguments and result are those of `plan_confirmed`.
    """
    return _plan(conn, Letter.SHIPPED, _SHIPPED, domain, run, policy)


def _plan(
    conn: sa.Connection, letter: Letter, rows: sa.TextClause, domain: str, run: str,
    policy: NoticePolicy,
) -> dict[str, int]:  # fmt: skip
    given: dict[str, Any] = {
        "tells_imported": policy.tells_imported, "address": ADDRESS,
        "most_address": MOST_ADDRESS, "most_local": MOST_LOCAL,
    }  # fmt: skip
    conn.execute(_ADDRESSEE_TABLE)
    # A transaction may plan twice, and only its end empties the table.
    conn.execute(sa.text("DELETE FROM addressees"))
    conn.execute(_ADDRESSEES, given)
    verdicts = dict(conn.execute(_VERDICTS).tuples().all())
    planned = 0
    if "mailable" in verdicts:
        bound = rows.bindparams(letter=letter.value, template=template(letter), domain=domain)
        planned = plan(conn, KIND, bound.columns(*map(sa.column, PLANNED_COLUMNS)), run)
    others = {name: verdicts.get(name, 0) for name in ("imported", "without_address")}
    return {"planned": planned, **others}
