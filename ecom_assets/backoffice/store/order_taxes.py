"""The tax orders came with, held against the rates; orders themselves are never changed.

`taxation` is the plain reference; a property test holds both equal.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.backoffice.taxation import EU

CHUNK = 5_000
"""Orders judged in one statement."""

# Orders that were not judged, were changed since, or were invoiced on a day that has other rates.
_DUE = sa.text("""
    SELECT o.order_id FROM orders.orders AS o
    JOIN backoffice.tax_settings AS s USING (channel)
    LEFT JOIN backoffice.order_taxes AS t USING (order_id)
    LEFT JOIN documents.invoices AS i
        ON s.tax_point = 'invoice' AND i.order_id = o.order_id
    WHERE (t.order_id IS NULL OR t.revision <> o.revision
        OR t.tax_date <> CAST(coalesce(i.issued_at, o.placed_at) AT TIME ZONE 'UTC' AS date)
        OR CAST(:is_anew AS boolean)) AND o.order_id > :after
    ORDER BY o.order_id LIMIT :most
""")
_JUDGE = sa.text("""
    WITH asked AS (
        SELECT o.order_id, o.revision, o.channel, o.ship_to_country AS buyer,
            coalesce(o.ship_to_region, '') AS region, o.tax_minor, o.currency, s.seller_country,
            s.is_tax_in_prices, s.rounding, s.rounding_mode, s.tolerance_minor,
            CAST(coalesce(i.issued_at, o.placed_at) AT TIME ZONE 'UTC' AS date) AS tax_date,
            CASE WHEN o.ship_to_country = s.seller_country THEN 'domestic'
                WHEN NOT (o.ship_to_country = ANY(:eu) AND s.seller_country = ANY(:eu))
                    THEN 'outside'
                WHEN s.is_in_oss THEN 'destination' ELSE 'origin' END AS treatment
        FROM orders.orders AS o
        JOIN backoffice.tax_settings AS s USING (channel)
        LEFT JOIN documents.invoices AS i
            ON s.tax_point = 'invoice' AND i.order_id = o.order_id
        WHERE o.order_id = ANY(:orders)
    ), placed AS (
        SELECT *, CASE WHEN treatment = 'destination' OR treatment = 'domestic' THEN buyer
            ELSE seller_country END AS country,
            -- The region is the buyer's; where the seller's country taxes, none of it is known.
            CASE WHEN treatment IN ('destination', 'domestic') THEN region ELSE '' END AS place
        FROM asked
    ), line AS (
        SELECT p.*, l.line_no, l.line_total_minor, coalesce(own.tax_category, of.tax_category,
            'standard') AS tax_category
        FROM placed AS p
        JOIN orders.order_lines AS l USING (order_id)
        LEFT JOIN catalog.products AS c ON c.sku = l.sku
        LEFT JOIN backoffice.tax_categories AS own ON own.sku = l.sku AND own.product_category = ''
        LEFT JOIN backoffice.tax_categories AS of
            ON of.product_category = c.category AND of.sku = ''
    ), rated AS (
        SELECT l.*, r.tax_rate_id,
            CASE WHEN treatment = 'outside' THEN 0 ELSE r.rate_bps END AS rate_bps
        FROM line AS l
        LEFT JOIN LATERAL (
            SELECT r.tax_rate_id, r.rate_bps FROM backoffice.tax_rates AS r
            WHERE l.treatment <> 'outside' AND r.country = l.country
                AND r.region IN (l.place, '') AND r.tax_category IN (l.tax_category, 'standard')
                AND r.valid_from_date <= l.tax_date
                AND coalesce(r.valid_to_date > l.tax_date, true)
            ORDER BY r.tax_category = l.tax_category DESC, r.region = l.place DESC LIMIT 1
        ) AS r ON true
    ), summed AS (
        SELECT *, CASE WHEN rounding = 'document' THEN coalesce(sum(line_total_minor) OVER (
                PARTITION BY order_id, rate_bps ORDER BY line_no
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) ELSE 0 END AS start_minor,
            CASE WHEN is_tax_in_prices THEN 10000 + rate_bps ELSE 10000 END AS divisor
        FROM rated
    ), taxed AS (
        SELECT *, backoffice.rounded(
                (start_minor + line_total_minor) * CAST(rate_bps AS numeric), divisor,
                rounding_mode)
            - backoffice.rounded(start_minor * CAST(rate_bps AS numeric), divisor, rounding_mode)
            AS line_tax_minor
        FROM summed
    ), whole AS (
        SELECT order_id, revision, channel, country, tax_date, treatment, tax_minor, currency,
            tolerance_minor * count(*) AS tolerance_minor,
            CASE WHEN bool_and(rate_bps IS NOT NULL) THEN CAST(sum(line_tax_minor) AS bigint) END
                AS expected_minor,
            jsonb_agg(jsonb_build_object('line_no', line_no, 'tax_category', tax_category,
                'rate_bps', rate_bps, 'tax_rate_id', tax_rate_id, 'tax_minor', line_tax_minor)
                ORDER BY line_no) AS lines
        FROM taxed
        GROUP BY order_id, revision, channel, country, tax_date, treatment, tax_minor, currency,
            tolerance_minor
    )
    INSERT INTO backoffice.order_taxes (
        order_id, revision, channel, country, tax_date, treatment, outcome, stated_minor,
        expected_minor, currency, lines, run_id)
    SELECT order_id, revision, channel, country, tax_date, treatment,
        CASE WHEN expected_minor IS NULL THEN 'no_rate'
            WHEN abs(tax_minor - expected_minor) <= tolerance_minor THEN 'agrees'
            WHEN tax_minor = 0 THEN 'not_stated'
            ELSE 'differs' END,
        tax_minor, expected_minor, currency, lines, :run
    FROM whole
    ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET revision = excluded.revision,
        channel = excluded.channel, country = excluded.country, tax_date = excluded.tax_date,
        treatment = excluded.treatment, outcome = excluded.outcome,
        stated_minor = excluded.stated_minor, expected_minor = excluded.expected_minor,
        currency = excluded.currency, lines = excluded.lines, run_id = excluded.run_id,
        recorded_at = excluded.recorded_at
""").bindparams(eu=sorted(EU))


def next_due(conn: sa.Connection, after: int, is_anew: bool, most: int = CHUNK) -> list[int]:
    """Orders to judge beyond an order id, of channels that say how they state tax."""
    given = {"after": after, "is_anew": is_anew, "most": most}
    return list(conn.scalars(_DUE, given))


def judge(conn: sa.Connection, orders: list[int], run: str) -> int:
    """Hold the tax of orders against the rates of their day.

    Returns:
        How many were judged.
    """
    return conn.execute(_JUDGE, {"orders": orders, "run": run}).rowcount


_EXPLAINED = sa.text("""
    SELECT i.invoice_id, i.order_id, i.issued_at, t.tax_date, t.treatment, t.country, t.outcome,
        t.stated_minor, t.expected_minor, t.currency, t.lines
    FROM documents.invoices AS i LEFT JOIN backoffice.order_taxes AS t USING (order_id)
    WHERE i.series || '-' || lpad(CAST(i.number AS text), 6, '0') = :number
""")
_DECIDED = sa.text("""
    SELECT DISTINCT ON (l.kind, l.subject) l.kind, l.subject, l.version, l.decided_as_of,
        l.outcome, r.parameters, r.created_by, r.decided_by AS approved_by
    FROM decisions.ledger AS l LEFT JOIN backoffice.business_rules AS r ON r.label = l.version
    WHERE l.order_id = :order_id
    ORDER BY l.kind, l.subject, l.attempt DESC
""")


def explain_invoice(conn: sa.Connection, number: str) -> dict[str, object] | None:
    """By which versions of which rules, and which rates of tax, an invoice came about.

    Args:
        conn: connection to read with.
        number: as printed, such as INV-2026-000042.

    Returns:
        `tax`, and `decisions` with version, settings, author and approver; None where there is no
        such invoice.
    """
    found = conn.execute(_EXPLAINED, {"number": number}).mappings().first()
    if found is None:
        return None
    decided = conn.execute(_DECIDED, {"order_id": found["order_id"]}).mappings()
    return {"tax": dict(found), "decisions": [dict(row) for row in decided]}
