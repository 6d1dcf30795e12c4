"""What must hold of the transport area's tables."""

from __future__ import annotations

from ecom_assets.shared.expectations import (
    CURRENCY,
    TableExpectations,
    has_rows,
    no_rows,
    values_between,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure
from ecom_assets.transport.tables import (
    CARRIER_CHOICES,
    CARRIERS,
    RATE_LIST_ROWS,
    RATE_LISTS,
    RATES,
    SERVICES,
    SHIPMENTS,
    ZONES,
)

_LIMIT_MISSING = no_rows(
    "limits_positive",
    "SELECT service_code FROM {batch} WHERE max_weight_g <= 0 OR dim_divisor < 0",
    "Every service carries some weight, and its divisor is not negative.",
)
# Shops that share the tables may have zones of their own, each for its own services. A zone that
# overlaps and has no price at all is nobody's: most likely a bound with a slip in it.
_ZONES_OVERLAP = no_rows(
    "ranges_disjoint",
    """
    SELECT DISTINCT zone.zone_code FROM {batch} AS zone
    JOIN transport.zones AS other ON other.zone_code <> zone.zone_code
        AND other.from_km < zone.to_km AND zone.from_km < other.to_km
        AND zone.archived_at IS NULL AND other.archived_at IS NULL
    WHERE NOT EXISTS (SELECT FROM transport.rates WHERE zone_code = zone.zone_code)
        OR NOT EXISTS (SELECT FROM transport.rates WHERE zone_code = other.zone_code)
        OR EXISTS (
            SELECT FROM transport.rates AS here JOIN transport.rates AS there USING (service_code)
            WHERE here.zone_code = zone.zone_code AND there.zone_code = other.zone_code
        )
    """,
    "Zones overlap only where they are priced for different services.",
    is_blocking=True,
)
_BANDS_OVERLAP = no_rows(
    "bands_disjoint",
    """
    SELECT DISTINCT rate.rate_id FROM {batch} AS rate
    JOIN transport.rates AS other
        ON (other.service_code, other.zone_code) = (rate.service_code, rate.zone_code)
        AND other.rate_id <> rate.rate_id
        AND other.from_g < rate.to_g AND rate.from_g < other.to_g
        AND other.valid_from_at < coalesce(rate.valid_to_at, 'infinity')
        AND rate.valid_from_at < coalesce(other.valid_to_at, 'infinity')
    """,
    "No parcel has two prices in the same service at the same time.",
    is_blocking=True,
)
_NEVER_VALID = no_rows(
    "validity_not_empty",
    "SELECT rate_id FROM {batch} WHERE valid_to_at <= valid_from_at",
    "Every rate is valid for some time.",
)
_CHOSEN_UNFIT = no_rows(
    "chosen_is_eligible",
    """
    SELECT order_id, site_code, service_code FROM {batch}
    WHERE is_chosen AND (NOT is_eligible OR cost_minor IS NULL OR eta_at IS NULL)
    """,
    "Every service that was chosen can carry the parcel and has a price and an arrival.",
    is_blocking=True,
)
_CHOSEN_TWICE = no_rows(
    "chosen_once",
    """
    SELECT choice.order_id, choice.site_code, choice.service_code FROM {batch} AS choice
    JOIN transport.carrier_choices AS other
        ON (other.order_id, other.site_code) = (choice.order_id, choice.site_code)
        AND other.service_code <> choice.service_code AND other.is_chosen
    WHERE choice.is_chosen
    """,
    "At most one service is chosen for a parcel.",
    is_blocking=True,
)
_COST_NEGATIVE = no_rows(
    "cost_not_negative",
    "SELECT order_id, site_code, service_code FROM {batch} WHERE cost_minor < 0",
    "No candidate has a negative price.",
    is_blocking=True,
)
_CHOICE_DIFFERS = no_rows(
    "cost_equals_choice",
    """
    SELECT parcel.shipment_id FROM {batch} AS parcel
    LEFT JOIN transport.carrier_choices AS choice
        ON (choice.order_id, choice.site_code) = (parcel.order_id, parcel.site_code)
        AND choice.is_chosen
    WHERE choice.service_code IS DISTINCT FROM parcel.service_code
        OR choice.cost_minor IS DISTINCT FROM parcel.cost_minor
    """,
    "Every parcel went with the service chosen for it, at its price.",
    is_blocking=True,
)
_UNITS_DIFFER = no_rows(
    "units_equal_allocations",
    """
    SELECT parcel.shipment_id FROM {batch} AS parcel
    LEFT JOIN (
        SELECT order_id, site_code, sum(quantity) AS units
        FROM warehouse.allocations GROUP BY order_id, site_code
    ) AS allocation USING (order_id, site_code)
    WHERE allocation.units IS DISTINCT FROM parcel.units
    """,
    "Every parcel holds exactly what was allocated to its site.",
    is_blocking=True,
)
_SHIPPED_TOO_EARLY = no_rows(
    "shipped_after_decision",
    """
    SELECT parcel.shipment_id FROM {batch} AS parcel
    JOIN orders.orders AS placed USING (order_id)
    WHERE parcel.shipped_at < placed.decided_as_of
    """,
    "No parcel left before its order was decided.",
)

EXPECTATIONS = (
    TableExpectations(CARRIERS, (*structure(CARRIERS), has_rows("The shop has a carrier."))),
    TableExpectations(SERVICES, (*structure(SERVICES), _LIMIT_MISSING)),
    TableExpectations(ZONES, (*structure(ZONES), _ZONES_OVERLAP)),
    TableExpectations(
        RATES,
        (
            *structure(RATES),
            values_match("currency", CURRENCY, "an ISO 4217 code", is_blocking=True),
            values_between("transit_days", 0, 365, "days"),
            _BANDS_OVERLAP,
            _NEVER_VALID,
        ),
    ),
    TableExpectations(RATE_LISTS, structure(RATE_LISTS)),
    TableExpectations(RATE_LIST_ROWS, structure(RATE_LIST_ROWS)),
    TableExpectations(
        CARRIER_CHOICES,
        (
            *structure(CARRIER_CHOICES),
            refers_to(CARRIER_CHOICES, "service_code", SERVICES.c.service_code),
            refers_to(CARRIER_CHOICES, "rate_id", RATES.c.rate_id),
            values_between("on_time_probability", 0, 1),
            _CHOSEN_UNFIT,
            _CHOSEN_TWICE,
            _COST_NEGATIVE,
        ),
    ),
    TableExpectations(
        SHIPMENTS,
        (
            *structure(SHIPMENTS),
            values_between("weight_g", 0, None, "grams"),
            _CHOICE_DIFFERS,
            _UNITS_DIFFER,
            _SHIPPED_TOO_EARLY,
        ),
    ),
)
