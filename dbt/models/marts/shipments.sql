{{ config(indexes=[
    {'columns': ['shipment_id'], 'unique': true},
    {'columns': ['order_id']},
]) }}

with shipments as (
    select * from {{ ref('stg_shipments') }}
),

orders as (
    select * from {{ ref('orders') }}
),

sites as (
    select * from {{ ref('stg_sites') }}
),

services as (
    select * from {{ ref('stg_services') }}
),

carriers as (
    select * from {{ ref('stg_carriers') }}
),

carrier_choices as (
    select * from {{ ref('stg_carrier_choices') }}
),

choices_by_parcel as (
    select
        shipments.shipment_id,
        count(*)::integer as services_considered,
        (count(*) filter (where carrier_choices.is_eligible))::integer as services_eligible,
        -- prices in another currency cannot be compared
        min(carrier_choices.cost_minor) filter (
            where carrier_choices.is_eligible and carrier_choices.currency = shipments.currency
        ) as cheapest_cost_minor,
        max(carrier_choices.zone_code) filter (where carrier_choices.is_chosen) as zone_code,
        max(carrier_choices.billable_weight_g) filter (where carrier_choices.is_chosen)
            as billable_weight_g,
        max(carrier_choices.on_time_probability) filter (where carrier_choices.is_chosen)
            as on_time_probability,
        max(carrier_choices.reason) filter (where carrier_choices.is_chosen) as choice_reason
    from shipments
    inner join carrier_choices
        on
            shipments.order_id = carrier_choices.order_id
            and shipments.site_code = carrier_choices.site_code
    group by shipments.shipment_id
)

select
    shipments.shipment_id,
    shipments.order_id,
    orders.channel,
    shipments.site_code,
    sites.site_name,
    services.carrier_code,
    carriers.carrier_name,
    shipments.service_code,
    services.service_name,
    choices_by_parcel.zone_code,
    orders.ship_to_country,
    orders.ship_to_region,
    shipments.units,
    shipments.weight_g,
    choices_by_parcel.billable_weight_g,
    shipments.is_weight_estimated,
    shipments.currency,
    shipments.cost_minor,
    choices_by_parcel.cheapest_cost_minor,
    choices_by_parcel.services_considered,
    choices_by_parcel.services_eligible,
    choices_by_parcel.choice_reason,
    shipments.shipped_at,
    shipments.eta_at,
    shipments.promised_at,
    choices_by_parcel.on_time_probability,
    orders.observed_handed_over_at,
    orders.observed_delivered_at,
    orders.observed_delivered_at <= shipments.promised_at as is_delivered_on_time,
    extract(epoch from orders.observed_delivered_at - shipments.promised_at)::double precision
    / 86400 as days_after_promise,
    extract(epoch from orders.observed_delivered_at - shipments.eta_at)::double precision
    / 86400 as days_after_eta
from shipments
inner join orders using (order_id)
left join sites using (site_code)
left join services using (service_code)
left join carriers using (carrier_code)
left join choices_by_parcel using (shipment_id)
