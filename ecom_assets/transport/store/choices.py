"""The choice of a carrier service for every parcel, every candidate kept.

`rules.choose` is the plain reference of the statement that finds them; a property test holds the
two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.shared import holds
from ecom_assets.shared.flow import NEXT, Stage, hand_on
from ecom_assets.shared.journal import record_decisions
from ecom_assets.shared.money import exponent
from ecom_assets.shared.versions import Version, by_version
from ecom_assets.transport.policy import KIND, Policy
from ecom_assets.transport.store.lanes import lay_out_card
from ecom_assets.transport.store.parcels import gather_parcels
from ecom_assets.transport.tables import CARRIER_CHOICES, RATES

# An order comes here again when its hold was lifted: its parcels are then judged anew.
_FORGET = sa.text(
    "DELETE FROM transport.carrier_choices AS x USING claimed AS c WHERE x.order_id = c.order_id"
)

# COLLATE "C" and a total order in every choice: ties must not fall with the language of the
# database or with the plan.
CANDIDATES = (
    sa.text("""
    WITH weighed AS (
        SELECT p.*, z.service_code, z.zone_code, z.note, z.moment_cell, z.max_weight_g, z.quality,
            b.billable_weight_g, width_bucket(b.billable_weight_g - 1, m.grams) AS gram_cell
        FROM parcels AS p
        CROSS JOIN card_marks AS m
        JOIN zone_of AS z ON z.km_cell = COALESCE(width_bucket(p.distance_km, m.km), -1)
            AND z.moment_cell = width_bucket(p.ready_at, m.moments)
        CROSS JOIN LATERAL (SELECT CASE
            WHEN z.dim_divisor <= 0 THEN p.weight_g
            ELSE LEAST(GREATEST(p.weight_g, ceil(p.volume_mm3 / z.dim_divisor)), 2147483647)
            END::integer AS billable_weight_g
        ) AS b
    ), priced AS (
        SELECT w.*, r.rate_id, r.price_minor AS cost_minor, r.currency AS rate_currency,
            w.ready_at + r.transit_days * interval '1 day' AS eta_at, r.transit_spread_days,
            EXTRACT(epoch FROM w.promised_at - w.ready_at)::double precision / 86400
                - r.transit_days AS spare_days
        FROM weighed AS w
        LEFT JOIN rate_of AS r USING (service_code, zone_code, moment_cell, gram_cell)
    ), punctual AS (
        SELECT p.*, CASE
            WHEN rate_id IS NULL THEN NULL
            WHEN promised_at IS NULL THEN 1
            WHEN transit_spread_days = 0 THEN CASE WHEN spare_days >= 0 THEN 1 ELSE 0 END
            ELSE 1 / (1 + exp(-(1.5976 * z + 0.07056 * (z * z * z)))) END AS on_time,
            COALESCE(
                max(rate_currency) FILTER (WHERE fits AND rate_currency = currency) OVER parcel,
                min(rate_currency) FILTER (WHERE fits) OVER parcel
            ) AS compared_in
        FROM priced AS p CROSS JOIN LATERAL (SELECT
            LEAST(8, GREATEST(-8, spare_days / NULLIF(transit_spread_days, 0))) AS z,
            rate_id IS NOT NULL AND weight_g <= max_weight_g AS fits
        ) AS derived
        WINDOW parcel AS (PARTITION BY order_id, site_code)
    ), judged AS (
        SELECT p.*, CASE
            WHEN weight_g > max_weight_g
                THEN 'over max weight ' || trim_scale(max_weight_g / 1000.0) || ' kg'
            WHEN rate_id IS NULL THEN 'no rate for ' || trim_scale(billable_weight_g / 1000.0)
                || ' kg to zone ' || zone_code
            WHEN rate_currency <> compared_in
                THEN 'rate in ' || rate_currency || ', parcel compared in ' || compared_in
            END AS obstacle
        FROM punctual AS p
    ), scored AS (
        SELECT j.*, CASE WHEN obstacle IS NULL THEN cost_minor
            + :late_cost_minor * (1 - on_time)
            + (1 - quality) * :damage_share
                * CASE WHEN rate_currency = currency THEN goods_minor ELSE 0 END
            END AS score
        FROM judged AS j
    ), ranked AS (
        SELECT s.*,
            obstacle IS NULL
                AND row_number() OVER best = 1 AS is_chosen,
            cost_minor - first_value(cost_minor) OVER best AS dearer_minor,
            count(score) OVER parcel AS eligible,
            min(cost_minor) FILTER (WHERE score IS NOT NULL) OVER parcel AS cheapest_minor,
            min(cost_minor) FILTER (
                WHERE score IS NOT NULL AND on_time >= :keeps_promise_from
            ) OVER parcel AS cheapest_keeping_minor,
            CASE WHEN promised_at IS NULL THEN ''
                ELSE ', ' || round(on_time * 100) || ' % on time' END AS punctuality,
            COALESCE((CAST(:exponents AS jsonb) ->> rate_currency)::integer, 2) AS places
        FROM scored AS s
        WINDOW parcel AS (PARTITION BY order_id, site_code),
            best AS (PARTITION BY order_id, site_code
                     ORDER BY score NULLS LAST, service_code COLLATE "C")
    )
    SELECT order_id, site_code, service_code, zone_code, billable_weight_g, rate_id, cost_minor,
        rate_currency AS currency, eta_at, on_time AS on_time_probability, score,
        obstacle IS NULL AS is_eligible, is_chosen, CASE
            WHEN obstacle IS NOT NULL THEN obstacle
            WHEN is_chosen AND eligible = 1 THEN 'only service that can carry it' || punctuality
            WHEN is_chosen AND cost_minor = cheapest_minor THEN 'cheapest' || punctuality
            WHEN is_chosen AND promised_at IS NOT NULL AND on_time >= :keeps_promise_from
                AND cost_minor = cheapest_keeping_minor
                THEN 'cheapest that keeps the promise' || punctuality
            WHEN is_chosen THEN 'best balance of cost, punctuality and damage' || punctuality
            WHEN dearer_minor = 0 THEN 'same price as chosen' || punctuality
            ELSE round(abs(dearer_minor) / power(10::numeric, places::numeric), places)
                || ' ' || rate_currency || CASE WHEN dearer_minor > 0 THEN ' dearer'
                ELSE ' cheaper' END || ' than chosen' || punctuality
            END || note AS reason
    FROM ranked
    ORDER BY order_id, site_code, service_code
