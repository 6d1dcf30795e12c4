"""The features of claimed orders, each strictly as of the moment the order was placed.

"Before" means (placed_at, order_id) smaller than the order's own; every look-back stops after
`velocity.LOOK_BACK` sightings, newest first. Counts therefore saturate there, and a device or
address behind thousands of orders costs no more than any other.
"""

from __future__ import annotations

import json
from datetime import datetime

import sqlalchemy as sa

from ecom_assets.fraud.velocity import LOOK_BACK
from ecom_assets.shared.money import roughly_minor_per_eur
from ecom_assets.shared.working import analyse

ASSUMED_ACCOUNT_AGE_DAYS = 365
"""Age of an account whose sign-up is not known; `is_account_unknown` tells it apart."""

_OPEN = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS figures (
        order_id bigint PRIMARY KEY, due_at timestamptz NOT NULL, placed_at timestamptz NOT NULL,
        features jsonb NOT NULL
    ) ON COMMIT PRESERVE ROWS
""")

# Only the currencies of the chunk: rates are a Python table, the statement joins what it is given.
_CURRENCIES = sa.text(
    "SELECT DISTINCT currency FROM claimed JOIN orders.orders USING (order_id) ORDER BY currency"
)

# Look-backs are lateral: per order a few index entries, newest first, where a window over the whole
# history would sort it all. What is 0 becomes null and is stripped, so that documents stay small.
# The history of a new customer is empty: it yields null for the country, not "new country".
_FILL = sa.text("""
    WITH subject AS (
        SELECT c.order_id, c.due_at, o.placed_at, o.customer_key, o.ship_to_country,
            split_part(lower(o.email), '@', 2) AS mail_domain,
            round(o.total_minor / CAST(rate.minor_per_eur AS numeric), 2) AS value_eur,
            -- A sign-up after the order was not known when it was placed.
            CASE WHEN k.signed_up_at <= o.placed_at
                THEN round(extract(epoch FROM o.placed_at - k.signed_up_at) / 86400, 2)
            END AS account_age_days
        FROM claimed AS c
        JOIN orders.orders AS o USING (order_id)
        JOIN jsonb_each_text(CAST(:rates AS jsonb)) AS rate (currency, minor_per_eur)
            ON rate.currency = o.currency
        LEFT JOIN customers.customers AS k USING (customer_key)
    ), basket AS (
        SELECT order_id, sum(quantity) AS units
        FROM claimed
        JOIN orders.order_lines USING (order_id)
        GROUP BY order_id
    ), payment AS (
        SELECT order_id, count(*) AS tenders, max(installments) - 1 AS extra_installments,
            bool_or(method IN ('card', 'debit_card')) AS is_card,
            bool_or(upper(avs_result) = 'N') AS is_avs_mismatch,
            bool_or(upper(cvv_result) = 'N') AS is_cvv_mismatch
        FROM claimed
        JOIN payments.transactions USING (order_id)
        GROUP BY order_id
    ), history AS (
        SELECT s.order_id, e.*
        FROM subject AS s
        CROSS JOIN LATERAL (
            SELECT count(*) AS orders,
                count(*) FILTER (WHERE placed_at >= s.placed_at - interval '24 hours')
                    AS orders_24h,
                bool_or(ship_to_country = s.ship_to_country) AS knows_country
            FROM (
                SELECT placed_at, ship_to_country
                FROM orders.orders
                WHERE customer_key = s.customer_key
                    AND (placed_at, order_id) < (s.placed_at, s.order_id)
                ORDER BY placed_at DESC, order_id DESC
                LIMIT :look_back
            ) AS earlier
        ) AS e
    ), own AS (
        SELECT g.kind, g.value_hash, g.seen_at, g.order_id, g.customer_key
        FROM claimed
        JOIN fraud.sightings AS g USING (order_id)
    ), seen AS (
        SELECT own.order_id, own.kind, e.*
        FROM own
        CROSS JOIN LATERAL (
            SELECT
                count(*) FILTER (WHERE seen_at >= own.seen_at - interval '1 hour') AS orders_1h,
                count(*) FILTER (WHERE seen_at >= own.seen_at - interval '24 hours') AS orders_24h,
                count(*) FILTER (WHERE seen_at >= own.seen_at - interval '7 days') AS orders_7d,
                count(*) FILTER (WHERE seen_at >= own.seen_at - interval '30 days') AS orders_30d,
                count(DISTINCT customer_key)
                    FILTER (WHERE customer_key <> own.customer_key) AS customers,
                bool_or(customer_key = own.customer_key) AS knows_customer
            FROM (
                SELECT seen_at, customer_key
                FROM fraud.sightings
                WHERE kind = own.kind AND value_hash = own.value_hash
                    AND (seen_at, order_id) < (own.seen_at, own.order_id)
                ORDER BY seen_at DESC, order_id DESC
                LIMIT :look_back
            ) AS earlier
        ) AS e
    ), velocity AS (
        SELECT order_id,
            max(orders_24h) FILTER (WHERE kind = 'card') AS card_orders_24h,
            max(customers) FILTER (WHERE kind = 'card') AS card_customers,
            max(orders_1h) FILTER (WHERE kind = 'device') AS device_orders_1h,
            max(orders_7d) FILTER (WHERE kind = 'device') AS device_orders_7d,
            max(customers) FILTER (WHERE kind = 'device') AS device_customers,
            max(orders_1h) FILTER (WHERE kind = 'ip') AS ip_orders_1h,
            max(customers) FILTER (WHERE kind = 'ip') AS ip_customers,
            max(orders_24h) FILTER (WHERE kind = 'email') AS email_orders_24h,
            max(customers) FILTER (WHERE kind = 'email') AS email_customers,
            max(orders_30d) FILTER (WHERE kind = 'address') AS address_orders_30d,
            max(customers) FILTER (WHERE kind = 'address') AS address_customers,
            bool_or(knows_customer IS NOT TRUE) FILTER (WHERE kind = 'address')
                AS is_strange_address
        FROM seen
        GROUP BY order_id
    ), tainted AS (
        -- An IP address is left out: a provider gives it to honest customers too.
        SELECT g.kind, g.value_hash, min(l.known_at) AS known_at
        FROM fraud.labels AS l
        JOIN orders.orders AS o USING (channel, external_id)
        JOIN fraud.sightings AS g USING (order_id)
        WHERE l.label = 'fraud' AND g.kind <> 'ip'
            AND l.known_at < (SELECT max(placed_at) FROM subject)
        GROUP BY g.kind, g.value_hash
    ), link AS (
        SELECT own.order_id, count(*) AS known_fraud_links
        FROM own
        JOIN tainted AS t USING (kind, value_hash)
        WHERE t.known_at < own.seen_at
        GROUP BY own.order_id
    ), figure AS (
        SELECT order_id, due_at, placed_at,
            NULLIF(value_eur, 0) AS value_eur,
            NULLIF(units, 0) AS units,
            NULLIF(tenders, 0) AS tenders,
            NULLIF(extra_installments, 0) AS extra_installments,
            NULLIF(CAST(is_card AS integer), 0) AS is_card,
            NULLIF(CAST(is_avs_mismatch AS integer), 0) AS is_avs_mismatch,
            NULLIF(CAST(is_cvv_mismatch AS integer), 0) AS is_cvv_mismatch,
            CASE WHEN extract(hour FROM placed_at AT TIME ZONE 'UTC') < 5 THEN 1 END AS is_night,
            CASE WHEN mail_domain IN ('gmail.com', 'googlemail.com', 'yahoo.com', 'hotmail.com',
                'outlook.com', 'live.com', 'aol.com', 'gmx.de', 'gmx.net', 'web.de', 'mail.ru',
                'yandex.ru', 'icloud.com', 'proton.me', 'protonmail.com') THEN 1 END
                AS is_free_mail,
            CASE WHEN account_age_days IS NULL THEN 1 END AS is_account_unknown,
            NULLIF(coalesce(account_age_days, :assumed_age), 0) AS account_age_days,
            CASE WHEN account_age_days < 1 THEN 1 END AS is_new_account,
            NULLIF(h.orders, 0) AS customer_orders,
            NULLIF(h.orders_24h, 0) AS customer_orders_24h,
            CASE WHEN NOT h.knows_country THEN 1 END AS is_new_country,
            CASE WHEN is_strange_address AND h.orders > 0 THEN 1 END AS is_new_address,
            NULLIF(card_orders_24h, 0) AS card_orders_24h,
            NULLIF(card_customers, 0) AS card_customers,
            NULLIF(device_orders_1h, 0) AS device_orders_1h,
            NULLIF(device_orders_7d, 0) AS device_orders_7d,
            NULLIF(device_customers, 0) AS device_customers,
            NULLIF(ip_orders_1h, 0) AS ip_orders_1h,
            NULLIF(ip_customers, 0) AS ip_customers,
            NULLIF(email_orders_24h, 0) AS email_orders_24h,
            NULLIF(email_customers, 0) AS email_customers,
            NULLIF(address_orders_30d, 0) AS address_orders_30d,
            NULLIF(address_customers, 0) AS address_customers,
            known_fraud_links
        FROM subject
        JOIN history AS h USING (order_id)
        LEFT JOIN basket USING (order_id)
        LEFT JOIN payment USING (order_id)
        LEFT JOIN velocity USING (order_id)
        LEFT JOIN link USING (order_id)
    )
    INSERT INTO figures (order_id, due_at, placed_at, features)
    SELECT order_id, due_at, placed_at,
        jsonb_strip_nulls(to_jsonb(figure) - ARRAY['order_id', 'due_at', 'placed_at'])
    FROM figure
""")

# In UTC, whatever the session's zone: an order decided at midnight belongs to one month everywhere.
_MONTHS = sa.text(
    "SELECT DISTINCT date_trunc('month', due_at, 'UTC') AS month FROM figures ORDER BY month"
)


def take_figures(conn: sa.Connection, look_back: int = LOOK_BACK) -> None:
    """Fill the temporary table `figures` with the features of the claimed orders.

    Features that are 0 are left out of the document.

    Args:
        conn: connection with `claimed` filled.
        look_back: earlier orders looked at per card, device, e-mail, IP, address or customer.
    """
    conn.execute(_OPEN)
    conn.execute(sa.text("DELETE FROM figures"))
    currencies = conn.execute(_CURRENCIES).scalars()
    given = {
        "rates": json.dumps({each: roughly_minor_per_eur(each) for each in currencies}),
        "look_back": look_back,
        "assumed_age": ASSUMED_ACCOUNT_AGE_DAYS,
    }
    analyse(conn, sa.text("ANALYZE figures"), conn.execute(_FILL, given).rowcount)


def months(conn: sa.Connection) -> list[datetime]:
    """First moments (UTC) of the calendar months in which the claimed orders are decided."""
    return list(conn.execute(_MONTHS).scalars())
