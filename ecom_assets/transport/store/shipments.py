"""The hand-over of parcels to their carriers.

A parcel leaves its site the moment all its units are there (`ready_at`). Working hours and cut-offs
of sites are kept (`warehouse.site_hours`), but nothing here waits for them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa

from ecom_assets.shared.flow import NEXT, Stage, hand_on
from ecom_assets.shared.journal import record_events
from ecom_assets.shared.states import Dimension, hold_claimed, move
from ecom_assets.shared.versions import Version, by_version
from ecom_assets.transport.policy import KIND, Policy
from ecom_assets.transport.store.parcels import gather_parcels

_SHIP = sa.text("""
    INSERT INTO transport.shipments
        (order_id, site_code, service_code, units, weight_g, is_weight_estimated, cost_minor,
         currency, shipped_at, eta_at, promised_at, run_id)
    SELECT p.order_id, p.site_code, x.service_code, p.units, p.weight_g, p.is_weight_estimated,
        x.cost_minor, x.currency, p.ready_at, x.eta_at, p.promised_at, :run
    FROM parcels AS p JOIN transport.carrier_choices AS x USING (order_id, site_code)
    WHERE x.is_chosen
    ORDER BY p.due_at, p.order_id, p.site_code
    ON CONFLICT (order_id, site_code) DO NOTHING
""")

_HAND_OVERS = sa.text("""
    SELECT s.order_id, s.shipped_at AS happened_at, jsonb_build_object(
        'site', s.site_code, 'carrier', r.name, 'service', v.name, 'units', s.units,
        'eta_at', s.eta_at
    ) AS detail
    FROM parcels AS p
    JOIN transport.shipments AS s USING (order_id, site_code)
    JOIN transport.services AS v USING (service_code)
    JOIN transport.carriers AS r USING (carrier_code)
    ORDER BY p.due_at, s.order_id, s.site_code
""").columns(sa.column("order_id"), sa.column("happened_at"), sa.column("detail"))

# `parcels` keeps the state the orders were claimed in, so this does not change while they move.
_DEPARTURES = sa.text("""
    SELECT order_id, max(ready_at) AS happened_at,
        jsonb_build_object('parcels', count(*), 'units', sum(units)) AS detail
    FROM parcels WHERE fulfilment_state = :was
    GROUP BY order_id
""").columns(sa.column("order_id"), sa.column("happened_at"), sa.column("detail"))

# The last parcel decides: an invoice for the whole must not be older than what it charges.
_HANDED_OVER = sa.text(
    "SELECT order_id, max(ready_at) AS due_at FROM parcels GROUP BY order_id"
).columns(sa.column("order_id"), sa.column("due_at"))


def ship_parcels(conn: sa.Connection, run: str, policy: Policy | None = None) -> Mapping[str, int]:
    """Hand the parcels of the claimed orders to the services chosen for them.

    What follows a hand-over (sale, packing slip, invoice) is due at that moment, not at the
    order's: so invoice numbers rise with the date of issue.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.
        policy: gives the weight of units whose product has none; the version in force at each
            order's moment, if not given.

    Returns:
        `parcels` handed over, and orders `shipped` and `partly_shipped`.
    """
    if policy is not None:
        return _ship(conn, run, Version(policy.version, policy))
    return by_version(conn, KIND, Policy, partial(_ship, conn, run), hold_claimed)


def _ship(conn: sa.Connection, run: str, version: Version[Policy]) -> dict[str, int]:
    # Two moves follow; held first, so that their rows are locked in one order.
    hold_claimed(conn)
    gather_parcels(conn, version.policy.default_unit_weight_g)
    parcels = conn.execute(_SHIP, {"run": run}).rowcount
    record_events(conn, "parcel_handed_over", _HAND_OVERS, run)
    moved = {
        state: _depart(conn, was, state, run)
        for was, state in (("allocated", "shipped"), ("partly_allocated", "partly_shipped"))
    }
    hand_on(conn, NEXT[Stage.SHIP], _HANDED_OVER)
    return {"parcels": parcels, **moved}


def _depart(conn: sa.Connection, was: str, state: str, run: str) -> int:
    rows = _DEPARTURES.bindparams(was=was)
    return move(conn, Dimension.FULFILMENT, state, f"order_{state}", rows, run)
