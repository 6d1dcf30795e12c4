"""`inventory.forecasts` and `inventory.reorder_policies`: what is expected, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ecom_assets.inventory.store.loading import copy_columns
from ecom_assets.inventory.tables import FORECASTS, QUANTILE_COLUMNS, REORDER_POLICIES
from ecom_assets.shared.upsert import upsert

if TYPE_CHECKING:
    from ecom_assets.inventory.forecasting.panel import Floats
    from ecom_assets.inventory.forecasting.planning import Planned
    from ecom_assets.inventory.reordering import Policy
    from ecom_assets.inventory.store.panels import Series

KEPT_ORIGINS = 5
"""Newest origins whose forecasts are kept: enough to see how the last ones did."""

_TERMS = sa.text("""
    SELECT g.sku, s.lead_time_days, s.lead_time_spread_days, t.service_level
    FROM unnest(CAST(:skus AS text[])) WITH ORDINALITY AS g (sku, place)
    LEFT JOIN catalog.products AS p USING (sku)
    LEFT JOIN catalog.suppliers AS s USING (supplier_key)
    LEFT JOIN inventory.reorder_terms AS t USING (sku)
    ORDER BY g.place
""")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known about the supply of each series, (series,) each."""

    lead_days: Floats
    lead_spread_days: Floats
    level: Floats


def terms_of(conn: sa.Connection, skus: list[str], usual: tuple[float, float, float]) -> Terms:
    """Lead time, its spread and the service level of SKUs.

    Args:
        conn: connection to read with.
        skus: one per series.
        usual: the same three where nothing is said.
    """
    import numpy as np

    rows = conn.execute(_TERMS, {"skus": skus}).all()
    columns = [
        np.array([row[place + 1] if row[place + 1] is not None else usual[place] for row in rows])
        for place in range(3)
    ]
    return Terms(*(column.astype(np.float64) for column in columns))


def save_forecasts(
    conn: sa.Connection, series: Series, planned: Planned, version: str, run: str
) -> int:
    """Put the forecasts of an origin in the place of earlier ones of it; drop the oldest origins.

    Returns:
        How many rows.
    """
    import numpy as np

    origin, horizon = series.end, planned.mean.shape[1]
    old = sa.select(FORECASTS.c.origin_date).distinct().order_by(FORECASTS.c.origin_date.desc())
    conn.execute(sa.delete(FORECASTS).where(FORECASTS.c.origin_date == origin))
    kept = old.where(FORECASTS.c.origin_date <= origin).limit(KEPT_ORIGINS - 1)
    conn.execute(
        sa.delete(FORECASTS).where(
            FORECASTS.c.origin_date < origin, FORECASTS.c.origin_date.not_in(kept)
        )
    )
    count = len(series.skus) * horizon
    columns: dict[str, Any] = {
        name: np.repeat(np.asarray(part, dtype=object), horizon)
        for name, part in (
            ("sku", series.skus), ("site_code", series.sites),
            ("segment", planned.segment), ("method", planned.method),
        )
    }  # fmt: skip
    columns["origin_date"] = [origin] * count
    columns["week_date"] = [origin + timedelta(weeks=ahead) for ahead in range(horizon)] * len(
        series.skus
    )
    columns["mean_units"] = np.round(planned.mean.ravel(), 4)
    for place, name in enumerate(QUANTILE_COLUMNS):
        columns[name] = np.round(planned.quantiles[:, :, place].ravel(), 4)
    columns |= {"version": [version] * count, "run_id": [run] * count}
    return copy_columns(conn, FORECASTS, columns)


_STAGED = sa.Table(
    "staged_policies",
    sa.MetaData(),
    *(
        sa.Column(column.name, column.type)
        for column in REORDER_POLICIES.columns
        if column.name not in ("run_id", "recorded_at")
    ),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def save_policies(
    conn: sa.Connection,
    series: Series,
    planned: Planned,
    terms: Terms,
    review_days: float,
    policy: Policy,
    run: str,
) -> dict[str, int]:
    """Bring the policies up to date; those of series that are no longer forecast go.

    Returns:
        `policies_written`, new or changed, and `policies_removed`.
    """
    _STAGED.create(conn)
    copy_columns(conn, _STAGED, _policy_columns(series, planned, terms, review_days, policy))
    gone = sa.tuple_(REORDER_POLICIES.c.sku, REORDER_POLICIES.c.site_code).not_in(
        sa.select(_STAGED.c.sku, _STAGED.c.site_code)
    )
    removed = conn.execute(sa.delete(REORDER_POLICIES).where(gone)).rowcount
    rows = sa.select(*_STAGED.c)
    written = upsert(conn, REORDER_POLICIES, rows, ("sku", "site_code"), {"run_id": run})
    return {"policies_written": written, "policies_removed": removed}


def _policy_columns(
    series: Series, planned: Planned, terms: Terms, review_days: float, policy: Policy
) -> dict[str, Any]:
    import numpy as np

    count, safety = len(series.skus), policy.safety
    units = {
        "protected_units": planned.protected,
        "demand_spread_units": safety.demand,
        "lead_spread_units": safety.lead,
        "safety_units": safety.total,
        "daily_units": planned.daily,
    }
    return {
        "sku": series.skus,
        "site_code": series.sites,
        "origin_date": [series.end] * count,
        "segment": planned.segment,
        "method": planned.method,
        "service_level": terms.level,
        "lead_days": terms.lead_days,
        "lead_spread_days": terms.lead_spread_days,
        "review_days": [review_days] * count,
        **{name: np.round(part, 4) for name, part in units.items()},
        "reorder_point": policy.reorder_point,
        "order_up_to": policy.order_up_to,
    }


def is_forecast(
    conn: sa.Connection, origin: date, version: str, methods: Mapping[str, str]
) -> bool:
    """Whether the forecasts of an origin are there, by this version and by the segments' methods.

    Args:
        conn: connection to read with.
        origin: Monday they start at.
        version: version of the methods.
        methods: method by segment; one that is not in it may have any.
    """
    found = conn.execute(
        sa.select(FORECASTS.c.segment, FORECASTS.c.method)
        .distinct()
        .where(FORECASTS.c.origin_date == origin, FORECASTS.c.version == version)
    ).all()
    return bool(found) and all(methods.get(segment, method) == method for segment, method in found)


LARGEST_POLICIES = sa.text("""
    SELECT p.sku, p.site_code, p.segment, p.method, coalesce(b.on_hand, 0) AS on_hand,
        round(p.daily_units::numeric, 2) AS per_day, p.service_level,
        round(p.lead_days::numeric, 1) AS lead_days, round(p.safety_units::numeric, 1) AS safety,
        p.reorder_point, p.order_up_to
    FROM inventory.reorder_policies AS p
    LEFT JOIN inventory.balances AS b USING (sku, site_code)
    ORDER BY p.daily_units DESC, p.sku, p.site_code
""").columns(*map(sa.column, (
    "sku", "site_code", "segment", "method", "on_hand", "per_day", "service_level", "lead_days",
    "safety", "reorder_point", "order_up_to",
)))  # fmt: skip
"""Policies of what sells most, beside the stock."""
