"""Comparisons of orders with what came in, what was paid and what was decided about them."""

from __future__ import annotations

INBOX_ORDERS = """
    SELECT coalesce(placed.channel, message.channel) || '/'
            || coalesce(placed.external_id, message.external_id) AS subject,
        placed.order_id IS NULL OR message.inbox_id IS NULL AS differs,
        CASE WHEN placed.order_id IS NULL THEN 'accepted message without an order'
            ELSE 'order without its accepted message' END AS detail
    FROM (SELECT * FROM orders.inbox WHERE state = 'accepted') AS message
    FULL JOIN orders.orders AS placed USING (inbox_id)
"""

# Settled rows count too: the account says what the import parked, not what is parked today.
IMPORTS_QUARANTINE = """
    WITH parked AS (
        SELECT run_id, source, count(*) AS rows FROM flow.quarantine GROUP BY run_id, source
    )
    SELECT account.import_id || '/' || account.source AS subject,
        account.rows_read
            <> account.rows_accepted + account.rows_parked + account.rows_superseded
            OR account.rows_parked <> coalesce(parked.rows, 0) AS differs,
        format('read %s, accepted %s, parked %s, superseded %s, in quarantine %s',
            account.rows_read, account.rows_accepted, account.rows_parked,
            account.rows_superseded, coalesce(parked.rows, 0)) AS detail
    FROM flow.import_accounts AS account
    JOIN flow.imports AS import USING (import_id)
    LEFT JOIN parked ON (parked.run_id, parked.source) = (import.run_id, account.source)
"""

# Imported customers may never order: a count of none equals no placed order. An edited order that
# waits may have been counted before its edit or not, so its customer is compared later.
CUSTOMERS_ORDERS = """
    WITH placed AS (
        SELECT customer_key, count(*) AS orders
        FROM orders.orders
        WHERE order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage = 'customer')
        GROUP BY customer_key
    )
    SELECT customer_key AS subject,
        placed.orders IS DISTINCT FROM nullif(customer.orders_count, 0) AS differs,
        format('orders placed %s, counted %s', coalesce(placed.orders, 0),
            coalesce(customer.orders_count::text, 'no customer')) AS detail
    FROM placed FULL JOIN customers.customers AS customer USING (customer_key)
    WHERE customer_key NOT IN (
        SELECT edited.customer_key
        FROM orders.orders AS edited
        JOIN flow.pending AS wait USING (order_id)
        JOIN orders.changes AS change USING (order_id)
        WHERE wait.stage = 'customer' AND change.state = 'applied')
"""

# What an order owes is compared with its currency: equal numbers of two currencies differ.
PAYMENTS_ORDERS = """
    SELECT placed.order_id::text AS subject,
        (payment.due_minor, payment.currency)
            IS DISTINCT FROM (placed.total_minor, placed.currency) AS differs,
        format('total %s %s, due %s', placed.total_minor, placed.currency,
            coalesce(payment.due_minor || ' ' || payment.currency, 'missing')) AS detail
    FROM orders.orders AS placed
    LEFT JOIN payments.order_payments AS payment USING (order_id)
    WHERE placed.order_id NOT IN (
        SELECT order_id FROM flow.pending
        WHERE stage IN ('payment', 'unallocate', 'release', 'settle'))
"""

PAYMENTS_TENDERS = """
    WITH tendered AS (
        SELECT order_id,
            coalesce(sum(amount_minor) FILTER (WHERE state = 'authorised'), 0) AS authorised,
            coalesce(sum(amount_minor) FILTER (WHERE state = 'pending'), 0) AS pending
        FROM payments.transactions GROUP BY order_id
    )
    SELECT order_id::text AS subject,
        payment.order_id IS NULL
            OR payment.authorised_minor <> coalesce(tendered.authorised, 0)
            OR payment.pending_minor <> coalesce(tendered.pending, 0) AS differs,
        format('tenders: authorised %s, pending %s; payment: authorised %s, pending %s',
            coalesce(tendered.authorised, 0), coalesce(tendered.pending, 0),
            coalesce(payment.authorised_minor::text, 'missing'),
            coalesce(payment.pending_minor::text, 'missing')) AS detail
    FROM tendered FULL JOIN payments.order_payments AS payment USING (order_id)
"""

