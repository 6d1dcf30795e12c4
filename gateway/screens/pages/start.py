"""Where people begin: what waits for them, and where everything is."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.routing import route

from gateway.screens.inner import Inner
from gateway.screens.pages.page import Page


class Start(Page):
    """Tiles of what the user may open, with how much waits."""

    menu_label = "Start"
    icon = "fa-solid fa-house"
    path = "/"

    def __init__(self, inner: Inner) -> None:
        """The first page; it leads the menu by itself."""
        super().__init__(inner)
        self.add_to_menu = False

    @route("")
    async def index(self, request: Request) -> Response:
        """Show the tiles."""
        waiting = await self._waiting(request)
        tiles = [tile | {"count": waiting.get(tile["title"])} for tile in _tiles(request)]
        return self.show(request, "start.html", {"tiles": tiles})

    async def _waiting(self, request: Request) -> dict[str, str]:
        reply = await self.inner.ask(request, "GET", "/approvals", query={"limit": 100})
        parked = await self.inner.ask(request, "GET", "/quarantine",
                                      query={"limit": 100, "state": "parked"})  # fmt: skip
        counts = {}
        for name, said in (("Approvals", reply), ("Quarantine", parked)):
            if said.is_good:
                more = "+" if said.body["next"] else ""
                counts[name] = f"{len(said.body['items'])}{more}"
        return counts


def _tiles(request: Request) -> list[dict[str, Any]]:
    return [{"title": title, "url": url, "icon": icon, "text": text}
            for title, url, icon, text in _TILES]  # fmt: skip


_TILES = (
    ("Orders", "/screens/orders", "fa-solid fa-cart-shopping",
     "Find one, see why it was decided so; hold, release, cancel"),
    ("Approvals", "/screens/approvals", "fa-solid fa-check-double",
     "Prices, purchases, counts and products that somebody else proposed"),
    ("Quarantine", "/screens/quarantine", "fa-solid fa-box-archive",
     "Rows that could not be used: mend, try again, give up"),
    ("Carrier selection", "/screens/shipments", "fa-solid fa-truck-fast",
     "Shipments, what else could have carried them, and why it was chosen so"),
    ("Products", "/screens/products/list", "fa-solid fa-tags",
     "The catalogue: products, attributes, what they lack for channels"),
    ("Business rules", "/screens/rules", "fa-solid fa-scale-balanced",
     "What decides: try other settings, draft, backtest, approve, roll back"),
    ("Connections", "/screens/channels", "fa-solid fa-store",
     "Sales channels: tests, syncs, what is on sale there"),
    ("Status", "/screens/status", "fa-solid fa-heart-pulse",
     "What runs, what waits, what is degraded and why"),
    ("Dagster", "/dagster", "fa-solid fa-diagram-project",
     "Orders, stock, prices and parcels as assets, with their checks and runs"),
    ("API", "/api/v1/docs", "fa-solid fa-code", "What programs may read and do"),
)  # fmt: skip
