"""Transport as assets: the rate card, the choice of a service per parcel, the hand-over."""

from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import Stage
from ecom_assets.shared.metadata import advanced, bar_plot, money, preview
from ecom_assets.transport import store
from ecom_assets.transport.store import reports
from ecom_assets.transport.tables import CARRIER_CHOICES, SHIPMENTS
from resources.database import DatabaseResource

_RATE_CARD = [
    dg.AssetSpec(["transport", "carriers"], description="Carriers the shop has a contract with."),
    dg.AssetSpec(["transport", "services"], description="Services of the carriers."),
    dg.AssetSpec(["transport", "zones"], description="Distance zones, from site to customer."),
    dg.AssetSpec(
        ["transport", "rates"],
        description="Price, transit time and spread per service, zone, weight band and period.",
    ),
    dg.AssetSpec(
        ["transport", "rate_lists"],
        description="Price lists that were uploaded, as a preview until they are applied.",
    ),
    dg.AssetSpec(
        ["transport", "rate_list_rows"],
        deps=[dg.AssetKey(["transport", "rate_lists"])],
        description="What each row of an uploaded price list does to the rate card.",
    ),
]


@dg.asset(
    key=["transport", "carrier_choices"],
    deps=[
        dg.AssetKey(["warehouse", "allocations"]),
        dg.AssetKey(["catalog", "products"]),
        dg.AssetKey(["transport", "services"]),
        dg.AssetKey(["transport", "zones"]),
        dg.AssetKey(["transport", "rates"]),
    ],
    kinds={"postgres"},
    description="Every service considered for every parcel, with cost, probability to arrive by"
    " the promise, score and the reason why it was chosen or not. The lowest score wins; an order"
    " with a parcel that no service can carry is held.",
)
def carrier_choices(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Choose a service for the parcels of every order that waits."""
    totals = drain_abreast(
        database.begin,
        Stage.CARRIER,
        lambda conn: store.choose_carriers(conn, context.run.run_id),
        context.log.info,
        run=context.run.run_id,
    )
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **advanced(conn, CARRIER_CHOICES, totals),
                **_shares(conn),
                "carrier_mix": _plot(conn, reports.CARRIER_MIX, "Parcels per service", "parcels"),
                "on_time": _plot(
                    conn, reports.ON_TIME, "Chance to arrive by the promise", "parcels"
                ),
                "preview": preview(conn, reports.LATEST_CHOICES),
                "without_carrier_preview": preview(conn, reports.WITHOUT_CARRIER),
            }
        )


@dg.asset(
    key=["transport", "shipments"],
    deps=[dg.AssetKey(["transport", "carrier_choices"])],
    kinds={"postgres"},
    description="Parcels handed to a carrier: service, cost, departure and mean arrival."
    " Moves the order to shipped or, where units are on backorder, to partly shipped.",
)
def shipments(
    context: dg.AssetExecutionContext, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Hand over the parcels of every order that waits."""
    totals = drain_abreast(
        database.begin,
        Stage.SHIP,
        lambda conn: store.ship_parcels(conn, context.run.run_id),
        context.log.info,
        run=context.run.run_id,
    )
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **advanced(conn, SHIPMENTS, totals),
                "cost": money(conn, reports.SHIPPING_COST),
                "shipped_per_month": _plot(
                    conn, reports.PARCELS_PER_MONTH, "Parcels per month", "parcels"
                ),
                "preview": preview(conn, reports.LATEST_SHIPMENTS),
            }
        )


def _shares(conn: sa.Connection) -> dict[str, dg.FloatMetadataValue]:
    row = conn.execute(reports.SHARES).mappings().one()
    return {name: dg.MetadataValue.float(float(value or 0)) for name, value in row.items()}


def _plot(
    conn: sa.Connection, rows: sa.Select[Any], title: str, unit: str
) -> dg.MarkdownMetadataValue:
    found = conn.execute(rows).tuples().all()
    return bar_plot([label for label, _ in found], [float(n) for _, n in found], title, unit)


ASSETS: list[dg.AssetSpec | dg.AssetsDefinition] = [*_RATE_CARD, carrier_choices, shipments]
"""The assets of the area."""