# A cancelled order went no further than it had come; one that is being changed begins anew.
SCORES_PAYMENTS = """
    SELECT payment.order_id::text AS subject, score.order_id IS NULL AS differs,
        'no fraud score' AS detail
    FROM payments.order_payments AS payment
    LEFT JOIN fraud.order_scores AS score USING (order_id)
    WHERE payment.order_id NOT IN (
            SELECT order_id FROM flow.pending
            WHERE stage IN ('payment', 'score', 'unallocate', 'release', 'settle'))
        AND payment.order_id NOT IN (
            SELECT order_id FROM flow.order_states WHERE fulfilment_state = 'cancelled')
"""

DECISIONS_SCORES = """
    SELECT score.order_id::text AS subject, decision.order_id IS NULL AS differs,
        'no risk decision' AS detail
    FROM fraud.order_scores AS score
    LEFT JOIN risk.decisions AS decision USING (order_id)
    WHERE score.order_id NOT IN (
            SELECT order_id FROM flow.pending
            WHERE stage IN ('payment', 'score', 'risk', 'unallocate', 'release', 'settle'))
        AND score.order_id NOT IN (
            SELECT order_id FROM flow.order_states WHERE fulfilment_state = 'cancelled')
"""

# No exception for waiting orders: a state and what explains it are written in one transaction. Only
# an edited order has decisions from before its edit until they are replaced.
STATES_AREAS = """
    WITH anew AS (
        SELECT order_id, bool_or(stage = 'payment') AS is_unmatched FROM flow.pending
        WHERE stage IN ('payment', 'score', 'risk')
            AND order_id IN (SELECT order_id FROM orders.changes WHERE state = 'applied')
        GROUP BY order_id
    )
    SELECT placed.order_id::text AS subject,
        state.order_id IS NULL
            OR state.payment_state <> CASE WHEN anew.is_unmatched THEN 'unchecked'
                ELSE coalesce(payment.payment_state, 'unchecked') END
            OR state.risk_state <> CASE WHEN anew.order_id IS NOT NULL AND
                    state.fulfilment_state = 'new' THEN 'undecided'
                ELSE coalesce(decision.outcome, 'undecided') END AS differs,
        format('states: payment %s, risk %s; areas: payment %s, risk %s',
            coalesce(state.payment_state, 'missing'), coalesce(state.risk_state, 'missing'),
            coalesce(payment.payment_state, 'unchecked'), coalesce(decision.outcome, 'undecided')
        ) AS detail
    FROM orders.orders AS placed
    LEFT JOIN flow.order_states AS state USING (order_id)
    LEFT JOIN payments.order_payments AS payment USING (order_id)
    LEFT JOIN risk.decisions AS decision USING (order_id)
    LEFT JOIN anew USING (order_id)
"""

# Both ways: a decision without effect and an effect without decision are equally wrong. Several
# decisions about one order count once, since lines, sites and attempts each have their own. What
# was decided before a change is taken back, and stays in the ledger.
LEDGER_AREAS = """
    WITH acted AS (
        SELECT 'payment_match' AS kind, order_id FROM payments.order_payments
        UNION ALL SELECT 'fraud_score', order_id FROM fraud.order_scores
        UNION ALL SELECT 'risk_decision', order_id FROM risk.decisions
        UNION ALL SELECT DISTINCT 'reservation', order_id FROM inventory.reservations
        UNION ALL SELECT DISTINCT 'allocation', order_id FROM warehouse.allocations
        UNION ALL SELECT DISTINCT 'carrier_choice', order_id FROM transport.carrier_choices
    ), recorded AS (
        SELECT DISTINCT kind, order_id FROM decisions.ledger
        WHERE kind IN (SELECT kind FROM acted)
    ), changed AS (
        SELECT DISTINCT order_id FROM orders.changes WHERE state IN ('started', 'applied')
    )
    SELECT kind || ' of order ' || order_id AS subject,
        acted.ordinal IS NULL OR recorded.ordinal IS NULL AS differs,
        CASE WHEN acted.ordinal IS NULL THEN 'in the ledger, but not acted on'
            ELSE 'acted on, but not in the ledger' END AS detail
    FROM (SELECT *, 1 AS ordinal FROM acted) AS acted
    FULL JOIN (SELECT *, 1 AS ordinal FROM recorded) AS recorded USING (kind, order_id)
    WHERE acted.ordinal IS NOT NULL OR order_id NOT IN (SELECT order_id FROM changed)
"""
