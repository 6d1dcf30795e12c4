"""What an allocation is made from, as arrays; indices stand for orders, SKUs and sites."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecom_assets.warehouse.allocation.arrays import Floats, Ints, Texts
from ecom_assets.warehouse.allocation.prices import Prices
from ecom_assets.warehouse.rules import ROUTING, Routing


@dataclass(frozen=True)
class Orders:
    """Orders in the order of deciding.

    Attributes:
        due: the order's own moment, microseconds.
        latitude: degrees north, NaN where unknown.
        longitude: degrees east, NaN where unknown.
        country: ISO 3166-1 alpha-2.
    """

    due: Ints
    latitude: Floats
    longitude: Floats
    country: Texts


@dataclass(frozen=True)
class Sites:
    """Sites by site code; coordinates in degrees, cost of handling a parcel in minor units."""

    latitude: Floats
    longitude: Floats
    country: Texts
    handling: Ints


@dataclass(frozen=True)
class Demand:
    """Reserved units per order and SKU, sorted by order."""

    order: Ints
    sku: Ints
    quantity: Ints


@dataclass(frozen=True)
class Stock:
    """Stock per cell, which is a SKU at a site; cells are sorted by SKU, then site.

    Attributes:
        sku: SKU of each cell.
        site: site of each cell.
        free: units of each cell that are there now and not allocated.
        move_cell: cell of each stock move after the first order's moment, ascending.
        move_at: its moment, ascending within the cell, microseconds.
        move_most: largest sum of the cell's moves over any stretch that starts with this move or a
            later one and lasts until now; at least 0.
    """

    sku: Ints
    site: Ints
    free: Ints
    move_cell: Ints
    move_at: Ints
    move_most: Ints

    def free_at(self, cell: Ints, at: Ints) -> Ints:
        """Units of each cell that were there at a moment and that no later move takes away."""
        moments = np.unique(self.move_at)
        after = np.searchsorted(moments, at, side="right")
        place = cell * (len(moments) + 1) + after
        row = np.searchsorted(
            self.move_cell * (len(moments) + 1) + np.searchsorted(moments, self.move_at), place
        )
        free: Ints = self.free[cell] - self._most(row, cell)
        return free

    def there_at(self, cell: Ints, level: Ints, at: Ints) -> Ints:
        """First moment, not before `at`, at which each cell has `level` units for good."""
        first = np.searchsorted(self.move_cell, cell)
        is_there = self.free[cell] - self._most(first, cell) >= level
        row = np.searchsorted(self._levels, cell * self._levels_span + level)
        # The appended 0 stands for "no move": np.where leaves it unused where the units are there.
        moment = np.append(self.move_at, 0)[np.minimum(row, len(self.move_at))]
        return np.where(is_there, at, np.maximum(at, moment))

    def _most(self, row: Ints, cell: Ints) -> Ints:
        """`move_most` of a row, 0 where the row is beyond the cell's moves."""
        cells, most = np.append(self.move_cell, -1), np.append(self.move_most, 0)
        return np.where(cells[row] == cell, most[row], 0)

    @cached_property
    def _levels_span(self) -> int:
        return int(self.free.max(initial=0)) + 2

    @cached_property
    def _levels(self) -> Ints:
        """Units there for good from each move on, in one ascending array over all cells."""
        rows = np.arange(len(self.move_cell))
        level = self.free[self.move_cell] - self._most(rows + 1, self.move_cell)
        levels: Ints = self.move_cell * self._levels_span + np.maximum(level, 0)
        return levels


@dataclass(frozen=True)
class Problem:
    """Everything an allocation is made from; without prices, handling alone is a site's cost."""

    orders: Orders
    sites: Sites
    demand: Demand
    stock: Stock
    routing: Routing = ROUTING
    prices: Prices | None = None
