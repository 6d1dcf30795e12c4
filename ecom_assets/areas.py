"""The one list of business areas: name, owner and purpose.

An area's name is its folder, its PostgreSQL schema, its asset group and the first part of its
asset keys. Nothing else lists areas.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """One business area.

    Attributes:
        name: folder, schema, asset group and first part of every asset key.
        owner: team that answers for the area, as Dagster wants it (`team:...`).
        purpose: one sentence for people who see the area for the first time.
    """

    name: str
    owner: str
    purpose: str


AREAS: tuple[Area, ...] = (
    Area("orders", "team:order-desk", "Takes orders in, validates them and follows their states."),
    Area("catalog", "team:merchandising", "What the shop sells: SKUs, sizes, weights, suppliers."),
    Area("pricing", "team:merchandising", "What a unit costs whom, since when, and why."),
    Area("marketplace", "team:channels", "Connections to sales channels, and what is live there."),
    Area("customers", "team:customer-care", "Who buys, from which addresses, since when."),
    Area("payments", "team:finance", "What was authorised against what is due."),
    Area("fraud", "team:risk", "How likely an order is fraudulent, on what was known then."),
    Area("risk", "team:risk", "Accept, review or reject each order, with reasons."),
    Area("inventory", "team:supply", "Movements, balances and reservations; never oversold."),
    Area("warehouse", "team:supply", "Which site ships which line."),
    Area("transport", "team:logistics", "Which carrier service carries which parcel, and why."),
    Area("documents", "team:finance", "Invoices with gapless numbers, packing slips."),
    Area("effects", "team:order-desk", "What leaves the platform, such as e-mail: once each."),
    Area("quality", "team:data", "Reconciles the areas with each other; keeps what was parked."),
    Area("decisions", "team:data", "Why orders were decided so, and how other rules would."),
    Area("backoffice", "team:data", "Rules and taxes, who may come in and did what, and upkeep."),
    Area("marts", "team:data", "Documented, tested tables for analysts, built by dbt."),
)
"""Every area, in the order an order passes through them."""

AREA_NAMES: frozenset[str] = frozenset(area.name for area in AREAS)
