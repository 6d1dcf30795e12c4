"""Files of what a shop has before it has orders: products, people, sites, carriers, stock."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator import carriers
from simulator.catalog import CATEGORIES
from simulator.csvfile import Account, CsvFile, moments
from simulator.draws import Floats, Ints, Texts
from simulator.names import words
from simulator.places import COUNTRIES, SITES
from simulator.stock import Suppliers, plan, site_shares, spread
from simulator.world import World

Accounts = dict[str, Account]
"""What is to become of the rows, by file name."""

_REPEATED = 0.004
"""Share of the products that stand in their file twice."""


def supplier_keys(world: World) -> Texts:
    """Natural keys of the suppliers."""
    return np.array([f"SUP-{n + 1:03d}" for n in range(world.spec.suppliers)], dtype=object)


def write_suppliers(folder: Path, world: World, suppliers: Suppliers) -> Accounts:
    """Write `suppliers.csv`."""
    index = np.arange(world.spec.suppliers)
    country = np.array([*(each.code for each in COUNTRIES), "PL", "PT", "CN", "TR"], dtype=object)
    name = words(world.draws, "supplier/name", len(index)) + " Trading"
    header = ("supplier_key", "name", "country", "lead_time_days", "lead_time_spread_days",
              "minimum_order_minor")  # fmt: skip
    with CsvFile(folder, "suppliers", header) as file:
        file.columns(
            supplier_keys(world), name,
            country[world.draws.below("supplier/country", index, len(country))],
            suppliers.lead_days, suppliers.spread_days, suppliers.minimum_minor,
        )  # fmt: skip
    return {file.name: file.account}


def write_products(folder: Path, world: World) -> Accounts:
    """Write `products.csv`; a few products stand there twice."""
    catalog = world.catalog
    index = np.arange(world.spec.skus)
    repeated = world.draws.chance("product/repeated", index, _REPEATED)
    row = np.repeat(index, 1 + repeated)
    path = np.array([each.name for each in CATEGORIES], dtype=object)[catalog.category]
    weight = np.where(catalog.weight_g > 0, catalog.weight_g.astype(object), "")
    header = ("sku", "name", "category", "brand", "weight_g", "length_mm", "width_mm",
              "height_mm", "unit_cost_minor", "list_price_minor", "currency",
              "supplier_key")  # fmt: skip
    with CsvFile(folder, "products", header) as file:
        file.columns(
            catalog.sku[row], catalog.name[row], np.where(catalog.has_category, path, "")[row],
            catalog.brand[row], weight[row], *catalog.sides_mm[row].T, catalog.cost_minor[row],
            catalog.price_minor[row], ["EUR"] * len(row),
            supplier_keys(world)[catalog.supplier[row]],
        )  # fmt: skip
    file.account.superseded = int(repeated.sum())
    return {file.name: file.account}


def write_customers(folder: Path, world: World, block: int) -> Accounts:
    """Write `customers.csv`, so many customers at a time."""
    codes = np.array([each.code for each in COUNTRIES], dtype=object)
    header = ("customer_key", "name", "email", "phone", "country", "signed_up_at")
    with CsvFile(folder, "customers", header) as file:
        for start in range(0, world.people.total, block):
            customer = np.arange(start, min(start + block, world.people.total))
            known = world.people.contacts(customer)
            country = world.people.country(world.people.group(customer))
            file.columns(known.key, known.name, known.email, known.phone, codes[country],
                         moments(world.people.signed_up(customer)))  # fmt: skip
    return {file.name: file.account}


def write_sites(folder: Path) -> Accounts:
    """Write `sites.csv`."""
    header = ("site_code", "name", "country", "region", "city", "postal_code", "latitude",
              "longitude", "daily_capacity", "handling_minor", "currency")  # fmt: skip
    with CsvFile(folder, "sites", header) as file:
        file.rows(
            (site.code, site.name, site.country, site.region, site.city, site.postal_code,
             site.latitude, site.longitude, site.daily_capacity, site.handling_minor, "EUR")
            for site in SITES
        )  # fmt: skip
    return {file.name: file.account}


def write_rate_card(folder: Path, world: World) -> Accounts:
    """Write `carriers.csv`, `services.csv`, `zones.csv` and `rates.csv`."""
    with CsvFile(folder, "carriers", ("carrier_code", "name")) as carrier_file:
        carrier_file.rows(carriers.CARRIERS)
    header = ("service_code", "carrier_code", "name", "max_weight_g", "dim_divisor", "quality")
    with CsvFile(folder, "services", header) as service_file:
        service_file.rows(
            (each.code, each.carrier, each.name, each.max_g, each.divisor, each.quality)
            for each in carriers.SERVICES
        )
    with CsvFile(folder, "zones", ("zone_code", "from_km", "to_km")) as zone_file:
        zone_file.rows(carriers.ZONES)
    rate_file = _write_rates(folder, world)
    files = carrier_file, service_file, zone_file, rate_file
    return {file.name: file.account for file in files}


def _write_rates(folder: Path, world: World) -> CsvFile:
    header = ("service_code", "zone_code", "from_g", "to_g", "price_minor", "currency",
              "transit_days", "transit_spread_days", "valid_from_at", "valid_to_at")  # fmt: skip
    with CsvFile(folder, "rates", header) as file:
        for *band, cents, days, spread_days, begins, ends in carriers.rates(world.spec):
            shown = moments(np.array([begins, -1 if ends is None else ends]), without=-1)
            file.rows([(*band, cents, "EUR", days, spread_days, *shown)])
    return file


def write_movements(folder: Path, world: World, demand: Ints, suppliers: Suppliers) -> Accounts:
    """Write `movements.csv`: the opening stock of every product, then what suppliers delivered."""
    opening, deliveries = plan(world, demand, suppliers)
    shares = site_shares(world, demand)
    before = np.full(len(opening), world.spec.start_s - 86_400)
    everything = np.arange(len(opening))
    header = ("sku", "site_code", "kind", "quantity", "moved_at", "reference")
    with CsvFile(folder, "movements", header) as file:
        rows = _by_site(world, everything, opening, before, shares)
        file.columns(*rows[:2], ["opening"] * len(rows[0]), *rows[2:4],
                     ["opening"] * len(rows[0]))  # fmt: skip
        rows = _by_site(world, deliveries.product, deliveries.quantity, deliveries.moment, shares)
        orders = [f"PO-{week + 1:03d}" for week in deliveries.week[rows[4]].tolist()]
        file.columns(*rows[:2], ["receipt"] * len(orders), *rows[2:4], orders)
    return {file.name: file.account}


def _by_site(
    world: World, product: Ints, quantity: Ints, moment: Ints, shares: Floats
) -> tuple[Texts, Texts, Ints, Texts, Ints]:
    """SKU, site, units and moment of each move, and the position of what it is a part of."""
    units = spread(quantity, shares[product])
    row, site = np.nonzero(units)
    codes: Texts = np.array([each.code for each in SITES], dtype=object)
    sku = world.catalog.sku[product[row]]
    return sku, codes[site], units[row, site], moments(moment[row]), row
