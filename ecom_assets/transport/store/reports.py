"""What the transport assets show operators: selects over the area's tables, nothing is written."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.states import ORDER_STATES
from ecom_assets.transport.tables import CARRIER_CHOICES, SHIPMENTS

_X = CARRIER_CHOICES.c
_S = SHIPMENTS.c

CARRIER_MIX = (
    sa.select(_X.service_code, sa.func.count().label("parcels"))
    .where(_X.is_chosen)
    .group_by(_X.service_code)
    .order_by(sa.desc("parcels"), _X.service_code)
    .limit(30)
)
"""Parcels per chosen service, most used first."""

# A probability of exactly 1 belongs to the last tenth, not to an eleventh.
_TENTH = sa.func.least(sa.func.floor(_X.on_time_probability * 10), 9)
ON_TIME = (
    sa.select(
        sa.func.format("%s-%s %%", _TENTH * 10, _TENTH * 10 + 10).label("probability"),
        sa.func.count().label("parcels"),
    )
    .where(_X.is_chosen)
    .group_by(_TENTH)
    .order_by(_TENTH)
)
"""Parcels per tenth of the on-time probability of the chosen service."""

SHARES = sa.select(
    sa.func.avg(sa.cast(_X.is_eligible, sa.Integer)).label("share_eligible"),
    sa.func.avg(_X.on_time_probability).filter(_X.is_chosen).label("mean_on_time_probability"),
)
"""Share of candidates that could carry their parcel; mean probability of the chosen ones."""

LATEST_CHOICES = (
    sa.select(
        _X.order_id,
        _X.site_code,
        _X.service_code,
        _X.zone_code,
        (_X.billable_weight_g / 1000.0).label("billable_kg"),
        _X.cost_minor,
        _X.currency,
        sa.func.round(_X.score).label("score"),
        _X.is_chosen,
        _X.reason,
    )
    .order_by(_X.order_id.desc(), _X.site_code, _X.score.nulls_last())
    .limit(10)
)
"""Candidates of the latest orders, best first."""

_HELD = sa.select(ORDER_STATES.c.order_id).where(ORDER_STATES.c.hold_state == "held")
_PARCEL = (_X.order_id, _X.site_code)
WITHOUT_CARRIER = (
    sa.select(*_PARCEL, sa.func.string_agg(_X.service_code + ": " + _X.reason, "; ").label("why"))
    .where(_X.order_id.in_(_HELD))
    .group_by(*_PARCEL)
    .having(~sa.func.bool_or(_X.is_chosen))
    .order_by(*_PARCEL)
    .limit(10)
)
"""Parcels of held orders that no service can carry, with what each service said."""

SHIPPING_COST = sa.select(_S.currency, sa.func.sum(_S.cost_minor)).group_by(_S.currency)
"""What the parcels cost, per currency."""

_MONTH = sa.func.to_char(_S.shipped_at, "YYYY-MM").label("month")
PARCELS_PER_MONTH = (
    sa.select(_MONTH, sa.func.count().label("parcels")).group_by(_MONTH).order_by(_MONTH)
)
"""Parcels per month of departure."""

LATEST_SHIPMENTS = (
    sa.select(
        _S.order_id,
        _S.site_code,
        _S.service_code,
        _S.units,
        _S.weight_g,
        _S.cost_minor,
        _S.currency,
        _S.shipped_at,
        _S.eta_at,
        _S.promised_at,
    )
    .order_by(_S.shipped_at.desc(), _S.shipment_id.desc())
    .limit(10)
)
"""The parcels handed over last."""