""")
    .bindparams(sa.bindparam("exponents", type_=JSONB))
    .columns(*CARRIER_CHOICES.c)
)
"""Every service for every row of `parcels`, with the columns of `transport.carrier_choices`.

The card must have been laid out for them (`lanes.lay_out_card`)."""

_CHOOSE = sa.insert(CARRIER_CHOICES).from_select(
    [column.name for column in CARRIER_CHOICES.c], CANDIDATES
)

# LEFT JOIN: a parcel without any candidate is a decision too, with the outcome `none`.
_DECISIONS = sa.text("""
    WITH considered AS (
        SELECT p.order_id, p.site_code,
            count(x.service_code) AS candidates,
            count(x.score) AS eligible,
            COALESCE(
                max(x.zone_code) FILTER (WHERE x.is_chosen), min(x.zone_code COLLATE "C")
            ) AS zone_code,
            max(x.service_code) FILTER (WHERE x.is_chosen) AS service_code,
            max(x.on_time_probability) FILTER (WHERE x.is_chosen) AS on_time,
            max(x.cost_minor) FILTER (WHERE x.is_chosen) = min(x.cost_minor)
                FILTER (WHERE x.is_eligible) AS is_cheapest
        FROM parcels AS p LEFT JOIN transport.carrier_choices AS x USING (order_id, site_code)
        GROUP BY p.order_id, p.site_code
    )
    SELECT p.order_id, p.site_code AS subject,
        jsonb_build_object(
            'units', p.units, 'weight_g', p.weight_g, 'volume_mm3', p.volume_mm3,
            'goods_minor', p.goods_minor, 'currency', p.currency,
            'distance_km', p.distance_km, 'zone', c.zone_code, 'ready_at', p.ready_at,
            'promised_at', p.promised_at, 'candidates', c.candidates, 'eligible', c.eligible
        ) AS inputs,
        CAST(:version AS text) AS version,
        COALESCE(c.service_code, 'none') AS outcome,
        array_remove(ARRAY[
            CASE WHEN c.service_code IS NULL THEN 'no_eligible_carrier' END,
            CASE WHEN c.eligible = 1 THEN 'only_eligible' END,
            CASE WHEN c.is_cheapest THEN 'cheapest' END,
            CASE WHEN p.promised_at IS NULL THEN 'without_promise'
                WHEN c.on_time >= :keeps_promise_from THEN 'keeps_promise' END,
            CASE WHEN p.distance_km IS NULL THEN 'distance_unknown' END,
            CASE WHEN p.is_weight_estimated THEN 'weight_estimated' END
        ], NULL) AS reasons,
        p.due_at AS decided_as_of
    FROM parcels AS p JOIN considered AS c USING (order_id, site_code)
    ORDER BY p.due_at, p.order_id, p.site_code
