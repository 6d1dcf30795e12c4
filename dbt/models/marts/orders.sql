{{ config(indexes=[{'columns': ['order_id'], 'unique': true}, {'columns': ['placed_date']}]) }}

with orders as (
    select * from {{ ref('stg_orders') }}
),

order_states as (
    select * from {{ ref('stg_order_states') }}
),

order_lines as (
    select * from {{ ref('stg_order_lines') }}
),

transactions as (
    select * from {{ ref('stg_transactions') }}
),

order_payments as (
    select * from {{ ref('stg_order_payments') }}
),

order_scores as (
    select * from {{ ref('stg_order_scores') }}
),

risk_decisions as (
    select * from {{ ref('stg_risk_decisions') }}
),

reservations as (
    select * from {{ ref('stg_reservations') }}
),

allocations as (
    select * from {{ ref('stg_allocations') }}
),

shipments as (
    select * from {{ ref('stg_shipments') }}
),

invoices as (
    select * from {{ ref('stg_invoices') }}
),

observed_events as (
    select * from {{ ref('stg_observed_events') }}
),

lines_by_order as (
    select
        order_id,
        count(*)::integer as lines_count,
        sum(quantity)::integer as units_ordered
    from order_lines
    group by order_id
),

tenders_by_order as (
    select
        order_id,
        count(*)::integer as tenders_count,
        -- the tender that carries most of the order names its method
        (array_agg(method order by amount_minor desc, tender_no))[1] as payment_method,
        max(installments) as installments
    from transactions
    group by order_id
),

reservations_by_order as (
    select
        order_id,
        sum(units_reserved)::integer as units_reserved,
        sum(units_backordered)::integer as units_backordered,
        sum(units_shipped)::integer as units_shipped
    from reservations
    group by order_id
),

sites_by_order as (
    select
        order_id,
        count(distinct site_code)::integer as sites_count
    from allocations
    group by order_id
),

parcels_by_order as (
    select
        order_id,
        count(*)::integer as parcels_count,
        sum(cost_minor)::bigint as freight_cost_minor,
        min(currency) as freight_currency,
        min(shipped_at) as shipped_at,
        max(eta_at) as eta_at
    from shipments
    group by order_id
),

observed_by_order as (
    select
        channel,
        external_id,
        bool_or(kind = 'cancelled') as is_cancelled,
        bool_or(kind = 'returned') as is_returned,
        bool_or(kind = 'delivered') as is_delivered,
        bool_or(kind = 'handed_over') as is_handed_over,
        min(happened_at) filter (where kind = 'cancelled') as cancelled_at,
        min(happened_at) filter (where kind = 'handed_over') as handed_over_at,
        max(happened_at) filter (where kind = 'delivered') as delivered_at,
        avg(review_score) filter (where kind = 'reviewed')::double precision as review_score
    from observed_events
    group by channel, external_id
)

select
    orders.order_id,
    orders.channel,
    orders.external_id,
    orders.customer_hash,
    orders.placed_at,
    orders.placed_date,
    orders.decided_as_of,
    orders.promised_at,
    orders.ship_to_country,
    orders.ship_to_region,
    orders.currency,
    orders.items_minor,
    orders.discount_minor,
    orders.shipping_minor,
    orders.tax_minor,
    orders.total_minor,
    lines_by_order.lines_count,
    lines_by_order.units_ordered,
    order_states.payment_state,
    order_states.risk_state,
    order_states.fulfilment_state,
    order_states.hold_state,
    tenders_by_order.payment_method,
    coalesce(tenders_by_order.tenders_count, 0) as tenders_count,
    tenders_by_order.installments,
    order_payments.authorised_minor,
    order_payments.pending_minor,
    order_payments.difference_minor as payment_difference_minor,
    order_scores.fraud_probability,
    order_scores.score_method,
    risk_decisions.risk_outcome,
    risk_decisions.risk_reasons,
    risk_decisions.expected_loss_minor,
    coalesce(reservations_by_order.units_reserved, 0) as units_reserved,
    coalesce(reservations_by_order.units_backordered, 0) as units_backordered,
    coalesce(reservations_by_order.units_shipped, 0) as units_shipped,
    coalesce(sites_by_order.sites_count, 0) as sites_count,
    coalesce(sites_by_order.sites_count, 0) > 1 as is_split,
    coalesce(parcels_by_order.parcels_count, 0) as parcels_count,
    parcels_by_order.freight_cost_minor,
    parcels_by_order.freight_currency,
    parcels_by_order.shipped_at,
    parcels_by_order.eta_at,
    invoices.invoice_number,
    invoices.issued_at as invoiced_at,
    invoices.total_minor as invoiced_minor,
    -- the last word of the source wins: a cancelled order that also has a delivery is cancelled
    case
        when observed_by_order.is_cancelled then 'cancelled'
        when observed_by_order.is_returned then 'returned'
        when observed_by_order.is_delivered then 'delivered'
        when observed_by_order.is_handed_over then 'handed_over'
        when observed_by_order.external_id is not null then 'open'
        else 'unknown'
    end as observed_outcome,
    observed_by_order.cancelled_at as observed_cancelled_at,
    observed_by_order.handed_over_at as observed_handed_over_at,
    observed_by_order.delivered_at as observed_delivered_at,
    observed_by_order.delivered_at <= orders.promised_at as is_observed_on_time,
    observed_by_order.review_score as observed_review_score
from orders
inner join lines_by_order using (order_id)
inner join order_states using (order_id)
left join tenders_by_order using (order_id)
left join order_payments using (order_id)
left join order_scores using (order_id)
left join risk_decisions using (order_id)
left join reservations_by_order using (order_id)
left join sites_by_order using (order_id)
left join parcels_by_order using (order_id)
left join invoices using (order_id)
left join observed_by_order
    on
        orders.channel = observed_by_order.channel
        and orders.external_id = observed_by_order.external_id
