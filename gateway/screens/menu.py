"""The list of all screens, in the order of the menu."""

from __future__ import annotations

from collections.abc import Iterator

from starlette_admin.views import BaseView, DropDown, Link

from gateway.screens.inner import Inner
from gateway.screens.pages.account import Account, Doors
from gateway.screens.pages.approvals import Approvals
from gateway.screens.pages.calendar import Calendar
from gateway.screens.pages.catalogue_files import CatalogueFiles
from gateway.screens.pages.channels import Channels
from gateway.screens.pages.orders import Orders
from gateway.screens.pages.price_lists import PriceLists
from gateway.screens.pages.quarantine import Quarantine
from gateway.screens.pages.rules import Rules
from gateway.screens.pages.selection import Selection, Shopping
from gateway.screens.pages.shop_settings import ShopSettings
from gateway.screens.pages.status import Status
from gateway.screens.plain.listings import Listings
from gateway.screens.plain.people import AuditLog, Users
from gateway.screens.plain.products import Categories, Families, Products
from gateway.screens.plain.shipping import Carriers, Rates, Services, Sites, Zones
from gateway.screens.plain.taxes import TaxChannels, TaxRates
from resources.database import DatabaseResource


def views(inner: Inner, database: DatabaseResource, doors: Doors) -> Iterator[BaseView]:
    """Every screen; those that the user may not see are left out of the menu."""
    yield Orders(inner)
    yield Approvals(inner)
    yield Quarantine(inner)
    yield Selection(inner)
    yield DropDown("Shipping", icon="fa-solid fa-truck", always_open=False, views=[
        Shopping(inner), PriceLists(inner), Carriers(inner, database), Services(inner, database),
        Zones(inner, database), Rates(inner, database),
    ])  # fmt: skip
    yield DropDown("Catalogue", icon="fa-solid fa-tags", always_open=False, views=[
        Products(inner, database), CatalogueFiles(inner), Categories(inner, database),
        Families(inner, database),
    ])  # fmt: skip
    yield DropDown("Channels", icon="fa-solid fa-store", always_open=False, views=[
        Channels(inner), Listings(inner, database),
    ])  # fmt: skip
    yield DropDown("Warehouses", icon="fa-solid fa-warehouse", always_open=False, views=[
        Calendar(inner), Sites(inner, database),
    ])  # fmt: skip
    yield Rules(inner)
    yield DropDown("Taxes", icon="fa-solid fa-percent", always_open=False, views=[
        TaxRates(inner, database), TaxChannels(inner, database),
    ])  # fmt: skip
    yield ShopSettings(inner)
    yield Status(inner)
    yield DropDown("People", icon="fa-solid fa-users", always_open=False, views=[
        Users(inner, database), AuditLog(inner, database),
    ])  # fmt: skip
    yield Account(inner, doors)
    yield Link("Dagster", icon="fa-solid fa-diagram-project", url="/dagster")
    yield Link("API", icon="fa-solid fa-code", url="/api/v1/docs")