""").columns(
    sa.column("order_id"), sa.column("subject"), sa.column("inputs"), sa.column("version"),
    sa.column("outcome"), sa.column("reasons"), sa.column("decided_as_of"),
)  # fmt: skip

_STUCK_TABLE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS stuck (
        order_id bigint PRIMARY KEY, happened_at timestamptz NOT NULL, detail jsonb NOT NULL
    ) ON COMMIT PRESERVE ROWS
""")

# Kept in a table because it must not change while the hold states do.
_FIND_STUCK = sa.text("""
    INSERT INTO stuck
    SELECT c.order_id, c.due_at, jsonb_build_object(
        'sites', COALESCE(jsonb_agg(p.site_code ORDER BY p.site_code COLLATE "C")
            FILTER (WHERE x.order_id IS NULL AND p.site_code IS NOT NULL), '[]')
    )
    FROM claimed AS c
    LEFT JOIN parcels AS p USING (order_id)
    LEFT JOIN transport.carrier_choices AS x
        ON x.order_id = p.order_id AND x.site_code = p.site_code AND x.is_chosen
    GROUP BY c.order_id, c.due_at
    HAVING count(x.order_id) < count(*)
""")
_EVENT = sa.text("SELECT order_id, happened_at, detail FROM stuck").columns(
    sa.column("order_id"), sa.column("happened_at"), sa.column("detail")
)
_STUCK = sa.text("SELECT order_id, happened_at AS due_at FROM stuck").columns(
    sa.column("order_id"), sa.column("due_at")
)

# An order passes whole or not at all: its other parcels would leave without the one that is stuck.
_PASSED = sa.text(
    "SELECT order_id, due_at FROM claimed WHERE order_id NOT IN (SELECT order_id FROM stuck)"
).columns(sa.column("order_id"), sa.column("due_at"))


def choose_carriers(
    conn: sa.Connection, run: str, policy: Policy | None = None
) -> Mapping[str, int]:
    """Choose a service for every parcel of the claimed orders; hold orders where none can carry it.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.
        policy: what the shop makes of lateness and damage; the version in force at each order's
            moment, if not given.

    Returns:
        `parcels`, `candidates`, and `without_carrier`: orders that are held.
    """
    if policy is not None:
        return _choose(conn, run, Version(policy.version, policy))
    return by_version(conn, KIND, Policy, partial(_choose, conn, run))


def _choose(conn: sa.Connection, run: str, version: Version[Policy]) -> dict[str, int]:
    policy = version.policy
    parcels = gather_parcels(conn, policy.default_unit_weight_g)
    lay_out_card(conn, parcels)
    conn.execute(_FORGET)
    candidates = conn.execute(_CHOOSE, weights(conn, policy)).rowcount
    decisions = _DECISIONS.bindparams(
        version=version.label, keeps_promise_from=policy.keeps_promise_from
    )
    record_decisions(conn, "carrier_choice", decisions, run)
    held = _hold_stuck(conn, run)
    hand_on(conn, NEXT[Stage.CARRIER], _PASSED)
    return {"parcels": parcels, "candidates": candidates, "without_carrier": held}


def _hold_stuck(conn: sa.Connection, run: str) -> int:
    conn.execute(_STUCK_TABLE)
    conn.execute(sa.text("DELETE FROM stuck"))
    stuck = conn.execute(_FIND_STUCK).rowcount
    reason = holds.Reason.NO_CARRIER.value
    holds.place(conn, _EVENT, reason, "transport", run, event="no_carrier")
    # They wait here as held: whoever releases them wants their parcels judged anew.
    hand_on(conn, (Stage.CARRIER,), _STUCK)
    return stuck


def weights(conn: sa.Connection, policy: Policy) -> dict[str, Any]:
    """The parameters of `CANDIDATES`."""
    currencies = conn.scalars(sa.select(RATES.c.currency).distinct()).all()
    return {
        "late_cost_minor": policy.late_cost_minor,
        "damage_share": policy.damage_share,
        "keeps_promise_from": policy.keeps_promise_from,
        "exponents": {code: exponent(code) for code in currencies},
    }
